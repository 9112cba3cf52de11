package lists

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"superlist/smtp"
)

// What proves who wrote a message proves it to whoever sends the same message again.
// So a proof lets a message through once: what it is known by lies in the list's
// directory proved, a file for each name, in which stands the id of the message that
// came first, and all-DAY, a byte for each of a day.
const (
	// provedLife is how long that is remembered: longer than a signature counts, and
	// a message waits in the queue.
	provedLife = 30 * 24 * time.Hour

	// maxProved is how many names a list remembers of a day; what comes beyond that
	// proves nothing. It is a post every ten seconds.
	maxProved = 10_000
)

// FirstProved says that none but the message cause has been let through to the list
// because one of these names proved that it is from this author, and remembers it.
// Only what was proved is remembered, and by its author: nobody can use up the name of
// another's message.
func (l *List) FirstProved(author smtp.Path, names []string, cause string, now time.Time) (bool, error) {
	dir := filepath.Join(l.Dir, "proved")
	if err := l.disk.MakeDir(dir); err != nil {
		return false, err
	}
	all := filepath.Join(dir, "all-"+dayOf(now))
	if size(all) == 0 {
		sweep(dir, now, provedLife)
	}
	first := len(names) > 0
	for _, name := range names {
		name = hash("proved", author.Key(), name)
		text, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			if size(all) >= maxProved {
				first = false
				continue
			}
			if err := l.disk.Append(all, "."); err != nil {
				return false, err
			}
			if err := l.writeFirst(dir, name, cause, cause); err != nil {
				return false, err
			}
			text, err = os.ReadFile(filepath.Join(dir, name))
		}
		if err != nil {
			return false, err
		}
		first = first && string(text) == cause
	}
	return first, nil
}
