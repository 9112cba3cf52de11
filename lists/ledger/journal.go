package ledger

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A Journal has a line for each time that something happened, the day and a word: for
// good.
type Journal struct{ name string }

// Left is the journal of who is no member any more.
var Left = Journal{"left"}

// JournalFile is where a journal is, for its writer.
func (b Book) JournalFile(j Journal) string { return filepath.Join(b.Dir, j.name) }

// Entries reads a journal: of each word the last day.
func (b Book) Entries(j Journal) (map[string]string, error) {
	text, err := os.ReadFile(b.JournalFile(j))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return parseEntries(string(text)), nil
}

// ValidWord reports whether a journal can have the word: no blanks, and nothing that ends
// a line.
func ValidWord(word string) bool {
	return word != "" && len(word) <= maxName && !strings.ContainsFunc(word, func(c rune) bool { return c <= ' ' || c >= 0x7f })
}

// Line is an entry as it stands in the file. One without its end was broken off by a
// crash, and is none.
func Line(word string, now time.Time) string {
	return now.UTC().Format(time.DateOnly) + " " + word + "\n"
}

func parseEntries(text string) map[string]string {
	days := make(map[string]string)
	for line := range strings.Lines(text) {
		line, whole := strings.CutSuffix(line, "\n")
		day, word, ok := strings.Cut(line, " ")
		if !whole || !ok || len(day) != len(time.DateOnly) || !ValidWord(word) {
			continue
		}
		days[word] = day
	}
	return days
}
