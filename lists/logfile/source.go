package logfile

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"superlist/lists/site"
)

// A Source reads the log. Its files are already open and its journalctls are running,
// so a process can open it as root and then become another user.
type Source struct {
	Name  string // of the file, or "the journal"
	since time.Time
	now   func() time.Time
	files []*os.File // the newest first
	runs  []*run     // of journalctl, one for each time that Lines is called
}

// syslogFiles are the files in which syslogd puts facility mail on Debian, Red Hat,
// SUSE and busybox.
var syslogFiles = []string{"/var/log/mail.log", "/var/log/maillog", "/var/log/mail", "/var/log/syslog", "/var/log/messages"}

// journalDirs are the possible places of the journal.
var journalDirs = []string{"/var/log/journal", "/run/log/journal"}

// errNone means that the log cannot be found.
var errNone = errors.New("the log cannot be found: name its file with --log, or use --log journal")

// Open finds the log of a site, and prepares reading it from since on, as often as
// times says. named is what the caller names: a file, "journal", or "".
func Open(ctx context.Context, s *site.Site, named string, since time.Time, times int) (*Source, error) {
	var source *Source
	var err error
	if named == "" {
		if named, err = where(s); err != nil {
			return nil, err
		}
	}
	if named == inJournal {
		source, err = journal(ctx, since, times)
	} else {
		source, err = file(named)
	}
	if err != nil {
		return nil, err
	}
	source.since, source.now = since, time.Now
	return source, nil
}

// inJournal is the name for the journal.
const inJournal = "journal"

// where returns where to read the site's log: a file, or inJournal.
func where(s *site.Site) (string, error) {
	switch {
	case filepath.IsAbs(s.Log), s.Log == inJournal:
		return s.Log, nil
	case s.Log == "none":
		return "", fmt.Errorf("log is %q in %s, so there is nothing to read", s.Log, s.File())
	case s.Log == "stderr":
		return "", errNone
	}
	var newest string
	var at time.Time
	for _, f := range syslogFiles {
		if info, err := os.Stat(f); err == nil && info.Mode().IsRegular() && info.ModTime().After(at) {
			newest, at = f, info.ModTime()
		}
	}
	// A file that has not been written for a day is from before there was a journal.
	if time.Since(at) > 24*time.Hour && slices.ContainsFunc(journalDirs, func(dir string) bool { _, err := os.Stat(dir); return err == nil }) {
		return inJournal, nil
	}
	if newest == "" {
		return "", errNone
	}
	return newest, nil
}

// file opens a file and its rotated predecessors.
func file(name string) (*Source, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	s := &Source{Name: name, files: []*os.File{f}}
	old, _ := filepath.Glob(name + ".*")
	dated, _ := filepath.Glob(name + "-*")
	type rotated struct {
		name string
		at   time.Time
	}
	var all []rotated
	for _, name := range append(old, dated...) {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			all = append(all, rotated{name, info.ModTime()})
		}
	}
	slices.SortFunc(all, func(a, b rotated) int { return b.at.Compare(a.at) })
	for _, r := range all {
		if f, err := os.Open(r.name); err == nil {
			s.files = append(s.files, f)
		}
	}
	return s, nil
}

// Close closes the files, and stops processes that still run.
func (s *Source) Close() {
	for _, f := range s.files {
		f.Close()
	}
	for _, r := range s.runs {
		r.end()
	}
}

// Lines yields the lines of superlist and Postfix, the oldest first.
func (s *Source) Lines() iter.Seq2[Line, error] {
	if s.files == nil {
		return s.journalLines()
	}
	return func(yield func(Line, error) bool) {
		for _, f := range slices.Backward(s.files) {
			info, err := f.Stat()
			if err == nil && info.ModTime().Before(s.since) {
				continue
			}
			more := true
			if err == nil {
				more, err = s.fileLines(f, yield)
			}
			if err != nil {
				yield(Line{}, fmt.Errorf("%s: %w", f.Name(), err))
				return
			}
			if !more {
				return
			}
		}
	}
}

// maxLine is the longest line that is read. Syslog's are shorter.
const maxLine = 64 << 10

func (s *Source) fileLines(f *os.File, yield func(Line, error) bool) (more bool, err error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	var r io.Reader = f
	if strings.HasSuffix(f.Name(), ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return false, err
		}
	} else if err := s.seek(f); err != nil {
		return false, err
	}
	now := s.now()
	lines := bufio.NewReaderSize(r, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) { // not a line of a log
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = lines.ReadSlice('\n')
			}
			line = nil
		}
		if err == io.EOF { // a line without its end is being written
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if l, ok := parse(string(line), now); ok && !l.At.Before(s.since) && !yield(l, nil) {
			return false, nil
		}
	}
}

// small is the size of a file up to which reading it all is as fast as searching it.
const small = 1 << 20

// seek goes to a place before the first line at or after a time, by bisection: times
// increase.
func (s *Source) seek(f *os.File) error {
	info, err := f.Stat()
	if err != nil || s.since.IsZero() {
		return err
	}
	lo, hi := int64(0), info.Size()
	for hi-lo > small {
		mid := lo + (hi-lo)/2
		at, ok, err := s.timeAt(f, mid)
		if err != nil {
			return err
		}
		if ok && at.Before(s.since) {
			lo = mid
		} else {
			hi = mid
		}
	}
	_, err = f.Seek(lo, io.SeekStart)
	return err
}

// timeAt returns the time of the first complete line after a place.
func (s *Source) timeAt(f *os.File, place int64) (at time.Time, ok bool, err error) {
	buf := make([]byte, maxLine)
	n, err := f.ReadAt(buf, place)
	if err != nil && err != io.EOF {
		return at, false, err
	}
	for _, line := range strings.Split(string(buf[:n]), "\n")[1:] {
		if at, _, ok = stamp(line, s.now()); ok {
			return at, true, nil
		}
	}
	return at, false, nil
}
