package lists

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/config"
	"superlist/lists/listtest"
	"superlist/lists/site"
	"superlist/smtp"
)

// testSite makes a site in a directory of its own. more is TOML that is added.
func testSite(t testing.TB, more string) *site.Site {
	t.Helper()
	return listtest.Site(t, nil, more)
}

// testList makes a list with some settings and a members file as it stands.
func testList(t testing.TB, s *site.Site, members string, settings ...string) *List {
	t.Helper()
	l, err := EditCreate(Of(s), addr("dev@lists.example.org"), []smtp.Path{addr("olga@example.org")}, settings)
	if err != nil {
		t.Fatal(err)
	}
	byHand(t, l, members)
	return l
}

// byHand writes a members file as an editor does.
func byHand(t testing.TB, l *List, members string) {
	t.Helper()
	if err := os.WriteFile(l.MembersFile(), []byte(members), 0o600); err != nil {
		t.Fatal(err)
	}
	// An editor saves at any moment but the marked one.
	saved := time.Unix(1795297644, 123456789)
	if err := os.Chtimes(l.MembersFile(), saved, saved); err != nil {
		t.Fatal(err)
	}
}

func addr(s string) smtp.Path { return listtest.Path(s) }

// TestOpen opens what is a list and what is none.
func TestOpen(t *testing.T) {
	s := testSite(t, "")
	testList(t, s, "")
	domain := filepath.Join(s.ListsDir, "lists.example.org")
	os.WriteFile(filepath.Join(domain, "notes"), nil, 0o600) // an operator's file
	os.Mkdir(filepath.Join(domain, "empty"), 0o700)
	os.Mkdir(filepath.Join(s.ListsDir, "empty.example.org"), 0o700)

	l, err := Of(s).Open(addr("DEV@Lists.Example.ORG"))
	if err != nil || l.Addr != addr("dev@lists.example.org") || l.ID() != "dev.lists.example.org" {
		t.Errorf("in upper case: %+v, %v", l, err)
	}
	for _, a := range []string{"nosuch@lists.example.org", "dev@example.org", "notes@lists.example.org",
		`".."@lists.example.org`, `"../dev"@lists.example.org`, "dev@[192.0.2.1]", ".hidden@lists.example.org"} {
		if l, err := Of(s).Open(addr(a)); !errors.Is(err, ReplyNoList) {
			t.Errorf("%s: %v, %v", a, l, err)
		}
	}

	// What is half there defers mail and does not refuse it for good.
	var lost *config.Error
	if _, err := Of(s).Open(addr("empty@lists.example.org")); !errors.As(err, &lost) || lost.File != domain+"/empty/list.toml" {
		t.Errorf("without list.toml: %v", err)
	}
	gone := *s
	gone.ListsDir += "-not-mounted"
	if _, err := Of(&gone).Open(addr("dev@lists.example.org")); !errors.As(err, &lost) || lost.File != gone.ListsDir {
		t.Errorf("without lists_dir: %v", err)
	}

	var seen []string
	err = Of(s).All(func(addr smtp.Path, l *List, err error) bool {
		seen = append(seen, fmt.Sprintf("%s %v %v", addr.Address(), l != nil, err))
		return true
	})
	want := []string{"dev@lists.example.org true <nil>", "empty@lists.example.org false <empty@lists.example.org>: " + domain + "/empty/list.toml: it is not there"}
	if err != nil || strings.Join(seen, "\n") != strings.Join(want, "\n") {
		t.Errorf("all: %v\n%s", err, strings.Join(seen, "\n"))
	}
}

// A broken list.toml defers mail, and does not lose it.
func TestOpenBroken(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	os.WriteFile(l.ConfigFile(), []byte("owners = [\n"), 0o600)
	_, err := Of(s).Open(l.Addr)
	var config *config.Error
	if !errors.As(err, &config) || smtp.ReplyTo(err) != smtp.ReplyLocal {
		t.Errorf("%v", err)
	}
}

// TestServes: which domains have lists here, and which of them have other
// addresses too.
func TestServes(t *testing.T) {
	dir := t.TempDir()
	s := &site.Site{ListsDir: filepath.Join(dir, "lists"), SharedDomains: []string{"Example.ORG"}}
	if _, err := Of(s).Serves("example.org"); err == nil {
		t.Error("it can be told without lists_dir")
	}
	if err := os.MkdirAll(filepath.Join(s.ListsDir, "example.org", "dev"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.ListsDir, "file.example"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for domain, want := range map[string]bool{
		"example.org": true, "EXAMPLE.org": true, "example.com": false, "file.example": false,
		"": false, "..": false, "../lists/example.org": false, "example.org/dev": false, "[192.0.2.1]": false,
	} {
		if got, err := Of(s).Serves(domain); got != want || err != nil {
			t.Errorf("%q: %t, %v", domain, got, err)
		}
	}
	if !s.Shares("example.org") || s.Shares("example.com") {
		t.Error("the wrong domains are shared")
	}
}
