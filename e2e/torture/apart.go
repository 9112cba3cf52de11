package main

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// role, in the environment, says which of three processes this is: the one that was
// started, an init(8) of what it runs, or the one that does the work.
const role = "SUPERLIST_TORTURE"

// setApart runs this program once more as root, where what it mounts is seen by nobody else,
// and where all that it has started ends with it, however it ends: Postfix's master(8)
// would live on. done: it has run.
func setApart() (code int, done bool, err error) {
	switch {
	case os.Geteuid() != 0 || os.Getenv(role) == "work":
		return 0, false, nil
	case os.Getenv(role) == "init":
		code, err := initial()
		return code, true, err
	}
	runtime.LockOSThread() // whose death kills it
	cmd := thisAs("init")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Cloneflags: syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	err = cmd.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return exit.ExitCode(), true, nil
	}
	return 0, err == nil, err
}

func thisAs(as string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), role+"="+as)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	return cmd
}

// initial starts the one that works, and waits for whatever ends.
func initial() (code int, err error) {
	cmd := thisAs("work")
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return 1, os.NewSyscallError("mount", err)
	}
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return 1, os.NewSyscallError("wait4", err)
		case pid == cmd.Process.Pid:
			if status.Signaled() {
				return 1, nil
			}
			return status.ExitStatus(), nil
		}
	}
}
