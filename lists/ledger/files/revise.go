package files

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"

	"superlist/lists/ledger"
	"superlist/queue/disk"
)

// Revise implements ledger.Writer. It syncs all records together, however many there
// are: it writes each beside its place, syncs the file system once, and renames them.
// After a crash some of them are changed, and each is whole.
func (w Writer) Revise(b ledger.Book, s ledger.Shelf, names []string, now time.Time, revise func(map[string]ledger.Record) (map[string]string, error)) (err error) {
	dir := b.Path(s)
	unlock, err := w.lock(dir)
	if err != nil {
		return err
	}
	defer unlock(&err)
	old, err := recallAll(b, s, names, now)
	if err != nil {
		return err
	}
	if len(old) < len(names) {
		if full, err := isFull(b, s, now); full || err != nil {
			return errors.Join(err, ledger.ErrFull)
		}
	}
	texts, err := revise(old)
	if err != nil {
		return err
	}
	return w.putAll(b, s, texts, now)
}

// recallAll returns the records with these names; nil means all records.
func recallAll(b ledger.Book, s ledger.Shelf, names []string, now time.Time) (map[string]ledger.Record, error) {
	old := make(map[string]ledger.Record)
	if names == nil {
		all, err := b.All(s, now)
		for _, r := range all {
			old[r.Name] = r
		}
		return old, err
	}
	for _, name := range names {
		r, ok, err := b.Recall(s, name, now)
		if err != nil {
			return nil, err
		}
		if ok {
			old[name] = r
		}
	}
	return old, nil
}

// putAll writes records, and removes those whose text is empty. The caller holds the
// lock.
func (w Writer) putAll(b ledger.Book, s ledger.Shelf, texts map[string]string, now time.Time) error {
	if len(texts) == 0 {
		return w.Disk.SyncDir(b.Path(s)) // of whoever has put there what is, and may have died
	}
	var all []*disk.Beside
	abort := func() {
		for _, f := range all {
			f.Abort()
		}
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		text := texts[name]
		file, err := b.File(s, name)
		if err != nil {
			abort()
			return err
		}
		if text == "" {
			if err := w.Disk.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				abort()
				return err
			}
			continue
		}
		f, err := w.beside(file, text, now)
		if err != nil {
			abort()
			return err
		}
		all = append(all, f)
		if err := f.Written(); err != nil {
			abort()
			return err
		}
	}
	return w.Disk.CommitAll(b.Path(s), all)
}
