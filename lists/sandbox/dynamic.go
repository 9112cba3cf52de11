//go:build cgo

package sandbox

import (
	"fmt"
	"os"
)

// libraries are the directories that superlist-session needs to start if it was built
// with cgo.
var libraries = []string{"/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache"}

// threadSignals says that the threads of this program signal each other by tkill(2),
// which names no process. libpsx does so to set Landlock on each of them.
const threadSignals = true

// threadsOf returns the directory in which libpsx looks up the threads of this program
// to signal them. It reads it after some of them are already confined.
func threadsOf() string { return fmt.Sprintf("/proc/%d/task", os.Getpid()) }
