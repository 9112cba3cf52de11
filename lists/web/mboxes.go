package web

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"superlist/lists/archive"
)

// noMBox removes the mbox of a month, to be written anew.
func (r *run) noMBox(m *month) error {
	m.Anew, m.MBox = true, 0
	return ignoreMissing(r.Disk.Remove(r.mboxFile(m.Month)))
}

func (r *run) mboxFile(month string) string { return filepath.Join(r.Dir, month+".mbox.gz") }

// writeMBoxes appends the new posts to the mboxes of their months.
func (r *run) writeMBoxes() error {
	if r.MBox == MBoxOff {
		return nil
	}
	more := make(map[string][]byte)
	for _, e := range r.posts {
		if !r.fresh[e.Number] || e.Removed || r.s.month(monthOf(e)).Anew {
			continue
		}
		text, err := r.memberOf(e)
		if err != nil {
			return err
		}
		more[monthOf(e)] = append(more[monthOf(e)], text...)
	}
	for _, name := range slices.Sorted(maps.Keys(more)) {
		m := r.s.month(name)
		n, err := r.appendMBox(m, more[name])
		if errors.Is(err, errBook) {
			err = r.noMBox(m)
		}
		if err != nil {
			return err
		}
		m.MBox += n
	}
	return nil
}

// memberOf returns what a post adds to an mbox.
func (r *run) memberOf(e archive.Entry) ([]byte, error) {
	raw, gone, err := r.message(e.Number)
	if err != nil || gone != nil || raw == nil {
		return nil, err
	}
	b, err := r.thread(e.Thread)
	if err != nil {
		return nil, err
	}
	return r.member(e, raw, b.answered(e, r.ids)), nil
}

// appendMBox appends a text to an mbox, replacing what a crash has left there. errBook
// means that the mbox is shorter than it should be.
func (r *run) appendMBox(m *month, text []byte) (int64, error) {
	path := r.mboxFile(m.Month)
	if m.MBox == 0 {
		return int64(len(text)), r.put(m.Month+".mbox.gz", text)
	}
	f, info, err := r.Disk.Change(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, errBook
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if info.Size() < m.MBox {
		return 0, errBook
	}
	if info.Size() > m.MBox {
		if err := f.Truncate(m.MBox); err != nil {
			return 0, err
		}
	}
	n, err := f.WriteAt(text, m.MBox)
	return int64(n), err
}

// oneMBox writes the mbox of one month anew, if one is needed. It keeps one post at a
// time in memory.
func (r *run) oneMBox() error {
	if r.MBox == MBoxOff {
		return nil
	}
	for i := range r.s.Months {
		m := &r.s.Months[i]
		if !m.Anew {
			continue
		}
		b, err := r.month(m.Month)
		if err != nil {
			return err
		}
		n, err := r.Disk.PublishFrom(r.mboxFile(m.Month), func(w io.Writer) error {
			for _, e := range b.entries {
				text, err := r.memberOf(e)
				if err != nil {
					return err
				}
				if _, err := w.Write(text); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		m.MBox, m.Anew = n, false
		return nil
	}
	return nil
}
