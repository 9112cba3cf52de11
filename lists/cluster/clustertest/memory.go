package clustertest

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"io/fs"
	"iter"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"superlist/lists/cluster"
)

// A Store is a database in one file, which one process at a time changes.
type Store struct{ File string }

type content struct {
	Units map[string]cluster.Unit
	Items map[string][]cluster.Item // by unit
}

// Purge implements cluster.DB: nothing is forgotten.
func (s *Store) Purge(time.Time) error { return nil }

// News implements cluster.DB: everything may have changed.
func (s *Store) News(string) ([]cluster.Unit, string, error) {
	units, err := s.Units()
	return units, "", err
}

// A storeTx implements cluster.Tx.
type storeTx struct {
	s    *Store
	lock *os.File // nil: it only reads
	all  content
}

func (s *Store) begin(lock bool) (*storeTx, error) {
	t := &storeTx{s: s}
	if lock {
		f, err := os.OpenFile(s.File+".lock", os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
			f.Close()
			return nil, err
		}
		t.lock = f
	}
	text, err := os.ReadFile(s.File)
	if errors.Is(err, fs.ErrNotExist) {
		t.all = content{make(map[string]cluster.Unit), make(map[string][]cluster.Item)}
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	return t, gob.NewDecoder(bytes.NewReader(text)).Decode(&t.all)
}

// Change implements cluster.DB.
func (s *Store) Change(units []string) (cluster.Tx, error) {
	t, err := s.begin(true)
	if err != nil {
		return nil, err
	}
	for _, name := range units {
		if _, ok := t.all.Units[name]; !ok {
			t.all.Units[name] = cluster.Unit{Name: name}
		}
	}
	return t, nil
}

// Look implements cluster.DB.
func (s *Store) Look() (cluster.Tx, error) { return s.begin(false) }

// Units implements cluster.DB.
func (s *Store) Units(names ...string) ([]cluster.Unit, error) {
	t, err := s.begin(false)
	if err != nil {
		return nil, err
	}
	return t.Units(names...)
}

func (t *storeTx) Units(names ...string) (units []cluster.Unit, err error) {
	for _, name := range slices.Sorted(maps.Keys(t.all.Units)) {
		if len(names) == 0 || slices.Contains(names, name) {
			units = append(units, t.all.Units[name])
		}
	}
	return units, nil
}

func (t *storeTx) Lock(unit string) ([]cluster.Unit, error) {
	if _, ok := t.all.Units[unit]; !ok {
		t.all.Units[unit] = cluster.Unit{Name: unit}
	}
	return t.Units(unit)
}

func (t *storeTx) Structure(since int64) (units []cluster.Unit, err error) {
	all, err := t.Units()
	return slices.DeleteFunc(all, func(u cluster.Unit) bool { return u.Site <= since }), err
}

const roll = "members"

func (t *storeTx) Items(unit string, after int64, files ...string) iter.Seq2[cluster.Item, error] {
	return func(yield func(cluster.Item, error) bool) {
		for _, i := range t.all.Items[unit] {
			if i.Version <= after || len(files) > 0 && !slices.Contains(files, i.File) || len(files) == 0 && unit != "" && i.File == roll {
				continue
			}
			if i.Content != nil {
				i.Content = i.Content[:len(i.Content)-1]
			}
			if !yield(i, nil) {
				return
			}
		}
	}
}

func (t *storeTx) Sums(unit string, files, dirs []string) iter.Seq2[cluster.Sum, error] {
	return func(yield func(cluster.Sum, error) bool) {
		for _, i := range t.all.Items[unit] {
			asked := slices.Contains(files, i.File) || slices.ContainsFunc(dirs, func(dir string) bool { return dir == "" || strings.HasPrefix(i.File, dir+"/") })
			if len(files)+len(dirs) == 0 {
				asked = unit == "" || i.File != roll
			}
			if asked && !yield(sumOf(i), nil) {
				return
			}
		}
	}
}

func sumOf(i cluster.Item) cluster.Sum {
	sum := cluster.Sum{File: i.File, Part: i.Part, Gone: i.Content == nil, At: i.At, Version: i.Version}
	if !sum.Gone {
		sum.Sum = sha256.Sum256(i.Content[:len(i.Content)-1])
	}
	return sum
}

func (t *storeTx) Heads(unit string) (heads []cluster.Sum, err error) {
	for _, i := range t.all.Items[unit] {
		if i.File == roll && (i.Part == "" || i.Part == "00000000") {
			heads = append(heads, sumOf(i))
		}
	}
	return heads, nil
}

func (t *storeTx) Put(unit string, version int64, items iter.Seq2[cluster.Item, error]) error {
	for i, err := range items {
		if err != nil {
			return err
		}
		i.Version = version
		if i.Content != nil { // gob knows no difference between none and an empty one
			i.Content = append(bytes.Clone(i.Content), '.')
		}
		all := t.all.Items[unit]
		at, there := slices.BinarySearchFunc(all, i, func(a, b cluster.Item) int {
			return cmp.Or(strings.Compare(a.File, b.File), strings.Compare(a.Part, b.Part))
		})
		if there {
			all[at] = i
		} else {
			t.all.Items[unit] = slices.Insert(all, at, i)
		}
	}
	return nil
}

func (t *storeTx) Clear(unit string) error {
	delete(t.all.Items, unit)
	return nil
}

func (t *storeTx) Set(u cluster.Unit) error {
	t.all.Units[u.Name] = u
	return nil
}

func (t *storeTx) Commit() error {
	defer t.Rollback()
	var text bytes.Buffer
	if err := gob.NewEncoder(&text).Encode(t.all); err != nil {
		return err
	}
	if err := os.WriteFile(t.s.File+".new", text.Bytes(), 0o600); err != nil {
		return err
	}
	return os.Rename(t.s.File+".new", t.s.File)
}

func (t *storeTx) Rollback() {
	if t.lock != nil {
		t.lock.Close()
	}
	t.lock = nil
}
