package api

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/acts"
	"superlist/lists/archive"
	"superlist/lists/heldpost"
	"superlist/lists/ledger"
	"superlist/lists/mail/charset"
	"superlist/lists/members"
	"superlist/lists/rewrite"
	"superlist/lists/settings"
	"superlist/lists/site"
	"superlist/lists/tomltext"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/smtp"
)

// A Setting is a key of list.toml.
type Setting struct {
	Key     string `json:"key" doc:"of list.toml"`
	Value   string `json:"value" doc:"as superlist list set takes it"`
	Default string `json:"default" doc:"as TOML"`
	Text    string `json:"text" doc:"what it means"`
}

// Settings returns the settings of a list, with what each means.
func Settings(l *lists.List) (all []Setting) {
	values := make(map[string]string)
	for _, s := range l.Settings() {
		values[s[0]] = s[1]
	}
	for _, g := range settings.Groups(settings.List) {
		for _, k := range g.Keys {
			if value, ok := values[k.Name]; ok && k.Table == "" {
				all = append(all, Setting{k.Name, value, k.Default, g.Text})
			}
		}
	}
	return all
}

// A Change is a setting that would be another.
type Change struct {
	Key    string `json:"key" doc:"of list.toml"`
	Before string `json:"before" doc:"its value now"`
	After  string `json:"after" doc:"its value then"`
}

// Preview says what settings would change, each given as "key=value". The error says what
// is wrong with them.
func Preview(l *lists.List, given []string) (changes []Change, err error) {
	text, _, err := disk.ReadRegular(l.ConfigFile(), unix.O_RDONLY, 1<<20)
	if err != nil {
		return nil, err
	}
	_, next, err := tomltext.Set(l, string(text), given)
	if err != nil {
		return nil, err
	}
	now := l.Settings()
	for i, s := range next.Settings() {
		if s[1] != now[i][1] {
			changes = append(changes, Change{s[0], now[i][1], s[1]})
		}
	}
	return changes, nil
}

// A Member is a line of the members file.
type Member struct {
	Address   string   `json:"address"`
	Words     []string `json:"words" doc:"as in the members file: digest, nomail, name=…"`
	Suspended string   `json:"suspended,omitempty" doc:"since when, because mail came back"`
}

func memberOf(m members.Member) Member {
	return Member{m.Path.Address(), append([]string{}, m.Words...), m.Bounced}
}

// Members returns members by address: at most limit that fit a search and come after one,
// and how many members there are. next is what to go on after; empty: these are the last.
func Members(l *lists.List, search, after string, limit int) (some []members.Member, all int, next string, err error) {
	file, err := l.Members()
	if err != nil {
		return nil, 0, "", err
	}
	defer file.Close()
	fits := func(p smtp.Path) bool { return strings.Contains(p.Key(), strings.ToLower(search)) }
	if strings.ContainsAny(search, "*?[@") {
		s, ok := lists.NewSearch(search)
		fits = func(p smtp.Path) bool { return ok && s.Fits(p) }
	}
	for m, err := range file.All() {
		if err != nil {
			return nil, 0, "", err
		}
		all++
		if next != "" || after != "" && m.Path.Key() <= after || search != "" && !fits(m.Path) {
			continue
		}
		if len(some) == limit {
			next = some[limit-1].Path.Key()
			continue
		}
		some = append(some, m)
	}
	return some, all, next, nil
}

// A Bounced says what is known about an address from which mail came back. Package bounces
// writes it and judges; no program that serves a client has that.
type Bounced struct {
	Address   string       `json:"address"`
	State     string       `json:"state" doc:"bouncing, probed, suspended or removed"`
	Days      []BouncedDay `json:"days" doc:"on which mail came back"`
	Suspended time.Time    `json:"suspended,omitzero" doc:"since when it gets no mail"`
	Removed   time.Time    `json:"removed,omitzero" doc:"when it was taken off the list"`
	Probe     struct {
		At     time.Time `json:"at,omitzero"`
		Result string    `json:"result,omitempty"`
	} `json:"probe,omitzero" doc:"the last letter that only its return of mail is looked for"`
}

// A BouncedDay is a day on which mail came back.
type BouncedDay struct {
	Day    string `json:"day" doc:"such as 2026-11-30"`
	Class  string `json:"class" doc:"gone, full, …"`
	Status string `json:"status,omitempty" doc:"RFC 3463"`
	Words  string `json:"words,omitempty" doc:"of the host that refused it"`
}

// Bounces returns the addresses from which mail has come back and that something still
// speaks against.
func Bounces(l *lists.List, now time.Time) ([]Bounced, error) {
	kept, err := l.Book().All(ledger.Bouncing, now)
	all := []Bounced{}
	for _, k := range kept {
		b := Bounced{}
		if json.Unmarshal([]byte(k.Text), &b) != nil || b.Address == "" {
			continue
		}
		switch {
		case !b.Suspended.IsZero():
			b.State = "suspended"
		case !b.Removed.IsZero():
			b.State = "removed"
		case !b.Probe.At.IsZero() && b.Probe.Result == "":
			b.State = "probed"
		case len(b.Days) > 0:
			b.State = "bouncing"
		default:
			continue
		}
		all = append(all, b)
	}
	slices.SortFunc(all, func(a, b Bounced) int { return strings.Compare(a.Address, b.Address) })
	return all, err
}

