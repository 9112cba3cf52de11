//go:build !cgo

package sandbox

// libraries are what superlist-session needs to be started: none, it is static.
var libraries []string
