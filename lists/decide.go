package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"superlist/lists/token"
	"superlist/queue/disk"
	"superlist/smtp"
)

// What several people may decide, one does. That it has been decided, by whom
// and how, is a file of the list's decided directory, named like the thing: who
// makes it is first. It is kept as long as a proof is good, so that whoever
// comes second hears who was first.

// replyDecided is for who decides what is not there any more.
var replyDecided = smtp.Reply{Code: 550, Enhanced: "5.7.1",
	Text: "this is not open any more: it has been decided, or is too old"}

// second begins the answer to whoever was not the first.
const second = "you come second: "

func (l *List) decidedFile(name string) string { return filepath.Join(l.Dir, "decided", name) }

// A Decided is what has been decided about something.
type Decided struct {
	Cause string // id of the message, or of the command line, that said so
	What  string // by whom, how and when, for whoever comes second
	Do    string // what has to be done, for whoever finishes it after a crash; one letter and words
}

// Decided finds what has been decided; false where nothing has.
func (l *List) Decided(name string) (d Decided, ok bool, err error) {
	text, err := os.ReadFile(l.decidedFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return d, false, nil
	}
	d.Cause, d.What, _ = strings.Cut(string(text), "\n")
	d.What, d.Do, _ = strings.Cut(d.What, "\n")
	return d, err == nil, err
}

// Undecided says no, with a smtp.Reply that names who has decided, where
// somebody has because of another message than cause.
func (l *List) Undecided(name, cause string) error {
	if !validName(name) {
		return replyDecided
	}
	d, ok, err := l.Decided(name)
	if !ok || cause != "" && d.Cause == cause {
		return err
	}
	return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: second + d.What}
}

// Decide has what is to be done because of the message d.Cause decided by it, and
// by none else. Deciding again for the same cause is no second time.
func (l *List) Decide(name string, d Decided, now time.Time) error {
	if !validName(name) {
		return replyDecided
	}
	dir := filepath.Join(l.Dir, "decided")
	if err := l.disk.MakeDir(dir); err != nil {
		return err
	}
	sweep(dir, now, ProofLife)
	text := fmt.Sprintf("%s\n%s, %s\n%s", d.Cause, d.What, now.UTC().Format("2 January 2006, 15:04 UTC"), d.Do)
	if err := l.writeFirst(dir, name, d.Cause, text); err != nil {
		return err
	}
	return l.Undecided(name, d.Cause)
}

// writeFirst makes a file, unless it is there: of two processes that do it at once
// one does. cause tells them apart.
func (l *List) writeFirst(dir, name, cause, text string) error {
	_, err := l.disk.Place(filepath.Join(dir, name), "new-"+hash(name, cause), []byte(text))
	return err
}

// reopen forgets a decision: the thing has come up again.
func (l *List) reopen(name string) error { return l.disk.RemoveDurably(l.decidedFile(name)) }

// sweep removes the files of a directory that are older than life.
func sweep(dir string, now time.Time, life time.Duration) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > life {
			disk.Discard(filepath.Join(dir, e.Name()))
		}
	}
}

// nameLen is the length of the names of what is decided: short enough to leave
// room in an address. What strangers choose themselves has a name that is a seal
// (List.Seal), which is longer and cannot be made to fit another's.
const nameLen = 12

// nameOf is the name of what is decided about these words.
func nameOf(words ...string) string { return hash(words...)[:nameLen] }

// validName holds that a name from an address is one of ours, and so no path.
func validName(name string) bool {
	return (len(name) == nameLen || len(name) == token.Len) && strings.Trim(name, "0123456789abcdefghijklmnopqrstuv") == ""
}
