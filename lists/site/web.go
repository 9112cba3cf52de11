package site

import (
	"path/filepath"
	"strings"

	"superlist/lists/config"
	"superlist/smtp"
)

// A Web is the table [web]: where the pages of the archives are.
type Web struct {
	URL  string // for browsers, with {domain} for the list's domain
	Root string // the directory; the pages of a list are in DOMAIN/NAME below it

	Requests bool   // superlist-web answers for what is not a file
	Client   string // the field in which the proxy on its socket names the client; empty: none is trusted
}

// Fields in which a proxy names the client. The first it overwrites, to the second it
// appends.
const (
	RealIP       = "X-Real-IP"
	ForwardedFor = "X-Forwarded-For"
)

func newWeb() Web { return Web{URL: "https://{domain}", Root: "/var/www/superlist"} }

// Keys returns the keys that the table may have.
func (w *Web) Keys() []config.Key {
	return []config.Key{
		{Name: "url", To: &w.URL},
		{Name: "root", To: &w.Root},
		{Name: "requests", To: &w.Requests},
		{Name: "client", To: &w.Client},
	}
}

// Of returns the web address of a list's pages, ending with /.
func (w *Web) Of(list smtp.Path) string {
	return strings.ReplaceAll(strings.TrimSuffix(w.URL, "/"), "{domain}", list.Domain) + "/" + list.Local + "/"
}

// Domain returns the domain that a request is about, and the rest of its path, without
// a leading /. It is the reverse of Of. ok is false if the request is about none.
func (w *Web) Domain(host, path string) (domain, rest string, ok bool) {
	_, base, _ := strings.Cut(strings.TrimSuffix(w.URL, "/"), "://")
	if at := strings.LastIndexByte(host, ':'); at >= 0 && !strings.HasSuffix(host, "]") {
		if wanted, _, _ := strings.Cut(base, "/"); !strings.Contains(wanted, ":") {
			host = host[:at]
		}
	}
	front, behind, _ := strings.Cut(base, "{domain}")
	got, ok := strings.CutPrefix(strings.ToLower(host)+path, front)
	if !ok {
		return "", "", false
	}
	end := strings.IndexByte(got, '/')
	if end < 0 {
		return "", "", false
	}
	if host, _, _ := strings.Cut(behind, "/"); host != "" { // it continues within the same label
		end = strings.Index(got, behind)
		if end < 0 {
			return "", "", false
		}
	}
	domain, rest = got[:end], got[end:]
	if rest, ok = strings.CutPrefix(rest, behind+"/"); !ok || domain == "" {
		return "", "", false
	}
	return domain, rest, true
}

func (s *Site) checkWeb() error {
	rest, ok := strings.CutPrefix(s.Web.URL, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(s.Web.URL, "http://")
	}
	switch host, _, _ := strings.Cut(rest, "/"); {
	case !ok || host == "" || strings.ContainsFunc(rest, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("\"<>\\^`|?#'%@", c) }):
		return s.wrong("web.url", `must be an address like "https://{domain}" or "https://www.example.org/lists/{domain}"`)
	case strings.Count(rest, "{domain}") != 1 || strings.Count(rest, "{") != 1 || strings.Count(rest, "}") != 1:
		return s.wrong("web.url", "must have {domain} in it once, where the domain of a list stands: lists of two domains may have one name")
	case !filepath.IsAbs(s.Web.Root):
		return s.wrong("web.root", "must begin with /")
	case s.Web.Client != "" && s.Web.Client != RealIP && s.Web.Client != ForwardedFor:
		return s.wrong("web.client", `must be "X-Real-IP" or "X-Forwarded-For", or empty`)
	}
	return nil
}
