// Package tally counts what becomes of mail, from the lines of the log: how often since
// it began, how often in each ten minutes of the last day, and when last.
//
// It hears every line that deliver and the operator's commands write, at any log_level.
// So everything that is counted has a line, and no other code has to count. It does not
// hear sessions, which write nothing: what they refuse is in the log alone.
//
// A Counter keeps its counts in memory until Save adds them to one record of the
// ledger. A process that dies loses what it has not saved.
package tally

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"superlist/lists/ledger"
	"superlist/lists/maillog"
)

// A Kind is something that is counted.
type Kind struct {
	Name  string
	Help  string // for people and for the metrics
	event string // of the log's line
	field string // whose value is added; empty: each line is one
	word  string // that the line must have, beside its fields
}

// Kinds are all that is counted. Records and metrics contain the names, so none may
// change.
var Kinds = []Kind{
	{Name: "posts", Help: "Posts that went to the members of a list.", event: "post"},
	{Name: "posts_held", Help: "Posts that were put before a moderator or their author.", event: "held"},
	{Name: "posts_discarded", Help: "Posts that were accepted and thrown away, as the list's settings say.", event: "discarded"},
	{Name: "decisions", Help: "Decisions of moderators about held posts, and of owners about people who want to join.", event: "decided"},
	{Name: "recipients_sent", Help: "Recipients for whom the relay has taken a message.", event: "sent", field: "recipients"},
	{Name: "recipients_refused", Help: "Recipients whom the relay has refused.", event: "refused"},
	{Name: "recipients_given_up", Help: "Recipients of messages that were given up.", event: "failed", field: "recipients"},
	{Name: "deferrals", Help: "Attempts after which a message waits for another one.", event: "deferred"},
	{Name: "unreachable", Help: "Attempts to reach the relay that failed.", event: "unreachable"},
	{Name: "bounces", Help: "Delivery reports that were read.", event: "bounce"},
	{Name: "suspensions", Help: "Members who get no mail any more because it came back.", event: "bounces", word: "suspended"},
	{Name: "subscribed", Help: "People who became members.", event: "subscribed"},
	{Name: "unsubscribed", Help: "Members who left or were removed.", event: "unsubscribed"},
	{Name: "commands", Help: "Commands by mail.", event: "command"},
	{Name: "letters", Help: "Letters that superlist has written.", event: "letter"},
	{Name: "digests", Help: "Digests that were made.", event: "digest"},
	{Name: "troubles", Help: "Lines of the log that say that something is wrong on this host."},
}

// Slot is the length of time for which a separate number is kept, and slots is how many
// are kept: a little more than a day.
const (
	Slot  = 10 * time.Minute
	slots = 26 * 6
)

// A Count says how often something has happened.
type Count struct {
	Total int64
	Last  time.Time       // the zero time: never
	slots map[int64]int64 // by the number of the slot since 1970
}

// A Tally holds the counts, by the names of kinds.
type Tally struct {
	Since  time.Time // when counting began; the zero time: it has not
	Counts map[string]Count
}

// Between returns how often something happened in the slots from the one of from until
// before the one of to.
func (t Tally) Between(name string, from, to time.Time) (n int64) {
	for slot, k := range t.Counts[name].slots {
		if slotOf(from) <= slot && slot < slotOf(to) {
			n += k
		}
	}
	return n
}

func slotOf(t time.Time) int64 { return t.Unix() / int64(Slot/time.Second) }

// A Counter counts lines of the log. It is a maillog.Listener.
type Counter struct {
	Writer ledger.Writer
	Book   ledger.Book      // the site's
	Now    func() time.Time // nil: time.Now

	mu     sync.Mutex
	counts map[string]Count
}

func (c *Counter) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// Hear counts a line.
func (c *Counter) Hear(at maillog.Level, text string) {
	event, now := maillog.EventOf(text), c.now()
	entry := sync.OnceValue(func() maillog.Entry { return maillog.Parse(text) })
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range Kinds {
		if n := k.of(at, event, entry); n > 0 {
			c.add(k.Name, int64(n), now)
		}
	}
}

