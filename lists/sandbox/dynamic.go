//go:build cgo

package sandbox

// libraries are what superlist-session needs to be started when it was built
// with cgo.
var libraries = []string{"/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache"}
