package edit

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/listtest"
	"superlist/lists/members"
	"superlist/lists/site"
	"superlist/smtp"
)

// testSite makes a site in a directory of its own. more is TOML that is added.
func testSite(t testing.TB, more string) *site.Site {
	t.Helper()
	return listtest.Site(t, nil, more)
}

// testList makes a list with some settings and a members file as it stands.
func testList(t testing.TB, s *site.Site, text string, settings ...string) *lists.List {
	t.Helper()
	l, err := Create(lists.Of(s), addr("dev@lists.example.org"), []smtp.Path{addr("olga@example.org")}, settings)
	if err != nil {
		t.Fatal(err)
	}
	byHand(t, l, text)
	return l
}

// byHand writes a members file as an editor does.
func byHand(t testing.TB, l *lists.List, text string) {
	t.Helper()
	must(os.WriteFile(l.MembersFile(), []byte(text), 0o600))
	// An editor saves at any moment but the marked one.
	saved := time.Unix(1795297644, 123456789)
	must(os.Chtimes(l.MembersFile(), saved, saved))
}

// find looks an address up in the list's members as they are now.
func find(t testing.TB, l *lists.List, address string) (members.Member, bool) {
	t.Helper()
	m, err := l.Members()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	member, ok, err := m.Find(addr(address))
	if err != nil {
		t.Fatal(err)
	}
	return member, ok
}

func addr(s string) smtp.Path { return listtest.Path(s) }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// onlyThere wants these names in a directory and no others.
func onlyThere(t *testing.T, dir string, want ...string) {
	t.Helper()
	var got []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s has %q, want %q", filepath.Base(dir), got, want)
	}
}
