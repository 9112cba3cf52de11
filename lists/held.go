package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"superlist/queue"
	"superlist/smtp"
)

// A post that is held is a queue file in the list's directory held, until
// somebody decides and at most HeldLife. Its head says why.

const (
	// HeldLife is how long a post is held: mlmmj's is a week too.
	HeldLife = 7 * 24 * time.Hour

	// MaxHeld is how many posts a list holds. What comes beyond that waits in the
	// queue: a list whose moderators are away must not fill their mailboxes.
	MaxHeld = 500

	// MaxHeldHour is how many posts from one network are held in an hour, as mail to
	// owners, and MaxHeldNetwork in a day, of IPv6 from a /48: a fifth of the box, so
	// that nobody alone fills it.
	MaxHeldHour    = 20
	MaxHeldNetwork = MaxHeld / 5

	// MaxHeldNotices is about how many held posts the moderators get letters in a
	// day. What comes beyond that stands in one summary after midnight.
	MaxHeldNotices = 100
)

var replyHeldNetwork = smtp.Reply{Code: 450, Enhanced: "4.7.1", Text: "too many posts from your network wait for the moderators of this list; try again later"}

var replyManyHeld = smtp.Reply{Code: 452, Enhanced: "4.3.1", Text: "too many posts wait for the moderators of this list; please try again later"}

// HeldSpool is the spool in which a list holds posts, of which only the box Held
// is in use.
func (s *Site) HeldSpool(l *List) *queue.Spool {
	return &queue.Spool{Dir: l.Dir, Host: s.Hostname, Disk: s.Disk}
}

// HeldName is the name, and the id, of what is held of a message: short enough
// for the proofs about it.
func HeldName(id string) string { return nameOf("held", id) }

// IsHeldName says that a name can be a held post's.
func IsHeldName(name string) bool { return len(name) == nameLen && validName(name) }

// FindHeld opens the held post of this name. The error is a smtp.Reply where
// there is none. It lists no directory: a session may not.
func (s *Site) FindHeld(l *List, name string) (*queue.Message, error) {
	if !validName(name) {
		return nil, replyDecided
	}
	m, err := s.HeldSpool(l).Open(queue.Held, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, replyDecided
	}
	return m, err
}

// hasHeld says whether there is a held post of this name.
func (s *Site) hasHeld(l *List, name string) error {
	m, err := s.FindHeld(l, name)
	if err == nil {
		m.Close()
	}
	return err
}

// RoomForHeld says whether one more post can be held. A refusal is a smtp.Reply.
func (s *Site) RoomForHeld(l *List) error {
	entries, err := s.HeldSpool(l).List(queue.Held)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case len(entries) >= MaxHeld:
		if err := l.add([]limit{{file: l.heldFullFile()}}, 1, time.Now()); err != nil {
			return err
		}
		return fmt.Errorf("%s: %d are held: %w", l.Addr, len(entries), replyManyHeld)
	}
	return nil
}

// heldFullFor is how long sessions refuse what would be held after deliver has found
// that there is no room for it: what they take all the same waits in the queue, which
// is everybody's.
const heldFullFor = 15 * time.Minute

// heldFullFile is in asked/, and changes when deliver finds no room.
func (l *List) heldFullFile() string { return filepath.Join(l.askedDir(), "heldfull") }

// heldFull refuses one more post where deliver has found no room lately. A session
// cannot count what is held.
func (l *List) heldFull(now time.Time) error {
	info, err := os.Lstat(l.heldFullFile())
	if err != nil || now.Sub(info.ModTime()).Abs() >= heldFullFor {
		return nil
	}
	return replyManyHeld
}

// heldLimits are those of a post that is held, beside MaxHeld: asked/ has
//
//	heldnet-HOUR-HASH    a byte for each that came from a client's network
//	heldnet-DAY-HASH     the same in a day, of IPv6 for a /48
//	heldnotes-DAY        a byte for each about which the moderators got a letter
func (l *List) heldLimits(from netip.Prefix, now time.Time) []limit {
	dir := l.askedDir()
	return append(ofNetwork(dir, "heldnet-"+hourOf(now), from, MaxHeldHour, MaxHeldNetwork, replyHeldNetwork),
		ofNetwork(dir, "heldnet-"+dayOf(now), customer(from), MaxHeldNetwork, MaxHeldNetwork, replyHeldNetwork)...)
}

// mayHold says whether one more post of a client's network may be held now. A
// refusal is a smtp.Reply. It changes nothing.
func (l *List) mayHold(from netip.Prefix, now time.Time) error {
	return within(l.heldLimits(from, now))
}

// CountHeld counts a post that is held, and says no where there have been too many
// since its session asked.
func (l *List) CountHeld(from netip.Prefix, now time.Time) error {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.mayHold(from, now); err != nil {
		return err
	}
	return l.add(l.heldLimits(from, now), 1, now)
}

// CountHeldNotice counts a held post about which the moderators are to get a letter;
// false: they have had enough of them today.
func (l *List) CountHeldNotice(now time.Time) (bool, error) {
	unlock, err := l.lock()
	if err != nil {
		return false, err
	}
	defer unlock()
	limits := []limit{{file: filepath.Join(l.askedDir(), "heldnotes-"+dayOf(now)), most: MaxHeldNotices, full: replyManyHeld}}
	if within(limits) != nil {
		return false, nil
	}
	return true, l.add(limits, 1, now)
}

// Holding goes through the lists that hold posts, and have a directory for it.
func (s *Site) Holding(do func(*List)) error {
	dirs, err := filepath.Glob(filepath.Join(s.ListsDir, "*", "*", string(queue.Held)))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		dir = filepath.Dir(dir)
		addr := smtp.Path{Local: filepath.Base(dir), Domain: filepath.Base(filepath.Dir(dir))}
		if l, err := s.Open(addr); err == nil {
			do(l)
		}
	}
	return nil
}
