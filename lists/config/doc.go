// Package config reads TOML into the structs of superlist.toml and list.toml. A
// mistake is an Error with the file, the line, the key and the mend.
//
// What reads a file says by Keys which names its tables have. A name that is not
// among them is a mistake: a key that is misspelt must not be a setting that does
// not hold.
package config
