//go:build amd64 || arm64 || loong64 || riscv64

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// filter closes system calls, on every thread of this process and for the program it
// becomes, and reports whether it could: seccomp(2). This thread must have
// no_new_privs; afterwards all have it. A kernel or a container without filters is not
// an error.
//
// The cost is the filter's length, since the kernel translates it, and not its steps: a
// session makes two hundred calls. So the closed calls are bits of words. A list or a
// tree, whose answers the kernel could cache, would be three times as long.
func (b Box) filter() (set bool, err error) {
	code, err := b.program(os.Getpid())
	if err != nil {
		return false, err
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	runtime.KeepAlive(code)
	switch {
	case errno == unix.ENOSYS, errno == unix.EINVAL, errno == unix.EPERM:
		return false, nil
	case errno != 0:
		return false, fmt.Errorf("sandbox: seccomp: %w", errno)
	case thread != 0:
		return false, fmt.Errorf("sandbox: seccomp: thread %d has a filter of its own", thread)
	}
	return true, nil
}

// Filters reports whether system calls can be closed here.
func Filters() bool {
	action := uint32(unix.SECCOMP_RET_ERRNO)
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	return errno == 0
}

// The filter's answers to a call.
const (
	allow  = unix.SECCOMP_RET_ALLOW
	refuse = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	ignore = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	noTTY  = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOTTY)
)

// Offsets in struct seccomp_data.
const (
	nrAt    = 0
	archAt  = 4
	argsAt  = 16
	argSize = 8
)

// errFilter means that the filter has outgrown its eight-bit jumps.
var errFilter = errors.New("sandbox: the seccomp filter is too long")

// A program is a filter under construction: classic BPF, seccomp(2).
type program struct {
	code []unix.SockFilter
	far  bool // a jump is too long
}

// put adds an instruction, with jumps for true and false.
func (p *program) put(code int, k uint32, jt, jf int) {
	p.far = p.far || jt > 255 || jf > 255
	p.code = append(p.code, unix.SockFilter{Code: uint16(code), Jt: uint8(jt), Jf: uint8(jf), K: k})
}

func (p *program) load(at uint32)           { p.put(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, at, 0, 0) }
func (p *program) and(mask uint32)          { p.put(unix.BPF_ALU|unix.BPF_AND|unix.BPF_K, mask, 0, 0) }
func (p *program) say(answer uint32)        { p.put(unix.BPF_RET|unix.BPF_K, answer, 0, 0) }
func (p *program) equal(k uint32, t, f int) { p.put(unix.BPF_JMP|unix.BPF_JEQ|unix.BPF_K, k, t, f) }

// arg loads an argument as the kernel reads an int: its lower half, which comes first
// on all these architectures.
func (p *program) arg(n uint32) { p.load(argsAt + argSize*n) }

// is answers if the loaded value is this one.
func (p *program) is(answer, value uint32) {
	p.equal(value, 0, 1)
	p.say(answer)
}

// isNot answers if the loaded value is none of these.
func (p *program) isNot(answer uint32, values ...uint32) {
	for i, v := range values {
		p.equal(v, len(values)-i, 0)
	}
	p.say(answer)
}

// among answers yes if the loaded value is one of these, and no otherwise.
func (p *program) among(yes, no uint32, values ...uint32) {
	for i, v := range values {
		p.equal(v, len(values)-i, 0)
	}
	p.say(no)
	p.say(yes)
}

// has answers if the loaded value has one of the bits.
func (p *program) has(answer, bits uint32) {
	p.put(unix.BPF_JMP|unix.BPF_JSET|unix.BPF_K, bits, 0, 1)
	p.say(answer)
}

// call examines the arguments of one call, whose number was loaded. look ends with an
// answer.
func (p *program) call(nr uint32, look func()) {
	at := len(p.code)
	p.equal(nr, 0, 0)
	look()
	n := len(p.code) - at - 1
	p.far = p.far || n > 255
	p.code[at].Jf = uint8(n)
}

// words are the closed calls, by number, 32 in each.
type words [lastCall/32 + 1]uint32

func (w *words) close(nr uint32) { w[nr/32] |= 1 << (nr % 32) }

