package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"superlist/queue"
	"superlist/smtp"

	"golang.org/x/sys/unix"
)

// A Request is somebody who wants to become a member and waits for the owners:
// a file of the list's requests directory, named for the address. It is there
// until an owner decides, so that the first decision counts and no second one
// does, and at most ProofLife.
type Request struct {
	Name  string
	Who   Member
	Since time.Time
}

// MaxRequests is how many may wait for a list's owners: more than they will
// ever read.
const MaxRequests = 1000

// RequestName is the name of the request of an address.
func RequestName(p smtp.Path) string { return hash(p.Key())[:12] }

func (l *List) requestFile(name string) string { return filepath.Join(l.Dir, "requests", name) }

// KeepRequest keeps a request; twice is the same as once. Those that have waited
// for longer than ProofLife make room.
func (l *List) KeepRequest(m Member, now time.Time) (Request, error) {
	r := Request{Name: RequestName(m.Path), Who: m, Since: now}
	dir := filepath.Join(l.Dir, "requests")
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return r, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return r, err
	}
	waiting := 0
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > ProofLife {
			os.Remove(filepath.Join(dir, e.Name()))
		} else if e.Name() != r.Name {
			waiting++
		}
	}
	if waiting >= MaxRequests {
		return r, smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "too many people wait for the owners of this list already"}
	}
	tmp := filepath.Join(dir, ".new-"+r.Name)
	if err := writeSynced(tmp, []byte(m.String()+"\n")); err != nil {
		return r, err
	}
	if err := os.Rename(tmp, l.requestFile(r.Name)); err != nil {
		return r, err
	}
	return r, syncDir(dir)
}

// replyDecided is for the owner who comes second.
var replyDecided = smtp.Reply{Code: 550, Enhanced: "5.7.1",
	Text: "there is no such request any more: another owner has decided, or it is too old"}

// FindRequest opens a request. replyDecided: there is none.
func (l *List) FindRequest(name string) (Request, error) {
	if !validRequest(name) {
		return Request{}, replyDecided
	}
	return l.openRequest(name, name)
}

func (l *List) openRequest(name, file string) (Request, error) {
	f, info, err := queue.OpenRegular(l.requestFile(file), unix.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return Request{}, replyDecided
	}
	if err != nil {
		return Request{}, err
	}
	defer f.Close()
	var line [4096]byte
	n, err := f.Read(line[:])
	if err != nil {
		return Request{}, err
	}
	m, ok := ParseMember(string(line[:n]))
	if !ok {
		return Request{}, fmt.Errorf("%s: not a member's line", f.Name())
	}
	return Request{Name: name, Who: m, Since: info.ModTime()}, nil
}

// taken is the file of a request that the message cause decides.
func taken(name, cause string) string { return name + "-" + hash(cause)[:8] }

// TakeRequest opens a request for deciding it, because of the message cause. By
// a rename one decision comes first, and all others find replyDecided; the same
// cause finds it again, until EndRequest.
func (l *List) TakeRequest(name, cause string) (Request, error) {
	if !validRequest(name) {
		return Request{}, replyDecided
	}
	mine := taken(name, cause)
	err := os.Rename(l.requestFile(name), l.requestFile(mine))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Request{}, err
	}
	return l.openRequest(name, mine)
}

// Requests are all that wait, by name.
func (l *List) Requests() ([]Request, error) {
	entries, err := os.ReadDir(filepath.Join(l.Dir, "requests"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []Request
	for _, e := range entries {
		if r, err := l.FindRequest(e.Name()); err == nil {
			list = append(list, r)
		}
	}
	return list, err
}

// EndRequest removes a request that was taken because of the message cause, once
// what follows from the decision is safe.
func (l *List) EndRequest(name, cause string) error {
	if err := os.Remove(l.requestFile(taken(name, cause))); err != nil {
		return err
	}
	return syncDir(filepath.Join(l.Dir, "requests"))
}

// validRequest holds that a name from an address is one of ours, and so no path.
func validRequest(name string) bool {
	return len(name) == 12 && strings.Trim(name, "0123456789abcdef") == ""
}
