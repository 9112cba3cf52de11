package main

import (
	"fmt"
	"iter"
	"sync/atomic"

	"superlist/lists/cluster"
)

// A travel counts what goes to a database or comes from there, and shows it on the terminal.
type travel struct {
	*progress
	done  atomic.Int64 // items
	what  string
	again bool // the host has begun this before
}

// newTravel counts what a host sends and gets from now on.
func newTravel(m *clusterHost) *travel {
	t := &travel{progress: newProgress(), what: "parts of files and members"}
	m.DB = counted{m.DB, t}
	return t
}

// units is told how many units of how many are done.
func (t *travel) units(done, all int) {
	t.what = fmt.Sprintf("lists: %d of %d; parts of files and members", done, all)
	t.progress.step(t.what, int(t.done.Load()), 0)
}

func (t *travel) add() { t.progress.step(t.what, int(t.done.Add(1)), 0) }

// counted is a database whose items are counted.
type counted struct {
	cluster.DB
	t *travel
}

func (c counted) Change(units []string) (cluster.Tx, error) { return c.tx(c.DB.Change(units)) }

func (c counted) Look() (cluster.Tx, error) { return c.tx(c.DB.Look()) }

func (c counted) tx(tx cluster.Tx, err error) (cluster.Tx, error) {
	if err != nil {
		return nil, err
	}
	return countedTx{tx, c.t}, nil
}

type countedTx struct {
	cluster.Tx
	t *travel
}

func (c countedTx) Items(unit string, after int64, files ...string) iter.Seq2[cluster.Item, error] {
	return count(c.Tx.Items(unit, after, files...), c.t)
}

func (c countedTx) Sums(unit string, files, dirs []string) iter.Seq2[cluster.Sum, error] {
	return count(c.Tx.Sums(unit, files, dirs), c.t)
}

func (c countedTx) Put(unit string, version int64, items iter.Seq2[cluster.Item, error]) error {
	return c.Tx.Put(unit, version, count(items, c.t))
}

func count[T any](all iter.Seq2[T, error], t *travel) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for one, err := range all {
			t.add()
			if !yield(one, err) {
				return
			}
		}
	}
}
