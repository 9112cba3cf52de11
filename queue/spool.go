package queue

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
	"superlist/smtp"
)

const (
	// SweepAge is the age at which a file in tmp is abandoned: longer than any session
	// or delivery can last. maildir uses the same.
	SweepAge = 36 * time.Hour

	// MinFreeBytes is what must stay free on the file system besides the message
	// itself: deliver writes a second copy, and the operator needs some room.
	MinFreeBytes = 32 << 20

	// MinFreeInodes is the same for inodes.
	MinFreeInodes = 256
)

// A Box is one of the places where messages are kept.
type Box string

const (
	Inbound  Box = "inbound"
	Outbound Box = "outbound"
	Failed   Box = "failed"
	Held     Box = "held" // in a list's own directory, not in the site's queue
)

// flat reports whether the messages of a box are directly in its directory: nobody
// works on them.
func (b Box) flat() bool { return b == Failed || b == Held }

// A Spool is the directory that holds the queue. Any number of processes may use one at
// a time.
type Spool struct {
	Dir  string
	Host string // the last part of the names made here

	// The high and low water marks: once MaxMessages are waiting, nothing is admitted
	// until there are fewer than MinMessages. 0: no limit.
	MaxMessages, MinMessages int

	Backoff Backoff

	Now func() time.Time // nil: time.Now

	Disk *disk.Disk // all changes go through it
}

func (s *Spool) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Spool) path(parts ...string) string {
	return filepath.Join(append([]string{s.Dir}, parts...)...)
}

// dirs are the directories below Dir, in the order in which they are made.
var dirs = []string{"tmp", "inbound", "inbound/new", "inbound/cur", "outbound", "outbound/new", "outbound/cur", "failed", "taken"}

// Init makes the missing directories of the spool, with mode 0700, unless another host
// has taken it over. They survive a crash: what is acknowledged is in one of them.
func (s *Spool) Init() error {
	if err := s.closed(); err != nil {
		return err
	}
	if err := s.Disk.MakePath(s.Dir); err != nil {
		return err
	}
	for _, dir := range dirs {
		if err := s.Disk.MakeDir(s.path(dir)); err != nil {
			return err
		}
	}
	return nil
}

// InitBox makes the directories of one box only.
func (s *Spool) InitBox(b Box) error {
	for _, dir := range append([]string{"tmp"}, boxDirs(b)...) {
		if err := s.Disk.MakePath(s.path(dir)); err != nil {
			return err
		}
	}
	return nil
}

// fresh returns where a complete message of this box is put.
func (b Box) fresh() string {
	if b.flat() {
		return string(b)
	}
	return string(b) + "/new"
}

// claimed returns where a message of this box is while it is worked on.
func (b Box) claimed() string {
	if b.flat() {
		return string(b)
	}
	return string(b) + "/cur"
}

// zeros formats n with at least that many digits.
func zeros(n int64, digits int) string {
	s := strconv.FormatInt(n, 10)
	return strings.Repeat("0", max(0, digits-len(s))) + s
}

// Free is the free space of a file system.
type Free struct {
	Bytes   int64
	Inodes  int64
	Counted bool // the file system counts inodes
}

// Room returns the free space of a directory's file system.
func Room(dir string) (Free, error) {
	var st unix.Statfs_t
	free, err := statfs(dir, &st)
	return free, err
}

func statfs(dir string, st *unix.Statfs_t) (Free, error) {
	if err := unix.Statfs(dir, st); err != nil {
		return Free{}, fmt.Errorf("statfs %s: %w", dir, err)
	}
	return Free{int64(st.Bavail) * st.Bsize, int64(st.Ffree), st.Files > 0}, nil
}

// Admit returns nil if a message of size bytes may come in; size is 0 if unknown. The
// error is a reply: the queue is over its high-water mark, or was and is not yet below
// the low one, or the file system is nearly full.
func (s *Spool) Admit(size int64, share Share) error {
	var st unix.Statfs_t
	free, err := statfs(s.path("tmp"), &st)
	if err != nil {
		return err
	}
	if free.Bytes < size+MinFreeBytes {
		return fmt.Errorf("%s: %d bytes free, %d are needed: %w", s.Dir, free.Bytes, size+MinFreeBytes, smtp.ReplyNoSpace)
	}
	if free.Counted && free.Inodes < MinFreeInodes {
		return fmt.Errorf("%s: %d inodes free, %d are needed: %w", s.Dir, free.Inodes, MinFreeInodes, smtp.ReplyNoSpace)
	}
	return s.admitOneMore(share, leastEntry(&st))
}

// Sweep removes what crashed writers left in tmp, and returns how many files that were.
func (s *Spool) Sweep(now time.Time) (removed int, err error) {
	entries, err := os.ReadDir(s.path("tmp"))
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || now.Sub(info.ModTime()) < SweepAge || e.Name() == fullMark {
			continue
		}
		if s.Disk.Remove(s.path("tmp", e.Name())) == nil {
			removed++
		}
	}
	return removed, nil
}

// A Backoff schedules the attempts at a message. Zero fields mean the constants of the
// same name.
type Backoff struct {
	Min, Max time.Duration // between two attempts
	GiveUp   time.Duration // how long after arrival
}

const (
	// RetryMin and RetryMax: a relay that is down for a moment is tried again soon, one
	// that is down for days six times a day.
	RetryMin = 5 * time.Minute
	RetryMax = 4 * time.Hour
	// GiveUp is Postfix's maximal_queue_lifetime; RFC 5321, 4.5.4.1 asks for
	// four to five days.
	GiveUp = 5 * 24 * time.Hour
)

// Next returns the time of the next attempt; ok is false when it is time to give up.
// The wait is the message's age plus Min, so it doubles with each attempt and no
// counter need be stored.
func (b Backoff) Next(arrived, now time.Time) (at time.Time, ok bool) {
	age := max(now.Sub(arrived), 0) // the clock may have gone back
	if age >= cmp.Or(b.GiveUp, GiveUp) {
		return time.Time{}, false
	}
	return now.Add(min(age+cmp.Or(b.Min, RetryMin), cmp.Or(b.Max, RetryMax))), true
}
