package cluster

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/members"
	"superlist/queue/disk"
)

// members applies the items of the members file, whichever form it has. With a.whole they
// are all there are.
func (a *applier) members(items iter.Seq2[Item, error]) error {
	var at time.Time
	var version int64
	var m *merge
	var p *patch
	any := false
	abort := func(err error) error {
		if m != nil {
			m.abort()
		}
		if p != nil {
			p.abort()
		}
		a.abort()
		return err
	}
	for i, err := range items {
		if err != nil {
			return abort(err)
		}
		any = true
		if i.Version > version {
			version, at = i.Version, i.At
		}
		if a.whole && i.Content == nil {
			continue
		}
		if _, numbered := partNumber(i.Part); numbered && m == nil {
			if p == nil {
				p, err = a.begin(i)
			}
			if err == nil {
				err = p.put(i)
			}
		} else if p == nil {
			if m == nil {
				m, err = a.merge()
			}
			if err == nil {
				err = m.put(i)
			}
		} else {
			err = fmt.Errorf("%w: part %q of a file in parts, %s", errHostile, i.Part, p.path)
		}
		if err != nil {
			return abort(err)
		}
	}
	switch {
	case m != nil:
		if err := m.end(at); err != nil {
			return abort(err)
		}
		a.files = append(a.files, rollFile)
	case p != nil:
		p.at = at
		if err := p.end(); err != nil {
			return abort(err)
		}
	case any:
		if err := a.remove(a.path(rollFile)); err != nil {
			return err
		}
		a.files = append(a.files, rollFile)
	}
	return a.flush()
}

// A merge writes the members file anew, from the old one and what has changed, in the order
// of both. What lies between two changes is copied as it is.
type merge struct {
	p      *patch
	w      *bufio.Writer
	old    *os.File // nil: there was none
	lines  *members.File
	done   int64 // up to where the old one has been taken over
	size   int64
	key    string
	fronts bool
}

func (a *applier) merge() (m *merge, err error) {
	m = &merge{p: &patch{a: a, file: rollFile, path: a.path(rollFile)}, lines: members.Empty()}
	if err := m.p.open(true); err != nil {
		return nil, err
	}
	m.w = bufio.NewWriterSize(m.p.out, 64<<10)
	if a.whole {
		return m, nil
	}
	old, info, err := disk.OpenRegular(m.p.path, unix.O_RDONLY|unix.O_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		m.old, m.size = old, info.Size()
		m.lines, err = members.Open(m.p.path)
	}
	if err != nil {
		m.abort()
		return nil, err
	}
	return m, nil
}

// put writes a line, or leaves it out.
func (m *merge) put(i Item) error {
	if i.Part == "" {
		if !isFront(i.Content) || m.fronts || m.key != "" {
			return fmt.Errorf("%w: %.100q in front of the members", errHostile, i.Content)
		}
		m.fronts = true
		if m.old != nil {
			front, err := frontOf(m.old, m.size)
			if err != nil {
				return err
			}
			m.done = int64(len(front))
		}
		_, err := m.w.Write(i.Content)
		return err
	}
	if key, ok := members.KeyOf(i.Content); i.Part <= m.key || i.Content != nil && (!ok || key != i.Part || bytes.ContainsAny(i.Content, "\n\x00") || len(i.Content) >= maxLine) {
		return fmt.Errorf("%w: %.100q is not the line of %q", errHostile, i.Content, i.Part)
	}
	m.key = i.Part
	if m.old != nil {
		from, to, err := m.lines.Place(i.Part)
		if err == nil && from < m.done {
			err = fmt.Errorf("%s: %w", m.p.path, errOrder)
		}
		if err == nil {
			err = m.span(from)
		}
		if err != nil {
			return err
		}
		m.done = to
	}
	if i.Content == nil {
		return nil
	}
	m.w.Write(i.Content)
	return m.w.WriteByte('\n')
}

// isFront reports whether text can be the lines in front of the members.
func isFront(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line[0] != '#' || line[len(line)-1] != '\n' || len(line) > maxLine {
			return false
		}
	}
	return text != nil
}

// span takes the old file over, up to a place. Much of it the kernel copies.
func (m *merge) span(to int64) error {
	n := to - m.done
	if n <= 0 {
		return nil
	}
	part := io.NewSectionReader(m.old, m.done, n)
	if n < 64<<10 {
		_, err := m.w.ReadFrom(part)
		return err
	}
	if err := m.w.Flush(); err != nil {
		return err
	}
	if _, err := m.old.Seek(m.done, io.SeekStart); err != nil {
		return err
	}
	got, err := m.p.out.CopyFrom(io.LimitReader(m.old, n))
	if err == nil && got < n {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// end completes the file.
func (m *merge) end(at time.Time) error {
	if m.old != nil {
		if err := m.span(m.size); err != nil {
			return err
		}
	}
	if err := m.w.Flush(); err != nil {
		return err
	}
	m.close()
	m.p.at = at
	return m.p.end()
}

func (m *merge) close() {
	m.lines.Close()
	if m.old != nil {
		m.old.Close()
	}
}

func (m *merge) abort() {
	m.close()
	m.p.abort()
}
