package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/web"
)

const (
	// webTime is how long a web server may take for one answer: it has only to send a
	// file, or start superlist-web.
	webTime = 5 * time.Second

	// maxWebDomains is how many domains are asked for a page: one configuration serves
	// them all.
	maxWebDomains = 20

	// maxWebPage is how much of a page is read.
	maxWebPage = 1 << 20
)

// A webDomain is what is asked of the web server of a domain: for the first list that
// has pages, and for the first that nobody may read without a log-in.
type webDomain struct{ shown, hidden *lists.List }

// atWeb remembers a list for checkWeb.
func (k *checker) atWeb(l *lists.List) {
	d := k.web[l.Addr.Domain]
	if d == nil {
		if len(k.web) == maxWebDomains {
			return
		}
		if k.web == nil {
			k.web = make(map[string]*webDomain)
		}
		d = &webDomain{}
		k.web[l.Addr.Domain] = d
		k.webOrder = append(k.webOrder, d)
	}
	if l.Web == lists.WebAnyone && d.shown == nil {
		d.shown = l
	} else if l.Web != lists.WebAnyone && d.hidden == nil {
		d.hidden = l
	}
}

// A webAnswer is what a web server has answered.
type webAnswer struct {
	status int
	header http.Header
	body   string
}

// page requests a page as a browser without cookies does. It follows no redirect, and asks
// the host itself, whatever proxy the environment names.
func (k *checker) page(client *http.Client, url string) (a webAnswer, err error) {
	r, err := http.NewRequestWithContext(k.ctx, http.MethodGet, url, nil)
	if err != nil {
		return a, err
	}
	r.Header.Set("User-Agent", "superlist-check")
	answer, err := client.Do(r)
	if err != nil {
		return a, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxWebPage))
	return webAnswer{answer.StatusCode, answer.Header, string(body)}, err
}

// checkWeb asks the web server for the pages of each domain: whether they are there, with
// the headers that keep a browser from running anything, and whether those of other lists
// are not.
func (k *checker) checkWeb() {
	client := &http.Client{
		Timeout: webTime, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	for _, d := range k.webOrder {
		if d.shown == nil && (d.hidden == nil || d.hidden.Web != lists.WebMembers) {
			continue // the domain has no pages
		}
		if !k.checkWebDomain(client, d) {
			return // the next one would take as long
		}
	}
}

// checkWebClient checks that superlist-web is told where requests come from, if it listens
// on a socket.
func (k *checker) checkWebClient(socket string) {
	if !k.site.Web.Requests || k.site.Web.Client != "" {
		return
	}
	if c, err := (&net.Dialer{Timeout: webTime}).DialContext(k.ctx, "tcp", socket); err == nil { // by CGI there is none
		c.Close()
		k.warn("web.client", "no field is trusted to name the client of a request over "+socket+", so limits by network do not hold",
			"the first lines of what superlist setup web prints say what client in "+k.site.File()+" must be")
	}
}

// setUpWeb is what mends most of a web server.
const setUpWeb = "superlist setup web nginx (apache, lighttpd, caddy) prints what the web server needs"

// checkWebDomain reports whether the domain's web server answers at all.
func (k *checker) checkWebDomain(client *http.Client, d *webDomain) bool {
	l := d.shown
	if l == nil {
		l = d.hidden
	}
	pages := web.Of(k.site, l)
	about := "web " + pages.Base
	front, err := k.page(client, pages.Base)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer in %s", webTime)
	}
	if err != nil {
		k.warn(about, "it does not answer this host: "+err.Error(), setUpWeb+"; browsers may reach it nevertheless")
		return false
	}
	if d.shown != nil && k.front(about, pages, front) {
		k.ok(about, "the page is there, with the headers that it needs")
		k.robots(client, pages)
	}
	if k.site.Web.Requests {
		if a, err := k.page(client, pages.Base+"options"); err != nil || a.status != http.StatusOK || !strings.Contains(a.header.Get("Cache-Control"), "no-store") {
			k.wrong("web "+pages.Base+"options", "superlist-web does not answer: "+answered(a, err),
				"systemctl status superlist-web.socket; "+setUpWeb)
		} else {
			k.ok("web "+pages.Base+"options", "superlist-web answers")
		}
	}
	if d.hidden != nil {
		k.hidden(client, d.hidden)
	}
	return true
}

// answered says what came instead of the expected answer.
func answered(a webAnswer, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", a.status, http.StatusText(a.status))
}

// front judges the front page of a list that anyone may read.
func (k *checker) front(about string, pages *web.List, a webAnswer) bool {
	switch {
	case a.status != http.StatusOK:
		k.wrong(about, "the page is not there: "+answered(a, nil), setUpWeb)
	case !strings.Contains(a.body, `rel="canonical" href="`+pages.Base+`"`):
		k.wrong(about, "another page is there", setUpWeb+", and url below [web] says where browsers find the pages")
	case a.header.Get("Content-Security-Policy") == "" || a.header.Get("X-Content-Type-Options") != "nosniff":
		k.wrong(about, "the page comes without Content-Security-Policy or X-Content-Type-Options", setUpWeb)
	case len(a.header.Values("Content-Security-Policy")) > 1 || a.header.Get("Content-Security-Policy") != web.ContentPolicy:
		k.warn(about, "another Content-Security-Policy comes with the page: "+strings.Join(a.header.Values("Content-Security-Policy"), " | "), setUpWeb)
	default:
		return true
	}
	return false
}

// robots looks at robots.txt, which search engines read at the top of a host only.
func (k *checker) robots(client *http.Client, pages *web.List) {
	scheme, rest, _ := strings.Cut(pages.Base, "://")
	host, path, _ := strings.Cut(rest, "/")
	if strings.Count(path, "/") > 1 { // the host has pages of others, and a robots.txt of theirs
		return
	}
	url := scheme + "://" + host + "/robots.txt"
	if a, err := k.page(client, url); err != nil || a.status != http.StatusOK || !strings.Contains(strings.ToLower(a.body), "disallow") {
		k.warn("web "+url, "search engines are not kept from what is not a page: "+answered(a, err), setUpWeb)
	}
}

// hidden asks for pages of a list that the client may not read.
func (k *checker) hidden(client *http.Client, l *lists.List) {
	base := web.Of(k.site, l).Base
	for _, path := range []string{"", "index.html", "new.atom", "0/1.html"} {
		a, err := k.page(client, base+path)
		if err == nil && a.status == http.StatusOK {
			k.wrong("web "+base+path, fmt.Sprintf("anybody can read it, and web = %q", l.Web), "superlist web "+l.Addr.Address()+" removes its public pages; then look where the web server has it from")
			return
		}
	}
}
