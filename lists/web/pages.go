package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/url"
	"strings"
	"sync"
	"time"

	"superlist/lists"
	"superlist/lists/archive"
)

//go:embed pages/pages.html
var pagesHTML string

//go:embed pages/forms.html
var formsHTML string

//go:embed pages/style.css
var styleCSS []byte

//go:embed pages words
var looks embed.FS // hashed for Version

// templates are parsed when the first page is made: most commands make none.
var templates = sync.OnceValue(func() *template.Template { return template.Must(template.New("").Parse(pagesHTML + formsHTML)) })

const (
	// perThread and perMonth are how many posts a page shows.
	perThread = 100
	perMonth  = 500

	// onFront is how many threads the front page names, inFeed how many posts a feed
	// has.
	onFront = 30
	inFeed  = 50
)

// A page has what all pages need.
type page struct {
	l         *List
	Title     string
	Heading   string
	Root      string // relative path to the list's front page
	Canonical string
	Crumbs    []link
	Front     bool
	Query     string // what was searched
}

type link struct{ Href, Text string }

func (p page) Lang() string                       { return p.l.words.Language() }
func (p page) T(name string) string               { return p.l.words.Get(name) }
func (p page) W(name string, pairs ...any) string { return p.l.words.with(name, pairs...) }

func (l *List) page(path, title string) page {
	p := page{l: l, Title: title + " · " + l.Name, Heading: l.Name, Root: up(path), Canonical: l.Base + path}
	p.Crumbs = []link{{p.Root + "index.html", l.Name}}
	return p
}

func render(name string, data any) []byte {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, data); err != nil {
		panic(fmt.Sprintf("the page %s: %v", name, err)) // templates and their data are part of the program
	}
	return b.Bytes()
}

// An item is a post as pages name it.
type item struct {
	Number          int
	Subject, Author string
	ISO, Day, Clock string
	Href            string
	NewSubject      bool  // the subject differs from its thread's
	Parent          *item // the post that it answers, if known
	Body            template.HTML
}

func (l *List) item(e archive.Entry, root string) *item {
	t := e.Time.UTC()
	it := &item{
		Number: e.Number, Subject: strings.TrimSpace(visible(l.veil(e.Subject))), Author: strings.TrimSpace(visible(l.author(e.From))),
		ISO: t.Format(time.RFC3339), Day: t.Format(time.DateOnly), Clock: t.Format("15:04 UTC"),
		Href: root + postPath(e.Number),
	}
	if it.Subject == "" {
		it.Subject = l.words.Get("no-subject")
	}
	if it.Author == "" {
		it.Author = l.words.Get("nobody")
	}
	if e.Removed {
		it.Subject, it.Author = l.words.Get("gone-subject"), l.words.Get("gone-subject")
	}
	return it
}

// sameSubject reports whether two subjects differ only in what programs put in front of
// an answer.
func sameSubject(a, b string) bool { return b == "" || strings.EqualFold(bare(a), bare(b)) }

func bare(subject string) string {
	for {
		subject = strings.TrimSpace(subject)
		front, rest, ok := strings.Cut(subject, ":")
		front = strings.TrimRight(strings.ToLower(front), "0123456789[]() ")
		if strings.HasPrefix(subject, "[") { // a list's prefix
			if end := strings.IndexByte(subject, ']'); end > 0 && end < 30 && !strings.Contains(subject[:end], " ") {
				subject = subject[end+1:]
				continue
			}
		}
		if !ok || !strings.Contains(" re aw sv vs antw odp fw fwd wg tr rv res rif ynt 回复 答复 返信 ", " "+front+" ") {
			return subject
		}
		subject = rest
	}
}

// reply returns the mailto link for an answer to the list.
func (l *List) reply(e archive.Entry) string {
	if l.Post == lists.PostNobody || e.Removed {
		return ""
	}
	subject := visible(l.veil(e.Subject))
	if !strings.HasPrefix(strings.ToLower(subject), "re:") {
		subject = "Re: " + subject
	}
	s := "mailto:" + l.Address() + "?subject=" + mailtoEscape(subject)
	if l.Veil != VeilName && e.MessageID != "" { // otherwise nobody is shown it
		s += "&In-Reply-To=" + mailtoEscape(e.MessageID)
	}
	return s
}

