package weblink

import (
	"errors"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/ledger/files"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/smtp"
)

func newSite(t testing.TB) (*site.Site, *lists.List, *lists.List) {
	t.Helper()
	s, err := site.Load(sitetest.Write(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	var both [2]*lists.List
	s.Ledger = files.On
	for i, name := range []string{"dev", "users"} {
		if both[i], err = edit.Create(lists.Of(s), smtp.Path{Local: name, Domain: "lists.example.org"}, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	return s, both[0], both[1]
}

// TestRead: what one list has made for one thing is good for that, and as long as it
// should be; anything else is forged.
func TestRead(t *testing.T) {
	_, dev, users := newSite(t)
	now := time.Date(2026, 11, 30, 23, 59, 30, 0, time.UTC)
	for kind, life := range lives {
		token, err := Make(dev, kind, "alice@example.com", now)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(token, "alice") || strings.Trim(token, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("%s: %s", kind, token)
		}
		if again, _ := Make(dev, kind, "alice@example.com", now); again != token {
			t.Errorf("%s: another one each time", kind)
		}
		link, err := Read(dev, kind, token, now)
		if err != nil || link.Text != "alice@example.com" || link.Kind != kind || now.Sub(link.Made) >= kind.unit() || link.Made.After(now) {
			t.Errorf("%s: %+v %v", kind, link, err)
		}
		for _, test := range []struct {
			after time.Duration
			want  error
		}{{life - kind.unit(), nil}, {life + time.Second, ErrOld}, {2 * life, ErrOld}} {
			if _, err := Read(dev, kind, token, now.Add(test.after)); err != test.want {
				t.Errorf("%s after %v: %v", kind, test.after, err)
			}
		}
		if _, err := Read(users, kind, token, now); err != ErrForged {
			t.Errorf("%s of another list: %v", kind, err)
		}
		for other := range lives {
			if _, err := Read(dev, other, token, now); other != kind && err != ErrForged {
				t.Errorf("%s as %s: %v", kind, other, err)
			}
		}
		for i := range token {
			spoilt := []byte(token)
			if spoilt[i]++; i%2 == 0 {
				spoilt[i] = '0' + (spoilt[i]+7)%10
			}
			if _, err := Read(dev, kind, string(spoilt), now); err != ErrForged && string(spoilt) != token {
				t.Errorf("%s, spoilt at %d: %v", kind, i, err)
			}
		}
	}
	for _, token := range []string{"", "A", "====", strings.Repeat("A", 2000), "ä", strings.Repeat("A", 40)} {
		if _, err := Read(dev, Leave, token, now); err != ErrForged {
			t.Errorf("%q: %v", token, err)
		}
	}
}

// TestMoved: what a list has made is good under its old address once it has moved.
func TestMoved(t *testing.T) {
	s, dev, _ := newSite(t)
	now := time.Now()
	token, err := Make(dev, Leave, "alice@example.com", now)
	if err == nil {
		_, err = edit.Move(lists.Of(s), dev, smtp.Path{Local: "new", Domain: "example.org"})
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dev@lists.example.org", "new@example.org"} {
		addr, _ := smtp.ParseAddress(name)
		l, err := lists.Of(s).Open(addr)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Read(l, Leave, token, now); (err == nil) != (name == "dev@lists.example.org") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestURL: links are below the list's pages, or below unsubscribe_url, and there are none
// where nothing answers.
func TestURL(t *testing.T) {
	s, dev, _ := newSite(t)
	if got := URL(s, dev, Leave, "x"); got != "" {
		t.Errorf("nothing answers: %s", got)
	}
	now := time.Unix(1795297644, 0)
	if got, err := Leaving(s, dev, smtp.Path{Local: "alice", Domain: "example.com"}, now); err != nil || got != "dev+unsubscribe-alice=example.com@lists.example.org" {
		t.Error(got, err)
	}
	s.Web.Requests = true
	if got := URL(s, dev, Leave, "x"); got != "https://lists.example.org/dev/u/x" {
		t.Error(got)
	}
	s.Web.URL = "http://{domain}"
	if got := URL(s, dev, Leave, "x"); got != "" {
		t.Errorf("without TLS: %s", got)
	}
	if got := URL(s, dev, LogIn, "x"); got != "http://lists.example.org/dev/options/x" {
		t.Error(got)
	}
	s.UnsubscribeURL = "https://example.org/off/"
	got := URL(s, dev, Leave, "x")
	if got != "https://example.org/off/dev@lists.example.org/x" {
		t.Error(got)
	}
	for _, test := range []struct {
		host, path string
		ok         bool
	}{
		{"example.org", "/off/dev@lists.example.org/x", true},
		{"EXAMPLE.org:443", "/off/dev%40lists.example.org/x", true},
		{"example.org.evil.example", "/off/dev@lists.example.org/x", false},
		{"example.org", "/offdev@lists.example.org/x", false},
		{"example.org", "/off/x", false},
	} {
		list, token, ok := UnsubscribePath(s, test.host, test.path)
		if ok != test.ok || ok && (list != "dev@lists.example.org" || token != "x") {
			t.Errorf("%s%s: %q %q %v", test.host, test.path, list, token, ok)
		}
	}
}

// FuzzRead: nothing but what was made is read.
func FuzzRead(f *testing.F) {
	_, dev, _ := newSite(f)
	now := time.Now()
	token, err := Make(dev, Leave, "alice@example.com", now)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add(token[1:])
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		link, err := Read(dev, Leave, s, now)
		if err == nil != (s == token) || err != nil && !errors.Is(err, ErrForged) {
			t.Errorf("%q: %+v %v", s, link, err)
		}
	})
}
