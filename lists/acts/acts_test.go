package acts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists/ledger"
	"superlist/lists/ledger/files"
	"superlist/lists/maillog"
	"superlist/queue/disk"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// keeper keeps the acts of lists in a directory, dev of lists.example.org above all.
func keeper(t *testing.T, d *disk.Disk) (k *Keeper, list ledger.Book) {
	root := t.TempDir()
	dir := filepath.Join(root, "lists.example.org", "dev")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return &Keeper{
		Writer: files.On(d), Site: ledger.OfSite(root), Now: func() time.Time { return noon },
		Book: func(list string) (ledger.Book, bool) {
			name, domain, _ := strings.Cut(list, "@")
			dir := filepath.Join(root, domain, name)
			_, err := os.Stat(dir)
			return ledger.OfList(dir), err == nil
		},
	}, ledger.OfList(dir)
}

func texts(t *testing.T, b ledger.Book) (what []string) {
	t.Helper()
	all, err := Of(b, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		what = append(what, a.By+" "+a.What)
	}
	return what
}

// TestActs: what somebody has changed is kept, in words, and nothing else is.
func TestActs(t *testing.T) {
	for _, together := range []bool{false, true} {
		k, list := keeper(t, new(disk.Disk))
		k.Together = together
		for i, line := range []string{
			"created list=<dev@lists.example.org> owners=olga@example.org by=\"the operator ann\"",
			"post id=1 list=<dev@lists.example.org> from=<a@example.com> members=1",
			"bounce id=1 list=<dev@lists.example.org> member=<a@example.com> by=mx.example.com reason=\"gone\"",
			"bounces list=<dev@lists.example.org> member=<a@example.com> suspended score=5 reason=\"gone on 5 days\"",
			"bounces list=<dev@lists.example.org> reports=3 not kept: there are too many",
			"command id=1 list=<dev@lists.example.org> from=<a@example.com> verb=subscribe about=<a@example.com>",
			"subscribed id=1 list=<dev@lists.example.org> member=<a@example.com> new=true by=a@example.com",
			"set list=<other@lists.example.org> key=post value=\"anyone\" was=\"members\" by=x",
			"decided id=1 list=<dev@lists.example.org> by=olga@example.org about=<b@example.net> yes=false",
			"removed list=<dev@lists.example.org> number=7 reason=spam by=x",
			"moved list=<dev@lists.example.org> from=old@lists.example.org by=x",
			"changed list=<dev@lists.example.org> member=<a@example.com> words=\"\" was=\"nomail\" by=x",
			"changed list=<dev@lists.example.org> members=more by=x",
			"changed list=<dev@lists.example.org> member=<a@example.com> to=changed-digest is=false by=a@example.com",
			"changed list=<dev@lists.example.org> member=<a@example.com> to=changed-digest is=true by=a@example.com",
			"subscribed list=<dev@lists.example.org> member=<a@example.com> new=false by=\"the operator ann\"",
			"unsubscribed list=<dev@lists.example.org> member=<a@example.com> was=false by=olga@example.org",
			"set list=<dev@lists.example.org> key=footer value=\"" + strings.Repeat("é", ledger.MaxEntry) + "\" was=\"\" by=x",
		} {
			k.Hear(maillog.Info, line)
			if there := len(texts(t, list)) > 0; i == 0 && there == together {
				t.Errorf("together %t: written at once: %t", together, there)
			}
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
		got := texts(t, list)
		long := got[len(got)-1]
		want := []string{
			"the operator ann created the list; owners: olga@example.org", "superlist a@example.com: suspended, gone on 5 days", "a@example.com added a@example.com",
			"olga@example.org did not let b@example.net join", "x removed post 7 from the archive: spam", "x gave the list its address; before it was old@lists.example.org",
			`x changed a@example.com: no words any more; before they were "nomail"`,
			"x changed more members", "a@example.com wanted to change how posts reach a@example.com, who was not a member",
			"a@example.com changed how posts reach a@example.com: digest",
			"the operator ann wanted to add a@example.com, who was a member already", "olga@example.org wanted to remove a@example.com, who was not a member",
		}
		if !slices.Equal(got[:len(got)-1], want) || !strings.HasSuffix(long, "…") && !strings.Contains(long, "set footer") {
			t.Errorf("together %t: %q", together, got)
		}
		if got := texts(t, k.Site); !slices.Equal(got, []string{want[0], want[5]}) {
			t.Errorf("of the site: %q", got)
		}
	}
}

// TestNotWritten: what cannot be written down is said when the log is closed.
func TestNotWritten(t *testing.T) {
	full := &disk.Disk{Fault: func(call, path string) error {
		if call == "fsync" {
			return os.ErrDeadlineExceeded
		}
		return nil
	}}
	k, _ := keeper(t, full)
	k.Hear(maillog.Info, "set list=<dev@lists.example.org> key=post value=\"x\" was=\"y\" by=x")
	if err := k.Close(); err == nil || !strings.Contains(err.Error(), "could not record who did it") {
		t.Error(err)
	}
}

// TestCount: a number has its noun.
func TestCount(t *testing.T) {
	e := maillog.Parse("removed members=1 posts=12 owners=0")
	for key, want := range map[string]string{"members": "1 member", "posts": "12 members", "owners": "no members", "missing": "no members"} {
		if got := Count(e, key, "member"); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}
