//go:build cgo

package sandbox

import (
	"fmt"
	"os"
)

// libraries are what superlist-session needs to be started when it was built
// with cgo.
var libraries = []string{"/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache"}

// threadSignals says that the threads of this program signal each other by
// tkill(2), which names no process: libpsx does, to set Landlock on each of them.
const threadSignals = true

// threadsOf is the directory in which the threads of this program are looked up
// to signal them: libpsx reads it between two of them, when it is shut in itself.
func threadsOf() string { return fmt.Sprintf("/proc/%d/task", os.Getpid()) }
