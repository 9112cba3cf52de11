package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

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

// Undecided says no, with a smtp.Reply that names who has decided, where
// somebody has because of another message than cause.
func (l *List) Undecided(name, cause string) error {
	if !validName(name) {
		return replyDecided
	}
	text, err := os.ReadFile(l.decidedFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, what, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), "\n")
	if cause != "" && first == cause {
		return nil
	}
	return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: second + what}
}

// Decide has what is to be done because of the message cause decided by it, and
// by none else. what says by whom and how, for whoever comes second. Deciding
// again for the same cause is no second time.
func (l *List) Decide(name, cause, what string, now time.Time) error {
	if !validName(name) {
		return replyDecided
	}
	dir := filepath.Join(l.Dir, "decided")
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	sweep(dir, now, ProofLife)
	tmp := filepath.Join(dir, ".new-"+hash(name, cause))
	text := fmt.Sprintf("%s\n%s, %s\n", cause, what, now.UTC().Format("2 January 2006, 15:04 UTC"))
	if err := writeSynced(tmp, []byte(text)); err != nil {
		return err
	}
	defer os.Remove(tmp)
	// link(2) fails where the name is there: of two that decide at once one does.
	if err := os.Link(tmp, l.decidedFile(name)); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	return l.Undecided(name, cause)
}

// reopen forgets a decision: the thing has come up again.
func (l *List) reopen(name string) { os.Remove(l.decidedFile(name)) }

// sweep removes the files of a directory that are older than life.
func sweep(dir string, now time.Time, life time.Duration) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > life {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// nameLen is the length of the names of what is decided: short enough to leave
// room in an address, and nothing secret.
const nameLen = 12

// nameOf is the name of what is decided about these words.
func nameOf(words ...string) string { return hash(words...)[:nameLen] }

// validName holds that a name from an address is one of ours, and so no path.
func validName(name string) bool {
	return len(name) == nameLen && strings.Trim(name, "0123456789abcdef") == ""
}
