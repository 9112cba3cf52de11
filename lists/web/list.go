package web

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/ledger"
	"superlist/lists/mail/charset"
	"superlist/lists/site"
	"superlist/queue/disk"
)

// A List is what pages need to know about a list.
type List struct {
	Name, Domain string // the two parts of its address
	Delimiter    string // between its name and a verb
	Description  string
	Language     string // BCP 47
	Post         string // who may post, and …
	Subscribe    string // … how to become a member: lists.Config
	Public       bool   // anyone may read; otherwise there are no pages
	Veil         Veil
	MBox         string // web_mbox: off, veiled or full
	Members      bool   // only members may, whom superlist-web knows
	Requests     bool   // superlist-web answers requests

	Base  string // the address of the pages, ending with /
	Dir   string // their directory
	Books string // the directory of the books, which nobody is shown
	Posts *archive.Store
	Disk  *disk.Disk

	words *Words
}

// Of returns a list of a site.
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
	if l.Web == lists.WebMembers { // superlist-web reads them, and no web server
		w.Members, w.Public = true, s.Web.Requests
		w.Dir = filepath.Join(w.Books, "pages")
	}
	w.words = wordsIn(w.Language)
	return w
}

// StateFile exists in the directory of a list if the list has pages, or has had some
// that are not yet removed.
const StateFile = "web/state"

// Kept reports whether a list has pages.
func Kept(l *lists.List) bool {
	_, err := os.Lstat(filepath.Join(l.Dir, StateFile))
	return err == nil
}

// Has reports whether a list has pages, or should have some.
func Has(l *lists.List) bool { return l.Web != lists.WebNobody || Kept(l) }

// Remind makes the next superlist deliver update the pages of a list, to show the post
// with a number, or 0.
func Remind(s *site.Site, w ledger.Writer, l *lists.List, number int, now time.Time) error {
	return w.Remind(ledger.Pages(s.QueueDir), l.Addr.Address()+" "+strconv.Itoa(number), now)
}

// aMoment is longer than a change takes, from Before to After.
const aMoment = time.Minute

// Before is called before a change after which the pages must show less. It makes sure that
// superlist deliver looks at them, even if this process does not come to After.
func Before(s *site.Site, l *lists.List, now time.Time) error {
	if !Kept(l) {
		return nil
	}
	if err := s.Spool().Init(); err != nil {
		return err
	}
	return Remind(s, s.Writer(), l, 0, now.Add(aMoment))
}

// After updates the pages of a list after a change of its settings or posts: what must no
// longer be shown is removed at once. If there is more to do it reminds the next superlist
// deliver, and returns true.
func After(s *site.Site, l *lists.List, now time.Time) (more bool, err error) {
	if !Has(l) {
		return false, nil
	}
	more = true
	if l.Web == lists.WebNobody || Kept(l) {
		if more, err = Of(s, l).Update(1); err != nil {
			return false, fmt.Errorf("the pages of %s: %w; superlist web %s tries again", l.Addr.Address(), err, l.Addr.Address())
		}
	}
	if !more {
		return false, nil
	}
	if err := s.Spool().Init(); err != nil { // no session may have begun yet
		return false, err
	}
	return true, Remind(s, s.Writer(), l, 0, now)
}

// Address returns the list's address.
func (l *List) Address() string { return l.Name + "@" + l.Domain }

func (l *List) verb(verb string) string { return l.Name + l.Delimiter + verb + "@" + l.Domain }

// perDir is how many posts and threads a directory has.
const perDir = 1000

// postPath returns the permanent path of a post.
func postPath(n int) string {
	return strconv.Itoa(n/perDir) + "/" + strconv.Itoa(n) + ".html"
}

// threadPath returns the path of a page of a thread, counted from 1.
func threadPath(thread, page int) string {
	return "t/" + strconv.Itoa(thread/perDir) + "/" + paged(strconv.Itoa(thread), page)
}

// monthPath returns the path of a page of a month, counted from 1.
func monthPath(month string, page int) string { return paged(month, page) }

func paged(name string, page int) string {
	if page > 1 {
		name += "-" + strconv.Itoa(page)
	}
	return name + ".html"
}

// PostURL returns the permanent address of a post.
func (l *List) PostURL(n int) string { return l.Base + postPath(n) }

// up returns the relative path from a page to the top of the list's pages.
func up(path string) string { return strings.Repeat("../", strings.Count(path, "/")) }

// ContentPolicy keeps a page from running, loading or sending anything. Our pages do
// none of that; the policy is for our mistakes.
const ContentPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Files matches the paths, below a list's address, at which there may be a page or
// another file.
const Files = `(index\.html|new\.atom|style\.css|[0-9]+-[0-9]+(-[0-9]+)?\.(html|mbox\.gz)|(t/)?[0-9]+/[0-9]+(-[0-9]+)?\.html)?`

var isFile = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^" + Files + "$") })

// File opens a page, or another file among the pages, for a list whose pages no web
// server serves. fs.ErrNotExist means that there is none at this path.
func (l *List) File(path string) (f *os.File, size int64, kind string, err error) {
	if !isFile().MatchString(path) {
		return nil, 0, "", &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	if path == "" {
		path = "index.html"
	}
	f, info, err := disk.OpenRegular(filepath.Join(l.Dir, path), unix.O_RDONLY|unix.O_NOFOLLOW)
	if err != nil {
		return nil, 0, "", err
	}
	return f, info.Size(), kinds[filepath.Ext(path)], nil
}

var kinds = map[string]string{".html": "text/html; charset=utf-8", ".atom": "application/atom+xml; charset=utf-8", ".css": "text/css; charset=utf-8", ".gz": "application/gzip"}
