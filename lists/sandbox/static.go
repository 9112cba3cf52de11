//go:build !cgo

package sandbox

// libraries are what superlist-session needs to be started: none, it is static.
var libraries []string

// threadSignals says that the threads of this program signal each other by
// tkill(2), which names no process: the Go runtime uses tgkill(2).
const threadSignals = false

// threadsOf is the directory in which the threads of this program are looked up
// to signal them: none, the runtime knows them.
func threadsOf() string { return "" }
