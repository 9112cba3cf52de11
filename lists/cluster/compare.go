package cluster

import (
	"crypto/sha256"
	"iter"
	"maps"
	"slices"
	"time"
)

// compare returns the files of a unit that are not what the database has.
func (s *Site) compare(tx Tx, h *held) (files []string, err error) {
	here := make(map[string]bool)
	for file, err := range s.walk(h.unit, "") {
		if err != nil {
			return nil, err
		}
		here[file] = true
	}
	var c *comparison
	end := func() {
		if c != nil && !c.end() {
			files = append(files, c.file)
		}
		c = nil
	}
	all := func(sums iter.Seq2[Sum, error]) error {
		defer end()
		for sum, err := range sums {
			if err != nil {
				return err
			}
			if c == nil || c.file != sum.File {
				end()
				c = begin(sum.File, s.read(h.unit, sum.File))
				delete(here, sum.File)
			}
			if err := c.add(sum); err != nil {
				return err
			}
		}
		return nil
	}
	if err := all(tx.Sums(h.unit, nil, nil)); err != nil {
		return nil, err
	}
	if h.unit != site {
		if err := all(tx.Sums(h.unit, []string{rollFile}, nil)); err != nil {
			return nil, err
		}
	}
	return append(files, slices.Sorted(maps.Keys(here))...), nil
}

// A comparison is of one file, part by part.
type comparison struct {
	file    string
	next    func() (Item, error, bool)
	stop    func()
	differs bool
	have    int // parts
	here    time.Time
	at      time.Time
	version int64
}

func begin(file string, local iter.Seq2[Item, error]) *comparison {
	c := &comparison{file: file}
	c.next, c.stop = iter.Pull2(local)
	return c
}

// add compares the next part.
func (c *comparison) add(sum Sum) error {
	if sum.Version > c.version {
		c.version, c.at = sum.Version, sum.At
	}
	if sum.Gone || c.differs {
		return nil
	}
	c.have++
	i, err, ok := c.next()
	if err != nil {
		return err
	}
	c.here = i.At
	c.differs = !ok || i.Part != sum.Part || sha256.Sum256(i.Content) != sum.Sum
	return nil
}

// end reports whether the file is what the database has.
func (c *comparison) end() bool {
	defer c.stop()
	if c.differs {
		return false
	}
	_, err, more := c.next()
	return !more && err == nil && (c.have == 0 || c.here.Equal(c.at))
}
