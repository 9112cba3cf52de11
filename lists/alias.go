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

// An alias is another address of a list: one that it had before, or one that people
// write by mistake. It is a file in the place where a list with that address would have
// its directory, and contains the list's address. A session finds the list with one
// more open, and only if that directory does not exist. The key aliases in list.toml
// decides which aliases a list has, and the files follow it.

// maxHops is how often one address may lead to another. Two are needed only while a
// list moves.
const maxHops = 4

// maxPointer is longer than any address.
const maxPointer = 1024

// In returns the directory that the list is in.
func (l *List) In() Directory {
	return Directory{Root: filepath.Dir(filepath.Dir(l.Dir)), Delimiter: l.delimiter, Disk: l.Disk, Ledger: l.Ledger}
}

// ReadPointer reads where an alias leads. fs.ErrNotExist means that the file is not an
// alias but something else that lies there.
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

// openAlias opens the list that an alias leads to.
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
	// The list may be gone because its disk is not mounted.
	return nil, fmt.Errorf("%s: %w", addr, &config.Error{File: file, Text: "leads to " + to.Address() + ", where there is no list; remove it if that is gone for good"})
}

// name returns the address for checking proofs: the one that they were sent to. A list
// that moves keeps its key, so that its old proofs stay valid.
func (l *List) name() string {
	if !l.as.IsNull() {
		return l.as.Key()
	}
	return l.Addr.Key()
}

// Called returns the address under which the list was opened, such as the one in a
// link.
func (l *List) Called() string { return l.name() }

// ItsOwn returns the list as if opened by its own address.
func (l *List) ItsOwn() *List {
	own := *l
	own.as = smtp.Path{}
	return &own
}

// IsAddress reports whether an address, without a verb, is the list's own or an alias
// of it.
func (l *List) IsAddress(p smtp.Path) bool {
	return p.Key() == l.Addr.Key() || smtp.ContainsPath(l.AliasPaths(), p)
}

// LeadsHere reports whether a file leads to this list, and whether it does so directly.
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

// Dangling returns the aliases that do not lead to the list, as after an edit by hand.
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
