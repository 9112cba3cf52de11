// Package api lets programs, such as a hosting panel, see and change lists over HTTP, as
// JSON. superlist-web serves it below /api/v1/; docs/api.md and docs/openapi.json describe
// it. The pages of owners see the same through the same functions.
//
// Whoever asks has a token (package access), in the field Authorization alone: no browser
// sends that by itself, so no page of somebody else's can ask. A token that is forged, has
// expired or was removed gets the same answer, and so do a list that does not exist and one
// that the token is not for.
//
// A GET changes nothing. Anything else puts an order into the spool, and the answer is 202
// once it is durable there; superlist deliver checks the token again and carries it out,
// and /api/v1/requests/ID says what has become of it. A program that cannot wait for that
// sends Prefer: wait=10 (RFC 7240).
package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/access"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// Path is where the API is, below the address of a domain's pages.
const Path = "api/v1/"

// A Server answers requests.
type Server struct {
	Site   *site.Site
	Log    *maillog.Log
	Now    time.Time
	Client string      // as in a queue file
	Share  queue.Share // of the client's network
	Sleep  func(time.Duration)
}

// A call is a request being answered.
type call struct {
	Server
	w      http.ResponseWriter
	r      *http.Request
	token  access.Token
	secret access.Secret
	list   *lists.List // if the path names one
	args   []string    // of the path, behind the list
}

// Serve answers a request; path is what follows Path, as the client has sent it.
func (s Server) Serve(w http.ResponseWriter, r *http.Request, path string) {
	c := &call{Server: s, w: w, r: r}
	w.Header().Set("Cache-Control", "no-store")
	tokens, err := access.Load(s.Site.ListsDir)
	if err != nil {
		c.trouble(err)
		return
	}
	scheme, word, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		word = ""
	}
	if c.token, c.secret, err = access.Of(tokens, strings.TrimSpace(word), s.Now); err != nil {
		w.Header().Set("WWW-Authenticate", "Bearer")
		c.problem(http.StatusUnauthorized, "send Authorization: Bearer, followed by a token that superlist token new has made and that is still good")
		return
	}
	c.route(path)
}

// route finds what answers a path.
func (c *call) route(path string) {
	var parts []string
	for part := range strings.SplitSeq(strings.TrimSuffix(path, "/"), "/") {
		part, err := url.PathUnescape(part)
		if err != nil {
			c.nothing()
			return
		}
		parts = append(parts, part)
	}
	var allow []string
	for _, t := range routes() {
		args, ok := t.fits(parts)
		if !ok {
			continue
		}
		if c.r.Method != t.Method && !(c.r.Method == http.MethodHead && t.Method == http.MethodGet) {
			allow = append(allow, t.Method)
			continue
		}
		c.args = args
		c.serve(t)
		return
	}
	if allow == nil {
		c.nothing()
		return
	}
	if slices.Contains(allow, http.MethodGet) {
		allow = append(allow, http.MethodHead)
	}
	c.w.Header().Set("Allow", strings.Join(allow, ", "))
	c.problem(http.StatusMethodNotAllowed, "use one of "+strings.Join(allow, ", "))
}

// serve answers a request for a route: as far as its token permits.
func (c *call) serve(t Route) {
	if t.Scope != "" && !c.token.Has(t.Scope) {
		c.lacks(t.Scope)
		return
	}
	if strings.HasPrefix(t.Path, "lists/{list}") {
		addr, ok := smtp.ParseAddress(c.args[0])
		c.args = c.args[1:]
		if !ok {
			c.noList()
			return
		}
		l, err := lists.Of(c.Site).Open(addr)
		switch {
		case errors.Is(err, lists.ReplyNoList), err == nil && !c.token.Covers(l.Addr):
			c.noList()
			return
		case err != nil:
			c.trouble(err)
			return
		}
		c.list = l
	}
	t.do(c)
}

// fits reports whether a path is the route's, and returns what stands for its words in
// braces.
func (t Route) fits(parts []string) (args []string, ok bool) {
	want := strings.Split(t.Path, "/")
	if len(want) != len(parts) {
		return nil, false
	}
	for i, word := range want {
		switch {
		case strings.HasPrefix(word, "{") && parts[i] != "":
			args = append(args, parts[i])
		case word != parts[i]:
			return nil, false
		}
	}
	return args, true
}

// A Problem is an answer to what cannot be done: RFC 9457.
type Problem struct {
	Type   string `json:"type" doc:"always about:blank"`
	Title  string `json:"title" doc:"the name of the status"`
	Status int    `json:"status" doc:"the status again"`
	Detail string `json:"detail" doc:"what is wrong, and what to do"`
}

func (c *call) problem(status int, detail string) {
	c.write(status, "application/problem+json", Problem{"about:blank", http.StatusText(status), status, detail})
}

func (c *call) lacks(s access.Scope) {
	c.w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+string(s)+`"`)
	c.problem(http.StatusForbidden, "the token does not have the scope "+string(s)+"; superlist token new makes one that has")
}

func (c *call) nothing() {
	c.problem(http.StatusNotFound, "there is nothing here; docs/api.md has what there is")
}

func (c *call) noList() {
	c.problem(http.StatusNotFound, "there is no such list, or the token is not for it; superlist token ls says for which lists it is")
}

// wrong answers to what a program has sent and cannot be used.
func (c *call) wrong(detail string) { c.problem(http.StatusUnprocessableEntity, detail) }

// trouble answers after a local fault, which goes to the log.
func (c *call) trouble(err error) {
	c.Log.Printf(maillog.Err, "trouble web path=%q error=%q", c.r.URL.EscapedPath(), err)
	c.w.Header().Set("Retry-After", "300")
	c.problem(http.StatusServiceUnavailable, "this host has trouble; ask again later, and have its operator look into the log")
}

// ok answers with what was asked for.
func (c *call) ok(data any) { c.write(http.StatusOK, "application/json", data) }

func (c *call) write(status int, kind string, data any) {
	c.w.Header().Set("Content-Type", kind)
	c.w.WriteHeader(status)
	if c.r.Method == http.MethodHead {
		return
	}
	e := json.NewEncoder(c.w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	e.Encode(data)
}
