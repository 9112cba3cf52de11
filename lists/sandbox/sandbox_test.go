package sandbox

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"superlist/lists/sandbox/sandboxtest"
	"superlist/lists/site"
)

// How old the kernel is to be.
const (
	abiEnv       = "SUPERLIST_SANDBOX_ABI"       // a version of Landlock, 0 for none
	noSeccompEnv = "SUPERLIST_SANDBOX_NOSECCOMP" // set: it has no seccomp
)

func TestMain(m *testing.M) {
	if sandboxtest.Config() == "" {
		os.Exit(m.Run())
	}
	sandboxtest.Try(func(config string) (*site.Site, error) {
		site, err := site.Load(config)
		if err != nil {
			return nil, err
		}
		switch abi, err := strconv.Atoi(os.Getenv(abiEnv)); {
		case err != nil:
		case abi == 0:
			if err := forget(unix.SYS_LANDLOCK_CREATE_RULESET); err != nil {
				return nil, err
			}
		default:
			newest = abi
		}
		if os.Getenv(noSeccompEnv) != "" {
			if err := forget(unix.SYS_SECCOMP); err != nil {
				return nil, err
			}
		}
		if err := site.BecomeUser(); err != nil {
			return nil, err
		}
		return site, Box{Site: site}.Enter()
	})
}

// forget makes a kernel that does not know a system call.
func forget(call uint32) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	const load, equal, ret = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	filter := []unix.SockFilter{
		{Code: load}, // the number of the call
		{Code: equal, K: call, Jf: 1},
		{Code: ret, K: 0x50000 | uint32(unix.ENOSYS)}, // SECCOMP_RET_ERRNO
		{Code: ret, K: 0x7fff0000},                    // SECCOMP_RET_ALLOW
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	const setModeFilter, allThreads = 1, 1
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, allThreads, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}

// TestKernels holds what a session may and may not do on kernels of every age,
// as far as the one below knows how to be old.
func TestKernels(t *testing.T) {
	for abi := range handled {
		if abi == 1 {
			continue // cannot be had from a newer kernel; it is as good as none: see Kernel
		}
		test := func(t *testing.T, user string) {
			w := sandboxtest.New(t, user, "")
			got := w.Run(t, fmt.Sprintf("%s=%d", abiEnv, abi))
			has := min(abi, Kernel())
			sandboxtest.Want(t, got, true, sandboxtest.Allowed)
			sandboxtest.Want(t, got, false, sandboxtest.Limits, sandboxtest.Rights)
			if has >= 2 {
				sandboxtest.Want(t, got, false, sandboxtest.Files)
			}
			if Filters() {
				sandboxtest.Want(t, got, false, sandboxtest.Calls, sandboxtest.Datagrams)
			}
			sandboxtest.Want(t, got, true, sandboxtest.Left)
			sandboxtest.Want(t, got, has < 4, sandboxtest.Ports)
			sandboxtest.Want(t, got, has < 6, sandboxtest.Others)
		}
		t.Run(fmt.Sprint(abi), func(t *testing.T) { test(t, "") })
		if os.Geteuid() == 0 {
			t.Run(fmt.Sprintf("%d unprivileged", abi), func(t *testing.T) { test(t, "nobody") })
		}
	}
}

// TestWithoutSeccomp: a kernel that has no filters for system calls shuts a
// session in as well as it can.
func TestWithoutSeccomp(t *testing.T) {
	user := ""
	if os.Geteuid() == 0 {
		user = "nobody"
	}
	got := sandboxtest.New(t, user, "").Run(t, noSeccompEnv+"=1")
	sandboxtest.Want(t, got, true, sandboxtest.Allowed)
	sandboxtest.Want(t, got, false, sandboxtest.Limits, sandboxtest.Rights)
	if Kernel() > 0 {
		sandboxtest.Want(t, got, false, sandboxtest.Files)
	}
	const chmod = "chmod a list's key"
	if got[chmod] != "ok" {
		t.Errorf("%s: %s; who refuses it, if not the filter?", chmod, got[chmod])
	}
}

// TestWhose: a file that root has written anew is somebody else's to a session.
func TestWhose(t *testing.T) {
	file := filepath.Join(t.TempDir(), "members")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	no := fmt.Errorf("judge: %w", &fs.PathError{Op: "open", Path: file, Err: unix.EACCES})
	if got := Whose(no); got != "" {
		t.Errorf("its own file: %q", got)
	}
	if got := Whose(unix.EACCES); got != "" {
		t.Errorf("no file: %q", got)
	}
	if os.Geteuid() != 0 {
		return // only root can give a file away
	}
	if err := os.Chown(file, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if got := Whose(no); got != "its owner is user 12345, mode 0600, and sessions are user 0" {
		t.Errorf("somebody else's file: %q", got)
	}
}
