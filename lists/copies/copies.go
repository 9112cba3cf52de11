package copies

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/author"
	"superlist/lists/letter"
	"superlist/lists/members"
	"superlist/lists/parts"
	"superlist/lists/rewrite"
	"superlist/lists/rewrite/edit"
	"superlist/smtp"
)

// A Post is a message that a list has accepted.
type Post struct {
	ID      string // in the spool
	Content *io.SectionReader
	Header  rewrite.Header    // of Content, if it has already been read
	Below   *io.SectionReader // what follows Header, if that is set
	Arrived time.Time
	Body    string // BODY of MAIL
	// Proved are the addresses that the sender has proved to be theirs, by AUTH.
	Proved []smtp.Path
}

// A Maker makes the copies of one list.
type Maker struct {
	Host string // of the site, for Message-IDs
	List *lists.List
	Keys author.Resolver
	// ServID is the authserv-id of the mail system in front of us, whose results count
	// (RFC 8601); empty: no results count.
	ServID string
	// Proves reports whether people can prove who they are at this site. Then mail in
	// the name of the list's own domain has to be proved.
	Proves bool
	// Signs is the domain that signs outgoing mail; empty: none, as far as is known
	// here.
	Signs string
	// Pages is the web address of the list's archive, and Page returns that of the post
	// with a number; empty and nil if there is none.
	Pages string
	Page  func(number int) string
	// UnsubscribeURL is where members leave on the web; empty: only by mail.
	UnsubscribeURL string
}

// Copies are the copies of one post.
type Copies struct {
	Came rewrite.Header // as the post was received
	// Archived is what goes into the archive and digests.
	Archived *edit.Message
	// From says what is done because of the author's domain, and why.
	From Verdict

	maker *Maker
	post  Post
	texts map[Variant]texts
	// Taken is how many parts were removed.
	Taken int
	// Disarmed is how many links by which a member leaves were made useless.
	Disarmed int

	survey *author.Survey

	original edit.Body // as received
}

// Make makes the copies. If something has to be looked up first the error is
// author.ErrAwaited, and Awaits names it.
func (m *Maker) Make(p Post) (*Copies, error) {
	base := &edit.Message{Header: p.Header, Body: p.Below}
	var err error
	if p.Below == nil {
		if base, err = edit.Open(p.Content); err != nil {
			return nil, err
		}
	}
	c := &Copies{maker: m, post: p, Archived: base, original: base.Body, Came: base.Header}
	base.Header = base.Header.Complete(p.ID+"@"+m.Host, p.Arrived)
	lines := p.Body != smtp.BinaryMIME
	if lines {
		if err := c.takeAway(); err != nil {
			return nil, err
		}
		if m.UnsubscribeURL != "" {
			if c.Disarmed, err = base.Disarm(strings.TrimSuffix(m.UnsubscribeURL, "/") + "/"); err != nil {
				return nil, err
			}
		}
	}
	if m.List.Anonymous {
		if base.Header, err = anonymous(m.List, base.Header, p.Arrived); err != nil {
			return nil, err
		}
	}
	base.Header = c.fields(base.Header)
	if c.texts, err = textsOf(m.List); err != nil {
		return nil, err
	}
	c.survey = author.NewSurvey(m.Keys, author.Message{Header: c.Came, Content: p.Content, Binary: !lines, Arrived: p.Arrived})
	if c.From, err = c.judge(); err != nil {
		return c, err
	}
	return c, nil
}

// Awaits returns the records that are needed first.
func (c *Copies) Awaits() ([]string, error) { return c.survey.Awaits() }

// takeAway removes attachments and HTML. Parts that others may read differently than we
// do stay: a session has refused them, or a moderator has let them pass.
func (c *Copies) takeAway() error {
	l, base := c.maker.List, c.Archived
	note := noteOf(l)
	n := 0
	var err error
	if len(l.AttachmentsRemove) > 0 {
		n, err = base.Remove(l.Removes, note)
	}
	if c.Taken += n; err == nil && l.HTML != lists.HTMLKeep {
		n, err = base.PlainText(l.HTML == lists.HTMLRemove, note)
		c.Taken += n
	}
	if errors.Is(err, edit.ErrUnclear) {
		return nil
	}
	return err
}

// Unclear reports whether a list would remove parts of a message, but cannot identify
// them for certain.
func Unclear(l *lists.List, content *io.SectionReader) (bool, error) {
	m, err := edit.Open(content)
	if err != nil || !l.Filters() {
		return false, err
	}
	none := func(*parts.Entity) string { return "" }
	if _, err = m.Remove(l.Removes, none); err == nil && l.HTML != lists.HTMLKeep {
		_, err = m.PlainText(true, none)
	}
	if errors.Is(err, edit.ErrUnclear) {
		return true, nil
	}
	return false, err
}

