package main

import (
	"fmt"
	"sync"
	"time"

	"superlist/lists/cluster"
	"superlist/lists/cluster/pg"
	"superlist/lists/deliver"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/queue/disk"
)

// share makes lists_dir this host's copy of what a cluster has, if superlist.toml has one.
func (a *app) share(s *site.Site) {
	if s.Cluster.Database == "" {
		return
	}
	db := &sharedDB{site: s}
	a.shared = &shared{copyOf(s, db), db}
	s.Disk = &disk.Disk{Shared: a.shared}
}

// copyOf returns this host's copy of what a database has.
func copyOf(s *site.Site, db cluster.DB) *cluster.Site {
	return &cluster.Site{Root: s.ListsDir, Disk: &disk.Disk{}, DB: db, Applied: func(unit string, files []string) {
		log, _ := maillog.Open(s.Log, s.LogLevel, "superlist")
		defer log.Close()
		(&deliver.Runner{Site: s, Spool: s.Spool(), Log: log}).Applied(unit, files)
	}}
}

// A shared copy is that of this host. It implements deliver.Cluster.
type shared struct {
	*cluster.Site
	db *sharedDB
}

// See implements deliver.Cluster.
func (s *shared) See() (adopted string, err error) {
	s.db.mu.Lock()
	defer s.db.mu.Unlock()
	return s.db.see()
}

func (s *shared) close() {
	if s != nil && s.db.db != nil {
		s.db.db.Close()
	}
}

// A sharedDB is the database of this host's cluster. It is opened when something is asked of
// it first: most commands only read this host's files.
type sharedDB struct {
	site *site.Site
	mu   sync.Mutex
	db   *pg.DB
	seen bool
}

// see says that this host is at work, and returns who has taken over its queue.
func (d *sharedDB) see() (adopted string, err error) {
	h, err := clusterOf(d.site)
	if err != nil {
		return "", err
	}
	name, id, err := h.Host()
	if err != nil {
		return "", err
	}
	if d.db == nil {
		d.db = h.db
	}
	adopted, err = d.db.Seen(name, id)
	d.seen = err == nil && adopted == ""
	return adopted, err
}

// open returns the database once it knows that this host is at work.
func (d *sharedDB) open() (*pg.DB, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen {
		return d.db, nil
	}
	adopted, err := d.see()
	if err == nil && adopted != "" {
		err = fmt.Errorf("%w: %s", deliver.ErrAdopted, adopted)
	}
	return d.db, err
}

func (d *sharedDB) Change(units []string) (cluster.Tx, error) {
	db, err := d.open()
	if err != nil {
		return nil, err
	}
	return db.Change(units)
}

func (d *sharedDB) Look() (cluster.Tx, error) {
	db, err := d.open()
	if err != nil {
		return nil, err
	}
	return db.Look()
}

func (d *sharedDB) News(mark string) ([]cluster.Unit, string, error) {
	db, err := d.open()
	if err != nil {
		return nil, "", err
	}
	return db.News(mark)
}

func (d *sharedDB) Purge(before time.Time) error {
	db, err := d.open()
	if err != nil {
		return err
	}
	return db.Purge(before)
}

func (d *sharedDB) Units(names ...string) ([]cluster.Unit, error) {
	db, err := d.open()
	if err != nil {
		return nil, err
	}
	return db.Units(names...)
}
