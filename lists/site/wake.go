package site

import "golang.org/x/sys/unix"

// Wake wakes deliver, by connecting once to the address where a launcher listens. It
// does not wait: a timer finds the message too. The error says that nobody listens, as
// far as that is known at once; on this host it is.
func (s *Site) Wake() error {
	if s.Kick == "" {
		return nil
	}
	target, err := ParseTarget(s.Kick)
	if err != nil {
		return err
	}
	addr, family := target.Sockaddr()
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	err = unix.Connect(fd, addr)
	if err == unix.EINPROGRESS { // a closed port of this host has already answered
		n, e := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err = e; e == nil && n != 0 {
			err = unix.Errno(n)
		}
	}
	if err == unix.EAGAIN { // a Unix socket with many pending wake-ups
		return nil
	}
	return err
}
