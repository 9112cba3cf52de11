//go:build amd64 || arm64 || loong64 || riscv64

package sandbox

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"superlist/lists/site"
)

// answer runs a filter, as the kernel does.
func answer(code []unix.SockFilter, data map[uint32]uint32) (uint32, error) {
	var a, x uint32
	for at := 0; at < len(code); at++ {
		switch in := code[at]; int(in.Code) {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = data[in.K]
		case unix.BPF_LD | unix.BPF_IMM:
			a = in.K
		case unix.BPF_MISC | unix.BPF_TAX:
			x = a
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			a &= in.K
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_X:
			a &= x
		case unix.BPF_ALU | unix.BPF_LSH | unix.BPF_X:
			a <<= x
		case unix.BPF_JMP | unix.BPF_JA:
			at += int(in.K)
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			at += jump(in, a == in.K)
		case unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:
			at += jump(in, a > in.K)
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			at += jump(in, a >= in.K)
		case unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
			at += jump(in, a&in.K != 0)
		case unix.BPF_RET | unix.BPF_K:
			return in.K, nil
		default:
			return 0, fmt.Errorf("instruction %d is %#x", at, in.Code)
		}
	}
	return 0, fmt.Errorf("it has no end")
}

func jump(in unix.SockFilter, yes bool) int {
	if yes {
		return int(in.Jt)
	}
	return int(in.Jf)
}

// TestFilter asks the filter about every call there is, and about those of other
// architectures.
func TestFilter(t *testing.T) {
	const pid = 4711
	code, err := Box{Site: &site.Site{}}.program(pid)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(arch, nr uint32, args ...uint32) uint32 {
		data := map[uint32]uint32{nrAt: nr, archAt: arch}
		for i, arg := range args {
			data[argsAt+uint32(i)*argSize] = arg
		}
		got, err := answer(code, data)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	looked := map[uint32][]uint32{ // arguments with which it is allowed
		unix.SYS_SOCKET: {unix.AF_UNIX, unix.SOCK_DGRAM}, unix.SYS_CLONE: {unix.CLONE_VM | unix.CLONE_THREAD},
		unix.SYS_KILL: {pid}, unix.SYS_TGKILL: {pid}, unix.SYS_PRLIMIT64: {0}, unix.SYS_SENDTO: nil, unix.SYS_SENDMSG: nil,
		unix.SYS_FCNTL: {3, unix.F_GETFL}, unix.SYS_IOCTL: {0, unix.TIOCINQ},
	}
	refused := append(slices.Clone(closed[:]), closedHere[:]...)
	refused = append(refused, unix.SYS_EXECVE, unix.SYS_FLOCK)
	if !threadSignals {
		refused = append(refused, unix.SYS_TKILL)
	}
	for nr := range uint32(1024) {
		want := uint32(allow)
		switch {
		case nr == unix.SYS_CLONE3, nr > lastCall:
			want = ignore
		case slices.Contains(refused, uint16(nr)):
			want = refuse
		}
		if got := ask(auditArch, nr, looked[nr]...); got != want {
			t.Errorf("call %d: %#x, want %#x", nr, got, want)
		}
		for _, arch := range []uint32{unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_ARM, auditArch ^ 1} {
			if got := ask(arch, nr); got != ignore {
				t.Errorf("call %d of architecture %#x: %#x", nr, arch, got)
			}
		}
		const x32 = 1 << 30
		if got := ask(auditArch, x32|nr); got != ignore {
			t.Errorf("call %d of x32: %#x", nr, got)
		}
	}

	for _, c := range []struct {
		want uint32
		nr   uint32
		args []uint32
	}{
		{allow, unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_STREAM | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK, 0}},
		{allow, unix.SYS_SOCKET, []uint32{unix.AF_INET6, unix.SOCK_STREAM, unix.IPPROTO_TCP}},
		{refuse, unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP}},
		{refuse, unix.SYS_SOCKET, []uint32{unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_SCTP}},
		{refuse, unix.SYS_SOCKET, []uint32{unix.AF_INET6, unix.SOCK_DGRAM | unix.SOCK_CLOEXEC, 0}},
		{refuse, unix.SYS_SOCKET, []uint32{unix.AF_PACKET, unix.SOCK_STREAM, 0}},
		{refuse, unix.SYS_CLONE, []uint32{uint32(unix.SIGCHLD)}},
		{refuse, unix.SYS_CLONE, []uint32{unix.CLONE_VM | unix.CLONE_VFORK}},
		{refuse, unix.SYS_KILL, []uint32{pid + 1}},
		{refuse, unix.SYS_KILL, []uint32{0}},
		{refuse, unix.SYS_TGKILL, []uint32{pid + 1, pid}},
		{refuse, unix.SYS_PRLIMIT64, []uint32{pid + 1}},
		{allow, unix.SYS_SENDMSG, []uint32{1, 0, unix.MSG_DONTWAIT}},
		{refuse, unix.SYS_SENDMSG, []uint32{1, 0, unix.MSG_DONTWAIT | unix.MSG_FASTOPEN}},
		{refuse, unix.SYS_SENDTO, []uint32{1, 0, 0, unix.MSG_FASTOPEN}},
		{refuse, unix.SYS_FCNTL, []uint32{3, unix.F_OFD_SETLKW}},
		{refuse, unix.SYS_FCNTL, []uint32{3, unix.F_SETLEASE}},
		{noTTY, unix.SYS_IOCTL, []uint32{0, unix.TIOCSTI}},
	} {
		if got := ask(auditArch, c.nr, c.args...); got != c.want {
			t.Errorf("call %d%v: %#x, want %#x", c.nr, c.args, got, c.want)
		}
	}
}