// A Held is a post that waits for a decision.
type Held struct {
	Name    string    `json:"name" doc:"for deciding about it"`
	Arrived time.Time `json:"arrived"`
	Author  string    `json:"author" doc:"the address of whoever wrote it"`
	Subject string    `json:"subject"`
	Size    int64     `json:"size" doc:"in bytes"`
	Why     string    `json:"why" doc:"it waits"`
}

// AllHeld returns the posts that a list holds, the oldest first.
func AllHeld(s *site.Site, l *lists.List) ([]Held, error) {
	spool := heldpost.Spool(s, l)
	entries, err := spool.List(queue.Held)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	all := []Held{}
	for _, e := range entries {
		m, err := spool.Open(queue.Held, e.ID)
		if errors.Is(err, fs.ErrNotExist) { // somebody has just decided
			continue
		}
		if err != nil {
			return all, err
		}
		all = append(all, heldOf(m))
		m.Close()
	}
	return all, err
}

func heldOf(m *queue.Message) Held {
	h := Held{Name: m.ID, Arrived: m.Arrived.UTC(), Author: m.Author.Address(), Size: m.Size, Why: m.Why}
	if m.Author.IsNull() {
		h.Author = m.From.Address()
	}
	if _, why, ok := strings.Cut(m.Why, ": "); ok {
		h.Why = why
	}
	if raw, _, err := rewrite.ReadHeader(m.Content()); err == nil {
		h.Subject = charset.Words(rewrite.Parse(raw).Get("Subject"))
	}
	return h
}

// maxText is how much of a held post is sent.
const maxText = 64 << 10

// textOf returns the beginning of a message.
func textOf(m *queue.Message) (string, error) {
	raw, err := io.ReadAll(io.LimitReader(m.Content(), maxText))
	return strings.ToValidUTF8(string(raw), "\ufffd"), err
}

// A DigestInfo says what waits for the next digest. Package digest writes what it is read
// from.
type DigestInfo struct {
	Schedule string     `json:"schedule" doc:"the setting digest"`
	Issue    int        `json:"issue" doc:"the number of the last one"`
	Waiting  int        `json:"waiting" doc:"how many posts wait"`
	Since    *time.Time `json:"since,omitempty" doc:"when the first of them began to"`
	Due      *time.Time `json:"due,omitempty" doc:"when they are sent"`
}

// Digest returns what waits for the next digest of a list.
func Digest(l *lists.List) (d DigestInfo, err error) {
	d.Schedule = string(l.Digest)
	var state struct {
		Issue int       `json:"issue"`
		Own   bool      `json:"own"`
		First int       `json:"first"`
		Since time.Time `json:"since"`
	}
	dir := filepath.Join(l.Dir, "digest")
	text, _, err := disk.ReadRegular(filepath.Join(dir, "state"), unix.O_RDONLY|unix.O_NOFOLLOW, 4<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	if d.Issue = state.Issue; err != nil || state.First == 0 {
		return d, err
	}
	posts := l.Posts()
	if state.Own {
		posts = &archive.Store{Dir: filepath.Join(dir, "posts")}
	}
	last, err := posts.Last()
	if err != nil {
		return d, err
	}
	d.Waiting = max(0, last-state.First+1)
	due := l.Digest.Due(state.Since, d.Waiting, time.Local).UTC()
	d.Since, d.Due = &state.Since, &due
	return d, nil
}

// A Month is how much was posted in a month.
type Month struct {
	Month   string `json:"month" doc:"such as 2026-11"`
	Posts   int    `json:"posts"`
	Authors int    `json:"authors" doc:"people who wrote them"`
}

// maxActivity is how many posts are looked at, the newest: more would take too long.
const maxActivity = 50000

// Activity returns how much was posted, by month, the newest last.
func Activity(l *lists.List) ([]Month, error) {
	posts, months := l.Posts(), []Month{}
	first, last, err := posts.Range()
	if errors.Is(err, fs.ErrNotExist) {
		return months, nil
	}
	if err != nil {
		return nil, err
	}
	who := make(map[string]bool)
	for e, err := range posts.Entries(max(first, last-maxActivity+1), last) {
		if err != nil {
			return nil, err
		}
		if e.Time.IsZero() || e.Removed {
			continue
		}
		name := e.Time.UTC().Format("2006-01")
		if n := len(months); n == 0 || months[n-1].Month != name {
			months, who = append(months, Month{Month: name}), make(map[string]bool)
		}
		m := &months[len(months)-1]
		m.Posts++
		if !who[e.From] {
			who[e.From] = true
			m.Authors++
		}
	}
	return months, nil
}

// Acts returns who has changed what since a time, at most limit, the newest last.
func Acts(l *lists.List, since time.Time, limit int) ([]acts.Act, error) {
	all, err := acts.Of(l.Book(), since)
	return append([]acts.Act{}, all[max(0, len(all)-limit):]...), err
}
