//go:build amd64

// Steps runs a command one instruction at a time and writes to descriptor 3 how many
// it carried out outside the kernel: a machine's own counter (perf_event_open) is
// hidden from many virtual ones, and does not give the same number twice.
//
// A program of Go's has a thread, sysmon, which looks every few microseconds whether
// the others have come on. They come on slowly here, so it would interfere all the
// time: it is held where it wants to sleep, and let go to obey a signal.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	runtime.LockOSThread() // a tracer is a thread
	here := new(unix.CPUSet)
	here.Set(0)
	unix.SchedSetaffinity(0, here) // on one processor a step takes a third of the time
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	err := cmd.Start()
	var n int64
	if err == nil {
		n, err = count(cmd.Process.Pid)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "steps:", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.NewFile(3, "report"), n)
}

// count steps through all threads of a process until it ends. Other processes that it
// starts run by themselves.
func count(pid int) (n int64, err error) {
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil {
		return 0, err
	}
	if err := unix.PtraceSetOptions(pid, unix.PTRACE_O_TRACECLONE|unix.PTRACE_O_TRACESYSGOOD|unix.PTRACE_O_EXITKILL); err != nil {
		return 0, err
	}
	if err := unix.PtraceSingleStep(pid); err != nil {
		return 0, err
	}
	var sysmon int
	held := false
	at := map[int]uint64{pid: 0} // where each thread is that is stepped through
	for {
		tid, err := unix.Wait4(-1, &status, unix.WALL, nil)
		if err != nil {
			return n, err
		}
		if status.Exited() || status.Signaled() {
			if tid != pid {
				continue
			}
			if status.ExitStatus() != 0 {
				return n, fmt.Errorf("it ended with %v", status)
			}
			return n, nil
		}
		signal := status.StopSignal()
		_, known := at[tid]
		switch {
		case !known && tid != sysmon: // a new thread, which stops before it begins
			if sysmon == 0 {
				sysmon, err = tid, unix.PtraceSyscall(tid, 0)
				break
			}
			at[tid] = 0
			err = unix.PtraceSingleStep(tid)
		case tid == sysmon && signal == unix.SIGTRAP|0x80: // a system call begins, or ends
			var regs unix.PtraceRegs
			if err = unix.PtraceGetRegs(tid, &regs); err != nil {
				break
			}
			if sleeps(&regs) {
				held = true
				break
			}
			err = unix.PtraceSyscall(tid, 0)
		case tid == sysmon:
			err = unix.PtraceSyscall(tid, int(signal))
		case signal != unix.SIGTRAP:
			err = step(tid, signal)
		default:
			var regs unix.PtraceRegs
			if err = unix.PtraceGetRegs(tid, &regs); err != nil {
				break
			}
			if regs.PC() != at[tid] { // or an instruction repeats itself: REP MOVS
				at[tid] = regs.PC()
				n++
			}
			if held && sends(&regs) {
				held = false
				err = unix.PtraceSyscall(sysmon, 0)
			}
			if err == nil {
				err = unix.PtraceSingleStep(tid)
			}
		}
		if err != nil && !errors.Is(err, unix.ESRCH) { // it is being ended
			return n, err
		}
	}
}

// step goes on with a signal.
func step(tid int, signal unix.Signal) error {
	_, _, e := unix.RawSyscall6(unix.SYS_PTRACE, unix.PTRACE_SINGLESTEP, uintptr(tid), 0, uintptr(signal), 0, 0)
	if e != 0 {
		return e
	}
	return nil
}
