package site

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// BecomeUser gives up root for good: a process started as root continues as the
// configured user, with that user's group and no other. It does nothing if user is "",
// or if the process is not root.
func (s *Site) BecomeUser() error {
	if os.Geteuid() != 0 || s.User == "" {
		return nil
	}
	u, err := user.Lookup(s.User)
	if err != nil {
		return s.wrong("user", fmt.Sprintf("there is no user %q; make it with: useradd --system %s", s.User, s.User))
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if uid == 0 {
		return s.wrong("user", `must not be root; "" leaves the user as it is`)
	}
	if err := syscall.Setgroups([]int{gid}); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	if err := syscall.Setresgid(gid, gid, gid); err != nil {
		return fmt.Errorf("setgid %d: %w", gid, err)
	}
	if err := syscall.Setresuid(uid, uid, uid); err != nil {
		return fmt.Errorf("setuid %d: %w", uid, err)
	}
	return nil
}
