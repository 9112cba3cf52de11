package edit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/smtp"
)

// Move gives a list another address, with everything that is in its directory. The
// old one becomes another address of it: mail, answers and delivery reports that
// are on their way to it arrive. It holds the list's lock. fs.ErrExist: there is
// such a list already.
func Move(s lists.Directory, l *lists.List, to smtp.Path) (*lists.List, error) {
	dir, err := newDir(s, to)
	if err != nil {
		return nil, err
	}
	unlock, err := lock(l)
	if err != nil {
		return nil, err
	}
	defer unlock()
	new := *l.ItsOwn()
	new.Addr = smtp.Path{Local: filepath.Base(dir), Domain: filepath.Base(filepath.Dir(dir))}
	if new.Addr == l.Addr {
		return nil, inputError("%s has this address already", l.Addr.Address())
	}
	// What leads to itself a move has left that was cut short.
	if there, err := lists.ReadPointer(dir); err == nil && there.Key() != l.Addr.Key() && there.Key() != new.Addr.Key() {
		return nil, &fs.PathError{Op: "move", Path: dir, Err: fs.ErrExist}
	}
	// In list.toml first: that a list names its own address there harms nothing.
	var aliases []string
	for _, alias := range append(slices.Clone(l.AliasPaths()), l.Addr) {
		if alias.Key() != new.Addr.Key() && !slices.Contains(aliases, alias.Address()) {
			aliases = append(aliases, alias.Address())
		}
	}
	if err := rewrite(l, func(lists.Config) []string { return []string{"aliases=" + strings.Join(aliases, ",")} }, false); err != nil {
		return nil, err
	}
	first, err := placePointer(&new, dir)
	if err == nil && !first { // it has been there before
		err = l.Disk.Replace(dir, pointer(&new))
	}
	if err != nil {
		return nil, err
	}
	// The list and the file that leads to it change places, in one step: no post
	// that comes at this moment is refused.
	err = l.Disk.Exchange(l.Dir, dir)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // not every file system can
		if err = l.Disk.Remove(dir); err == nil {
			err = l.Disk.Move(l.Dir, dir)
		}
		if err == nil {
			_, err = placePointer(&new, l.Dir)
		}
	}
	if err != nil {
		return nil, err
	}
	for _, parent := range []string{filepath.Dir(dir), filepath.Dir(l.Dir)} {
		if err := l.Disk.SyncDir(parent); err != nil {
			return nil, err
		}
	}
	for _, alias := range l.AliasPaths() { // that led to what leads here now
		if file, err := l.In().Dir(alias); err == nil && file != dir && file != l.Dir {
			if err := l.Disk.Replace(file, pointer(&new)); err != nil {
				return nil, err
			}
		}
	}
	return s.Open(new.Addr)
}

// FreeAliases is the list.toml of a list that comes in from elsewhere under this
// address, without the other addresses in it that are taken here.
func FreeAliases(s lists.Directory, addr smtp.Path, text string) (free string, taken []string) {
	c := lists.Defaults()
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