// of returns how often this has happened according to a line with this event.
func (k Kind) of(at maillog.Level, event string, entry func() maillog.Entry) int {
	switch {
	case k.event == "":
		if at <= maillog.Err && event != "failed" { // that is the other side's
			return 1
		}
		return 0
	case k.event != event, k.word != "" && !slices.Contains(strings.Fields(entry().Words), k.word):
		return 0
	case k.field == "":
		return 1
	}
	return max(entry().Number(k.field), 0)
}

func (c *Counter) add(name string, n int64, now time.Time) {
	if c.counts == nil {
		c.counts = make(map[string]Count)
	}
	count := c.counts[name]
	count.Total += n
	count.Last = now
	if count.slots == nil {
		count.slots = make(map[int64]int64)
	}
	count.slots[slotOf(now)] += n
	c.counts[name] = count
}

// name is the name of the only record.
const name = "all"

// Save adds the counts to the site's record. If that fails, they are kept for the next
// time.
func (c *Counter) Save() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if len(c.counts) == 0 {
		return nil
	}
	err := c.Writer.Remember(c.Book, ledger.Tallies, name, now, func(old ledger.Record, there bool) (string, error) {
		t := Tally{Since: now, Counts: make(map[string]Count)}
		if there {
			var err error
			if t, err = parse(old.Text); err != nil {
				return "", err
			}
		}
		t.join(c.counts)
		return t.text(now), nil
	})
	if err == nil {
		c.counts = nil
	}
	return err
}

// Close is Save.
func (c *Counter) Close() error { return c.Save() }

// Read returns the counts so far. A missing record is not an error.
func Read(book ledger.Book, now time.Time) (Tally, error) {
	r, ok, err := book.Recall(ledger.Tallies, name, now)
	if err != nil || !ok {
		return Tally{Counts: make(map[string]Count)}, err
	}
	return parse(r.Text)
}

func (t Tally) join(more map[string]Count) {
	for name, m := range more {
		c := t.Counts[name]
		c.Total += m.Total
		if m.Last.After(c.Last) {
			c.Last = m.Last
		}
		if c.slots == nil {
			c.slots = make(map[int64]int64)
		}
		for slot, n := range m.slots {
			c.slots[slot] += n
		}
		t.Counts[name] = c
	}
}

// head is the first line of the record, with its version.
const head = "superlist-tally 1"

// text formats the record: a line with the time it began, and one for each name with
// its total, its last time, and SLOT:NUMBER for the last day.
func (t Tally) text(now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nsince %d\n", head, t.Since.Unix())
	for _, name := range slices.Sorted(maps.Keys(t.Counts)) {
		c := t.Counts[name]
		fmt.Fprintf(&b, "%s %d %d", name, c.Total, c.Last.Unix())
		for _, slot := range slices.Sorted(maps.Keys(c.slots)) {
			if age := slotOf(now) - slot; 0 <= age && age < slots {
				fmt.Fprintf(&b, " %d:%d", slot, c.slots[slot])
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// parse parses a record. A record of a later version is an error, and stays as it is.
func parse(text string) (Tally, error) {
	t := Tally{Counts: make(map[string]Count)}
	first, rest, _ := strings.Cut(text, "\n")
	if first != head {
		return t, fmt.Errorf("the tally begins with %q, which this version does not know; a later one has written it", first)
	}
	for line := range strings.Lines(rest) {
		words := strings.Fields(line)
		var numbers []int64
		for _, word := range words[min(1, len(words)):] {
			word, _, _ = strings.Cut(word, ":")
			n, err := strconv.ParseInt(word, 10, 64)
			if err != nil {
				return t, fmt.Errorf("the tally has a line %q", strings.TrimSpace(line))
			}
			numbers = append(numbers, n)
		}
		if len(numbers) == 1 && words[0] == "since" {
			t.Since = time.Unix(numbers[0], 0)
			continue
		}
		if len(numbers) < 2 {
			return t, fmt.Errorf("the tally has a line %q", strings.TrimSpace(line))
		}
		c := Count{Total: numbers[0], Last: time.Unix(numbers[1], 0), slots: make(map[int64]int64)}
		for i, slot := range numbers[2:] {
			_, n, _ := strings.Cut(words[3+i], ":")
			if c.slots[slot], _ = strconv.ParseInt(n, 10, 64); c.slots[slot] <= 0 {
				return t, fmt.Errorf("the tally has a line %q", strings.TrimSpace(line))
			}
		}
		t.Counts[words[0]] = c
	}
	return t, nil
}
