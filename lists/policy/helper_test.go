package policy

import (
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists"
	"superlist/lists/listtest"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/smtp"
)

// testSite makes a site in a directory of its own. more is TOML that is added.
func testSite(t testing.TB, more string) *site.Site {
	t.Helper()
	return listtest.Site(t, nil, more)
}

// testList makes a list by hand, as what makes lists stands above this package. The
// settings are lines of list.toml, "key=value" without quotes.
func testList(t testing.TB, s *site.Site, members string, settings ...string) *lists.List {
	t.Helper()
	text := "owners = [\"olga@example.org\"]\n"
	for _, setting := range settings {
		key, value, _ := strings.Cut(setting, "=")
		for _, k := range new(lists.Config).Keys() {
			if k.Name != key {
				continue
			}
			switch k.To.(type) {
			case *bool, *int:
			case *[]string:
				value = `["` + strings.ReplaceAll(value, ",", `", "`) + `"]`
			default:
				value = `"` + value + `"`
			}
		}
		text += key + " = " + value + "\n"
	}
	sitetest.Files(t, filepath.Join(s.ListsDir, "lists.example.org", "dev"), map[string]string{
		"list.toml": text, "members": members, "key": strings.Repeat("cd", 32) + "\n",
	})
	l, err := lists.Of(s).Open(addr("dev@lists.example.org"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func addr(s string) smtp.Path { return listtest.Path(s) }
