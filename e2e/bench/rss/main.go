// Rss runs a command and writes what it used to descriptor 3, on one line: the
// most memory it had in KiB, its page faults (without and with a read from the
// disk), the times it waited for something, and the instructions it carried out
// outside the kernel, or -1 where the machine does not count them.
//
// It stands between the bench and the command because a child is accounted the
// pages of the process that forked it, and the bench itself is large.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	runtime.LockOSThread() // the counter is of the thread that forks
	counter := instructions()
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "rss:", err)
		os.Exit(1)
	}
	u := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	fmt.Fprintln(os.NewFile(3, "report"), u.Maxrss, u.Minflt, u.Majflt, u.Nvcsw, read(counter))
}

// instructions opens a counter that begins with the command: perf_event_open(2).
func instructions() (fd int) {
	attr := unix.PerfEventAttr{
		Type:   unix.PERF_TYPE_HARDWARE,
		Config: unix.PERF_COUNT_HW_INSTRUCTIONS,
		Size:   unix.PERF_ATTR_SIZE_VER1,
		Bits:   unix.PerfBitDisabled | unix.PerfBitInherit | unix.PerfBitEnableOnExec | unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv,
	}
	fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return -1
	}
	return fd
}

func read(fd int) int64 {
	var b [8]byte
	if n, err := unix.Read(fd, b[:]); n != len(b) || err != nil {
		return -1
	}
	return int64(binary.NativeEndian.Uint64(b[:]))
}
