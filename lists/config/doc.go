// Package config reads TOML into the structs of superlist.toml and list.toml. A mistake
// is an Error with the file, the line, the key and the correction.
//
// The reader of a file lists the allowed names of its tables as Keys. Any other name is
// a mistake: a misspelt key must not be a setting without effect.
package config
