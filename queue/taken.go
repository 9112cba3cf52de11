package queue

import (
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"time"

	"superlist/queue/disk"
)

// takenAge is how long the spool remembers a message that it has taken: a client whose
// delivery failed elsewhere tries again for five days (RFC 5321, 4.5.4.1).
const takenAge = 6 * 24 * time.Hour

// Taken returns the id under which a message was taken, and a digest. The key must be
// the same for the same message. A record that cannot be read counts as none: a message
// that arrives twice is better than one that is lost.
func (s *Spool) Taken(key []byte, now time.Time) (id string, ok bool) {
	path := s.path("taken", hex.EncodeToString(key))
	info, err := os.Stat(path)
	if err != nil || now.Sub(info.ModTime()) > takenAge {
		return "", false
	}
	text, err := os.ReadFile(path)
	id = strings.TrimSuffix(string(text), "\n")
	return id, err == nil && validID(id)
}

// Take remembers a message. It does not sync: after a power failure the message may be
// taken twice.
func (s *Spool) Take(key []byte, id string, now time.Time) error {
	path := s.path("taken", hex.EncodeToString(key))
	// Whoever reads it before it is written does not know the message yet.
	f, err := s.Disk.Rewrite(path)
	if err != nil {
		return err
	}
	_, err = f.WriteString(id + "\n")
	if key[0] == 0 { // one in 256
		s.forgetTaken(now)
	}
	return errors.Join(err, f.Close())
}

// loginsMark is a file in taken/. Of the programs that meet strangers, only
// superlist-milter may write there.
const loginsMark = "logins"

// MarkLogins remembers for good that the server in front names users who have logged
// in.
func (s *Spool) MarkLogins() error {
	f, err := s.Disk.Keep(s.path("taken", loginsMark))
	if err != nil {
		return err
	}
	return f.Close()
}

// HasLogins reports whether MarkLogins was ever called.
func (s *Spool) HasLogins() bool {
	_, err := os.Lstat(s.path("taken", loginsMark))
	return err == nil
}

// forgetTaken removes records that are too old to be needed.
func (s *Spool) forgetTaken(now time.Time) {
	entries, _ := os.ReadDir(s.path("taken"))
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > takenAge && e.Name() != loginsMark {
			disk.Discard(s.path("taken", e.Name()))
		}
	}
}
