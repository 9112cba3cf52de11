package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A call is a system call of a traced program.
type call struct {
	pid  int // the thread
	main int // the program that was started; pid may be of one that this one has started
	nr   uint64
	args [6]uint64
	ret  int64 // once it has returned; an error is negative
	fail syscall.Errno
	more any // what enter wants leave to know
}

// ofProgram reports whether the program itself makes the call.
func (c *call) ofProgram() bool {
	_, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d", c.main, c.pid))
	return err == nil
}

// A verdict says what becomes of a call.
type verdict struct {
	kill bool          // the program, before the call
	fail syscall.Errno // instead of the call
}

// A trace is one run of a program whose system calls are seen before and after. Unlike
// strace it numbers the calls of all kinds in one run, knows what was written, and can
// ask the program of a test what to do.
type trace struct {
	argv  []string
	env   []string
	stdin string
	talks bool    // stdin is a client's side of SMTP, which waits for each reply
	files *uint64 // how many the program may have open; nil: no limit
	enter func(*call) verdict
	leave func(*call)
}

// A death is how a traced program ended.
type death struct {
	out, errs []byte
	code      int // -1: by a signal
}

// traceTime is how long a run may take: longer than any of these, on any machine.
const traceTime = 2 * time.Minute

// run runs the program on a thread of its own, since ptrace(2) is per thread.
func (t *trace) run() (d death, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and ends with the goroutine
		d, err = t.follow()
	}()
	<-done
	return d, err
}

func (t *trace) follow() (death, error) {
	var ends [6]*os.File // of stdin, stdout, stderr
	for i := 0; i < 6; i += 2 {
		r, w, err := os.Pipe()
		if err != nil {
			return death{}, err
		}
		ends[i], ends[i+1] = r, w
	}
	proc, err := os.StartProcess(t.argv[0], t.argv, &os.ProcAttr{
		Env: t.env, Files: []*os.File{ends[0], ends[3], ends[5]}, Sys: &syscall.SysProcAttr{Ptrace: true, Setpgid: true},
	})
	for _, i := range []int{0, 3, 5} {
		ends[i].Close()
	}
	if err != nil {
		return death{}, err
	}
	pid := proc.Pid
	proc.Release()
	var d death
	var pipes sync.WaitGroup
	replies := make(chan bool, len(t.stdin)+1)
	pipes.Go(func() { t.say(ends[1], replies) })
	pipes.Go(func() {
		defer close(replies)
		defer ends[2].Close()
		for in := bufio.NewReader(ends[2]); ; {
			line, err := in.ReadBytes('\n')
			if d.out = append(d.out, line...); err != nil {
				return
			}
			if t.talks && len(line) > 3 && line[3] == ' ' {
				replies <- true
			}
		}
	})
	pipes.Go(func() {
		defer ends[4].Close()
		d.errs, _ = io.ReadAll(ends[4])
	})
	hangs := time.AfterFunc(traceTime, func() { unix.Kill(pid, unix.SIGKILL) })
	err = t.loop(pid, &d)
	if !hangs.Stop() && err == nil {
		err = fmt.Errorf("%q ran for %v", t.argv, traceTime)
	}
	pipes.Wait()
	return d, err
}

// say writes standard input: a command, or a message, for each reply.
func (t *trace) say(to *os.File, replies <-chan bool) {
	defer to.Close()
	rest := t.stdin
	for rest != "" {
		piece, message := len(rest), strings.HasPrefix(rest, "From: ")
		if end := strings.Index(rest, "\r\n.\r\n"); message && end >= 0 {
			piece = end + 5
		} else if end := strings.Index(rest, "\r\n"); t.talks && end >= 0 {
			piece = end + 2
		}
		if t.talks && !<-replies {
			return // it has ended
		}
		if _, err := to.WriteString(rest[:piece]); err != nil {
			return
		}
		rest = rest[piece:]
	}
}

