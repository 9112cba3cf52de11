package ledger

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"superlist/queue/disk"
)

// A Journal has a line for each time that something happened: for good. It is the day and
// a word, or the time and a text.
type Journal struct {
	name  string
	texts bool
}

// The journals of a list. Acts the site has too.
var (
	Left = Journal{name: "left"}              // who is no member any more
	Acts = Journal{name: "acts", texts: true} // what owners, moderators and operators have done
)

// JournalFile returns where a journal is, for its writer.
func (b Book) JournalFile(j Journal) string {
	if b.Of == "" {
		return filepath.Join(b.Dir, "."+j.name)
	}
	return filepath.Join(b.Dir, j.name)
}

// Entries reads a journal. It returns the last day of each word.
func (b Book) Entries(j Journal) (map[string]string, error) {
	text, err := os.ReadFile(b.JournalFile(j))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return parseEntries(string(text)), nil
}

// MaxEntry is the longest word or text, and MaxLine the longest line of a journal.
const (
	MaxEntry = 3 << 10
	MaxLine  = 4 << 10
)

// Valid reports whether a journal can have the entry: a text has no controls, and a word
// no blanks either, and is not beyond ASCII.
func (j Journal) Valid(entry string) bool {
	if j.texts {
		return entry != "" && len(entry) <= MaxEntry && utf8.ValidString(entry) && !strings.ContainsFunc(entry, unicode.IsControl)
	}
	return entry != "" && len(entry) <= maxName && !strings.ContainsFunc(entry, func(c rune) bool { return c <= ' ' || c >= 0x7f })
}

// Line returns an entry as written in the file. One without its line end was cut off by
// a crash, and is ignored.
func (j Journal) Line(entry string, now time.Time) string {
	layout := time.DateOnly
	if j.texts {
		layout = time.RFC3339
	}
	return now.UTC().Format(layout) + " " + entry + "\n"
}

// An Entry is a text of a journal.
type Entry struct {
	At   time.Time
	Text string
}

// Texts reads a journal of texts, line by line.
func (b Book) Texts(j Journal) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		f, _, err := disk.OpenRegular(b.JournalFile(j), unix.O_RDONLY|unix.O_NOFOLLOW)
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			yield(Entry{}, err)
			return
		}
		defer f.Close()
		r := bufio.NewReaderSize(f, 2*MaxLine)
		for {
			line, err := r.ReadString('\n')
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
			stamp, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			at, err := time.Parse(time.RFC3339, stamp)
			if err != nil || !j.Valid(text) {
				continue
			}
			if !yield(Entry{at, text}, nil) {
				return
			}
		}
	}
}

func parseEntries(text string) map[string]string {
	days := make(map[string]string)
	for line := range strings.Lines(text) {
		line, whole := strings.CutSuffix(line, "\n")
		day, word, ok := strings.Cut(line, " ")
		if !whole || !ok || len(day) != len(time.DateOnly) || !Left.Valid(word) {
			continue
		}
		days[word] = day
	}
	return days
}
