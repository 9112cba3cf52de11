package edit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/smtp"
)

// TestMoveIsRefused leaves all as it was.
func TestMoveIsRefused(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	other, err := Create(lists.Of(s), addr("other@lists.example.org"), []smtp.Path{addr("olga@example.org")}, []string{"aliases=second@lists.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]error{
		"other@lists.example.org": fs.ErrExist, "second@lists.example.org": fs.ErrExist,
		"dev@lists.example.org": nil, "a+b@lists.example.org": nil, "a..b@lists.example.org": nil, "a.@lists.example.org": nil,
	} {
		p := smtp.Path{Local: to[:strings.IndexByte(to, '@')], Domain: "lists.example.org"}
		_, err := Move(lists.Of(s), l, p)
		var input *InputError
		if want != nil && !errors.Is(err, want) || want == nil && !errors.As(err, &input) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if err := Set(l, []string{"aliases=free@lists.example.org,other@lists.example.org"}); err == nil {
		t.Error("another list became an alias")
	}
	if _, err := lists.Of(s).Open(addr("free@lists.example.org")); !errors.Is(err, lists.ReplyNoList) {
		t.Errorf("half of the aliases were made: %v", err)
	}
	if err := Set(l, []string{"aliases=free@lists.example.org"}); err != nil {
		t.Fatal(err)
	}
	if err := Set(l, []string{"aliases="}); err != nil {
		t.Fatal(err)
	}
	if _, err := lists.Of(s).Open(addr("free@lists.example.org")); !errors.Is(err, lists.ReplyNoList) {
		t.Errorf("an alias that was taken away: %v", err)
	}
	if _, err := Create(lists.Of(s), addr("second@lists.example.org"), other.OwnerPaths(), nil); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a list where an alias is: %v", err)
	}
	// One that leads nowhere, and two that lead to each other, defer mail.
	for name, to := range map[string]string{"lost": "gone@lists.example.org", "ring": "rong@lists.example.org", "rong": "ring@lists.example.org"} {
		if err := os.WriteFile(filepath.Join(s.ListsDir, "lists.example.org", name), []byte(to+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"lost", "ring"} {
		_, err := lists.Of(s).Open(addr(name + "@lists.example.org"))
		var config *config.Error
		if !errors.As(err, &config) || errors.Is(err, lists.ReplyNoList) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
