package lists

import (
	"os"
	"slices"
	"strings"
	"testing"

	"superlist/lists/members"
)

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
		t.Errorf("%s has %q, want %q", dir, got, want)
	}
}

// find looks an address up in the list's members as they are now.
func find(t testing.TB, l *List, address string) (members.Member, bool) {
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
