package main

import "golang.org/x/sys/unix"

// sleeps reports whether a thread is about to sleep.
func sleeps(regs *unix.PtraceRegs) bool {
	return regs.Orig_rax == unix.SYS_NANOSLEEP && int64(regs.Rax) == -int64(unix.ENOSYS)
}

// sends reports whether a thread has just sent a signal to another one.
func sends(regs *unix.PtraceRegs) bool { return regs.Orig_rax == unix.SYS_TGKILL }
