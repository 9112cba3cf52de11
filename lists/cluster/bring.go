package cluster

import (
	"fmt"
	"os"
	"slices"
)

// bring brings the units of a change up to date: lists first, so that what points to them
// points to something, and those that are gone last.
func (s *Site) bring(c *change) error {
	for _, last := range []bool{false, true} {
		for _, h := range c.units {
			if h.unit == site || h.is.Gone != last {
				continue
			}
			if err := s.bringList(c.tx, h); err != nil {
				return fmt.Errorf("%s: %w", s.dir(h.unit), err)
			}
		}
		if h := c.unit(site); h != nil && !last {
			if err := s.bringSite(c.tx, h); err != nil {
				return fmt.Errorf("%s: %w", s.Root, err)
			}
		}
	}
	return nil
}

// bringSite brings the files of the site up to date.
func (s *Site) bringSite(tx Tx, h *held) error {
	switch {
	case h.is.Version == 0:
		return ErrNotInit
	case h.version > h.is.Version:
		return ErrAhead
	case h.changing || h.version < h.is.Purged:
		return s.repair(tx, h)
	case h.version == 0:
		return s.first(tx, h)
	case h.version < h.is.Version:
		return s.follow(tx, h)
	}
	return nil
}

// bringList brings a list up to date.
func (s *Site) bringList(tx Tx, h *held) error {
	there := isDir(s.dir(h.unit))
	gone := h.is.Version == 0 || h.is.Gone
	switch {
	case h.version > h.is.Version:
		return ErrAhead
	case gone && there && (h.changing || h.version < h.is.Version):
		if err := discard(s.Disk, s.dir(h.unit), s.dir(h.unit)); err != nil {
			return err
		}
		return s.became(h, []string{""})
	case gone:
		if h.changing || h.version < h.is.Version {
			return s.became(h, []string{""})
		}
		return nil
	case there && h.version == 0 && !h.changing:
		return s.first(tx, h)
	case !there || h.version > 0 && h.version < h.is.Born:
		files, err := s.scratch(tx, h)
		if err != nil {
			return err
		}
		return s.became(h, files)
	case h.changing || h.version < h.is.Purged:
		return s.repair(tx, h)
	case h.version < h.is.Version:
		return s.follow(tx, h)
	}
	return nil
}

// became notes that a copy is up to date, durably already.
func (s *Site) became(h *held, files []string) error {
	if s.Applied != nil && len(files) > 0 { // first: after a crash it is told again
		s.Applied(h.unit, files)
	}
	return h.write(h.is.Version, false)
}

// follow applies what has changed since the copy was up to date.
func (s *Site) follow(tx Tx, h *held) error {
	a := &applier{disk: s.Disk, unit: h.unit, dir: s.dir(h.unit)}
	if err := a.apply(tx.Items(h.unit, h.version)); err != nil {
		return err
	}
	if h.unit != site {
		after, err := s.rollAfter(tx, h)
		if err != nil {
			return err
		}
		a.whole = after == 0
		if err := a.members(tx.Items(h.unit, after, rollFile)); err != nil {
			return err
		}
	}
	return s.became(h, a.files)
}

// rollAfter returns after which version the changes of members tell what it is now: 0 if it
// has changed its form since.
func (s *Site) rollAfter(tx Tx, h *held) (int64, error) {
	heads, err := tx.Heads(h.unit)
	if slices.ContainsFunc(heads, func(sum Sum) bool { return sum.Gone && sum.Version > h.version }) {
		return 0, err
	}
	return h.version, err
}

// first takes what a host has that has never been up to date, if it is what the database
// has: as after a commit whose answer was lost.
func (s *Site) first(tx Tx, h *held) error {
	files, err := s.compare(tx, h)
	if err != nil {
		return err
	}
	if h.unit == site { // what is not there comes
		here := slices.ContainsFunc(files, func(file string) bool {
			_, err := os.Lstat(s.path(h.unit, file))
			return err == nil
		})
		if !here {
			return s.mend(tx, h, files)
		}
	}
	if len(files) > 0 {
		return fmt.Errorf("%w: %d files differ, among them %s", ErrTwo, len(files), files[0])
	}
	return s.became(h, nil)
}

// repair makes a copy equal to the database of which nobody knows what it has.
func (s *Site) repair(tx Tx, h *held) error {
	files, err := s.compare(tx, h)
	if err != nil {
		return err
	}
	return s.mend(tx, h, files)
}

// mend makes files of a copy what the database has.
func (s *Site) mend(tx Tx, h *held, files []string) error {
	a := &applier{disk: s.Disk, unit: h.unit, dir: s.dir(h.unit), whole: true}
	roll := h.unit != site && slices.Contains(files, rollFile)
	a.missing = make(map[string]bool)
	for some := range slices.Chunk(files, 1000) {
		clear(a.missing)
		for _, file := range some {
			a.missing[file] = true
		}
		if roll {
			delete(a.missing, rollFile)
		}
		if len(a.missing) > 0 {
			if err := a.apply(tx.Items(h.unit, 0, slices.DeleteFunc(slices.Clone(some), func(f string) bool { return roll && f == rollFile })...)); err != nil {
				return err
			}
		}
		for file := range a.missing { // of these the database has nothing
			if err := a.remove(a.path(file)); err != nil {
				return err
			}
		}
		if err := a.flush(); err != nil {
			return err
		}
	}
	if roll {
		if err := a.members(tx.Items(h.unit, 0, rollFile)); err != nil {
			return err
		}
	}
	return s.became(h, files)
}
