package status

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// A Census counts what the lists have.
type Census struct {
	At        time.Time `json:"at"`
	Lists     int       `json:"lists"`
	Faulty    int       `json:"faulty"`    // lists that cannot be opened
	Members   int       `json:"members"`   // lines of members files: somebody on two lists counts twice
	Suspended int       `json:"suspended"` // members who get nothing because mail came back
	Held      int       `json:"held"`      // posts that wait for a moderator or their author
	Waiting   int       `json:"waiting"`   // people who wait for the owners to let them in
}

// countAtOnce is how many lists Count counts at a time: what costs is to read members
// files, line by line, and processors are few.
const countAtOnce = 4

// Count counts all lists of a site. If progress is set, it is called with the number of
// lists opened.
func Count(s *site.Site, now time.Time, progress func(lists int)) (c Census, err error) {
	c.At = now
	defer lists.Of(s).ReadAhead()()
	opened, counts := make(chan *lists.List), make([]Census, countAtOnce)
	var counting sync.WaitGroup
	for i := range counts {
		counting.Go(func() {
			for l := range opened {
				if counts[i].add(l) != nil {
					counts[i].Faulty++
				}
			}
		})
	}
	err = lists.Of(s).All(func(_ smtp.Path, l *lists.List, err error) bool {
		if c.Lists++; err != nil {
			c.Faulty++
		} else {
			opened <- l
		}
		if progress != nil {
			progress(c.Lists)
		}
		return true
	})
	close(opened)
	counting.Wait()
	for _, part := range counts {
		c.Faulty += part.Faulty
		c.Members += part.Members
		c.Suspended += part.Suspended
		c.Held += part.Held
		c.Waiting += part.Waiting
	}
	if errors.Is(err, fs.ErrNotExist) { // nobody has made a list yet, or check says what is wrong
		err = nil
	}
	return c, err
}

// CountOf counts one list.
func CountOf(l *lists.List, now time.Time) (Census, error) {
	c := Census{At: now, Lists: 1}
	return c, c.add(l)
}

func (c *Census) add(l *lists.List) error {
	m, err := l.Members()
	if err != nil {
		return err
	}
	defer m.Close()
	for member, err := range m.All() {
		if err != nil {
			return err
		}
		c.Members++
		if member.Bounced != "" {
			c.Suspended++
		}
	}
	held, err := names(filepath.Join(l.Dir, string(queue.Held)))
	c.Held += held
	if err != nil {
		return err
	}
	waiting, err := names(l.Book().Path(ledger.Requests))
	c.Waiting += waiting
	return err
}

// names returns the number of files in a directory, without unfinished ones. The
// directory may be missing.
func names(dir string) (n int, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			n++
		}
	}
	return n, err
}

// censusEvery is how often deliver counts. censusName is the record with the result,
// beside the tally.
const (
	censusEvery = time.Hour
	censusName  = "census"
)

// lastCensus returns the count of the last hour, or counts anew if there is none. If
// two processes do so at once, one counts in vain.
func lastCensus(s *site.Site, now time.Time) (Census, error) {
	book := ledger.OfSite(s.ListsDir)
	if r, ok, err := book.Recall(ledger.Tallies, censusName, now); err == nil && ok {
		if c, err := parseCensus(r.Text); err == nil && now.Sub(c.At).Abs() < censusEvery {
			return c, nil
		}
	}
	c, err := Count(s, now, nil)
	if err != nil || c.Lists == 0 { // without lists_dir there is no place to keep it
		return c, err
	}
	text, err := json.Marshal(c)
	if err != nil {
		return c, err
	}
	return c, s.Writer().Remember(book, ledger.Tallies, censusName, now, func(ledger.Record, bool) (string, error) {
		return string(text) + "\n", nil
	})
}

func parseCensus(text string) (c Census, err error) {
	if err = json.Unmarshal([]byte(text), &c); err != nil {
		err = fmt.Errorf("the census: %w", err)
	}
	return c, err
}
