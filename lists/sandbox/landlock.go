package sandbox

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// handled is what each version of Landlock can refuse. The first cannot move a file
// between directories.
var handled = [...]*landlock.Config{
	2: &landlock.V2, 3: &landlock.V3, 4: &landlock.V4, 5: &landlock.V5, 6: &landlock.V6,
	7: &landlock.V7, 8: &landlock.V8, 9: &landlock.V9, 10: &landlock.V10, 11: &landlock.V11,
}

// newest is the latest version of Landlock that is used. An older kernel does what it
// can; tests simulate even older ones.
var newest = len(handled) - 1

// Kernel returns the version of Landlock that this kernel has; 0 for none, and for the
// first.
func Kernel() int {
	abi, err := ll.LandlockGetABIVersion()
	if err != nil || abi < 2 {
		return 0
	}
	return abi
}

// restrict refuses, on every thread, everything that Landlock controls and that is not
// granted. The threads must have no_new_privs. A kernel without Landlock is not an
// error.
//
// It makes the calls itself, since landlock.Config.Restrict would set no_new_privs once
// more.
func restrict(gs []grant) error {
	abi := Kernel()
	if abi == 0 {
		return nil
	}
	can := handled[min(abi, newest)]
	ruleset, err := ll.LandlockCreateRuleset(&ll.RulesetAttr{
		HandledAccessFS:  uint64(can.HandledAccessFS),
		HandledAccessNet: uint64(can.HandledAccessNet),
		Scoped:           uint64(can.Scoped),
	}, 0)
	if err != nil {
		return fmt.Errorf("sandbox: landlock_create_ruleset: %w", err)
	}
	defer unix.Close(ruleset)
	if threads := threadsOf(); threads != "" {
		gs = append(gs, grant{at: threads, file: list})
	}
	for _, g := range gs {
		if err := g.add(ruleset, can); err != nil {
			return fmt.Errorf("sandbox: landlock_add_rule: %s %s: %w", g.what, g.at, err)
		}
	}
	const tsync = 8 // the version that covers all threads by itself
	if abi >= tsync {
		err = ll.LandlockRestrictSelf(ruleset, ll.FlagRestrictSelfTSync)
	} else {
		err = ll.AllThreadsLandlockRestrictSelf(ruleset, 0)
	}
	if err != nil {
		return fmt.Errorf("sandbox: landlock_restrict_self: %w", err)
	}
	return nil
}

// add adds the rules of a grant that a version of Landlock understands. A path that
// does not exist needs none.
func (g grant) add(ruleset int, can *landlock.Config) error {
	if access := g.file & can.HandledAccessFS; access != 0 {
		fd, err := unix.Open(g.at, unix.O_PATH|unix.O_CLOEXEC, 0)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		default:
			err = ll.LandlockAddPathBeneathRule(ruleset, &ll.PathBeneathAttr{ParentFd: fd, AllowedAccess: uint64(access)}, 0)
			unix.Close(fd)
			if err != nil {
				return err
			}
		}
	}
	port := func(access landlock.AccessNetSet, port uint16) error {
		if access &= can.HandledAccessNet; access == 0 {
			return nil
		}
		return ll.LandlockAddNetPortRule(ruleset, &ll.NetPortAttr{AllowedAccess: uint64(access), Port: uint64(port)}, 0)
	}
	if g.port == 0 {
		return nil
	}
	if err := port(ll.AccessNetConnectTCP, g.port); err != nil || !g.udp {
		return err
	}
	if err := port(ll.AccessNetConnectSendUDP, g.port); err != nil {
		return err
	}
	return port(ll.AccessNetBindUDP, 0) // a sender is assigned a port
}
