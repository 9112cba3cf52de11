package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// End implements disk.Change. What has been changed is read back, and what differs from what the
// database has goes there.
func (c *change) End() error {
	if c.tx == nil {
		return nil
	}
	s := c.s
	s.mu.Lock()
	for _, h := range c.units {
		delete(s.open, h.unit)
	}
	s.mu.Unlock()
	defer c.release()
	changed, err := c.push()
	if err == nil && len(changed) > 0 {
		err = c.tx.Commit()
	}
	if err != nil {
		return err // what has been touched remains marked
	}
	for _, h := range c.units {
		if h.changing || h.version != h.is.Version {
			if err := h.write(h.is.Version, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// push puts all that has been changed into the transaction, and returns which units have.
func (c *change) push() (changed []*held, err error) {
	siteHeld := c.unit(site)
	for _, h := range c.units {
		if len(h.touched) == 0 || h == siteHeld {
			continue
		}
		before := h.is
		if err := c.pushUnit(h); err != nil {
			return nil, err
		}
		if h.is != before {
			changed = append(changed, h)
		}
	}
	if siteHeld != nil {
		n := 0
		if len(siteHeld.touched) > 0 {
			if n, err = c.put(siteHeld, siteHeld.is.Version > 0); err != nil {
				return nil, err
			}
		}
		came := slices.ContainsFunc(changed, func(h *held) bool { return h.is.Site > siteHeld.is.Version })
		if n > 0 || came {
			siteHeld.is.Version++
			changed = append(changed, siteHeld)
		}
	}
	for _, h := range changed {
		if err := c.tx.Set(h.is); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

// pushUnit puts what has been changed of a list, and says in h.is what has become of it.
func (c *change) pushUnit(h *held) error {
	was := h.is.Version > 0 && !h.is.Gone
	if h.touched[""] {
		info, err := os.Lstat(c.s.dir(h.unit))
		there := err == nil && info.IsDir()
		switch siteNext := c.unit(site).is.Version + 1; {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		case !there && !was:
			return nil
		case !there:
			h.is.Version++
			h.is.Gone, h.is.Site = true, siteNext
			return c.tx.Clear(h.unit)
		case !was:
			h.is.Gone, h.is.Site, h.is.Born = false, siteNext, h.is.Version+1
		}
	} else if !was {
		return fmt.Errorf("%s: %w", c.s.dir(h.unit), errNotOpen)
	}
	n, err := c.put(h, was)
	if n > 0 || !was {
		h.is.Version++
	}
	return err
}

// put puts what has been changed of the files of a unit, with the version that it will
// have. The database may have some of them if was.
func (c *change) put(h *held, was bool) (n int, err error) {
	files, dirs, err := c.s.changed(h)
	if err != nil {
		return 0, err
	}
	var roll []Item
	if files[rollFile] && h.unit != site && was {
		var ok bool
		if roll, ok, err = c.roll(h); err != nil {
			return 0, err
		}
		if ok {
			delete(files, rollFile)
		}
	}
	have := make(map[string][]Sum)
	if was && len(files)+len(dirs) > 0 {
		for sum, err := range c.tx.Sums(h.unit, slices.Collect(maps.Keys(files)), dirs) {
			if err != nil {
				return 0, err
			}
			have[sum.File] = append(have[sum.File], sum)
			files[sum.File] = true
		}
	}
	err = c.tx.Put(h.unit, h.is.Version+1, func(yield func(Item, error) bool) {
		put := func(i Item) bool {
			n++
			return yield(i, nil)
		}
		for _, i := range roll {
			if !put(i) {
				return
			}
		}
		for _, file := range slices.Sorted(maps.Keys(files)) {
			more, err := differ(c.s.read(h.unit, file), have[file], put)
			if err != nil {
				yield(Item{}, err)
			}
			if err != nil || !more {
				return
			}
		}
	})
	return n, err
}

// roll is what differs of the members, if their file was in order and is.
func (c *change) roll(h *held) (items []Item, ok bool, err error) {
	if h.roll == nil {
		return nil, false, nil
	}
	heads, err := c.tx.Heads(h.unit)
	if err != nil || !slices.ContainsFunc(heads, func(sum Sum) bool { return sum.Part == "" && !sum.Gone }) {
		return nil, false, err
	}
	f, _, err := disk.OpenRegular(c.s.path(h.unit, rollFile), unix.O_RDONLY|unix.O_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	return rollDiff(h.roll, f)
}

// changed returns the files of a unit that may have been changed, and the directories below
// which everything may have been.
func (s *Site) changed(h *held) (files map[string]bool, dirs []string, err error) {
	files = make(map[string]bool)
	for file := range h.touched {
		path := s.path(h.unit, file)
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if file != "" {
				files[file] = true
				dirs = append(dirs, file)
			}
		case err != nil:
			return nil, nil, err
		case info.Mode().IsRegular():
			files[file] = true
		case info.IsDir() && h.unit == site && file != "" && !isInside(file):
			files[file] = true // a list is where a file was
		case info.IsDir():
			dirs = append(dirs, file)
			for name, err := range s.walk(h.unit, file) {
				if err != nil {
					return nil, nil, err
				}
				files[name] = true
			}
		}
	}
	return files, dirs, nil
}

// isInside reports whether a directory of the site has files of the site.
func isInside(file string) bool { return slices.Contains(siteDirs, file) }

// walk yields the files that hosts share below a directory of a unit.
func (s *Site) walk(unit, dir string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		root := s.dir(unit)
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			file, err := filepath.Rel(root, path)
			if err != nil || file == "." {
				return err
			}
			if !isShared(unit, file) {
				if e.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			if e.IsDir() && unit == site && strings.Contains(file, "/") {
				return fs.SkipDir // a list
			}
			if e.Type().IsRegular() && !yield(file, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield("", err)
		}
	}
}
