package lists

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/smtp"
)

func TestFetchCommand(t *testing.T) {
	for text, want := range map[string]string{
		"get-1": "get 1 1", "get-12-20": "get 12 20", "get-12_20": "get 12 20", "get.12": "get 12 12", "GET.12_20": "get 12 20",
		"get-007": "get 7 7", "get-999999999": "get 999999999 999999999", "get-1000000000": "which",
		"get": "which", "get-0": "which", "get-20-12": "which", "get-12-": "which", "get-12-x": "which", "get-1-2-3": "which",
		"get-1__2": "which", "get-_2": "which", "get- 1": "which", "get-１": "which",
		"index": "index 0 0", "index-3": "index 3 3", "index-3-4": "which", "Index.3": "index 3 3",
		"thread": "which", "thread-3": "thread 3 3", "thread-3-9": "thread 3 9",
		"list": "list 0 0", "who": "list 0 0", "list-1": "none", "list.1": "none", "get-": "none", "index.": "none",
		"help.1": "none", "gett-1": "none",
	} {
		c, ok, err := parseCommand(text)
		got := fmt.Sprint(c.Verb, " ", c.From, " ", c.To)
		if errors.Is(err, replyWhichPost) {
			got = "which"
		}
		if !ok {
			got = "none"
		}
		if got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestFetchCaps holds each cap on either side: by their size letters count for one
// person, one network, and the list.
func TestFetchCaps(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	now := time.Now().Truncate(24 * time.Hour).Add(time.Hour)
	letter := Letter{Kind: VerbGet, To: addr("a@example.com"), Network: Network(netip.MustParseAddr("192.0.2.7"))}
	may := func(what string, a Letter, want error) {
		t.Helper()
		var r smtp.Reply
		if err := l.mayWrite(a, now); err != want && !(errors.As(err, &r) && r == want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i, c := range []struct {
		most  int
		reply smtp.Reply
		other Letter // who is not concerned
	}{
		{MaxFetchedList, replyFetchedList, Letter{}},
		{MaxFetched, replyFetched, Letter{Kind: VerbIndex, To: addr("b@example.com"), Network: letter.Network}},
		{MaxFetchedNetwork, replyFetchedNetwork, Letter{Kind: VerbThread, To: addr("a@example.com"), Network: Network(netip.MustParseAddr("192.0.3.7"))}},
	} {
		count := l.fetchLimits(letter, now)[i]
		os.RemoveAll(l.askedDir())
		os.Mkdir(l.askedDir(), 0o700)
		os.WriteFile(count.file, []byte(strings.Repeat(".", c.most-1)), 0o600)
		may(fmt.Sprint(i, ": one below"), letter, nil)
		if err := l.Ask(letter, now); err != nil {
			t.Error(err)
		}
		may(fmt.Sprint(i, ": at the cap"), letter, c.reply)
		if c.other.Kind != "" {
			may(fmt.Sprint(i, ": another"), c.other, nil)
		}
		may(fmt.Sprint(i, ": other letters"), Letter{Kind: VerbHelp, To: letter.To, Network: letter.Network}, nil)
		for _, later := range []time.Duration{0, 24 * time.Hour} {
			if err := l.mayWrite(letter, now.Add(later)); (err == nil) != (later > 0) {
				t.Errorf("%d: after %v: %v", i, later, err)
			}
		}
	}
	// Whom the list does not know gets less, where he may ask at all.
	l.ArchiveAccess = ArchiveAnyone
	if err := l.EditMembers(func(set MemberSet) error { set.Add(Member{Path: addr("a@example.com")}); return nil }); err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(l.askedDir())
	os.Mkdir(l.askedDir(), 0o700)
	stranger := Letter{Kind: VerbGet, To: addr("eve@example.net")}
	for _, a := range []Letter{letter, stranger} {
		os.WriteFile(l.fetchLimits(a, now)[1].file, []byte(strings.Repeat(".", MaxFetchedStranger-1)), 0o600)
		may("one below a stranger's cap", a, nil)
		os.WriteFile(l.fetchLimits(a, now)[1].file, []byte(strings.Repeat(".", MaxFetchedStranger)), 0o600)
	}
	may("at a stranger's cap, a member", letter, nil)
	may("at a stranger's cap", stranger, replyFetched)
	for size, want := range map[int64]int64{0: 1, 1: 1, FetchUnit: 1, FetchUnit + 1: 2, 10 * FetchUnit: 10} {
		os.RemoveAll(l.askedDir())
		letter.Size = size
		if err := l.Ask(letter, now); err != nil {
			t.Fatal(err)
		}
		for _, c := range l.fetchLimits(letter, now) {
			if got := len(readAll(t, c.file)); int64(got) != want {
				t.Errorf("%d bytes count as %d", size, got)
			}
		}
	}
	// The first letter of a day sweeps, the second does not look.
	dead := l.askedDir() + "/sent-1"
	os.RemoveAll(l.askedDir())
	os.Mkdir(l.askedDir(), 0o700)
	for i, want := range []bool{false, true} {
		os.WriteFile(dead, nil, 0o600)
		os.Chtimes(dead, now.Add(-2*AskAgain), now.Add(-2*AskAgain))
		if err := l.Ask(letter, now); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(dead); (err == nil) != want {
			t.Errorf("letter %d: %v", i, err)
		}
	}
}

func readAll(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