// mailtoEscape is url.QueryEscape for RFC 6068, where + does not mean a space.
func mailtoEscape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// postPage returns the page of a post. parent is nil if unknown; body is what article
// returns.
func (l *List) postPage(e archive.Entry, parent *archive.Entry, body template.HTML) []byte {
	path := postPath(e.Number)
	it := l.item(e, up(path))
	p := struct {
		page
		Post, Parent  *item
		Thread, Reply string
		Raw           string
		Body          template.HTML
	}{page: l.page(path, it.Subject), Post: it, Body: body, Reply: l.reply(e), Raw: l.rawURL(e),
		Thread: up(path) + threadPath(e.Thread, 1) + fmt.Sprintf("#m%d", e.Number)}
	month := e.Time.UTC().Format(monthFormat)
	p.Crumbs = append(p.Crumbs, link{p.Root + monthPath(month, 1), l.words.month(month)})
	if parent != nil {
		p.Parent = l.item(*parent, up(path))
	}
	return render("post", p)
}

// Everything between these marks is the same on a post's own page and on that of its
// thread.
const (
	articleBegins = "<!--post-->"
	articleEnds   = "<!--/post-->"
)

// article returns a post as readers see it. message is the whole post; gone, if set,
// says that it was removed, and why.
func (l *List) article(message []byte, gone *archive.Removal, href func(part) string) template.HTML {
	var b bytes.Buffer
	b.WriteString(articleBegins)
	if gone != nil {
		if gone.Reason == archive.OptedOut {
			b.WriteString(`<p class="gone">` + l.words.html("opted-out"))
		} else {
			b.WriteString(`<p class="gone">` + escaped(l.words.with("removed", "day", gone.Time.UTC().Format(time.DateOnly))))
		}
		if gone.Reason != "" && gone.Reason != archive.OptedOut {
			b.WriteString(" " + escaped(l.words.with("reason", "reason", l.veil(gone.Reason))))
		}
		b.WriteString("</p>\n")
	} else {
		l.content(&b, message, href)
	}
	b.WriteString(articleEnds)
	return template.HTML(b.String())
}

// threadPage returns a page of a thread, counted from 1.
func (l *List) threadPage(thread int, b *book, n int, gone map[string]int, body func(archive.Entry) (template.HTML, error)) ([]byte, error) {
	path := threadPath(thread, n)
	pages := pagesOf(len(b.entries), perThread)
	first := b.entries[0]
	subject := l.item(first, "").Subject
	href := func(i int) string {
		if i/perThread+1 == n {
			return fmt.Sprintf("#m%d", b.entries[i].Number)
		}
		return up(path) + threadPath(thread, i/perThread+1) + fmt.Sprintf("#m%d", b.entries[i].Number)
	}
	p := struct {
		page
		Subject, Counts, PageText, Reply string
		MBox, Feed                       string
		Pages                            int
		Outline                          template.HTML
		Before, After                    *link
		Posts                            []*item
	}{page: l.page(path, subject), Subject: subject, Pages: pages,
		Counts: l.words.count("posts", len(b.entries)) + ", " + l.words.count("authors", b.authors())}
	if l.Requests {
		p.Feed = fmt.Sprintf("%s%d/t.atom", l.Base, thread)
	}
	if l.Requests && l.MBox != MBoxOff {
		p.MBox = fmt.Sprintf("%s%d/t.mbox.gz", l.Base, thread)
	}
	month := first.Time.UTC().Format(monthFormat)
	p.Crumbs = append(p.Crumbs, link{p.Root + monthPath(month, 1), l.words.month(month)})
	p.PageText = l.words.with("page", "page", n, "pages", pages)
	if n == 1 {
		p.Outline = l.outline(b, gone, href)
	}
	if n > 1 {
		p.Before = &link{p.Root + threadPath(thread, n-1), l.words.Get("older")}
	}
	if n < pages {
		p.After = &link{p.Root + threadPath(thread, n+1), l.words.Get("newer")}
	}
	end := min(n*perThread, len(b.entries))
	for i := (n - 1) * perThread; i < end; i++ {
		e := b.entries[i]
		it := l.item(e, p.Root)
		it.NewSubject = i > 0 && !e.Removed && !sameSubject(first.Subject, e.Subject)
		if at := b.parent(e, gone); at >= 0 && at != i-1 { // the one directly above needs no name
			it.Parent = l.item(b.entries[at], p.Root)
			it.Parent.Href = href(at)
		}
		var err error
		if it.Body, err = body(e); err != nil {
			return nil, err
		}
		p.Posts = append(p.Posts, it)
	}
	p.Reply = l.reply(b.entries[end-1])
	return render("thread", p), nil
}

func pagesOf(n, per int) int { return max(1, (n+per-1)/per) }

// movedPage returns the page for a thread that belongs to an earlier one.
func (l *List) movedPage(later, at, earlier int, subject string) []byte {
	path := threadPath(later, at)
	p := struct {
		page
		Subject, Thread string
	}{page: l.page(path, subject), Subject: subject, Thread: up(path) + threadPath(earlier, 1)}
	p.Canonical = l.Base + threadPath(earlier, 1)
	return render("moved", p)
}

