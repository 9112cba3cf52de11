package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/lists/config"
	"superlist/queue/disk"
	"superlist/smtp"
)

// Another address of a list, one that it had before or one that people write by
// mistake, is a file where the directory of a list with that address would be. In
// it stands the list's address: so a session finds the list by one more open, and
// only where there is no such directory. Which addresses a list has is said by
// aliases in its list.toml, and the files follow that.

// maxHops is how often an address may lead to another one. It takes two only while
// a list moves.
const maxHops = 4

// maxPointer is more than an address is long.
const maxPointer = 1024

// In is the directory in which the list stands.
func (l *List) In() Directory {
	return Directory{Root: filepath.Dir(filepath.Dir(l.Dir)), Delimiter: l.delimiter, Disk: l.Disk, Ledger: l.Ledger}
}

// ReadPointer reads where another address leads. fs.ErrNotExist: it is none, but a
// file that lies about.
func ReadPointer(file string) (smtp.Path, error) {
	text, _, err := disk.ReadRegular(file, unix.O_RDONLY, maxPointer)
	if errors.Is(err, disk.ErrNotRegular) {
		err = &fs.PathError{Op: "open", Path: file, Err: fs.ErrNotExist}
	}
	if err != nil {
		return smtp.Path{}, err
	}
	to, ok := smtp.ParseAddress(strings.TrimSpace(string(text)))
	if !ok {
		return smtp.Path{}, &fs.PathError{Op: "read", Path: file, Err: fs.ErrNotExist}
	}
	return to, nil
}

// openAlias opens the list to which another address of its leads.
func (s Directory) openAlias(addr smtp.Path, file string) (*List, error) {
	at, to := file, smtp.Path{}
	for range maxHops {
		var err error
		if to, err = ReadPointer(at); errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) { // below defaults.toml
			return nil, s.missing(addr, file)
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", addr, err)
		}
		if at, err = s.Dir(to); err != nil {
			break
		}
		l, err := s.openDir(to, at)
		if errors.Is(err, unix.ENOTDIR) { // on to the next
			continue
		}
		if err == nil {
			l.as = smtp.Path{Local: filepath.Base(file), Domain: filepath.Base(filepath.Dir(file))}
			return l, nil
		}
		if !errors.Is(err, ReplyNoList) {
			return nil, err
		}
		break
	}
	// A list that is gone may be on a disk that is not mounted.
	return nil, fmt.Errorf("%s: %w", addr, &config.Error{File: file, Text: "leads to " + to.Address() + ", where there is no list; remove it if that is gone for good"})
}

// name is the address in the proofs that are checked: the one that they came to. A
// list that moves takes its key along, and what it has given out stays good.
func (l *List) name() string {
	if !l.as.IsNull() {
		return l.as.Key()
	}
	return l.Addr.Key()
}

// Called is the name under which the list was opened: that in links which came to it.
func (l *List) Called() string { return l.name() }

// ItsOwn is the list as it is opened by its own address.
func (l *List) ItsOwn() *List {
	own := *l
	own.as = smtp.Path{}
	return &own
}

// IsAddress says that an address, without a verb, is the list's: its own or
// another one of its.
func (l *List) IsAddress(p smtp.Path) bool {
	return p.Key() == l.Addr.Key() || smtp.ContainsPath(l.AliasPaths(), p)
}

// LeadsHere reports whether a file leads to this list, and whether directly.
func (l *List) LeadsHere(file string) (direct, here bool) {
	to, err := ReadPointer(file)
	if err != nil {
		return false, false
	}
	if to.Key() == l.Addr.Key() {
		return true, true
	}
	other, err := l.In().Open(to)
	return false, err == nil && other.Addr.Key() == l.Addr.Key()
}

// Dangling are those of the list's other addresses that do not lead to it, as an
// edit by hand leaves them.
func (l *List) Dangling() (aliases []smtp.Path) {
	for _, alias := range l.AliasPaths() {
		file, err := l.In().Dir(alias)
		if err == nil && alias.Key() != l.Addr.Key() {
			if _, here := l.LeadsHere(file); here {
				continue
			}
			aliases = append(aliases, alias)
		}
	}
	return aliases
}
