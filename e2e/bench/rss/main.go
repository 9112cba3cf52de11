// Rss runs a command and writes what it used to descriptor 3, on one line: the
// most memory it had in KiB, its page faults (without and with a read from the
// disk), and the times it waited for something.
//
// It stands between the bench and the command because a child is accounted the
// pages of the process that forked it, and the bench itself is large.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

func main() {
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "rss:", err)
		os.Exit(1)
	}
	u := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	fmt.Fprintln(os.NewFile(3, "report"), u.Maxrss, u.Minflt, u.Majflt, u.Nvcsw)
}
