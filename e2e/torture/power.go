package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A recorder keeps a model of the disk that a program changes, and what it has said.
type recorder struct {
	root string
	m    *model
	said []byte
	mu   sync.Mutex
	note func(ch change) // after each change
	err  error
}

// record has a trace tell the model what it does.
func (rec *recorder) record(tr *trace) {
	tr.enter = func(c *call) verdict {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		if ch, ok := changeOf(c, rec.root); ok {
			ch.path, ch.to = strings.TrimPrefix(ch.path, rec.root), strings.TrimPrefix(ch.to, rec.root)
			c.more = ch
		} else if c.nr == unix.SYS_MMAP && c.args[3]&unix.MAP_SHARED != 0 && c.args[2]&unix.PROT_WRITE != 0 && int32(c.args[4]) >= 0 {
			rec.err = fmt.Errorf("a file is written by mmap(2), which is not seen")
		}
		return verdict{}
	}
	tr.leave = func(c *call) {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		ch, ok := c.more.(change)
		if !ok || c.ret < 0 {
			return
		}
		if err := rec.apply(c, ch); err == nil && strings.HasPrefix(ch.path, "/out") {
			rec.m.elsewhere(ch.path, ch.to)
		} else if err != nil && rec.err == nil {
			rec.err = fmt.Errorf("%s: %w", ch, err)
		}
		rec.note(ch)
	}
}

// apply does to the model what the program has done to the disk.
func (rec *recorder) apply(c *call, ch change) error {
	m := rec.m
	at, n := m.at(ch.path)
	if ch.said != nil {
		rec.said = append(rec.said, ch.said...)
		return nil
	}
	switch ch.call {
	case "openat":
		if n == nil && ch.flags&unix.O_CREAT != 0 {
			m.change(nil, map[entry]*node{at: {mode: os.FileMode(c.args[3] & 0o777)}})
		} else if n != nil && ch.flags&unix.O_TRUNC != 0 {
			n.data = nil
		}
	case "write", "writev", "pwrite64", "copy_file_range", "sendfile", "splice", "ftruncate", "truncate", "fallocate":
		return rec.content(c, ch, n)
	case "fsync", "fdatasync":
		if n == nil {
			return nil // its name is gone
		}
		if n.isDir {
			m.syncDir(n)
		}
		n.synced = n.data
	case "syncfs":
		m.syncAll()
	case "mkdirat":
		m.change(nil, map[entry]*node{at: {isDir: true, mode: os.FileMode(c.args[2] & 0o777)}})
	case "unlinkat":
		m.change([]entry{at}, nil)
	case "linkat":
		to, _ := m.at(ch.to)
		m.change(nil, map[entry]*node{to: n})
	case "renameat", "renameat2":
		to, other := m.at(ch.to)
		if ch.flags&unix.RENAME_EXCHANGE != 0 {
			m.change(nil, map[entry]*node{to: n, at: other})
		} else if n != other {
			m.change([]entry{at}, map[entry]*node{to: n})
		}
	case "symlinkat":
		return fmt.Errorf("links are not modelled")
	case "fchmod", "fchmodat":
		if mode := c.args[1]; n != nil && ch.call == "fchmod" {
			n.mode = os.FileMode(mode & 0o777)
		} else if n != nil {
			n.mode = os.FileMode(c.args[2] & 0o777)
		}
	}
	return nil
}

// content reads what is in a file now. It is the model's own copy: the old one may be
// what is on disk.
func (rec *recorder) content(c *call, ch change, n *node) error {
	if n == nil {
		return nil // it has no name any more
	}
	name := rec.root + ch.path
	if ch.fd >= 0 {
		name = fmt.Sprintf("/proc/%d/fd/%d", c.pid, ch.fd)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	n.data, err = io.ReadAll(f)
	return err
}

// powerCut records each act, and cuts the power after each of its changes, in each of the
// ways that a disk may then be left.
func powerCut(t *torture, r *result, until time.Time) error {
	all, err := t.scenes()
	if err != nil {
		return err
	}
	type point struct {
		s *scene
		n int // after this change; the last one is after the end
		c cut
	}
	var points []point
	for _, s := range all {
		for n := range s.changes {
			for _, c := range cuts {
				points = append(points, point{s, n, c})
			}
		}
	}
	tryAll(t, r, points, until, func(pt point) {
		where := fmt.Sprintf("after %d, %s: %s", pt.n, strings.ReplaceAll(pt.s.changes[pt.n].String(), pt.s.traced, ""), pt.c.name)
		t.progress("power: " + pt.s.act.name + ", " + where)
		o, err := t.cutAt(pt.s, pt.n, pt.c)
		if err != nil {
			o.faults = append(o.faults, err.Error())
		}
		r.add(pt.s.act.name, where, o)
	})
	return nil
}

var boots = regexp.MustCompile(`"boot": ?"[^"]*"`)

// cutAt does an act, and cuts the power after its nth change. Who has been answered has
// been promised something.
func (t *torture) cutAt(s *scene, n int, c cut) (o outcome, err error) {
	p, err := s.base.copyTo(t.dir())
	if err != nil {
		return o, err
	}
	defer os.RemoveAll(p.dir)
	rec := &recorder{root: p.dir}
	if rec.m, err = newModel(p.dir); err != nil {
		return o, err
	}
	after := t.dir()
	done, count := false, 0
	var said []byte
	rec.note = func(change) {
		if count++; count == n+1 {
			said, done = append([]byte(nil), rec.said...), true
			err = rec.m.write(after, c)
		}
	}
	tr := p.trace()
	rec.record(tr)
	d, terr := tr.run()
	switch {
	case terr != nil:
		return o, terr
	case rec.err != nil:
		return o, rec.err
	case !done: // one thread was faster this time, and the run had fewer: the end
		said, err = rec.said, rec.m.write(after, c)
	}
	if err != nil {
		return o, err
	}
	if done && count > n+1 {
		d.code = -1 // it did not come so far
	}
	d.out = said
	// The place has its own name in its files, and that of the other one is as long.
	if err := os.RemoveAll(p.dir); err != nil {
		return o, err
	}
	if err := os.Rename(after, p.dir); err != nil {
		return o, err
	}
	states, _ := filepath.Glob(p.dir + "/lists/*/*/web/state")
	for _, state := range states { // the host has been restarted: another boot_id
		if text, err := os.ReadFile(state); err == nil {
			os.WriteFile(state, boots.ReplaceAll(text, []byte(`"boot":"before"`)), 0o600)
		}
	}
	return s.judge(p, d), nil
}
