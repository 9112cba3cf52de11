// Package serve answers the requests that static pages cannot: for the post with a
// Message-ID, for a post or a thread as it was sent, for attachments, and for forms that
// change something. One process answers one request.
//
//	/dev/MESSAGE-ID/            leads to the post, or lists several
//	/dev/MESSAGE-ID/raw         the post as it was sent, or veiled
//	/dev/MESSAGE-ID/t.mbox.gz   its thread as mboxrd, for b4 and mail programs
//	/dev/MESSAGE-ID/t.atom      its thread as a feed
//	/dev/4711/raw …             the same for the post with a number
//	/dev/4711/part/2            an attachment
//	/dev/search?q=WORDS         the posts that have them; x=A: as a feed, x=m: as an mbox
//	/dev/u/TOKEN                a member leaves (RFC 8058)
//	/dev/join                   somebody asks to become a member
//	/dev/c/TOKEN                a letter's question is answered
//	/dev/options                a member's options, for whoever has the link from a letter
//	/dev/mod                    what waits for moderators and owners
//	/dev/members                who is on the list, for owners
//	/dev/settings               what the list does, for owners; bounces, activity
//	/api/v1/…                   all of this for programs: package api
//	/hyperkitty/list/…          old addresses of posts: see moved.go
//
// A GET changes nothing, whoever sends it. A POST writes a request into the spool, which
// deliver carries out as if it had come by mail; the answer is 200 once the request is
// durable. Nothing else is written. Pages that are not public and pages that do not exist get
// the same answer; so do all links that do nothing: forged, too old, used, or another list's.
package serve

import (
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/lists/web"
	"superlist/lists/weblink"
	"superlist/smtp"
)

// A Handler answers for the lists of a site.
type Handler struct {
	Site *site.Site
	Log  *maillog.Log
	Now  func() time.Time // nil: the clock

	Sleep func(time.Duration) // nil: time.Sleep
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", web.ContentPolicy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("X-Robots-Tag", "noindex")
	a := &answer{Handler: h, w: w, r: r, now: h.moment(), began: time.Now()}
	if path, ok := a.apiPath(); ok {
		a.api(path)
		return
	}
	parts, err := a.find()
	switch {
	case err != nil:
		a.trouble(err)
	case a.list == nil && a.moved():
	case acts[parts[0]] != nil && a.list == nil:
		a.nothing()
	case acts[parts[0]] != nil:
		head.Set("Cache-Control", "no-store")
		// On pages whose policy is no-referrer, browsers send our forms with "Origin:
		// null", as if from another site: Fetch, "append a request Origin header".
		head.Set("Referrer-Policy", "same-origin")
		acts[parts[0]](a, parts[1:])
	case len(parts) == 1 && parts[0] == "search" && !a.mayRead():
		a.unread()
	case len(parts) == 1 && parts[0] == "search":
		if a.methods() { // lei asks by POST
			a.search()
		}
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		head.Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD are answered here", http.StatusMethodNotAllowed)
	case len(parts) == 1 && parts[0] == "style.css": // whatever the list, so that it says nothing
		head.Set("Content-Type", "text/css; charset=utf-8")
		w.Write(web.Style())
	case !a.mayRead():
		a.unread()
	case parts[0] == "" && !strings.HasSuffix(r.URL.Path, "/"): // links lead on from /dev/
		http.Redirect(w, r, a.web.Base, http.StatusMovedPermanently)
	case a.list.Web == lists.WebMembers && a.file(strings.Join(parts, "/")):
	default:
		a.route(parts)
	}
}

// mayRead reports whether the client may read the list's archive: anybody may, or only
// people who have logged in and are a member or an owner at this moment.
func (a *answer) mayRead() bool {
	if a.list == nil || a.list.Web != lists.WebMembers {
		return a.list != nil && a.list.Web == lists.WebAnyone
	}
	a.w.Header().Set("Cache-Control", "private, no-store")
	who, ok, err := a.who()
	if err == nil && ok && !a.list.IsOwner(who) {
		ok, err = a.isMember(who)
	}
	if err != nil {
		a.Log.Printf(maillog.Err, "trouble web path=%q error=%q", a.r.URL.EscapedPath(), err)
	}
	return err == nil && ok
}

// unread answers a client who may not read. If members may, it leads to their log-in,
// whatever was requested.
func (a *answer) unread() {
	if a.list == nil || a.list.Web != lists.WebMembers {
		a.nothing()
		return
	}
	a.see("options")
}

