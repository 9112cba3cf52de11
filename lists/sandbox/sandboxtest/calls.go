package sandboxtest

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Calls is what no session does where the kernel has seccomp filters, of
// whatever age its Landlock is.
var Calls = []trial{
	{"chmod the lists", func(w World) error { return os.Chmod(w.Dir+"/lists", 0o777) }},
	{"chmod a list's key", func(w World) error { return os.Chmod(w.key(), 0o644) }},
	{"chmod what it has open", func(w World) error {
		return open(w.key(), func(fd int) error { return unix.Fchmod(fd, 0o644) })
	}},
	{"chmod by path and flags", func(w World) error {
		path, _ := unix.BytePtrFromString(w.key())
		at := unix.AT_FDCWD
		return call(unix.SYS_FCHMODAT2, uintptr(at), uintptr(unsafe.Pointer(path)), 0o644, 0)
	}},
	{"chown", func(w World) error { return os.Chown(w.key(), os.Getuid(), -1) }},
	{"lchown", func(w World) error { return os.Lchown(w.key(), os.Getuid(), -1) }},
	{"chown what it has open", func(w World) error {
		return open(w.key(), func(fd int) error { return unix.Fchown(fd, os.Getuid(), -1) })
	}},
	{"have what is on its way wait", func(w World) error {
		return os.Chtimes(w.Dir+"/spool/outbound/new/waits", time.Time{}, time.Now().AddDate(100, 0, 0))
	}},
	{"have the members called sorted", func(w World) error {
		return os.Chtimes(w.list()+"/members", time.Now(), time.Now())
	}},
	{"set the times of what it has open", func(w World) error {
		return open(w.key(), func(fd int) error { return unix.Futimes(fd, make([]unix.Timeval, 2)) })
	}},
	{"set an attribute", func(w World) error { return unix.Setxattr(w.key(), "user.x", []byte("y"), 0) }},
	{"set an attribute of what it has open", func(w World) error {
		return open(w.key(), func(fd int) error { return unix.Fsetxattr(fd, "user.x", []byte("y"), 0) })
	}},
	{"take an attribute", func(w World) error {
		err := unix.Removexattr(w.key(), "user.none")
		if err == unix.ENODATA || err == unix.EOPNOTSUPP { // which the file system has said
			return nil
		}
		return err
	}},
	{"set a file's flags", func(w World) error {
		return open(w.key(), func(fd int) error {
			_, err := unix.IoctlGetInt(fd, unix.FS_IOC_GETFLAGS)
			if err == unix.EOPNOTSUPP {
				return nil
			}
			return err
		})
	}},
	{"lock the members", func(w World) error {
		return open(w.list()+"/members", func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	}},
	{"lock a piece of the members", func(w World) error {
		return open(w.list()+"/members", func(fd int) error {
			return unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &unix.Flock_t{Type: unix.F_RDLCK})
		})
	}},
	{"have the members' next writer wait", func(w World) error {
		return open(w.list()+"/members", func(fd int) error {
			_, err := unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
			return err
		})
	}},
	{"watch a list", func(w World) error {
		fd, err := unix.InotifyInit()
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		_, err = unix.InotifyAddWatch(fd, w.list(), unix.IN_CREATE)
		return err
	}},
	{"send UDP", func(World) error { return socket(unix.AF_INET, unix.SOCK_DGRAM, 0) }},
	{"send UDP by IPv6", func(World) error { return socket(unix.AF_INET6, unix.SOCK_DGRAM, 0) }},
	{"speak MPTCP", func(World) error { return socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP) }},
	{"speak MPTCP by IPv6", func(World) error {
		return socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_MPTCP)
	}},
	{"write packets of its own", func(World) error { return socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP) }},
	{"ask the kernel for its networks", func(World) error { return socket(unix.AF_NETLINK, unix.SOCK_RAW, 0) }},
	{"speak to a virtual machine's host", func(World) error { return socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0) }},
	{"connect by sending", func(World) error {
		return withSocket(unix.AF_INET, func(fd int) error {
			err := unix.Sendto(fd, []byte("x"), unix.MSG_FASTOPEN|unix.MSG_DONTWAIT, loopback(elsewhere()))
			if err == unix.EINPROGRESS {
				return nil
			}
			return err
		})
	}},
	{"listen", func(World) error {
		return withSocket(unix.AF_INET, func(fd int) error { return unix.Listen(fd, 1) })
	}},
	{"bind", func(World) error {
		return withSocket(unix.AF_INET, func(fd int) error { return unix.Bind(fd, loopback(0)) })
	}},
	{"listen at a Unix socket", func(World) error {
		return withSocket(unix.AF_UNIX, func(fd int) error {
			return unix.Bind(fd, &unix.SockaddrUnix{Name: fmt.Sprintf("@superlist-sandbox-own-%d", unix.Gettid())})
		})
	}},
	{"fork", func(World) error {
		_, err := syscall.ForkExec("/proc/self/exe", []string{"x", "-test.run=^$"}, nil)
		if err == unix.EACCES { // which the child has heard when it came to exec
			return nil
		}
		return err
	}},
	{"signal another", func(World) error { return unix.Kill(os.Getppid(), 0) }},
	{"signal everybody", func(World) error { return unix.Kill(-1, 0) }},
	{"signal another's thread", func(World) error { return unix.Tgkill(os.Getppid(), os.Getppid(), 0) }},
	{"hold another's process", func(World) error {
		fd, err := unix.PidfdOpen(os.Getppid(), 0)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}},
	{"set another's limits", func(World) error {
		var old unix.Rlimit
		return unix.Prlimit(os.Getppid(), unix.RLIMIT_CORE, nil, &old)
	}},
	{"have another wait", func(World) error {
		return unix.Setpriority(unix.PRIO_PROCESS, os.Getppid(), 19)
	}},
	{"share memory", func(World) error { return call(unix.SYS_SHMGET, 0, 4096, 0o600|unix.IPC_CREAT) }},
	{"hand the kernel calls to make", func(World) error {
		err := call(unix.SYS_IO_URING_SETUP, 0, 0)
		if err == unix.EINVAL || err == unix.EFAULT {
			return nil
		}
		return err
	}},
	{"have a name space of its own", func(World) error {
		err := unix.Unshare(unix.CLONE_NEWUSER)
		if err == unix.EINVAL { // a process with threads cannot
			return nil
		}
		return err
	}},
}

