package intake

import (
	"os"
	"testing"

	"superlist/lists"
	"superlist/lists/edit"
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
func testList(t testing.TB, s *site.Site, members string, settings ...string) *lists.List {
	t.Helper()
	l, err := edit.Create(lists.Of(s), addr("dev@lists.example.org"), []smtp.Path{addr("olga@example.org")}, settings)
	if err == nil {
		err = os.WriteFile(l.MembersFile(), []byte(members), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func addr(s string) smtp.Path { return listtest.Path(s) }
