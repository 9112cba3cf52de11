package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"
)

// ErrTwo means that this host has a list of its own where the cluster has another one.
var ErrTwo = errors.New("this host has another list at the address of one of the cluster")

// ErrAhead means that the database has lost what this host has seen there.
var ErrAhead = errors.New("this host has what the database has had and has no more, as after it was put back from a backup")

// affected returns the lists besides those of a change, whose site is not up to date, that
// have come or gone elsewhere.
func (s *Site) affected(c *change) (more []string, err error) {
	h := c.unit(site)
	if h.version == h.is.Version && !h.changing {
		return nil, nil
	}
	since := h.version
	if h.changing {
		since = 0 // whatever died here may have moved any list
		for _, list := range s.listed() {
			if version, isChanging, err := s.peek(list); err == nil && version == 0 && isChanging && c.unit(list) == nil {
				more = append(more, list)
			}
		}
	}
	units, err := c.tx.Structure(since)
	for _, u := range units {
		if c.unit(u.Name) == nil && s.isStale(u) {
			more = append(more, u.Name)
		}
	}
	return more, err
}

// isStale reports whether a list has come or gone, and this host does not know.
func (s *Site) isStale(u Unit) bool {
	version, isChanging, err := s.peek(u.Name)
	there := isDir(s.dir(u.Name))
	switch {
	case err != nil || isChanging:
		return true
	case u.Gone:
		return version < u.Version
	case there:
		return version > 0 && version < u.Born
	}
	return true
}

// listed returns the lists that are there.
func (s *Site) listed() (lists []string) {
	dirs, _ := filepath.Glob(filepath.Join(s.Root, "[^.]*", "[^.]*"))
	for _, dir := range dirs {
		if unit, err := filepath.Rel(s.Root, dir); err == nil && isUnit(unit) && isDir(dir) {
			lists = append(lists, unit)
		}
	}
	return lists
}

// isByHand reports whether a list is there that the database does not know, and that no
// change has left.
func (s *Site) isByHand(h *held) bool {
	return h.unit != site && !h.changing && (h.is.Version == 0 && h.version == 0 || h.is.Gone && h.version == h.is.Version) && isDir(s.dir(h.unit))
}

// adopt puts a list into the database that has been made by hand.
func (s *Site) adopt(unit string) error {
	c := &change{s: s, adopting: true}
	if err := s.hold(c, []string{site, unit}, s.DB.Change); err != nil {
		return err
	}
	if h := c.unit(unit); s.isByHand(h) {
		h.touched[""] = true
	}
	return c.End()
}

// Fresh implements disk.Shared.
func (s *Site) Fresh(dir string, read func() error) error {
	unit, ok := s.UnitOf(dir)
	if !ok {
		return read()
	}
	for range maxTries {
		if err := s.fresh(unit); err != nil {
			return err
		}
		// Somebody may have begun another change, and died.
		if err := s.whole(unit, read); !errors.Is(err, errNotWhole) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", ErrAway, errNotWhole)
}

// Stale implements disk.Shared. A copy that a change may have left between two versions is
// not read: the error is ErrAway.
func (s *Site) Stale(dir string, read func() error) error {
	unit, ok := s.UnitOf(dir)
	if !ok {
		return read()
	}
	err := s.whole(unit, read)
	if errors.Is(err, errNotWhole) {
		err = fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}

// errNotWhole means that a copy has a part of a change, of which only the database can say
// whether it has happened.
var errNotWhole = errors.New("a change of this host's copy was cut short, and the copy can be completed by the database only")

// whole calls read while nobody changes the copy of a unit on this host.
func (s *Site) whole(unit string, read func() error) error {
	st, err := s.lock(unit)
	if err != nil {
		return err
	}
	defer st.close()
	if st.changing {
		return errNotWhole
	}
	return read()
}

// fresh brings a unit up to date.
func (s *Site) fresh(unit string) error {
	units, err := s.DB.Units(site, unit)
	if err != nil {
		return err
	}
	var stale []string
	known := unit == site
	for _, u := range units {
		known = known || u.Name == unit
		if fresh, err := s.isFresh(u); err != nil {
			return err
		} else if !fresh {
			stale = append(stale, u.Name)
		}
	}
	if !known && isDir(s.dir(unit)) {
		stale = append(stale, unit)
	}
	if len(stale) == 0 {
		return nil
	}
	return s.level(stale)
}

// isFresh reports whether the copy of a unit is up to date.
func (s *Site) isFresh(u Unit) (bool, error) {
	version, isChanging, err := s.peek(u.Name)
	if err != nil || isChanging || version != u.Version {
		return false, err
	}
	return u.Name == site || u.Version == 0 || u.Gone == !isDir(s.dir(u.Name)), nil
}

// lookEach is how often all of the copy is looked at: a list that was made by hand, or has
// been lost, is no news of the database's.
const lookEach = time.Hour

// rememberGone is for how long the database remembers what is gone, for hosts that are off.
const rememberGone = 30 * 24 * time.Hour

// Follow brings everything up to date that other hosts have changed, and once in an hour
// does what FreshAll does, and has the database forget what is long gone. It asks for what has changed only, for a site may have ten
// thousand lists, and most posts are for one of them.
func (s *Site) Follow() error {
	mark, whole := s.noted()
	if since := time.Since(whole); mark == "" || since < 0 || since > lookEach {
		if err := s.FreshAll(nil); err != nil {
			return err
		}
		return s.DB.Purge(time.Now().Add(-rememberGone))
	}
	units, next, err := s.DB.News(mark)
	if err != nil {
		return err
	}
	stale, err := s.stale(units)
	if err == nil {
		err = s.levelAll(stale, nil)
	}
	if err != nil {
		return err
	}
	return s.isFreshNow(next, whole)
}

// FreshAll brings everything up to date. What cannot be does not stop the rest. progress,
// if it is set, is told how many units of how many are done.
func (s *Site) FreshAll(progress func(done, all int)) error {
	begun := time.Now()
	units, mark, err := s.DB.News("")
	if err != nil {
		return err
	}
	stale, err := s.stale(units)
	if err != nil {
		return err
	}
	known := make(map[string]bool)
	for _, u := range units {
		known[u.Name] = u.Version > 0
	}
	if !known[site] {
		return ErrNotInit
	}
	for _, unit := range s.listed() {
		if !known[unit] {
			stale = append(stale, unit)
		}
	}
	if err := s.levelAll(stale, progress); err != nil {
		return err
	}
	return s.isFreshNow(mark, begun)
}

// stale returns which of these units are not up to date.
func (s *Site) stale(units []Unit) (stale []string, err error) {
	for _, u := range units {
		fresh, err := s.isFresh(u)
		if err != nil {
			return nil, err
		}
		if !fresh {
			stale = append(stale, u.Name)
		}
	}
	return stale, nil
}

// levelAll brings units up to date, one by one. What cannot be does not stop the rest.
func (s *Site) levelAll(stale []string, progress func(done, all int)) (all error) {
	slices.Sort(stale) // the site first, with the lists that come and go
	for i, unit := range stale {
		err := s.level([]string{unit})
		if errors.Is(err, ErrAway) || errors.Is(err, ErrNotInit) {
			return errors.Join(all, err)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
		if progress != nil {
			progress(i+1, len(stale))
		}
	}
	return all
}