// noteOf returns a function that makes the note in the place of a removed part.
func noteOf(l *lists.List) func(*parts.Entity) string {
	return func(e *parts.Entity) string {
		name := e.Type
		if len(e.Names) > 0 {
			name = e.Names[len(e.Names)-1] + ", " + name
		}
		const longest = 120
		name = smtp.Clean(name, "")
		for i := range name {
			if i > longest {
				name = name[:i] + "..."
				break
			}
		}
		text, err := letter.Find("removed", l.Language, l.Dir)
		if err != nil && text.Body == "" {
			text.Body = "[{name}, {size}]"
		}
		return text.Fill(map[string]string{"name": name, "size": size(e.End - e.Body)})
	}
}

// size formats a number of bytes for people.
func size(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	if n < 1<<20 {
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// fields returns the header with the fields that the list adds, and without those it
// removes.
func (c *Copies) fields(h rewrite.Header) rewrite.Header {
	l := c.maker.List
	if len(l.HeadersRemove) > 0 {
		h = edit.Without(h, l.RemovesField)
	}
	added := l.AddedFields()
	for _, f := range added {
		h = edit.Without(h, func(name string) bool { return f.Is(name) })
	}
	return append(h[:len(h):len(h)], added...)
}

// ForArchive returns what the archive gets as its post of this number: the post with
// the list's fields.
func (c *Copies) ForArchive(number int) *edit.Message {
	m := *c.Archived
	m.Header = c.ofList(m.Header, number)
	return &m
}

// A Variant is one of the copies that members get of a post.
type Variant struct {
	Own  bool   // each of them gets it by themselves, with their own link
	Lang string // of footer and header_text; empty: of no language in particular
}

// Of returns which copy a member gets.
func (c *Copies) Of(member members.Member) Variant {
	l := c.maker.List
	return Variant{
		Own:  l.OwnCopy(member.Path) && (l.Personal || c.maker.UnsubscribeURL != ""),
		Lang: l.TextLanguage(member.Lang),
	}
}

// Everybody reports whether all members get a copy of their own.
func (c *Copies) Everybody() bool { return c.Of(members.Member{Path: c.maker.List.Addr}).Own }

// For returns a copy. number is that of the post in the archive. In a member's own copy
// edit.Mark stands for their link. In the header the link comes first, so that its place
// does not depend on the number.
func (c *Copies) For(v Variant, number int) (*edit.Message, error) {
	m, err := c.decorate(number, c.From.Done, c.texts[v])
	if err != nil {
		return nil, err
	}
	m.Header = c.ofList(m.Header, number)
	if v.Own && c.maker.UnsubscribeURL != "" { // RFC 8058, 3.1; leaving by mail is possible too
		m.Header = edit.Without(m.Header, func(name string) bool { return strings.EqualFold(name, "List-Unsubscribe") })
		m.Header = append(rewrite.Header{
			edit.Field("List-Unsubscribe", "<"+edit.Mark+">,\r\n <mailto:"+c.maker.List.Verb("unsubscribe").Address()+">"),
			edit.Field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
		}, m.Header...)
	}
	return m, nil
}

// BodyOf returns BODY of MAIL for a copy.
func (c *Copies) BodyOf(m *edit.Message) string {
	if m.EightBit && (c.post.Body == "" || c.post.Body == "7BIT") {
		return "8BITMIME"
	}
	return c.post.Body
}

// ofList returns the header with the list's fields.
func (c *Copies) ofList(h rewrite.Header, number int) rewrite.Header {
	fields := Fields(c.maker.List)
	if c.maker.Page != nil && number > 0 && !c.maker.List.OptsOut(c.Archived.Header) {
		fields.Archive, fields.ArchivedAt = c.maker.Pages, c.maker.Page(number)
	}
	return rewrite.Parse(fields.Apply(h))
}

// Fields returns the fields that a list writes into everything it sends.
func Fields(l *lists.List) rewrite.List {
	return rewrite.List{
		ID: l.ID(), Description: l.Description,
		Post: l.Addr.Address(), Closed: l.Post == lists.PostNobody,
		Help: l.Verb("help").Address(), Owner: l.Verb("owner").Address(),
		Subscribe: l.Verb("subscribe").Address(), Unsubscribe: l.Verb("unsubscribe").Address(),
		Sender: l.Addr.Address(),
	}
}

// decorate returns the post as members get it, without the list's fields.
func (c *Copies) decorate(number int, done Done, t texts) (*edit.Message, error) {
	l := c.maker.List
	m := *c.Archived
	if done == Wrapped {
		m = *wrapped(l, &m, c.post.Body)
	}
	m.Header = edit.Prefix(m.Header, l.SubjectPrefix, number)
	if c.post.Body != smtp.BinaryMIME || done == Wrapped {
		if err := t.put(l, &m, c.post.ID); err != nil {
			return nil, err
		}
	}
	if !l.Anonymous || l.ReplyTo != lists.ReplyToAuthor {
		m.Header = replyTo(l, m.Header)
	}
	if done == Munged || done == Wrapped {
		m.Header = munged(l, m.Header)
	}
	return &m, nil
}