const traceOptions = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK |
	unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_EXITKILL

// loop lets the program and what it starts run from one call to the next, until all of
// it has ended.
func (t *trace) loop(pid int, d *death) error {
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, unix.WALL, nil); err != nil {
		return err
	}
	if err := unix.PtraceSetOptions(pid, traceOptions); err != nil {
		return err
	}
	if t.files != nil {
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: *t.files, Max: *t.files}, nil); err != nil {
			return err
		}
	}
	if err := unix.PtraceSyscall(pid, 0); err != nil {
		return err
	}
	seen := map[int]bool{pid: true}
	calls := map[int]*call{}
	for {
		// Its process group, and of this thread: others start programs and trace, too.
		who, err := unix.Wait4(-pid, &status, unix.WALL|unix.WNOTHREAD, nil)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECHILD):
			return nil
		case err != nil:
			return err
		}
		if !status.Stopped() {
			if who == pid {
				d.code = status.ExitStatus()
			}
			delete(calls, who)
			continue
		}
		deliver := 0
		switch sig := status.StopSignal(); {
		case sig == unix.SIGTRAP|0x80:
			if err := t.stop(pid, who, calls); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		case sig == unix.SIGTRAP && status.TrapCause() > 0:
		case sig == unix.SIGSTOP && !seen[who]: // how a new thread begins
		default:
			deliver = int(sig)
		}
		seen[who] = true
		if err := unix.PtraceSyscall(who, deliver); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
}

// stop is at the beginning or the end of a call.
func (t *trace) stop(pid, who int, calls map[int]*call) error {
	var info syscallInfo
	if _, _, errno := unix.Syscall6(unix.SYS_PTRACE, ptraceGetSyscallInfo, uintptr(who), unsafe.Sizeof(info), uintptr(unsafe.Pointer(&info)), 0, 0); errno != 0 {
		return errno
	}
	switch info.op {
	case infoEntry:
		c := &call{pid: who, main: pid, nr: info.data[0], args: [6]uint64(info.data[1:7])}
		calls[who] = c
		if t.enter == nil {
			return nil
		}
		v := t.enter(c)
		if v.kill {
			return unix.Kill(who, unix.SIGKILL)
		}
		if c.fail = v.fail; v.fail != 0 {
			return leaveOut(who)
		}
	case infoExit:
		c := calls[who]
		if c == nil {
			return nil // exec(2), in the name of another thread
		}
		delete(calls, who)
		c.ret = int64(info.data[0])
		if c.fail != 0 {
			c.ret = -int64(c.fail)
			if err := answer(who, c.ret); err != nil {
				return err
			}
		}
		if t.leave != nil {
			t.leave(c)
		}
	}
	return nil
}

// See ptrace(2), PTRACE_GET_SYSCALL_INFO.
const (
	ptraceGetSyscallInfo = 0x420e
	infoEntry, infoExit  = 1, 2
)

type syscallInfo struct {
	op     uint8
	_      [3]uint8
	arch   uint32
	ip, sp uint64
	data   [8]uint64 // entry: number and arguments; exit: the result
}

// peek reads memory of a stopped program.
func peek(pid int, at uint64, n int) []byte {
	if n <= 0 {
		return nil
	}
	buf := make([]byte, n)
	local := []unix.Iovec{{Base: &buf[0], Len: uint64(n)}}
	got, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: uintptr(at), Len: n}}, 0)
	if err != nil {
		return nil
	}
	return buf[:got]
}

// peekString reads a name. A page is read at a time, since the next may not be there.
func peekString(pid int, at uint64) string {
	var all []byte
	for len(all) < unix.PathMax {
		page := peek(pid, at, 4096-int(at%4096))
		if len(page) == 0 {
			break
		}
		if i := bytes.IndexByte(page, 0); i >= 0 {
			return string(append(all, page[:i]...))
		}
		all = append(all, page...)
		at += uint64(len(page))
	}
	return string(all)
}
