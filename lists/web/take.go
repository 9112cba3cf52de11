package web

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"superlist/queue/disk"
)

// removeEmpty removes a directory, unless something else is in it or it is not ours.
func (l *List) removeEmpty(dir string) error {
	err := l.Disk.Remove(dir)
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrPermission) { // ENOTEMPTY is one of the first
		return nil
	}
	return ignoreMissing(err)
}

// withdraw removes the pages and what is kept about them: pages first, beginning with
// those that name others.
func (l *List) withdraw(s *state) error {
	dir := s.Dir
	if dir == "" {
		dir = l.Dir
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var rest []string
	for _, name := range []string{"index.html", "new.atom"} {
		if err := ignoreMissing(l.Disk.Remove(filepath.Join(dir, name))); err != nil {
			return err
		}
	}
	for _, e := range entries {
		if name := e.Name(); isPage(name, e.IsDir()) {
			rest = append(rest, name)
		}
	}
	for _, name := range rest {
		if err := ignoreMissing(l.Disk.RemoveAll(filepath.Join(dir, name))); err != nil {
			return err
		}
	}
	if err := l.removeEmpty(dir); err != nil {
		return err
	}
	domain := filepath.Dir(dir)
	if left, err := os.ReadDir(domain); err == nil && len(left) == 1 && left[0].Name() == "robots.txt" {
		if text, err := os.ReadFile(filepath.Join(domain, "robots.txt")); err == nil && string(text) == robotsTXT {
			if err := ignoreMissing(l.Disk.Remove(filepath.Join(domain, "robots.txt"))); err != nil {
				return err
			}
		}
	}
	disk.Discard(domain)
	// A power cut must not bring pages back of which no state tells any more.
	if err := ignoreMissing(l.Disk.SyncAll(nearest(domain))); err != nil {
		return err
	}
	for _, name := range []string{"search", "t", "m", "state"} {
		if err := ignoreMissing(l.Disk.RemoveAll(filepath.Join(l.Books, name))); err != nil {
			return err
		}
	}
	disk.Discard(l.Books)
	return nil
}

// nearest is a directory, or that above it which is there.
func nearest(dir string) string {
	for {
		if _, err := os.Lstat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// isPage reports whether a name among the pages is one that we give.
func isPage(name string, dir bool) bool {
	if dir {
		_, err := strconv.Atoi(name)
		return name == "t" || err == nil
	}
	if name == "style.css" || strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".new") {
		return true
	}
	digits := strings.TrimLeft(name, "0123456789-")
	return digits != name && (digits == ".html" || digits == ".mbox.gz")
}

// pruned drops the pages of posts up to a number.
func (r *run) pruned(base int) error {
	base = min(base, r.s.Shown)
	if base <= r.s.Base {
		return nil
	}
	for n := r.s.Base + 1; n <= base; n++ {
		if err := ignoreMissing(r.Disk.Remove(filepath.Join(r.Dir, postPath(n)))); err != nil {
			return err
		}
	}
	for d := r.s.Base / perDir; d <= base/perDir; d++ {
		disk.Discard(filepath.Join(r.Dir, strconv.Itoa(d))) // fails if something is in it
	}
	if err := r.prunedThreads(base); err != nil {
		return err
	}
	if err := r.prunedMonths(base); err != nil {
		return err
	}
	r.s.Base = base
	r.s.Newest = slices.DeleteFunc(r.s.Newest, func(h head) bool { return h.Newest <= base })
	if r.s.RemakeTo > 0 {
		r.s.Remade = max(r.s.Remade, base)
	}
	return nil
}

func (r *run) prunedThreads(base int) error {
	for d := 0; d <= base/perDir; d++ {
		books, err := os.ReadDir(filepath.Join(r.Books, "t", strconv.Itoa(d)))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, file := range books {
			thread, err := strconv.Atoi(file.Name())
			if err != nil || thread > base {
				continue
			}
			b, err := r.thread(thread)
			if err != nil {
				return err
			}
			before := pagesOf(len(b.entries), perThread)
			r.changedThreads[thread] = true
			if !b.drop(base) { // done before a crash
				continue
			}
			after := pagesOf(len(b.entries), perThread)
			if len(b.entries) == 0 {
				after = 0
			} else {
				r.markThread(thread, 0, false)
			}
			for page := after + 1; page <= before; page++ {
				if err := ignoreMissing(r.Disk.Remove(filepath.Join(r.Dir, threadPath(thread, page)))); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *run) prunedMonths(base int) error {
	for _, m := range slices.Clone(r.s.Months) {
		if m.First > base {
			continue
		}
		b, err := r.month(m.Month)
		if err != nil {
			return err
		}
		before := pagesOf(len(b.entries), perMonth)
		b.drop(base)
		after := pagesOf(len(b.entries), perMonth)
		if err := r.noMBox(r.s.month(m.Month)); err != nil {
			return err
		}
		if len(b.entries) == 0 {
			after = 0
			r.s.Months = slices.DeleteFunc(r.s.Months, func(o month) bool { return o.Month == m.Month })
			r.monthPages[m.Month] = map[int]bool{} // to write its book
		} else {
			r.markMonth(m.Month, 0, false)
		}
		for page := after + 1; page <= before; page++ {
			if err := ignoreMissing(r.Disk.Remove(filepath.Join(r.Dir, monthPath(m.Month, page)))); err != nil {
				return err
			}
		}
	}
	if len(r.s.Months) > 0 { // its page named an earlier one
		name := r.s.Months[0].Month
		if _, err := r.month(name); err != nil {
			return err
		}
		r.markMonth(name, 0, true)
	}
	return nil
}