// file answers with a page of a list that only members may read, if there is one at
// this path.
func (a *answer) file(path string) bool {
	f, size, kind, err := a.web.File(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err != nil {
		a.trouble(err)
		return true
	}
	defer f.Close()
	a.w.Header().Set("Content-Type", kind)
	a.w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	if a.r.Method != http.MethodHead {
		io.CopyN(a.w, f, size) // a month of posts is not held in memory
	}
	return true
}

// acts are the pages on which somebody can do something, by the first part of their
// path below the list's. Each decides itself whom it answers.
var acts = map[string]func(a *answer, rest []string){
	string(weblink.Leave):    func(a *answer, rest []string) { a.leave(strings.Join(rest, "/")) },
	string(weblink.Confirm):  func(a *answer, rest []string) { a.confirm(strings.Join(rest, "/")) },
	string(weblink.LogIn):    func(a *answer, rest []string) { a.options(strings.Join(rest, "/")) },
	string(weblink.Moderate): func(a *answer, rest []string) { a.moderate(strings.Join(rest, "/")) },
	membersPage:              func(a *answer, rest []string) { a.members() },
	settingsPage:             func(a *answer, rest []string) { a.settings() },
	bouncesPage:              func(a *answer, rest []string) { a.bounces() },
	activityPage:             func(a *answer, rest []string) { a.activity() },
	"join":                   func(a *answer, rest []string) { a.join() },
}

// find finds the list that a request is about, and returns the part of the path after
// the name of the list, split and decoded. If there is no such list, a.list stays nil.
func (a *answer) find() (parts []string, err error) {
	path := a.r.URL.EscapedPath()
	if list, token, ok := weblink.UnsubscribePath(a.Site, a.r.Host, path); ok {
		addr, ok := smtp.ParseAddress(list)
		if !ok {
			return []string{""}, nil
		}
		return []string{string(weblink.Leave), token}, a.open(addr)
	}
	domain, path, ok := a.Site.Web.Domain(a.r.Host, path)
	if !ok || !a.Site.Web.Requests {
		return []string{""}, nil
	}
	name, rest, _ := strings.Cut(path, "/")
	for part := range strings.SplitSeq(rest, "/") {
		if part, err = url.PathUnescape(part); err != nil {
			return []string{""}, nil
		}
		parts = append(parts, part)
	}
	addr, ok := smtp.ParseAddress(name + "@" + domain)
	if !ok {
		return parts, nil
	}
	return parts, a.open(addr)
}

// open opens the list, if it exists.
func (a *answer) open(list smtp.Path) error {
	l, err := lists.Of(a.Site).Open(list)
	if errors.Is(err, lists.ReplyNoList) {
		return nil
	}
	if err != nil {
		return err
	}
	a.list, a.web = l, web.Of(a.Site, l)
	return nil
}

// An answer is a request being answered.
type answer struct {
	*Handler
	w    http.ResponseWriter
	r    *http.Request
	now  time.Time
	list *lists.List // nil: there is none
	web  *web.List

	visit weblink.Visit // of whoever has logged in
	began time.Time
}

// trouble handles a local fault: it logs the error, and the client is told to come
// again.
func (a *answer) trouble(err error) {
	a.Log.Printf(maillog.Err, "trouble web path=%q error=%q", a.r.URL.EscapedPath(), err)
	Unavailable(a.w, a.r)
}

// route finds the requested post, by number or Message-ID, and what of it is wanted.
func (a *answer) route(parts []string) {
	id, what := parts[0], strings.Join(parts[1:], "/")
	if left, right, ok := strings.Cut(what, "@"); ok && len(parts) > 1 && !strings.Contains(id, "@") && !isNumber(id) {
		// A web server may have decoded a %2F within a Message-ID: nginx and lighttpd do.
		domain, rest, _ := strings.Cut(right, "/")
		id, what = id+"/"+left+"@"+domain, rest
	}
	var posts []archive.Entry
	var err error
	if n, ok := number(id); ok {
		var e archive.Entry
		if e, err = a.web.Posts.Entry(n); err == nil {
			posts = append(posts, e)
		} else if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	} else if strings.Contains(id, "@") || what != "" {
		posts, err = a.web.Posts.ByMessageID("<" + strings.Trim(id, "<>") + ">")
	}
	if err == nil {
		posts, err = a.web.Seen(posts)
	}
	if err != nil {
		a.trouble(err)
		return
	}
	if len(posts) == 0 {
		a.missing(id)
		return
	}
	a.post(posts, id, what)
}

func isNumber(s string) bool { _, ok := number(s); return ok }

func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n > 0 && strconv.Itoa(n) == s
}

// missing answers about a post that does not exist, or no longer.
func (a *answer) missing(id string) {
	gone, err := a.web.Posts.Removed()
	if err != nil {
		a.trouble(err)
		return
	}
	if to, err := a.postAt(a.r.URL.Path); to != "" && err == nil { // below the list's own address
		http.Redirect(a.w, a.r, to, http.StatusMovedPermanently)
		return
	}
	hash := archive.MessageHash("<" + strings.Trim(id, "<>") + ">")
	for _, g := range gone {
		if g.Hash == hash {
			a.note(http.StatusGone, "page-gone")
			return
		}
	}
	a.note(http.StatusNotFound, "page-missing")
}

func (a *answer) note(status int, text string) {
	a.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	a.w.WriteHeader(status)
	a.w.Write(a.web.Note(text, nil))
}
