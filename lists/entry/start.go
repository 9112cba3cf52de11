//go:build linux && (amd64 || arm64)

package entry

import "runtime"

// memProfileRate is set by start.
//
//lint:ignore U1000 the assembler code uses it
var memProfileRate = &runtime.MemProfileRate

// start is the first instruction of a program that serves one connection, if it was
// linked with -E superlist/lists/entry.start, as the Makefile does. It makes three
// settings that the Go runtime heeds only while it begins, and goes on to the runtime.
//
// A thread that sleeps may be woken a millisecond late (PR_SET_TIMERSLACK, which
// threads inherit). The runtime's own watcher, sysmon, wants to be woken every
// 20 microseconds, and finds nothing to do. It matters to a goroutine that can run
// only when another one, which waits in a system call, has lost its processor.
//
// No file can be opened (RLIMIT_NOFILE of 3), so that the runtime does not look for
// the limits of a cgroup: how many processors it uses says GOMAXPROCS, where sessions
// are started. Package syscall lifts the limit before main begins, as it does in every
// Go program.
//
// No allocation is noted for a profile of memory (runtime.MemProfileRate), which no
// program here makes: the runtime would walk its stack for the first one.
//
// Without it, the programs do the same and take a sixth longer.
//
//lint:ignore U1000 the linker uses it
func start()