// monthPage returns a page of a month, counted from 1. before and after are the
// adjacent months; empty if there is none.
func (l *List) monthPage(month string, b *book, n int, before string, beforePages int, after string, mbox bool) []byte {
	type thread struct {
		Href, Subject string
		Posts         []*item
	}
	path := monthPath(month, n)
	pages := pagesOf(len(b.entries), perMonth)
	name := l.words.month(month)
	p := struct {
		page
		Counts, PageText, MBox string
		Pages                  int
		Before, After          *link
		Threads                []*thread
	}{page: l.page(path, name), Pages: pages,
		Counts: l.words.count("posts", len(b.entries)) + ", " + l.words.count("authors", b.authors())}
	p.Heading = name
	p.PageText = l.words.with("page", "page", n, "pages", pages)
	if mbox {
		p.MBox = month + ".mbox.gz"
	}
	switch {
	case n > 1:
		p.Before = &link{monthPath(month, n-1), l.words.with("page", "page", n-1, "pages", pages)}
	case before != "":
		p.Before = &link{monthPath(before, beforePages), l.words.month(before)}
	}
	switch {
	case n < pages:
		p.After = &link{monthPath(month, n+1), l.words.with("page", "page", n+1, "pages", pages)}
	case after != "":
		p.After = &link{monthPath(after, 1), l.words.month(after)}
	}
	byThread := make(map[int]*thread)
	for _, e := range b.entries[(n-1)*perMonth : min(n*perMonth, len(b.entries))] {
		it := l.item(e, "")
		t := byThread[e.Thread]
		if t == nil {
			t = &thread{Href: threadPath(e.Thread, 1), Subject: it.Subject}
			byThread[e.Thread] = t
			p.Threads = append(p.Threads, t)
		}
		t.Posts = append(t.Posts, it)
	}
	return render("month", p)
}

// frontPage returns the list's front page.
func (l *List) frontPage(s *state) []byte {
	type join struct{ Text, Address, Href, Note string }
	type newest struct{ Href, Subject, Author, Counts, ISO, Day string }
	type month struct{ Href, Text, Counts string }
	type year struct {
		Year   string
		Months []month
	}
	p := struct {
		page
		Description string
		Join        []join
		Activity    template.HTML
		Threads     []newest
		Years       []*year
	}{page: l.page("", l.Name), Description: visible(l.Description), Activity: l.activity(s.Months)}
	p.Front, p.Title = true, l.Name
	if l.Description != "" {
		p.Title += " · " + l.Description
	}
	mail := func(text, address, note string) {
		p.Join = append(p.Join, join{l.words.Get(text), address, "mailto:" + address, note})
	}
	switch l.Subscribe {
	case lists.SubscribeClosed:
		mail("ask", l.verb("owner"), l.words.Get("join-closed"))
	case lists.SubscribeOpen:
		mail("join", l.verb("subscribe"), l.words.Get("join-open"))
	case lists.SubscribeApprove:
		mail("join", l.verb("subscribe"), l.words.Get("join-approve"))
	default:
		mail("join", l.verb("subscribe"), l.words.Get("join-confirm"))
	}
	if l.Requests {
		if l.Subscribe != lists.SubscribeClosed {
			p.Join = append(p.Join, join{Text: l.words.Get("join"), Address: l.words.Get("join-form"), Href: l.Base + "join"})
		}
		p.Join = append(p.Join, join{Text: l.words.Get("options"), Address: l.words.Get("options-form"), Href: l.Base + "options"})
	}
	mail("leave", l.verb("unsubscribe"), "")
	if l.Post == lists.PostNobody {
		p.Join = append(p.Join, join{Text: l.words.Get("write"), Address: l.Address(), Note: l.words.Get("write-nobody")})
	} else {
		mail("write", l.Address(), l.words.Get("write-"+l.Post))
	}
	if l.Subscribe != lists.SubscribeClosed {
		mail("ask", l.verb("owner"), "")
	}
	for _, h := range s.Newest[:min(onFront, len(s.Newest))] {
		it := l.item(h.Entry, "")
		p.Threads = append(p.Threads, newest{threadPath(h.Thread, 1), it.Subject, it.Author,
			l.words.count("posts", h.Posts), h.Last.UTC().Format(time.RFC3339), h.Last.UTC().Format(time.DateOnly)})
	}
	for i := len(s.Months) - 1; i >= 0; i-- {
		m := s.Months[i]
		name := m.Month[:4]
		if len(p.Years) == 0 || p.Years[len(p.Years)-1].Year != name {
			p.Years = append(p.Years, &year{Year: name})
		}
		y := p.Years[len(p.Years)-1]
		y.Months = append([]month{{monthPath(m.Month, 1), l.words.monthName(m.Month), l.words.count("posts", m.Posts)}}, y.Months...)
	}
	return render("front", p)
}
