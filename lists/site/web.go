package site

import (
	"path/filepath"
	"strings"

	"superlist/lists/config"
	"superlist/smtp"
)

// A Web is the table [web]: where the pages of the archives are.
type Web struct {
	URL  string // for a browser, with {domain} where that of the list stands
	Root string // the directory; the pages of a list are in DOMAIN/NAME below it
}

func newWeb() Web { return Web{URL: "https://{domain}", Root: "/var/www/superlist"} }

// Keys are the keys of the table.
func (w *Web) Keys() []config.Key {
	return []config.Key{
		{Name: "url", To: &w.URL},
		{Name: "root", To: &w.Root},
	}
}

// Of is where the pages of a list are for a browser, with a / at its end.
func (w *Web) Of(list smtp.Path) string {
	return strings.ReplaceAll(strings.TrimSuffix(w.URL, "/"), "{domain}", list.Domain) + "/" + list.Local + "/"
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
	}
	return nil
}
