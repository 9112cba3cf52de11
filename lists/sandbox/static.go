//go:build !cgo

package sandbox

// libraries are what superlist-session needs to start: none, since it is static.
var libraries []string

// threadSignals says that the threads of this program signal each other by tkill(2),
// which names no process. The Go runtime uses tgkill(2).
const threadSignals = false

// threadsOf returns the directory in which the threads of this program are looked up:
// none, since the runtime knows them.
func threadsOf() string { return "" }
