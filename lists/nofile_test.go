package lists

import (
	"errors"
	"os"
	"strings"
	"testing"

	"superlist/lists/members"
)

func TestMembersNoFile(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	os.Remove(l.MembersFile())
	if _, err := l.Members(); !errors.Is(err, members.ErrNoFile) {
		t.Errorf("none: %v", err)
	}
	edit(t, l, "a@example.com")
	if _, ok := find(t, l, "a@example.com"); !ok {
		t.Error("not made")
	}
	os.Remove(l.MembersFile())
	os.Mkdir(l.MembersFile(), 0o700)
	if _, err := l.Members(); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a directory: %v", err)
	}
}
