package ledger_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/ledger"
	"superlist/lists/ledger/files"
)

var (
	now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	w   files.Writer
)

// book makes the directory of a list.
func book(t testing.TB) ledger.Book {
	dir := filepath.Join(t.TempDir(), "lists.example.org", "dev")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return ledger.OfList(dir)
}

func remember(t testing.TB, b ledger.Book, s ledger.Shelf, name, text string) {
	t.Helper()
	if err := w.Remember(b, s, name, now, func(ledger.Record, bool) (string, error) { return text, nil }); err != nil {
		t.Fatal(err)
	}
}

// TestFiles: where things lie is where versions before this one have put them.
func TestFiles(t *testing.T) {
	list, site := ledger.OfList("/l/lists.example.org/dev"), ledger.OfSite("/l")
	if list.Of != "dev@lists.example.org" || site.Of != "" {
		t.Errorf("%q, %q", list.Of, site.Of)
	}
	record := func(b ledger.Book, s ledger.Shelf, name string) string {
		path, err := b.File(s, name)
		if err != nil {
			t.Error(err)
		}
		return path
	}
	count := func(b ledger.Book, s ledger.Shelf, name string, window time.Duration, of string) string {
		return ledger.Counter{Book: b, Shelf: s, Name: name, Window: window, Of: of}.File(now)
	}
	for got, want := range map[string]string{
		record(list, ledger.Asked, "abc"):                         "/l/lists.example.org/dev/asked/who-abc",
		record(list, ledger.HeldFull, ""):                         "/l/lists.example.org/dev/asked/heldfull",
		record(list, ledger.Decided, "2410d3ac6613"):              "/l/lists.example.org/dev/decided/2410d3ac6613",
		record(list, ledger.Proved, "abc"):                        "/l/lists.example.org/dev/proved/abc",
		record(list, ledger.Requests, "abc"):                      "/l/lists.example.org/dev/requests/abc",
		record(list, ledger.Reports, "1.M2P3.x.0"):                "/l/lists.example.org/dev/bounces/1.M2P3.x.0",
		count(list, ledger.Counts, "all", ledger.Day, ""):         "/l/lists.example.org/dev/asked/all-20787",
		count(list, ledger.Counts, "net", ledger.Day, "abc"):      "/l/lists.example.org/dev/asked/net-20787-abc",
		count(list, ledger.Counts, "sent", ledger.Day, "net-abc"): "/l/lists.example.org/dev/asked/sent-20787-net-abc",
		count(list, ledger.Counts, "heldnet", ledger.Hour, "abc"): "/l/lists.example.org/dev/asked/heldnet-498900-abc",
		count(list, ledger.Proved, "all", ledger.Day, ""):         "/l/lists.example.org/dev/proved/all-20787",
		count(site, ledger.Counts, "person", ledger.Day, "abc"):   "/l/.asked/person-20787-abc",
		count(site, ledger.Known, "", 0, "abc"):                   "/l/.asked/known-abc",
		list.JournalFile(ledger.Left):                             "/l/lists.example.org/dev/left",
		list.JournalFile(ledger.Acts):                             "/l/lists.example.org/dev/acts",
		ledger.Digests("/q").Reminder("dev@lists.example.org", time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)).Path(): "/q/reminders/20261201T000000Z/befe30daaa12a3a2a9fd4d82b0d1fea3",
		ledger.Summaries("/q").Old(now, "abc"): "/q/summaries/20261130T120000Z-abc",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestRecall: what can be found under a name, and for how long.
func TestRecall(t *testing.T) {
	b := book(t)
	remember(t, b, ledger.Requests, "name", "a@example.com\nmore")
	remember(t, b, ledger.Requests, "long", strings.Repeat("x", ledger.MaxRecord))
	dir := b.Path(ledger.Requests)
	if err := os.WriteFile(dir+"/large", make([]byte, 2*ledger.MaxRecord), 0o600); err != nil {
		t.Fatal(err)
	}
	os.Chtimes(dir+"/large", now, now)
	os.WriteFile(dir+"/.half.new", []byte("x"), 0o600)
	os.Symlink(dir+"/name", dir+"/link")
	os.Mkdir(dir+"/dir", 0o700)
	if err := unix.Mkfifo(dir+"/pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	life := ledger.Requests.Life()
	for _, test := range []struct {
		name string
		at   time.Time
		ok   bool
	}{
		{"name", now, true}, {"name", now.Add(life - time.Second), true}, {"name", now.Add(life), false},
		{"name", now.Add(-life + time.Second), true}, {"name", now.Add(-life), false},
		{"other", now, false}, {"", now, false}, {".", now, false}, {"..", now, false}, {"../asked", now, false},
		{".half.new", now, false}, {"name\x00", now, false}, {strings.Repeat("x", 300), now, false}, {"long", now, true},
	} {
		r, ok, err := b.Recall(ledger.Requests, test.name, test.at)
		if ok != test.ok || err != nil || ok && (r.Name != test.name || !r.At.Equal(now)) {
			t.Errorf("%.20q at %v: %.50v, %t, %v", test.name, test.at.Sub(now), r, ok, err)
		}
	}
	if r, _, _ := b.Recall(ledger.Requests, "name", now); r.Cause() != "a@example.com" || r.Text != "a@example.com\nmore" {
		t.Errorf("%q", r.Text)
	}
	for _, odd := range []string{"link", "dir", "pipe"} {
		if _, ok, err := b.Recall(ledger.Requests, odd, now); ok || err == nil {
			t.Errorf("%s: %t, %v", odd, ok, err)
		}
	}
	if r, ok, err := b.Recall(ledger.Requests, "large", now); !ok || err != nil || len(r.Text) != ledger.MaxRecord {
		t.Errorf("large: %d bytes, %v", len(r.Text), err)
	}
	all, err := b.All(ledger.Requests, now)
	if err != nil || len(all) != 3 || all[1].Name != "long" || all[2].Name != "name" {
		t.Errorf("%d, %v", len(all), err)
	}
	if all, err := b.All(ledger.Decided, now); err != nil || len(all) > 0 {
		t.Errorf("%v, %v", all, err)
	}
	for _, name := range []string{"", ".x", "../x", "a/b", strings.Repeat("x", 201)} {
		if _, err := w.First(b, ledger.Decided, ledger.Record{Name: name, At: now}); err != ledger.ErrName {
			t.Errorf("%.20q is written: %v", name, err)
		}
	}
	if _, err := w.First(b, ledger.Decided, ledger.Record{Name: "x", Text: strings.Repeat("x", ledger.MaxRecord+1), At: now}); err == nil {
		t.Error("too long a record is written")
	}
}

// TestMost: a shelf has so many and no more, but for those that are forgotten.
func TestMost(t *testing.T) {
	b := book(t)
	remember(t, b, ledger.Requests, "0", "x")
	for i := range ledger.Requests.Most() - 2 {
		name := fmt.Sprint(b.Path(ledger.Requests), "/", i+1)
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		os.Chtimes(name, now, now)
	}
	remember(t, b, ledger.Requests, "last", "x")
	remember(t, b, ledger.Requests, "last", "y") // it has its place
	put := func(ledger.Record, bool) (string, error) { return "x", nil }
	if err := w.Remember(b, ledger.Requests, "more", now, put); err != ledger.ErrFull {
		t.Errorf("one more: %v", err)
	}
	if err := w.Remember(b, ledger.Requests, "more", now.Add(ledger.Requests.Life()), put); err != nil {
		t.Errorf("when they are forgotten: %v", err)
	}
}

// TestCounter: each window has its own count, and a limit is reached in one of them.
func TestCounter(t *testing.T) {
	b := book(t)
	full, other := fmt.Errorf("full"), fmt.Errorf("other")
	hour := ledger.Counter{Book: b, Shelf: ledger.Counts, Name: "net", Window: ledger.Hour, Of: "x"}
	ever := ledger.Counter{Book: b, Shelf: ledger.Known, Of: "x"}
	limits := []ledger.Limit{{Counter: hour, Most: 3, Full: full}, {Counter: ever, Most: 5, Full: other}}
	at := time.Now().Truncate(ledger.Day)
	for i, test := range []struct {
		at   time.Time
		n    int
		want error
	}{
		{at, 2, nil}, {at, 1, nil}, {at, 1, full}, {at.Add(ledger.Hour - time.Second), 1, full}, {at.Add(ledger.Hour), 2, nil}, {at.Add(ledger.Hour), 1, other},
	} {
		if err := w.Count(limits, test.n, test.at); err != test.want || ledger.Within(limits, test.at) != nil && test.n == 2 && i == 0 {
			t.Errorf("%d: %v, want %v", i, err, test.want)
		}
	}
	if hour.Sum(at) != 3 || hour.Sum(at.Add(ledger.Hour)) != 2 || ever.Sum(at) != 5 {
		t.Errorf("%d, %d, %d", hour.Sum(at), hour.Sum(at.Add(ledger.Hour)), ever.Sum(at))
	}
	if err := w.Uncount([]ledger.Counter{hour, ever}, at); err != nil || hour.Sum(at) != 2 || ever.Sum(at) != 4 {
		t.Errorf("%v: %d, %d", err, hour.Sum(at), ever.Sum(at))
	}
	// What was forgotten is counted anew.
	old := at.Add(-ledger.Known.Life())
	os.Chtimes(ever.File(at), old, old)
	if err := w.Count(limits[1:], 1, at); ever.Sum(at) != 1 || err != nil {
		t.Errorf("%d, %v", ever.Sum(at), err)
	}
}

// TestSweep: what nobody sees any more goes, and nothing else.
func TestSweep(t *testing.T) {
	b := book(t)
	remember(t, b, ledger.Asked, "x", "")
	remember(t, b, ledger.Decided, "x", "")
	remember(t, b, ledger.HeldFull, "", "")
	limits := []ledger.Limit{{Counter: ledger.Counter{Book: b, Shelf: ledger.Counts, Name: "all", Window: ledger.Day}, Most: 1}, {Counter: ledger.Counter{Book: b, Shelf: ledger.Known, Of: "x"}, Most: 1}}
	if err := w.Count(limits, 1, now); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(b.Path(ledger.Decided)+"/.half.new", nil, 0o600)
	if err := os.WriteFile(filepath.Join(b.Dir, "members"), []byte("a@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	filepath.WalkDir(b.Dir, func(path string, e os.DirEntry, err error) error {
		os.Chtimes(path, now, now)
		return nil
	})
	for _, test := range []struct {
		age  time.Duration
		want string
	}{
		{ledger.Day - time.Second, "asked/all-20787 asked/heldfull asked/known-x asked/who-x decided/.half.new decided/x members"},
		{ledger.Day, "asked/known-x decided/x members"},
		{ledger.Decided.Life(), "asked/known-x members"},
		{ledger.Known.Life(), "members"},
	} {
		if err := w.Sweep(b, now.Add(test.age)); err != nil {
			t.Error(err)
		}
		var left []string
		filepath.WalkDir(b.Dir, func(path string, e os.DirEntry, err error) error {
			if !e.IsDir() {
				name, _ := filepath.Rel(b.Dir, path)
				left = append(left, name)
			}
			return err
		})
		if got := strings.Join(left, " "); got != test.want {
			t.Errorf("after %v: %s, want %s", test.age, got, test.want)
		}
	}
}

// FuzzRecord: whatever is in a record, a reminder's name or a journal, what is written is
// read as it was, nothing else is lost, and no name leads out of its directory.
func FuzzRecord(f *testing.F) {
	f.Add("name", "cause\ntext", "2026-11-30 word\n2026-11-3", "word2", "20261201T000000Z-befe30daaa12a3a2a9fd4d82b0d1fea3-more")
	f.Add("../key", "\n", "\n\n \x00", "w", "20261201T000000Z-../../../../../../../../../../etc")
	f.Add(".x", "", "2026-11-30  \n", "\u00e9", "20261301T000000Z-befe30daaa12a3a2a9fd4d82b0d1fea3")
	f.Fuzz(func(t *testing.T, name, text, journal, word, id string) {
		b := book(t)
		in := ledger.Record{Name: name, Text: text, At: now}
		first, err := w.First(b, ledger.Decided, in)
		if err == nil {
			got, ok, err := b.Recall(ledger.Decided, name, now)
			if !ok || err != nil || got.Text != text || first != in || !strings.HasPrefix(text, got.Cause()) || strings.Contains(got.Cause(), "\n") {
				t.Errorf("%q: %q, %t, %v", name, got.Text, ok, err)
			}
			other, err := w.First(b, ledger.Decided, ledger.Record{Name: name, Text: "other", At: now})
			if err != nil || other.Text != text {
				t.Errorf("a second: %q, %v", other.Text, err)
			}
		}
		if path, err := b.File(ledger.Decided, name); err == nil && filepath.Dir(path) != b.Path(ledger.Decided) {
			t.Errorf("%q lies in %s", name, path)
		}

		if err := os.WriteFile(b.JournalFile(ledger.Left), []byte(journal), 0o600); err != nil {
			t.Fatal(err)
		}
		before, err := b.Entries(ledger.Left)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Enter(b, ledger.Left, []string{word}, now); (err == nil) != ledger.Left.Valid(word) {
			t.Fatalf("%q: %v", word, err)
		} else if err == nil {
			before[word] = "2026-11-30"
		}
		if after, err := b.Entries(ledger.Left); err != nil || !maps.Equal(before, after) {
			t.Errorf("%q and %q: %q, %v, want %q", journal, word, after, err, before)
		}

		os.WriteFile(b.JournalFile(ledger.Acts), []byte(journal), 0o600)
		texts := func() (texts []string) {
			for e, err := range b.Texts(ledger.Acts) {
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, e.At.Format(time.RFC3339)+" "+e.Text)
			}
			return texts
		}
		want := texts()
		if err := w.Enter(b, ledger.Acts, []string{text}, now); (err == nil) != ledger.Acts.Valid(text) {
			t.Fatalf("%q: %v", text, err)
		} else if err == nil {
			want = append(want, "2026-11-30T12:00:00Z "+text)
		}
		if got := texts(); !slices.Equal(got, want) {
			t.Errorf("%q and %q: %q, want %q", journal, text, got, want)
		}

		a := ledger.Summaries(b.Dir)
		for _, path := range a.Paths(id) {
			if rel, err := filepath.Rel(a.Dir, path); err != nil || strings.HasPrefix(rel, "..") || !strings.HasPrefix(id, strings.ReplaceAll(rel, "/", "-")) {
				t.Errorf("%q is %s", id, path)
			}
		}
		if err := w.Remind(a, text, now); err == nil {
			due, err := a.Due(now, 10)
			if err != nil || len(due) != 1 || due[0].Subject != text || a.Paths(due[0].ID())[0] != due[0].Path() {
				t.Errorf("%q: %+v, %v", text, due, err)
			}
		}
	})
}
