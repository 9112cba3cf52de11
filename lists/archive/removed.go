package archive

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/rewrite"
	"superlist/queue/disk"
)

// ErrRemoved refuses a post that was removed from this archive.
var ErrRemoved = errors.New("it was removed from this archive, and does not come back")

// A Removal is a line of the file removed: a post that was removed.
type Removal struct {
	Number int
	Time   time.Time
	Hash   string // of its Message-ID; nothing else of the post is kept
	Reason string // may be empty
}

// maxReason is how many characters of a reason are kept.
const maxReason = 200

func (s *Store) removedFile() string { return filepath.Join(s.Dir, "removed") }

func (r Removal) line() string {
	return strings.Join([]string{strconv.Itoa(r.Number), r.Time.UTC().Format(timeFormat), r.Hash, r.Reason}, "\t") + "\n"
}

// maxRemoved is larger than the file of any archive.
const maxRemoved = 64 << 20

// Removed returns the posts that were removed, in the order of their removal.
func (s *Store) Removed() (list []Removal, err error) {
	text, _, err := disk.ReadRegular(s.removedFile(), unix.O_RDONLY|unix.O_NOFOLLOW, maxRemoved)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		p := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 4)
		if len(p) != 4 {
			continue
		}
		n, nerr := strconv.Atoi(p[0])
		at, terr := time.Parse(timeFormat, p[1])
		if nerr == nil && terr == nil && n > 0 {
			list = append(list, Removal{n, at, p[2], tame(p[3])})
		}
	}
	return list, err
}

// removals returns the numbers of the removed posts, by hash.
func (s *Store) removals() (map[string]int, error) {
	list, err := s.Removed()
	numbers := make(map[string]int, len(list))
	for _, r := range list {
		numbers[r.Hash] = r.Number
	}
	return numbers, err
}

// MessageHash returns a Message-ID as a Removal has it.
func MessageHash(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// removal returns the hash by which a removed post is recognized: of its Message-ID or,
// if it has none, of what the index says about it.
func (e Entry) removal() string {
	if e.MessageID != "" {
		return MessageHash(e.MessageID)
	}
	return MessageHash(fmt.Sprintf("%s\n%s\n%d", e.From, e.Subject, e.Size))
}

// Remove removes posts for good. Each keeps its number, its time and its place in its
// thread. A stub replaces its file, and only a hash of its Message-ID is kept, by which
// Import recognizes it. gone is how many existed and had not been removed before.
// Numbers without a post are skipped.
//
// The file removed is written first: the same Remove completes what a crash leaves, and
// nobody who reads that file shows the posts any more.
func (s *Store) Remove(numbers []int, reason string, now time.Time) (gone int, err error) {
	unlock, err := s.lock()
	if err != nil {
		return 0, err
	}
	defer unlock(&err)
	x, _, err := s.open()
	if err != nil {
		return 0, err
	}
	defer x.close()
	out := make(map[int]Removal)
	for _, n := range numbers {
		e, err := x.entry(n)
		if errors.Is(err, fs.ErrNotExist) || err == nil && e.Removed {
			continue
		}
		if err != nil {
			return 0, err
		}
		out[n] = Removal{n, now, e.removal(), cut(tame(reason), maxReason)}
	}
	if len(out) == 0 {
		return 0, nil
	}
	if err := s.addRemoved(slices.SortedFunc(maps.Values(out), func(a, b Removal) int { return cmp.Compare(a.Number, b.Number) })); err != nil {
		return 0, err
	}
	return len(out), s.writeIndex(func(w *bufio.Writer) error {
		w.WriteString(head(x.base))
		for e, err := range x.entries(0) {
			if err != nil {
				return err
			}
			if r, is := out[e.Number]; is {
				if e, err = s.settleRemoved(e, r); err != nil {
					return err
				}
			}
			if _, err := w.WriteString(e.line()); err != nil {
				return err
			}
		}
		return nil
	})
}

// withoutAuthor returns what the index says about a removed post.
func (s *Store) withoutAuthor(e Entry) (Entry, error) {
	info, err := os.Lstat(s.file(e.Number))
	if err != nil {
		return e, err
	}
	e = e.withoutAuthor()
	e.Size = info.Size()
	return e, nil
}

func (e Entry) withoutAuthor() Entry {
	e.Removed, e.MessageID, e.From, e.Subject = true, "", "", ""
	return e
}

// addRemoved appends lines to the file removed, except for posts that are already in
// it. The lock is held.
func (s *Store) addRemoved(list []Removal) error {
	if len(list) == 0 {
		return nil
	}
	known, err := s.Removed()
	if err != nil {
		return err
	}
	taken := make(map[int]bool)
	var lines bytes.Buffer
	for _, r := range append(known, list...) {
		if !taken[r.Number] {
			taken[r.Number] = true
			lines.WriteString(r.line())
		}
	}
	return s.Disk.Replace(s.removedFile(), lines.Bytes())
}

// settleRemoved returns what the index must say about a removed post, and completes
// what a crash has left undone.
func (s *Store) settleRemoved(e Entry, r Removal) (Entry, error) {
	if e.From+e.Subject+e.MessageID != "" {
		if err := s.replaceByStub(e.Number, r); err != nil {
			return e, err
		}
	}
	return s.withoutAuthor(e)
}

// replaceByStub replaces a post by a stub.
func (s *Store) replaceByStub(n int, r Removal) error {
	f, _, err := s.Open(n)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var h rewrite.Header
	if err == nil {
		raw, _, _ := rewrite.ReadHeader(f)
		f.Close()
		h = rewrite.Parse(raw)
	}
	return s.Disk.Replace(s.file(n), stubOf(h, r.Time))
}

func cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most])
	}
	return s
}
