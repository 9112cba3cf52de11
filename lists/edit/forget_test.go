package edit

import (
	"errors"
	"os"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/ledger"
	"superlist/lists/quota"
	"superlist/smtp"
)

// TestForget: what lists and the site do not remember any more is taken away, also where
// one of the lists makes trouble; what they remember stays.
func TestForget(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	other, err := Create(lists.Of(s), addr("zoo@lists.example.org"), []smtp.Path{addr("olga@example.org")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, l := range []*lists.List{l, other} {
		if err := l.Quota().Ask(l.Ledger, l.WithWhat(quota.Request{Kind: lists.VerbHelp, To: addr("a@example.com"), Cause: "m.0"}), now); err != nil {
			t.Fatal(err)
		}
		if err := confirmation.Decide(l.Ledger, l.Book(), confirmation.Name("held", "x"), confirmation.Decided{Cause: "m.0", What: "olga"}, now); err != nil {
			t.Fatal(err)
		}
	}
	files := func(dir string) int {
		all, _ := os.ReadDir(dir)
		return len(all)
	}
	site := ledger.OfSite(s.ListsDir).Path(ledger.Counts)
	if err := errors.Join(os.RemoveAll(l.Dir+"/decided"), os.WriteFile(l.Dir+"/decided", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := Forget(lists.Of(s), now.Add(25*time.Hour)); err == nil {
		t.Error("no word of the list that makes trouble")
	}
	if files(site) != 0 || files(other.Dir+"/asked") != 0 || files(other.Dir+"/decided") != 1 {
		t.Errorf("left: %d of the site, %d who was asked, %d decisions", files(site), files(other.Dir+"/asked"), files(other.Dir+"/decided"))
	}
}
