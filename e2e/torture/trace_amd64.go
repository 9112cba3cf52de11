package main

import "golang.org/x/sys/unix"

// leaveOut has a call that is about to begin not happen.
func leaveOut(pid int) error {
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(pid, &regs); err != nil {
		return err
	}
	regs.Orig_rax = ^uint64(0)
	return unix.PtraceSetRegs(pid, &regs)
}

// answer is what a call returns.
func answer(pid int, ret int64) error {
	var regs unix.PtraceRegs
	if err := unix.PtraceGetRegs(pid, &regs); err != nil {
		return err
	}
	regs.Rax = uint64(ret)
	return unix.PtraceSetRegs(pid, &regs)
}
