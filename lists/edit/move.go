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
	"superlist/lists/tomltext"
	"superlist/smtp"
)

// Move gives a list another address, and keeps everything in its directory. The old
// address becomes an alias, so that mail, answers and delivery reports on their way to
// it still arrive. Move holds the list's lock. The error is fs.ErrExist if the new
// address is a list's already.
func Move(s lists.Directory, l *lists.List, to smtp.Path) (moved *lists.List, err error) {
	dir, err := newDir(s, to)
	if err != nil {
		return nil, err
	}
	l, unlock, err := lockAddresses(l)
	if err != nil {
		return nil, err
	}
	defer unlock(&err)
	new := *l.ItsOwn()
	new.Addr = smtp.Path{Local: filepath.Base(dir), Domain: filepath.Base(filepath.Dir(dir))}
	if new.Addr == l.Addr {
		return nil, inputError("%s has this address already", l.Addr.Address())
	}
	// A pointer that leads to itself was left by a move that was cut short.
	there, err := lists.ReadPointer(dir)
	elsewhere := err == nil && there.Key() != l.Addr.Key() && there.Key() != new.Addr.Key()
	if info, err := os.Lstat(dir); elsewhere || err == nil && info.IsDir() {
		return nil, &fs.PathError{Op: "move", Path: dir, Err: fs.ErrExist}
	}
	// list.toml comes first: it is harmless if a list names its own address there.
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
	// The list and the pointer to it change places in one step, so that no post that
	// arrives at this moment is refused.
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

// FreeAliases returns the list.toml of a list that comes from elsewhere to this
// address, without the aliases that are taken on this host, and those aliases.
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
	free, err := tomltext.SetKey(text, "aliases="+strings.Join(kept, ","))
	if err != nil {
		return text, nil
	}
	return free, taken
}
