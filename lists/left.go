package lists

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"superlist/lists/token"
	"superlist/smtp"
)

// Who has left a list must not be back because somebody imports an old file. So the
// list's file "left" has a line for each: the day, and of the address a word that
// only the list's key makes, since nobody keeps addresses of people who have gone.

func (l *List) leftFile() string { return filepath.Join(l.Dir, "left") }

func leaver(key []byte, memberKey string) string { return token.Make(key, "left", memberKey) }

// noteLeft keeps who is not a member any more, by key.
func (l *List) noteLeft(keys []string, now time.Time) error {
	if len(keys) == 0 {
		return nil
	}
	secret, err := l.key()
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, key := range keys {
		b.WriteString(now.UTC().Format(time.DateOnly) + " " + leaver(secret, key) + "\n")
	}
	return l.disk.Append(l.leftFile(), b.String())
}

// Leavers are the people who have left a list.
type Leavers struct {
	key  []byte
	days map[string]string
}

// Leavers reads who has left the list.
func (l *List) Leavers() (*Leavers, error) {
	text, err := os.ReadFile(l.leftFile())
	if errors.Is(err, fs.ErrNotExist) {
		return &Leavers{}, nil
	}
	if err != nil {
		return nil, err
	}
	left := &Leavers{days: make(map[string]string)}
	if left.key, err = l.readKey(); err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if day, word, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			left.days[word] = day
		}
	}
	return left, nil
}

// Len is how many there are.
func (l *Leavers) Len() int { return len(l.days) }

// Day is when somebody left last.
func (l *Leavers) Day(p smtp.Path) (day string, ok bool) {
	if l.Len() == 0 {
		return "", false
	}
	day, ok = l.days[leaver(l.key, p.Key())]
	return day, ok
}
