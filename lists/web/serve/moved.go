package serve

import (
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/web"
	"superlist/smtp"
)

// Programs whose archives people still have links into name their pages so:
//
//	HyperKitty   /hyperkitty/list/dev@lists.example.org/message/HASH/
//	             /hyperkitty/list/dev@lists.example.org/2026/11/
//	pipermail    /pipermail/dev/2026-November/000123.html
//
// Below what path the archives were is the site's choice. Other addresses do not name the
// list, such as those of ezmlm-cgi, or have no common form; the list's file moved.map may
// name them, each or by a pattern.

// moved leads from an old address to the post, or the page, that was there. It reports
// whether it has answered.
func (a *answer) moved() bool {
	if a.r.Method != http.MethodGet && a.r.Method != http.MethodHead {
		return false
	}
	domain, path, ok := a.Site.Web.Domain(a.r.Host, a.r.URL.Path)
	if !ok || !a.Site.Web.Requests {
		return false
	}
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if i := slices.Index(parts, "list"); i >= 0 && i+1 < len(parts) && strings.Contains(parts[i+1], "@") {
		return a.movedTo(parts[i+1], parts[i+2:], a.hyperKitty)
	}
	if i := slices.Index(parts, "pipermail"); i >= 0 && i+1 < len(parts) {
		if a.movedTo(parts[i+1]+"@"+domain, parts[i+2:], a.pipermail) {
			return true
		}
	}
	return a.mapped(domain)
}

// movedTo opens a list, and asks where in its archive the rest of an old address leads. A
// client who may not read the list learns nothing, not even that it exists.
func (a *answer) movedTo(address string, rest []string, where func(rest []string) (to string, err error)) bool {
	addr, ok := smtp.ParseAddress(address)
	if !ok || a.open(addr) != nil || !a.mayRead() {
		a.list, a.web = nil, nil
		return false
	}
	to, err := where(rest)
	if err != nil {
		a.trouble(err)
		return true
	}
	if to == "" {
		a.list, a.web = nil, nil
		return false
	}
	http.Redirect(a.w, a.r, to, http.StatusMovedPermanently)
	return true
}

// postAt returns the address of what the map has for an old address.
func (a *answer) postAt(old string) (string, error) {
	n, err := a.web.Moved(old)
	if n == 0 || err != nil {
		return "", err
	}
	return a.web.PostURL(n), nil
}

func (a *answer) hyperKitty(rest []string) (string, error) {
	switch {
	case len(rest) == 0 || rest[0] == "latest":
		return a.web.Base, nil
	case len(rest) >= 2 && (rest[0] == "message" || rest[0] == "thread"):
		return a.postAt(rest[1])
	case len(rest) == 2:
		year, yerr := strconv.Atoi(rest[0])
		month, merr := strconv.Atoi(rest[1])
		if yerr == nil && merr == nil && 1 <= month && month <= 12 {
			return a.monthOf(time.Date(year, time.Month(month), 1, 0, 0, 0, 0, time.UTC)), nil
		}
	}
	return "", nil
}

// pipermail counts posts from 0 on, as they are in its mbox, and an import of that counts
// them from 1 on. If the post is of another month it counts otherwise, and the month is
// all that is known.
func (a *answer) pipermail(rest []string) (string, error) {
	if len(rest) == 0 {
		return a.web.Base, nil
	}
	month, err := time.Parse("2006-January", rest[0])
	if err != nil {
		return "", nil
	}
	name, isPage := strings.CutSuffix(rest[len(rest)-1], ".html")
	if n, err := strconv.Atoi(name); isPage && err == nil && len(rest) == 2 {
		e, err := a.web.Posts.Entry(n + 1)
		if err == nil && web.InMonth(e, month.Format("2006-01")) {
			return a.web.PostURL(n + 1), nil
		}
	}
	return a.monthOf(month), nil
}

func (a *answer) monthOf(t time.Time) string { return a.web.MonthURL(t.Format("2006-01")) }

// mapped looks for an old address in the maps of the domain's lists.
func (a *answer) mapped(domain string) bool {
	old := a.r.URL.Path
	if a.r.URL.RawQuery != "" {
		old += "?" + a.r.URL.RawQuery
	}
	maps, _ := filepath.Glob(filepath.Join(lists.Of(a.Site).Root, domain, "*", web.MovedMap))
	for _, file := range maps {
		list := filepath.Base(filepath.Dir(file)) + "@" + domain
		if a.movedTo(list, nil, func([]string) (string, error) { return a.postAt(old) }) {
			return true
		}
	}
	return false
}
