package cluster

import "errors"

// ErrNotInit means that nobody has put anything into the database.
var ErrNotInit = errors.New("the database of the cluster is empty")

// Init puts all that this host has into an empty database.
func (s *Site) Init(progress func(done, all int)) error {
	c := &change{s: s, adopting: true}
	st, err := s.lock(site)
	if err != nil {
		return err
	}
	h := &held{state: st, is: Unit{Name: site}, touched: map[string]bool{"": true}}
	c.units = []*held{h}
	defer c.release()
	if c.tx, err = s.DB.Change([]string{site}); err != nil {
		return err
	}
	units, err := c.tx.Units(site)
	if err != nil {
		return err
	}
	if len(units) != 1 || units[0].Version > 0 {
		return ErrInit
	}
	if _, err := c.put(h, false); err != nil {
		return err
	}
	h.is.Version = 1
	if err := c.tx.Set(h.is); err != nil {
		return err
	}
	if err := c.tx.Commit(); err != nil {
		return err
	}
	if err := h.write(1, false); err != nil {
		return err
	}
	c.release()
	return s.FreshAll(progress) // which puts the lists there, as if they were made by hand
}

// ErrInit means that the database has a site already.
var ErrInit = errors.New("the database of the cluster has a site already")
