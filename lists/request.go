package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
	"superlist/smtp"
)

// A Request is somebody who wants to become a member and waits for the owners:
// a file of the list's requests directory, named for the address by a seal, so that
// nobody finds two addresses of one name, until it is decided and at most ProofLife.
type Request struct {
	Name  string
	Who   Member
	Since time.Time
}

// maxRequests is how many may wait for a list's owners: more than they will
// ever read.
const maxRequests = 1000

func (l *List) requestFile(name string) string { return filepath.Join(l.Dir, "requests", name) }

// KeepRequest keeps a request; twice is the same as once. Those that have waited
// for longer than ProofLife make room.
func (l *List) KeepRequest(m Member, now time.Time) (Request, error) {
	r := Request{Who: m, Since: now}
	unlock, err := l.lock()
	if err != nil {
		return r, err
	}
	defer unlock()
	if r.Name, err = l.Seal("request", m.Path.Key()); err != nil {
		return r, err
	}
	dir := filepath.Join(l.Dir, "requests")
	if err := l.disk.MakeDir(dir); err != nil {
		return r, err
	}
	sweep(dir, now, ProofLife)
	if other, err := l.FindRequest(r.Name); err == nil && other.Who.Path.Key() != m.Path.Key() {
		return r, smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "somebody else waits for the owners of this list under the same name; ask again in two weeks"}
	}
	waiting, err := os.ReadDir(dir)
	if err != nil {
		return r, err
	}
	if len(waiting) >= maxRequests {
		return r, smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "too many people wait for the owners of this list already"}
	}
	if err := l.reopen(r.Name); err != nil {
		return r, err
	}
	return r, l.disk.Replace(l.requestFile(r.Name), []byte(m.String()+"\n"))
}

// FindRequest opens a request. The error is a smtp.Reply where there is none.
func (l *List) FindRequest(name string) (Request, error) {
	if !validName(name) {
		return Request{}, replyDecided
	}
	f, info, err := disk.OpenRegular(l.requestFile(name), unix.O_RDONLY)
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

// EndRequest removes a request, once what follows from the decision is safe.
func (l *List) EndRequest(name string) error {
	return l.disk.RemoveDurably(l.requestFile(name))
}
