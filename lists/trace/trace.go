// Package trace finds the whole way of one mail in the log: who sent it, what each list
// decided and why, to whom it went, what the relay said, and what Postfix did with it
// if its lines are in the same log.
//
// Messages that superlist makes from another have that message's id in front of their
// own, and the lines about them contain it. A post in a digest is found by its number.
// The relay's replies contain Postfix's queue ids. Nothing is looked up anywhere else.
// Time and program count only where the log daemon writes them.
package trace

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists/logfile"
	"superlist/lists/maillog"
	"superlist/queue"
	"superlist/smtp"
)

// A Query is what to look for. One of its fields is set.
type Query struct {
	ID        string // of a message of the spool, whole or as queue ls shows it
	MessageID string // with its angle brackets
	Address   string // of whoever has something to do with a mail, by its key
}

// NewQuery parses what somebody looks for: an id, a Message-ID with or without angle
// brackets, or an address. Text with an @ may be either of the last two.
func NewQuery(s string) Query {
	inside, bracketed := strings.CutPrefix(s, "<")
	inside, closed := strings.CutSuffix(inside, ">")
	switch p, ok := smtp.ParseAddress(inside); {
	case bracketed && closed:
		return Query{MessageID: s}
	case !strings.Contains(s, "@"):
		return Query{ID: s}
	case ok:
		return Query{Address: p.Key(), MessageID: "<" + s + ">"}
	}
	return Query{MessageID: "<" + s + ">"}
}

// A Mail is one message and what became of it.
type Mail struct {
	ID        string    `json:"id,omitempty"` // of the message as it came in; empty: it was refused
	MessageID string    `json:"message_id,omitempty"`
	Steps     []Step    `json:"steps"`
	Deliver   []Onward  `json:"delivered"` // as Postfix says
	Held      []Held    `json:"-"`
	posts     []number  // of it in archives of lists with digests
	first     time.Time // of its lines
}

// A Step is a line of the log.
type Step struct {
	At    time.Time         `json:"at"`
	Event string            `json:"event"`
	Words string            `json:"words"` // for people
	List  string            `json:"list,omitempty"`
	Field map[string]string `json:"fields"`
	Line  string            `json:"line"`
}

// An Onward is what Postfix says about one recipient.
type Onward struct {
	At      time.Time `json:"at"`
	To      string    `json:"to"`
	QueueID string    `json:"queue_id"`
	Status  string    `json:"status"` // sent, deferred, bounced, expired
	Text    string    `json:"text"`
}

// A Held says where a post was held.
type Held struct{ List, Name string }

type number struct {
	list string
	n    int
}

// A Log yields lines. It is read Passes times.
type Log interface {
	Lines() iter.Seq2[logfile.Line, error]
}

// Passes is how often a log is read.
const Passes = 4

// Find looks for the mails that a query is about, and returns the last ones, as many as
// most allows. host is the site's name, with which ids end.
func Find(log Log, q Query, host string, most int) ([]*Mail, error) {
	f := &finder{q: q, host: host, keys: make(map[string]bool), queued: make(map[string]bool), mails: make(map[string]*Mail), digests: make(map[string][]*Mail), relayed: make(map[string][]*Mail)}
	for i, pass := range []func(logfile.Line){f.match, f.resolve, f.gather, f.follow} {
		for line, err := range log.Lines() {
			if err != nil {
				return nil, err
			}
			pass(line)
		}
		if i == 1 {
			f.limit(most)
		}
	}
	all := slices.AppendSeq(f.refused, maps.Values(f.mails))
	slices.SortStableFunc(all, func(a, b *Mail) int { return cmp.Or(a.first.Compare(b.first), strings.Compare(a.ID, b.ID)) })
	return all[max(len(all)-most, 0):], nil
}

// A finder goes through the log.
type finder struct {
	q       Query
	host    string
	keys    map[string]bool    // ids of messages that are looked for
	queued  map[string]bool    // Postfix's ids of messages to the address that is looked for
	mails   map[string]*Mail   // by the ids of what came in
	digests map[string][]*Mail // the posts in a digest, by its id
	relayed map[string][]*Mail // by Postfix's ids
	refused []*Mail            // and other lines that stand alone
}

// base returns the id of the original message: 1.M2P3R4.mx1.0-failed was made from
// 1.M2P3R4.mx1.
func (f *finder) base(id string) string {
	if i := strings.Index(id, "."+f.host); i >= 0 {
		return id[:i+1+len(f.host)]
	}
	return id
}

// baseOf returns the id of the original message that a line is about; "" if the line is
// about none.
func (f *finder) baseOf(e maillog.Entry) string {
	return f.base(cmp.Or(e.Get("post"), e.Get("id")))
}

func (f *finder) want(key string) {
	if key != "" {
		f.keys[key] = true
	}
}

// limit keeps the last messages, whose ids begin with the time, and the last lines that
// belong to no message: others would be gathered only to be thrown away.
func (f *finder) limit(most int) {
	ids := slices.Sorted(maps.Keys(f.keys))
	for _, id := range ids[:max(len(ids)-most, 0)] {
		delete(f.keys, id)
	}
	f.refused = f.refused[max(len(f.refused)-most, 0):]
}

