package lists

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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

// place is where in lists_dir the list with an address is, or would be.
func (l *List) place(addr smtp.Path) (string, error) { return l.site().Dir(addr) }

// site is the directory in which the list stands.
func (l *List) site() Directory {
	return Directory{Root: filepath.Dir(filepath.Dir(l.Dir)), Delimiter: l.delimiter, Disk: l.disk, Ledger: l.ledger}
}

// readPointer reads where another address leads. fs.ErrNotExist: it is none, but a
// file that lies about.
func readPointer(file string) (smtp.Path, error) {
	f, _, err := disk.OpenRegular(file, unix.O_RDONLY)
	if errors.Is(err, disk.ErrNotRegular) {
		err = &fs.PathError{Op: "open", Path: file, Err: fs.ErrNotExist}
	}
	if err != nil {
		return smtp.Path{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPointer))
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
		if to, err = readPointer(at); errors.Is(err, fs.ErrNotExist) {
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

// IsAddress says that an address, without a verb, is the list's: its own or
// another one of its.
func (l *List) IsAddress(p smtp.Path) bool {
	return p.Key() == l.Addr.Key() || contains(l.aliases, p)
}

// point has other addresses lead here. One that is a list already, or leads
// elsewhere, is an error, and then none does that did not before.
func (l *List) point(aliases []smtp.Path) (err error) {
	var made []smtp.Path
	defer func() {
		if err != nil {
			l.unpoint(made)
		}
	}()
	for _, alias := range aliases {
		if alias.Key() == l.Addr.Key() {
			continue
		}
		file, err := l.site().newDir(alias)
		if err != nil {
			return inputError("aliases: %v", err)
		}
		if direct, here := l.leadsHere(file); direct {
			continue
		} else if here { // by way of an address that it had before: a move was cut short
			if err := l.disk.Replace(file, l.pointer()); err != nil {
				return err
			}
			continue
		}
		first, err := l.placePointer(file)
		if err != nil {
			return err
		}
		if !first {
			return inputError("aliases: %s is a list already, or another address of one", alias.Address())
		}
		made = append(made, alias)
	}
	return nil
}

// placePointer makes a file that leads here. first is false where there is something
// of that name.
func (l *List) placePointer(file string) (first bool, err error) {
	if err := l.site().makeDomain(filepath.Dir(file)); err != nil {
		return false, err
	}
	return l.disk.Place(file, filepath.Base(file)+"-"+unique(), l.pointer())
}

// pointer is what a file has that leads here.
func (l *List) pointer() []byte { return []byte(l.Addr.Address() + "\n") }

// leadsHere reports whether a file leads to this list, and whether directly.
func (l *List) leadsHere(file string) (direct, here bool) {
	to, err := readPointer(file)
	if err != nil {
		return false, false
	}
	if to.Key() == l.Addr.Key() {
		return true, true
	}
	other, err := l.site().Open(to)
	return false, err == nil && other.Addr.Key() == l.Addr.Key()
}

// unpoint has other addresses lead here no more.
func (l *List) unpoint(aliases []smtp.Path) error {
	for _, alias := range aliases {
		file, err := l.place(alias)
		if err != nil {
			continue
		}
		if _, here := l.leadsHere(file); here {
			if err := l.disk.RemoveDurably(file); err != nil {
				return err
			}
			disk.Discard(filepath.Dir(file)) // refused while the domain has others
		}
	}
	return nil
}

// FreeAliases is the list.toml of a list that comes in from elsewhere under this
// address, without the other addresses in it that are taken here.
func (s Directory) FreeAliases(addr smtp.Path, text string) (free string, taken []string) {
	c := defaults()
	if config.Decode("list.toml", text, &c) != nil || len(c.Aliases) == 0 {
		return text, nil // what is wrong in it, whoever makes the list hears
	}
	kept := slices.DeleteFunc(slices.Clone(c.Aliases), func(alias string) bool {
		p, ok := smtp.ParseAddress(alias)
		file, err := s.Dir(p)
		if !ok || err != nil {
			return false
		}
		_, err = os.Lstat(file)
		if err != nil && p.Key() != addr.Key() {
			return false
		}
		taken = append(taken, alias)
		return true
	})
	free, err := setKey(text, "aliases="+strings.Join(kept, ","))
	if err != nil {
		return text, nil
	}
	return free, taken
}

// Dangling are those of the list's other addresses that do not lead to it, as an
// edit by hand leaves them.
func (l *List) Dangling() (aliases []smtp.Path) {
	for _, alias := range l.aliases {
		file, err := l.place(alias)
		if err == nil && alias.Key() != l.Addr.Key() {
			if _, here := l.leadsHere(file); here {
				continue
			}
			aliases = append(aliases, alias)
		}
	}
	return aliases
}

// Move gives a list another address, with everything that is in its directory. The
// old one becomes another address of it: mail, answers and delivery reports that
// are on their way to it arrive. It holds the list's lock. fs.ErrExist: there is
// such a list already.
func (s Directory) Move(l *List, to smtp.Path) (*List, error) {
	dir, err := s.newDir(to)
	if err != nil {
		return nil, err
	}
	unlock, err := l.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	new := *l
	new.Addr, new.as = smtp.Path{Local: filepath.Base(dir), Domain: filepath.Base(filepath.Dir(dir))}, smtp.Path{}
	if new.Addr == l.Addr {
		return nil, inputError("%s has this address already", l.Addr.Address())
	}
	// What leads to itself a move has left that was cut short.
	if there, err := readPointer(dir); err == nil && there.Key() != l.Addr.Key() && there.Key() != new.Addr.Key() {
		return nil, &fs.PathError{Op: "move", Path: dir, Err: fs.ErrExist}
	}
	// In list.toml first: that a list names its own address there harms nothing.
	var aliases []string
	for _, alias := range append(slices.Clone(l.aliases), l.Addr) {
		if alias.Key() != new.Addr.Key() && !slices.Contains(aliases, alias.Address()) {
			aliases = append(aliases, alias.Address())
		}
	}
	if err := l.rewrite(func(Config) []string { return []string{"aliases=" + strings.Join(aliases, ",")} }, false); err != nil {
		return nil, err
	}
	first, err := new.placePointer(dir)
	if err == nil && !first { // it has been there before
		err = l.disk.Replace(dir, new.pointer())
	}
	if err != nil {
		return nil, err
	}
	// The list and the file that leads to it change places, in one step: no post
	// that comes at this moment is refused.
	err = l.disk.Exchange(l.Dir, dir)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // not every file system can
		if err = l.disk.Remove(dir); err == nil {
			err = l.disk.Move(l.Dir, dir)
		}
		if err == nil {
			_, err = new.placePointer(l.Dir)
		}
	}
	if err != nil {
		return nil, err
	}
	for _, parent := range []string{filepath.Dir(dir), filepath.Dir(l.Dir)} {
		if err := l.disk.SyncDir(parent); err != nil {
			return nil, err
		}
	}
	for _, alias := range l.aliases { // that led to what leads here now
		if file, err := l.place(alias); err == nil && file != dir && file != l.Dir {
			if err := l.disk.Replace(file, new.pointer()); err != nil {
				return nil, err
			}
		}
	}
	return s.Open(new.Addr)
}
