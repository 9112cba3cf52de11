package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"superlist/queue/disk"
)

// A change is what happens to some units while nobody else changes them.
type change struct {
	s        *Site
	tx       Tx
	units    []*held
	adopting bool // it puts a list there that the database does not know

	mu sync.Mutex // while Changing adds to it
}

// A held unit is one that a change, or a reader that brings the copy up to date, has locked.
type held struct {
	*state
	is      Unit // as the database has it
	touched map[string]bool
	roll    *os.File // members as they were
}

func (c *change) unit(name string) *held {
	i := slices.IndexFunc(c.units, func(h *held) bool { return h.unit == name })
	if i < 0 {
		return nil
	}
	return c.units[i]
}

// release lets go of everything; nothing has happened in the database.
func (c *change) release() {
	if c.tx != nil {
		c.tx.Rollback()
	}
	for _, h := range c.units {
		if h.roll != nil {
			h.roll.Close()
		}
		h.close()
	}
	c.tx, c.units = nil, nil
}

// Begin implements disk.Shared. The error is fs.ErrNotExist if a list has been removed, or
// moved, on another host.
func (s *Site) Begin(dirs ...string) (disk.Change, error) {
	var units []string
	for _, dir := range dirs {
		if unit, ok := s.UnitOf(dir); ok {
			units = append(units, unit)
		}
	}
	slices.Sort(units)
	units = slices.Compact(units)
	c := &change{s: s}
	if len(units) == 0 {
		return c, nil
	}
	if err := s.hold(c, units, s.DB.Change); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = make(map[string]*change)
	}
	for _, h := range c.units {
		s.open[h.unit] = c
	}
	return c, nil
}

// maxTries is how often a change begins anew because other lists have come or gone on other
// hosts meanwhile.
const maxTries = 20

// hold locks units, here and by begin in the database, and brings the copy of them up to
// date.
func (s *Site) hold(c *change, units []string, begin func([]string) (Tx, error)) error {
	for range maxTries {
		first, err := s.try(c, units, begin)
		if first == nil && err == nil {
			return nil
		}
		c.release()
		if err == nil {
			err = first()
		}
		if err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: lists come and go on other hosts too quickly", ErrAway)
}

// try is one try to hold units. first, if there is one, is to be done before the next.
func (s *Site) try(c *change, units []string, begin func([]string) (Tx, error)) (first func() error, err error) {
	for _, unit := range units {
		st, err := s.lock(unit)
		if err != nil {
			return nil, err
		}
		c.units = append(c.units, &held{state: st, is: Unit{Name: unit}, touched: make(map[string]bool)})
	}
	if c.tx, err = begin(units); err != nil {
		return nil, err
	}
	there, err := c.tx.Units(units...)
	if err != nil {
		return nil, err
	}
	for _, u := range there {
		if h := c.unit(u.Name); h != nil {
			h.is = u
		}
	}
	if c.units[0].unit == site {
		more, err := s.affected(c)
		if err != nil {
			return nil, err
		}
		if len(more) > 0 {
			return func() error { return s.level(append(more, units...)) }, nil
		}
	}
	for _, h := range c.units {
		if !c.adopting && s.isByHand(h) {
			return func() error { return s.adopt(h.unit) }, nil
		}
	}
	return nil, s.bring(c)
}

// level brings units up to date.
func (s *Site) level(units []string) error {
	slices.Sort(units)
	c := &change{s: s}
	if err := s.hold(c, slices.Compact(units), func([]string) (Tx, error) { return s.DB.Look() }); err != nil {
		return err
	}
	c.release()
	return nil
}

// errNotOpen means a mistake in this program: what it changes nobody else would hear of.
var errNotOpen = errors.New("it changes what other hosts have too, and has not begun")

// Changing implements disk.Shared. It is called before each call that changes a path.
func (s *Site) Changing(path string) error {
	p, ok := s.placeOf(path)
	if !ok || p.file == "" || p.unit == site && p.list == "" && s.isDomain(path) {
		return nil
	}
	s.mu.Lock()
	c := s.open[p.unit]
	s.mu.Unlock()
	if c == nil {
		return &fs.PathError{Op: "change", Path: path, Err: errNotOpen}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.list != "" {
		if err := c.join(p.list); err != nil {
			return err
		}
		if err := c.touch(p.list, "", path); err != nil {
			return err
		}
	}
	return c.touch(p.unit, p.file, path)
}

// join makes a list part of a change of the site, in which it may come or go.
func (c *change) join(unit string) error {
	if c.unit(unit) != nil {
		return nil
	}
	st, err := c.s.lock(unit)
	if err != nil {
		return err
	}
	h := &held{state: st, is: Unit{Name: unit}, touched: make(map[string]bool)}
	units, err := c.tx.Lock(unit)
	if err == nil && len(units) == 1 {
		h.is = units[0]
	}
	if err == nil && c.s.isByHand(h) {
		err = errNotOpen // who has it would know
	}
	if err == nil {
		err = c.s.bringList(c.tx, h)
	}
	if err != nil {
		h.close()
		return fmt.Errorf("%s: %w", c.s.dir(unit), err)
	}
	c.units = append(c.units, h)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.s.open[unit] = c
	return nil
}

// isDomain reports whether a path in lists_dir is the directory of a domain, or will be.
func (s *Site) isDomain(path string) bool {
	if strings.HasPrefix(filepath.Base(path), ".") {
		return false
	}
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}

// touch notes that a file of a unit, or what is below it, will change; an empty file: the
// unit comes or goes.
func (c *change) touch(unit, file, path string) error {
	h := c.unit(unit)
	if h.touched[file] {
		return nil
	}
	if err := h.mark(); err != nil {
		return err
	}
	if file == rollFile && unit != site && h.roll == nil {
		f, _, err := disk.OpenRegular(path, os.O_RDONLY)
		if err == nil {
			h.roll = f
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	h.touched[file] = true
	return nil
}
