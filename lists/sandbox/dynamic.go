//go:build cgo

package sandbox

// libraries are what superlist-session needs to be started when it was built
// with cgo.
var libraries = []string{"/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache"}

// threadSignals says that the threads of this program signal each other by
// tkill(2), which names no process: libpsx does, to set Landlock on each of them.
const threadSignals = true