// program returns the filter of this Box, for a process.
func (b Box) program(pid int) ([]unix.SockFilter, error) {
	p := &program{code: make([]unix.SockFilter, 0, 160)}
	p.load(archAt) // a kernel may also accept other architectures' calls, with other numbers
	p.isNot(ignore, auditArch)
	p.load(nrAt)
	p.put(unix.BPF_JMP|unix.BPF_JGT|unix.BPF_K, lastCall, 0, 1) // x32 too, which begins at 1<<30
	p.say(ignore)
	// Its arguments are in memory, where no filter can see them; programs then use
	// clone.
	p.is(ignore, unix.SYS_CLONE3)
	b.look(p, uint32(pid))
	b.words().test(p)
	if p.far {
		return nil, errFilter
	}
	return p.code, nil
}

// words returns the calls that are closed whatever their arguments.
func (b Box) words() *words {
	w := new(words)
	for _, nr := range closed {
		w.close(uint32(nr))
	}
	for _, nr := range closedHere {
		w.close(uint32(nr))
	}
	if !b.becomes() {
		w.close(unix.SYS_EXECVE)
	}
	if b.Site.Auth.Offered() == nil { // the file of failures has a lock
		w.close(unix.SYS_FLOCK)
	}
	if !threadSignals {
		w.close(unix.SYS_TKILL)
	}
	return w
}

// test answers for the loaded call number by its bit: A gets the word, X the bit.
func (w *words) test(p *program) {
	const tax, andX = unix.BPF_MISC | unix.BPF_TAX, unix.BPF_ALU | unix.BPF_AND | unix.BPF_X
	p.and(31)
	p.put(tax, 0, 0, 0)
	p.put(unix.BPF_LD|unix.BPF_IMM, 1, 0, 0)
	p.put(unix.BPF_ALU|unix.BPF_LSH|unix.BPF_X, 0, 0, 0)
	p.put(tax, 0, 0, 0)
	p.load(nrAt)
	const each = 3 // instructions
	for i, word := range w {
		p.put(unix.BPF_JMP|unix.BPF_JGE|unix.BPF_K, uint32(i+1)*32, each-1, 0)
		p.put(unix.BPF_LD|unix.BPF_IMM, word, 0, 0)
		p.put(unix.BPF_JMP|unix.BPF_JA, uint32(len(w)-1-i)*each, 0, 0)
	}
	p.put(andX, 0, 0, 0)
	p.among(allow, refuse, 0)
}

// look handles the calls that a session needs for one purpose and not for another.
func (b Box) look(p *program, pid uint32) {
	p.call(unix.SYS_SOCKET, func() { b.socket(p) })
	p.call(unix.SYS_CLONE, func() { p.arg(0); p.has(allow, unix.CLONE_THREAD); p.say(refuse) }) // a thread is not a process
	self := func() { p.arg(0); p.among(allow, refuse, pid) }
	p.call(unix.SYS_KILL, self)
	p.call(unix.SYS_TGKILL, self)
	p.call(unix.SYS_PRLIMIT64, func() { p.arg(0); p.among(allow, refuse, 0) })
	// MSG_FASTOPEN connects without connect, which Landlock does not see.
	p.call(unix.SYS_SENDTO, func() { p.arg(3); p.has(refuse, unix.MSG_FASTOPEN); p.say(allow) })
	p.call(unix.SYS_SENDMSG, func() { p.arg(2); p.has(refuse, unix.MSG_FASTOPEN); p.say(allow) })
	p.call(unix.SYS_FCNTL, func() {
		p.arg(1)
		p.among(refuse, allow, unix.F_SETLK, unix.F_SETLKW, unix.F_OFD_SETLK, unix.F_OFD_SETLKW, unix.F_SETLEASE, unix.F_NOTIFY)
	})
	p.call(unix.SYS_IOCTL, func() { p.arg(1); p.among(allow, noTTY, unix.TIOCINQ) })
}

// socket allows Unix sockets and TCP. MPTCP is a protocol of its own, which Landlock's
// ports do not cover.
func (b Box) socket(p *program) {
	protocols, kinds := []uint32{0, unix.IPPROTO_TCP}, []uint32{unix.SOCK_STREAM}
	if b.datagrams() {
		protocols, kinds = append(protocols, unix.IPPROTO_UDP), append(kinds, unix.SOCK_DGRAM)
	}
	const kindOf = 0xf // without SOCK_CLOEXEC and SOCK_NONBLOCK
	p.arg(0)
	p.is(allow, unix.AF_UNIX)
	p.isNot(refuse, unix.AF_INET, unix.AF_INET6)
	p.arg(2)
	p.isNot(refuse, protocols...)
	p.arg(1)
	p.and(kindOf)
	p.among(allow, refuse, kinds...)
}
