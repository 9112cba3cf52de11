package status

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"time"

	"superlist/lists/cluster"
	"superlist/lists/ledger"
	"superlist/lists/site"
	"superlist/lists/tally"
	"superlist/lists/tlsserver"
	"superlist/queue"
)

// A Status is the state of a site at one time.
type Status struct {
	At           time.Time     `json:"at"`
	Hostname     string        `json:"hostname"`
	Census       Census        `json:"census"`
	Queue        []Box         `json:"queue"`
	Disks        []Disk        `json:"disks"`
	Certificates []Certificate `json:"certificates"`
	Deliver      Deliver       `json:"deliver"`
	FreshAt      *time.Time    `json:"fresh_at,omitempty"` // when the copy of a cluster's lists was last up to date
	Tally        tally.Tally   `json:"-"`
}

// A Box describes what waits in one box of the spool.
type Box struct {
	Box      queue.Box  `json:"box"`
	Messages int        `json:"messages"`
	Due      int        `json:"due"`               // that could be worked on now
	Oldest   *time.Time `json:"oldest,omitempty"`  // when the oldest has come in
	Overdue  *time.Time `json:"overdue,omitempty"` // since when the first of those could have been worked on
}

// A Disk describes the file system of a directory.
type Disk struct {
	Of     string `json:"of"` // the key of superlist.toml
	Path   string `json:"path"`
	Bytes  int64  `json:"free_bytes"`
	Inodes *int64 `json:"free_inodes,omitempty"` // nil: it does not count them
	Enough bool   `json:"enough"`                // mail is accepted
	Error  string `json:"error,omitempty"`
}

// A Certificate describes one that sessions present.
type Certificate struct {
	File  string     `json:"file"`
	Until *time.Time `json:"until,omitempty"`
	Error string     `json:"error,omitempty"`
}

// Deliver says what is known of superlist deliver.
type Deliver struct {
	Began   *time.Time `json:"began,omitempty"` // the last run
	Running bool       `json:"running"`
	Digest  *time.Time `json:"digest,omitempty"` // the last digest
}

// Of returns the state of a site. The caller adds the census.
func Of(s *site.Site, began string, now time.Time) (*Status, error) {
	st := &Status{At: now, Hostname: s.Hostname, Queue: []Box{}, Disks: disks(s), Certificates: []Certificate{}}
	spool := s.Spool()
	for _, box := range []queue.Box{queue.Inbound, queue.Outbound, queue.Failed} {
		b, err := boxOf(spool, box, now)
		if err != nil {
			return nil, err
		}
		st.Queue = append(st.Queue, b)
	}
	if s.TLS {
		st.Certificates = append(st.Certificates, certificate(s))
	}
	st.Deliver = Deliver{Began: known(spool.Stamp(began)), Running: spool.Busy(began)}
	if s.Cluster.Database != "" {
		st.FreshAt = known((&cluster.Site{Root: s.ListsDir}).FreshAt())
	}
	var err error
	st.Tally, err = tally.Read(ledger.OfSite(s.ListsDir), now)
	st.Deliver.Digest = known(st.Tally.Counts["digests"].Last)
	return st, err
}

// known returns a time, or nil if it is zero.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func boxOf(s *queue.Spool, box queue.Box, now time.Time) (Box, error) {
	b := Box{Box: box}
	entries, err := s.List(box)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // nobody has made the spool yet
		return b, err
	}
	b.Messages = len(entries)
	for _, e := range entries {
		if came, ok := queue.Came(e.ID); ok && (b.Oldest == nil || came.Before(*b.Oldest)) {
			b.Oldest = &came
		}
		if box == queue.Failed || e.Due.After(now) {
			continue
		}
		b.Due++
		if b.Overdue == nil || e.Due.Before(*b.Overdue) {
			due := e.Due
			b.Overdue = &due
		}
	}
	return b, nil
}

func disks(s *site.Site) (all []Disk) {
	for _, d := range []Disk{{Of: "queue_dir", Path: s.QueueDir}, {Of: "lists_dir", Path: s.ListsDir}} {
		free, err := queue.Room(d.Path)
		if err != nil {
			d.Error = err.Error()
		} else {
			d.Bytes, d.Enough = free.Bytes, free.Bytes >= queue.MinFreeBytes
			if free.Counted {
				d.Inodes = &free.Inodes
				d.Enough = d.Enough && free.Inodes >= queue.MinFreeInodes
			}
		}
		all = append(all, d)
	}
	return all
}

func certificate(s *site.Site) Certificate {
	c := Certificate{File: s.SSLServerCrt}
	pair, err := tlsserver.Pair(s)
	if err != nil {
		c.Error = err.Error()
		return c
	}
	leaf := pair.Leaf
	if leaf == nil {
		leaf, err = x509.ParseCertificate(pair.Certificate[0])
	}
	if err != nil {
		c.Error = err.Error()
		return c
	}
	c.Until = &leaf.NotAfter
	return c
}
