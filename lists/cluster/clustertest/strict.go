package clustertest

import (
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"

	"superlist/lists/cluster"
	"superlist/queue/disk"
)

// Strict returns a disk with the faults of another one, or without. It fails a test in
// which a shared file is changed outside a change, or a change begins within another one
// of the same unit. Without a test it panics.
func Strict(t testing.TB, listsDir string, d *disk.Disk) *disk.Disk {
	strict := &disk.Disk{Shared: &strict{t: t, site: &cluster.Site{Root: listsDir}, open: make(map[string]bool)}}
	if d != nil {
		strict.Fault = d.Fault
	}
	return strict
}

func (s *strict) fail(what, unit string) error {
	err := fmt.Errorf("%s of %q; it was begun by\n%s", what, unit, debug.Stack())
	if s.t == nil {
		panic(err)
	}
	s.t.Error(err)
	return err
}

// patience is for how long somebody waits who may be waiting for themselves.
const patience = time.Minute

type strict struct {
	t    testing.TB
	site *cluster.Site
	mu   sync.Mutex
	open map[string]bool
}

// Begin implements disk.Shared.
func (s *strict) Begin(dirs ...string) (disk.Change, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := change{s: s}
	for _, dir := range dirs {
		unit, ok := s.site.UnitOf(dir)
		if !ok || slices.Contains(c.units, unit) {
			continue
		}
		for late := time.Now().Add(patience); s.open[unit]; {
			if time.Now().After(late) {
				return nil, s.fail("a change within a change", unit)
			}
			s.mu.Unlock()
			time.Sleep(time.Millisecond)
			s.mu.Lock()
		}
		s.open[unit] = true
		c.units = append(c.units, unit)
	}
	return c, nil
}

// Changing implements disk.Shared.
func (s *strict) Changing(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	unit, ok := s.site.Shares(path)
	if ok && !s.open[unit] {
		return s.fail("a change of "+path+" outside a change", unit)
	}
	return nil
}

// Fresh implements disk.Shared.
func (s *strict) Fresh(_ string, read func() error) error { return read() }

// Stale implements disk.Shared.
func (s *strict) Stale(_ string, read func() error) error { return read() }

type change struct {
	s     *strict
	units []string
}

// End implements disk.Change.
func (c change) End() error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, unit := range c.units {
		delete(c.s.open, unit)
	}
	return nil
}