// Rights is what no_new_privs keeps a process from, whatever else the kernel has.
var Rights = []trial{
	{"gain rights by a program that it becomes", func(World) error {
		set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
		if err == nil && set == 1 {
			return unix.EPERM
		}
		return err
	}},
}

// Datagrams is what only a session does that may have to ask the DNS.
var Datagrams = []trial{
	{"ask the DNS", func(World) error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Connect(fd, loopback(53))
	}},
}

// Left is what code that has taken a session over may still do, and docs/security.md says
// so.
var Left = []trial{
	{"read a list's key", func(w World) error { return readable(w.key()) }},
	{"read a list's settings", func(w World) error { return readable(w.list() + "/list.toml") }},
	{"read a held post", func(w World) error { return readable(w.list() + "/held/post") }},
	{"see what has come in", func(w World) error { _, err := os.ReadDir(w.Dir + "/spool/inbound/new"); return err }},
	{"see what goes out", func(w World) error { _, err := os.ReadDir(w.Dir + "/spool/outbound/new"); return err }},
	{"write over what has come in", func(w World) error { return touch(w.Dir + "/spool/inbound/new/another") }},
	{"remove what has come in", func(w World) error { return os.Remove(w.Dir + "/spool/inbound/new/another") }},
	{"have everybody hear that the queue is full", func(w World) error {
		full := w.Dir + "/spool/tmp/full"
		return errors.Join(os.WriteFile(full, nil, 0o600), os.Remove(full))
	}},
	{"see that a file is there", func(w World) error { _, err := os.Stat(w.Dir + "/secret"); return err }},
}

func (w World) key() string { return w.list() + "/key" }

// open has something done to a file that is opened for reading.
func open(path string, do func(fd int) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return do(int(f.Fd()))
}

func socket(family, kind, protocol int) error {
	fd, err := unix.Socket(family, kind, protocol)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

func withSocket(family int, do func(fd int) error) error {
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return do(fd)
}

func loopback(port int) *unix.SockaddrInet4 {
	return &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
}

// elsewhere is a port that no session needs.
func elsewhere() int {
	port, _ := strconv.Atoi(os.Getenv(elsewhereEnv))
	return port
}

// call makes a system call.
func call(nr uintptr, args ...uintptr) error {
	var a [6]uintptr
	copy(a[:], args)
	if _, _, errno := unix.Syscall6(nr, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
		return errno
	}
	return nil
}
