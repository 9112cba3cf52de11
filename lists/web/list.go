package web

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/ledger"
	"superlist/lists/mail/charset"
	"superlist/lists/site"
	"superlist/queue/disk"
)

// A List is what pages have to know of a list.
type List struct {
	Name, Domain string // the two sides of its address
	Delimiter    string // between its name and a verb
	Description  string
	Language     string // BCP 47
	Post         string // who may write, and …
	Subscribe    string // … what it takes to become a member: lists.Config
	Public       bool   // anyone may read: else there are no pages
	Veil         Veil
	MBox         string // web_mbox: off, veiled or full
	Requests     bool   // superlist-web answers what is no page

	Base  string // where the pages are for a browser, with a / at its end
	Dir   string // and where they lie
	Books string // what is kept about them, which nobody sees
	Posts *archive.Store
	Disk  *disk.Disk

	words *Words
}

// Of is a list of a site.
func Of(s *site.Site, l *lists.List) *List {
	posts := l.Posts()
	posts.Words = charset.Words
	w := &List{
		Name: l.Addr.Local, Domain: l.Addr.Domain, Delimiter: s.RecipientDelimiter,
		Description: l.Description, Language: l.Language, Post: l.Post, Subscribe: l.Subscribe,
		Public: l.Web == lists.WebAnyone, Veil: Veil(l.WebAddresses), MBox: l.WebMBox, Requests: s.Web.Requests,
		Base: s.Web.Of(l.Addr), Dir: filepath.Join(s.Web.Root, l.Addr.Domain, l.Addr.Local), Books: filepath.Join(l.Dir, "web"),
		Posts: posts, Disk: s.Disk,
	}
	w.words = wordsIn(w.Language)
	return w
}

// StateFile is there, in the directory of a list, if the list has pages, or has had
// some that are not gone yet.
const StateFile = "web/state"

// Kept reports whether there are pages of a list.
func Kept(l *lists.List) bool {
	_, err := os.Lstat(filepath.Join(l.Dir, StateFile))
	return err == nil
}

// Remind has the next superlist deliver look at the pages of a list, where a post is to
// be shown, or 0.
func Remind(s *site.Site, w ledger.Writer, l *lists.List, number int, now time.Time) error {
	return w.Remind(ledger.Pages(s.QueueDir), l.Addr.Address()+" "+strconv.Itoa(number), now)
}

// Address is where one writes to the list.
func (l *List) Address() string { return l.Name + "@" + l.Domain }

func (l *List) verb(verb string) string { return l.Name + l.Delimiter + verb + "@" + l.Domain }

// perDir is how many posts and threads a directory has.
const perDir = 1000

// postPath is where a post is, for ever.
func postPath(n int) string {
	return strconv.Itoa(n/perDir) + "/" + strconv.Itoa(n) + ".html"
}

// threadPath is where a page of a thread is, from 1 on.
func threadPath(thread, page int) string {
	return "t/" + strconv.Itoa(thread/perDir) + "/" + paged(strconv.Itoa(thread), page)
}

// monthPath is where a page of a month is, from 1 on.
func monthPath(month string, page int) string { return paged(month, page) }

func paged(name string, page int) string {
	if page > 1 {
		name += "-" + strconv.Itoa(page)
	}
	return name + ".html"
}

// PostURL is the address of a post that never changes.
func (l *List) PostURL(n int) string { return l.Base + postPath(n) }

// up leads from a page to the top of the list's pages.
func up(path string) string { return strings.Repeat("../", strings.Count(path, "/")) }