// match finds what the query names, and the messages that Postfix delivered to an
// address.
func (f *finder) match(l logfile.Line) {
	if l.Postfix() {
		if id, o, ok := onward(l); ok && f.q.Address != "" && keyOf(o.To) == f.q.Address {
			f.queued[id] = true
		}
		return
	}
	e := maillog.Parse(l.Text)
	if !f.fits(l, e) {
		return
	}
	if key := f.baseOf(e); key != "" {
		f.want(key)
		return
	}
	if e.Event != "connect" && e.Event != "disconnect" {
		m := &Mail{MessageID: e.Get("message-id"), first: l.At, Deliver: []Onward{}}
		m.Steps = []Step{stepOf(l, e)}
		f.refused = append(f.refused, m)
	}
}

// fits reports whether a line is about what the query names.
func (f *finder) fits(l logfile.Line, e maillog.Entry) bool {
	id := e.Get("id")
	switch {
	case f.q.ID != "" && (id == f.q.ID || f.base(id) == f.q.ID || e.Get("post") == f.q.ID || e.Get("ident") == f.q.ID || queue.ShortID(id, f.host) == f.q.ID || queue.ShortID(f.base(id), f.host) == f.q.ID):
		return id != "" || e.Get("ident") == f.q.ID
	case f.q.ID != "":
		return queueID(e.Get("reply")) == f.q.ID && e.Event == "sent"
	case f.q.MessageID != "" && e.Get("message-id") == f.q.MessageID:
		return true
	case f.q.Address == "":
		return false
	}
	for _, field := range e.Fields {
		switch field.Key {
		case "from", "author", "member", "about", "by", "login":
		case "to":
			if l.OfSession() { // a list
				continue
			}
		default:
			continue
		}
		if keyOf(field.Value) == f.q.Address {
			return true
		}
	}
	return false
}

// keyOf returns the key of an address in a line; "" if the value is not an address.
func keyOf(value string) string {
	p, ok := smtp.ParseAddress(strings.TrimSuffix(strings.TrimPrefix(value, "<"), ">"))
	if !ok {
		return ""
	}
	return p.Key()
}

// resolve finds the original messages of those that Postfix delivered to the address.
func (f *finder) resolve(l logfile.Line) {
	if len(f.queued) == 0 || !l.Ours() {
		return
	}
	if e := maillog.Parse(l.Text); e.Event == "sent" && f.queued[queueID(e.Get("reply"))] {
		f.want(f.baseOf(e))
	}
}

// gather collects the lines about the messages that were found.
func (f *finder) gather(l logfile.Line) {
	if len(f.keys) == 0 || !l.Ours() {
		return
	}
	e := maillog.Parse(l.Text)
	key := f.baseOf(e)
	if e.Event == "digest" {
		f.digest(l, e, key)
		return
	}
	about := f.digests[key] // what is said of a digest is said of each post in it
	if about == nil && f.keys[key] {
		if f.mails[key] == nil {
			f.mails[key] = &Mail{ID: key, first: l.At, Deliver: []Onward{}}
		}
		about = []*Mail{f.mails[key]}
	}
	for _, m := range about {
		m.add(l, e)
	}
	if e.Event == "sent" && about != nil {
		f.relayed[queueID(e.Get("reply"))] = about
	}
}

// digest adds a digest to the posts in it.
func (f *finder) digest(l logfile.Line, e maillog.Entry, key string) {
	first, last, two := strings.Cut(e.Get("posts"), "-")
	if !two {
		last = first
	}
	from, err1 := strconv.Atoi(first)
	upto, err2 := strconv.Atoi(last)
	if err1 != nil || err2 != nil {
		return
	}
	for _, m := range f.mails {
		if slices.ContainsFunc(m.posts, func(p number) bool { return p.list == e.Get("list") && from <= p.n && p.n <= upto }) {
			m.add(l, e)
			if !slices.Contains(f.digests[key], m) { // or a crash repeated the line
				f.digests[key] = append(f.digests[key], m)
			}
		}
	}
}

func (m *Mail) add(l logfile.Line, e maillog.Entry) {
	m.Steps = append(m.Steps, stepOf(l, e))
	m.MessageID = cmp.Or(m.MessageID, e.Get("message-id"))
	switch e.Event {
	case "post":
		if n := e.Number("number"); n > 0 && e.Number("digests") > 0 {
			m.posts = append(m.posts, number{e.Get("list"), n})
		}
	case "held":
		m.Held = append(m.Held, Held{e.Address("list"), e.Get("name")})
	}
}

// follow collects what Postfix says about messages from us. For a message found by the
// address of a recipient, it collects only what concerns that recipient.
func (f *finder) follow(l logfile.Line) {
	if !l.Postfix() {
		return
	}
	id, o, ok := onward(l)
	if !ok || f.queued[id] && keyOf(o.To) != f.q.Address {
		return
	}
	for _, m := range f.relayed[id] {
		m.Deliver = append(m.Deliver, o)
	}
}
