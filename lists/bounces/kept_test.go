package bounces_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/bounces"
	"superlist/lists/ledger"
	"superlist/lists/listtest"
	"superlist/smtp"
)

// TestErase: the kept reports about somebody go, in whatever form they were addressed, and
// no other. What is in the way and no file of ours is passed by.
func TestErase(t *testing.T) {
	s := listtest.Site(t, map[string]string{
		"lists/lists.example.org/dev/list.toml": "owners = [\"olga@example.org\"]\n",
		"lists/lists.example.org/dev/members":   "a@example.com\n",
	})
	addr, _ := smtp.ParseAddress("dev@lists.example.org")
	l, err := lists.Of(s).Open(addr)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for name, text := range map[string]string{
		"m.0": "X-Superlist-Member: <a@example.com>\r\nbounced",
		"m.1": "X-Superlist-Member: <A@EXAMPLE.COM>\r\nbounced",
		"m.2": "X-Superlist-Member: <b@example.com>\r\nX-Superlist-Member: <a@example.com>\r\n",
		"m.3": "a@example.com",
	} {
		if err := s.Writer().Remember(l.Book(), ledger.Reports, name, now, func(ledger.Record, bool) (string, error) { return text, nil }); err != nil {
			t.Fatal(err)
		}
	}
	dir := l.Book().Path(ledger.Reports)
	if err := os.Symlink("m.0", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	who, _ := smtp.ParseAddress("a@example.com")
	for _, dry := range []bool{true, false} {
		if n, err := bounces.Erase(s, l, who, dry, now); n != 2 || err != nil {
			t.Errorf("dry %v: %d, %v", dry, n, err)
		}
		for name, stays := range map[string]bool{"m.0": dry, "m.1": dry, "m.2": true, "m.3": true} {
			if _, err := os.Stat(filepath.Join(dir, name)); (err == nil) != stays {
				t.Errorf("dry %v: %s: %v", dry, name, err)
			}
		}
	}
}
