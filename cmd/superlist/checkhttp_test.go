package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/ledger/files"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/lists/web"
	"superlist/smtp"
)

// TestCheckWeb: check says what is wrong with a web server, and only that.
func TestCheckWeb(t *testing.T) {
	const dev, private = "/lists.example.org/dev/", "/lists.example.org/private/"
	var pages atomic.Pointer[http.HandlerFunc] // a request of the case before may still end
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*pages.Load())(w, r) }))
	defer server.Close()
	dir := t.TempDir()
	s, err := site.Load(sitetest.Write(t, dir, "[web]\nrequests = true\nroot = \""+filepath.Join(dir, "www")+"\"\nurl = \""+server.URL+"/{domain}\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	s.Ledger = files.On
	var all []*lists.List
	for name, value := range map[string]string{"dev": "web=anyone", "private": "web=nobody"} {
		l, err := edit.Create(lists.Of(s), smtp.Path{Local: name, Domain: "lists.example.org"}, nil, []string{value})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	good := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", web.ContentPolicy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		switch r.URL.Path {
		case dev:
			w.Write([]byte(`<link rel="canonical" href="` + server.URL + dev + `">`))
		case dev + "options":
			w.Header().Set("Cache-Control", "no-store")
		default:
			http.NotFound(w, r)
		}
	}
	but := func(path string, f func(w http.ResponseWriter)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == path {
				f(w)
				return
			}
			good(w, r)
		}
	}
	missing := func(w http.ResponseWriter) { w.WriteHeader(http.StatusNotFound) }
	for what, test := range map[string]struct {
		pages http.HandlerFunc
		want  string // of all that is not ok; empty: nothing
	}{
		"all is well":  {good, ""},
		"no page":      {but(dev, missing), "error: the page is not there: 404 Not Found"},
		"another page": {but(dev, func(w http.ResponseWriter) { w.Write([]byte("It works!")) }), "error: another page is there"},
		"no header":    {but(dev, func(w http.ResponseWriter) { w.Write([]byte(`rel="canonical" href="` + server.URL + dev + `"`)) }), "error: the page comes without Content-Security-Policy"},
		"a weaker policy": {but(dev, func(w http.ResponseWriter) {
			w.Header().Set("Content-Security-Policy", "default-src *")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Write([]byte(`rel="canonical" href="` + server.URL + dev + `"`))
		}), "warning: another Content-Security-Policy"},
		"no superlist-web":   {but(dev+"options", func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }), "error: superlist-web does not answer: 502"},
		"a private list":     {but(private+"new.atom", func(w http.ResponseWriter) { w.Write([]byte("<feed/>")) }), `error: anybody can read it, and web = "nobody"`},
		"it leads elsewhere": {but(dev, func(w http.ResponseWriter) { w.Header().Set("Location", "/login"); w.WriteHeader(http.StatusFound) }), "error: the page is not there: 302"},
		"it ends in between": {but(dev, func(http.ResponseWriter) { panic(http.ErrAbortHandler) }), "warning: it does not answer this host"},
	} {
		pages.Store(&test.pages)
		k := &checker{ctx: context.Background(), site: s}
		for _, l := range all {
			k.atWeb(l)
		}
		k.checkWeb()
		var bad []string
		for _, f := range k.findings {
			if f.Level != "ok" {
				bad = append(bad, f.Level+": "+f.Text)
				if f.Mend == "" {
					t.Errorf("%s: no mend for %s", what, f.Text)
				}
			}
		}
		if got := strings.Join(bad, "; "); test.want == "" && got != "" || !strings.HasPrefix(got, test.want) || strings.Count(got, "; ") > 0 {
			t.Errorf("%s: %q, want %q", what, got, test.want)
		}
	}
}

// TestCheckWebClient: check warns if superlist-web has a socket and nobody names the client.
func TestCheckWebClient(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	socket := l.Addr().String()
	for name, web := range map[string]site.Web{"warning": {Requests: true}, "named": {Requests: true, Client: site.RealIP}, "not in use": {}} {
		k := &checker{ctx: t.Context(), site: &site.Site{Web: web}}
		k.checkWebClient(socket)
		if warned := len(k.findings) == 1 && k.findings[0].Level == "warning" && k.findings[0].Mend != ""; warned != (name == "warning") || len(k.findings) > 1 {
			t.Errorf("%s: %+v", name, k.findings)
		}
	}
	l.Close()
	k := &checker{ctx: t.Context(), site: &site.Site{Web: site.Web{Requests: true}}}
	if k.checkWebClient(socket); len(k.findings) > 0 {
		t.Errorf("by CGI: %+v", k.findings)
	}
}
