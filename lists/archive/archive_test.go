package archive

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/queue/disk/disktest"
)

var day = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

func newStore(t testing.TB) *Store {
	t.Helper()
	return &Store{Dir: filepath.Join(t.TempDir(), "archive"), Disk: disktest.Lazy()}
}

func post(id, message string) Post {
	return Post{ID: id, Since: day, Time: day.Add(time.Minute), Content: strings.NewReader(message)}
}

func message(id, answers string) string {
	m := "From: Alice <alice@example.com>\r\nSubject: about " + id + "\r\nMessage-ID: <" + id + "@example.com>\r\n"
	if answers != "" {
		m += "In-Reply-To: <" + answers + "@example.com>\r\n"
	}
	return m + "\r\nbody of " + id + "\r\n"
}

func add(t testing.TB, s *Store, id, answers string) int {
	t.Helper()
	n, err := s.Add(post(id, message(id, answers)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// holds compares an archive, its files and its index, with what must be in it.
func holds(t testing.TB, s *Store, what string, want map[int]string) {
	t.Helper()
	if faults, err := s.Check(10); err != nil || len(faults) > 0 {
		t.Errorf("%s: %v, %v", what, faults, err)
	}
	got := make(map[int]string)
	for e, err := range s.Entries(1, 1<<30) {
		if err != nil {
			t.Fatal(err)
		}
		f, size, err := s.Open(e.Number)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		text, _ := io.ReadAll(f)
		f.Close()
		if size != int64(len(text)) || size != e.Size {
			t.Errorf("%s: post %d has %d bytes, %d and %d are said", what, e.Number, len(text), size, e.Size)
		}
		got[e.Number] = string(text)
	}
	for n, text := range want {
		if got[n] != text {
			t.Errorf("%s: post %d is %q, not %q", what, n, got[n], text)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d posts, not %d", what, len(got), len(want))
	}
}

func TestAdd(t *testing.T) {
	s := newStore(t)
	if last, err := s.Last(); last != 0 || err != nil {
		t.Errorf("before the first: %d, %v", last, err)
	}
	if faults, err := s.Check(1); len(faults) > 0 || err != nil {
		t.Errorf("before the first: %v, %v", faults, err)
	}
	want := make(map[int]string)
	for i := range 5 {
		id := fmt.Sprint("m", i, ".0")
		for range 2 { // the second time it is there
			if n := add(t, s, id, ""); n != i+1 {
				t.Errorf("%s is %d", id, n)
			}
		}
		want[i+1] = message(id, "")
	}
	holds(t, s, "five", want)
	if first, last, err := s.Range(); first != 1 || last != 5 || err != nil {
		t.Errorf("%d to %d, %v", first, last, err)
	}
	e, err := s.Entry(3)
	wantEntry := Entry{Number: 3, Time: day.Add(time.Minute), ID: "m2.0", Size: int64(len(want[3])), Thread: 3,
		MessageID: "<m2.0@example.com>", From: "Alice <alice@example.com>", Subject: "about m2.0"}
	if err != nil || e != wantEntry {
		t.Errorf("%+v, %v", e, err)
	}
	for _, n := range []int{-1, 0, 6} {
		if _, err := s.Entry(n); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("entry %d: %v", n, err)
		}
		if _, _, err := s.Open(n); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("post %d: %v", n, err)
		}
	}
	for _, id := range []string{"", "a b", "a\tb", "a\nb", "../b", strings.Repeat("x", maxEntryID+1)} {
		if _, err := s.Add(post(id, "x")); err == nil {
			t.Errorf("%q can be an id", id)
		}
	}
	if n := add(t, s, strings.Repeat("x", maxEntryID), ""); n != 6 {
		t.Errorf("the longest id gives %d", n)
	}
}

// TestAddAgainLater: an id is found behind any number of posts, as long as they
// are not older than the message is.
func TestAddAgainLater(t *testing.T) {
	s := newStore(t)
	add(t, s, "old", "")
	for i := range 500 { // more than one step backward
		p := post(fmt.Sprint("m", i), message("m", "")+strings.Repeat("x", 300))
		p.Time = day.Add(time.Duration(i) * time.Hour)
		if _, err := s.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	if n := add(t, s, "old", ""); n != 1 {
		t.Errorf("again, it is %d", n)
	}
}

func TestThread(t *testing.T) {
	s := newStore(t)
	for _, p := range []struct{ id, answers string }{
		{"a", ""}, {"b", ""}, {"c", "a"}, {"d", "b"}, {"e", "c"}, {"f", "elsewhere"}, {"g", "e"},
	} {
		add(t, s, p.id, p.answers)
	}
	// What Outlook and an old mail reader write.
	m := "Subject: x\r\nReferences: <no@example.com> <b@example.com>\r\n <gone@example.com>\r\n\r\n"
	if _, err := s.Add(post("h", m)); err != nil {
		t.Fatal(err)
	}
	m = "Subject: x\r\nIn-Reply-To: Your message of \"Tue\" <f@example.\r\n com>\r\n\r\n"
	if _, err := s.Add(post("i", m)); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		for _, want := range [][]int{{1, 3, 5, 7}, {2, 4, 8}, {6, 9}} {
			for _, n := range want {
				posts, err := s.Thread(n)
				var got []int
				for _, e := range posts {
					got = append(got, e.Number)
				}
				if err != nil || !slices.Equal(got, want) {
					t.Errorf("round %d: thread of %d: %v, %v", round, n, got, err)
				}
			}
		}
		if _, err := s.Thread(10); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("thread of none: %v", err)
		}
		before, _ := os.ReadFile(s.index())
		if n, err := s.Rebuild(); n != 9 || err != nil {
			t.Errorf("rebuild: %d, %v", n, err)
		}
		after, _ := os.ReadFile(s.index())
		if string(before) != string(after) {
			t.Errorf("rebuilt:\n%s\nit was:\n%s", after, before)
		}
	}
}

// TestReach: the post that another answers is found however many are between them,
// whether the file mids knows of it or the index alone.
func TestReach(t *testing.T) {
	for _, lines := range []int{10, midsEvery - 2, midsEvery + 1, 5 * midsEvery} {
		s := newStore(t)
		add(t, s, "root", "")
		line := Entry{Time: day, Subject: strings.Repeat("x", maxText)}
		f, err := os.OpenFile(s.index(), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		for n := 2; n < 2+lines; n++ {
			line.Number, line.Thread = n, n
			f.WriteString(line.line())
		}
		f.Close()
		for i, id := range []string{"answer", "another", "a third"} {
			id = strings.ReplaceAll(id, " ", "-")
			number := add(t, s, id, "root")
			if e, err := s.Entry(number); err != nil || e.Thread != 1 || number != lines+2+i {
				t.Errorf("%d lines: post %d is in thread %d, %v", lines, number, e.Thread, err)
			}
			if list, err := s.ByMessageID("<root@example.com>"); err != nil || len(list) != 1 || list[0].Number != 1 {
				t.Errorf("%d lines: by its id: %v, %v", lines, list, err)
			}
			if list, err := s.ByMessageID("<" + id + "@example.com>"); err != nil || len(list) != 1 || list[0].Number != number {
				t.Errorf("%d lines: %s by its id: %v, %v", lines, id, list, err)
			}
			_, err := os.Stat(s.midsFile())
			if there := err == nil; there != (lines+2 >= midsEvery) {
				t.Errorf("%d lines: mids: %v", lines, err)
			}
		}
	}
}

// TestPrune lets go of posts; numbers go on, also where all are gone.
func TestPrune(t *testing.T) {
	s := newStore(t)
	if n, err := s.Prune(5); n != 0 || err != nil {
		t.Errorf("no archive: %d, %v", n, err)
	}
	if _, err := os.Stat(s.Dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("and now there is one: %v", err)
	}
	want := make(map[int]string)
	for i := range 6 {
		id := fmt.Sprint("m", i)
		want[add(t, s, id, "m0")] = message(id, "m0")
	}
	if n, err := s.Prune(2); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	delete(want, 1)
	delete(want, 2)
	holds(t, s, "pruned", want)
	if first, last, err := s.Range(); first != 3 || last != 6 || err != nil {
		t.Errorf("%d to %d, %v", first, last, err)
	}
	if posts, err := s.Thread(4); len(posts) != 4 || err != nil {
		t.Errorf("a thread whose first post is gone: %v, %v", posts, err)
	}
	if _, err := s.Rebuild(); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "pruned and rebuilt", want)
	if posts, err := s.Thread(4); len(posts) != 4 || err != nil {
		t.Errorf("rebuilt, a thread whose first post is gone: %v, %v", posts, err)
	}
	if n, err := s.Prune(100); n != 4 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	holds(t, s, "all gone", nil)
	for round := range 2 {
		if first, last, err := s.Range(); first != 7 || last != 6 || err != nil {
			t.Errorf("round %d: %d to %d, %v", round, first, last, err)
		}
		if _, err := s.Rebuild(); err != nil {
			t.Fatal(err)
		}
	}
	if n := add(t, s, "next", ""); n != 7 {
		t.Errorf("the next is %d", n)
	}
	if dirs, _ := filepath.Glob(s.Dir + "/*/*"); len(dirs) != 1 {
		t.Errorf("left: %v", dirs)
	}
}

// TestManyDirectories: prune removes directories that are empty, and rebuild finds
// posts in all.
func TestManyDirectories(t *testing.T) {
	s := newStore(t)
	im, err := s.Import()
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[int]string)
	for _, n := range []int{1, 999, 1000, 1001, 2000, 123456, 999999, 1000000, 12345678} {
		want[n] = message(fmt.Sprint("m", n), "")
		if err := im.Add(n, Post{Time: day, Content: strings.NewReader(want[n])}); err != nil {
			t.Fatal(err)
		}
	}
	if err := im.Close(); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "imported", want)
	for _, file := range []string{"000/000001", "000/000999", "001/001000", "123/123456", "1000/1000000", "12345/12345678"} {
		if _, err := os.Stat(filepath.Join(s.Dir, file)); err != nil {
			t.Error(err)
		}
	}
	os.Remove(s.index())
	if faults, err := s.Check(10); len(faults) != 1 || err != nil {
		t.Errorf("without an index: %v, %v", faults, err)
	}
	if _, err := s.Rebuild(); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "rebuilt", want)
	if n, err := s.Prune(1000); n != 3 || err != nil {
		t.Errorf("pruned %d, %v", n, err)
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "000")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("000 is there: %v", err)
	}
	if n := add(t, s, "next", ""); n != 12345679 {
		t.Errorf("the next is %d", n)
	}
}

func TestImport(t *testing.T) {
	s := newStore(t)
	im, err := s.Import()
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[int]string)
	for n := 501; n < 501+2*importBatch+7; n++ {
		want[n] = message(fmt.Sprint("m", n), fmt.Sprint("m", n-2))
		if err := im.Add(n, Post{Time: day.Add(-1000 * time.Hour), Content: strings.NewReader(want[n])}); err != nil {
			t.Fatal(err)
		}
	}
	if err := im.Add(600, Post{Time: day, Content: strings.NewReader("x")}); !errors.Is(err, ErrNumber) {
		t.Errorf("one that is there: %v", err)
	}
	if im.Last() != 501+2*importBatch+6 {
		t.Errorf("last is %d", im.Last())
	}
	if err := im.Close(); err != nil {
		t.Fatal(err)
	}
	holds(t, s, "imported", want)
	if first, _, err := s.Range(); first != 501 || err != nil {
		t.Errorf("the first is %d, %v", first, err)
	}
	if posts, err := s.Thread(502); len(posts) != importBatch+3 || err != nil {
		t.Errorf("a thread has %d, %v", len(posts), err)
	}
	n := add(t, s, "new", fmt.Sprint("m", im.Last()))
	if n != im.Last()+1 {
		t.Errorf("the next is %d", n)
	}
	if again := add(t, s, "new", ""); again != n {
		t.Errorf("again it is %d", again)
	}
	// Going on with an import finds the threads of what there is.
	if im, err = s.Import(); err != nil {
		t.Fatal(err)
	}
	if err := im.Add(n+10, Post{Time: day, Content: strings.NewReader(message("later", "new"))}); err != nil {
		t.Fatal(err)
	}
	if err := im.Close(); err != nil {
		t.Fatal(err)
	}
	if posts, err := s.Thread(n + 10); err != nil || posts[len(posts)-2].Number != n {
		t.Errorf("%v, %v", posts, err)
	}
}

// TestMend: what somebody does to an archive by hand is found, and does not keep
// the next post out.
func TestMend(t *testing.T) {
	write := func(s *Store, text string) { os.WriteFile(s.index(), []byte(text), 0o600) }
	for _, c := range []struct {
		name   string
		do     func(s *Store, index string)
		faults int
		next   int
		posts  []int // then
	}{
		{"nothing", func(*Store, string) {}, 0, 4, []int{1, 2, 3, 4}},
		{"no index", func(s *Store, _ string) { os.Remove(s.index()) }, 1, 4, []int{1, 2, 3, 4}},
		{"empty index", func(s *Store, _ string) { write(s, "") }, 1, 4, []int{1, 2, 3, 4}},
		{"half an index", func(s *Store, x string) { write(s, x[:len(x)-60]) }, 1, 4, []int{1, 2, 3, 4}},
		{"an old index", func(s *Store, x string) { write(s, x[:strings.Index(x, "\n2")+1]) }, 2, 4, []int{1, 2, 3, 4}},
		{"another head", func(s *Store, x string) { write(s, "x"+x) }, 1, 4, []int{1, 2, 3, 4}},
		{"a bad last line", func(s *Store, x string) { write(s, x+"junk\n") }, 1, 4, []int{1, 2, 3, 4}},
		{"a bad line", func(s *Store, x string) { write(s, strings.Replace(x, "\n2\t", "\n2 ", 1)) }, 2, 4, []int{1, 3, 4}},
		{"half a line behind", func(s *Store, x string) { write(s, x+"4\t2026") }, 0, 4, []int{1, 2, 3, 4}},
		{"a post gone", func(s *Store, _ string) { os.Remove(s.file(2)) }, 1, 4, []int{1, 3, 4}},
		{"the last post gone", func(s *Store, _ string) { os.Remove(s.file(3)) }, 1, 4, []int{1, 2, 4}},
		{"a post cut off", func(s *Store, _ string) { os.Truncate(s.file(2), 5) }, 1, 4, []int{1, 2, 3, 4}},
		{"a pruned one back", func(s *Store, x string) { write(s, head(1)+x[strings.Index(x, "\n2")+1:]) }, 1, 4, []int{2, 3, 4}},
		{"a strange file", func(s *Store, x string) { os.WriteFile(s.Dir+"/000/README", nil, 0o600) }, 0, 4, []int{1, 2, 3, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t)
			for _, id := range []string{"a", "b", "c"} {
				add(t, s, id, "a")
			}
			index, _ := os.ReadFile(s.index())
			c.do(s, string(index))
			if faults, err := s.Check(10); err != nil || len(faults) != c.faults {
				t.Errorf("%v, %v", faults, err)
			}
			if n := add(t, s, "d", "a"); n != c.next {
				t.Errorf("the next is %d", n)
			}
			var got []int
			for e := range s.Entries(1, 100) {
				if f, _, err := s.Open(e.Number); err == nil {
					f.Close()
					got = append(got, e.Number)
				}
			}
			if !slices.Equal(got, c.posts) {
				t.Errorf("then there are %v", got)
			}
			if n := add(t, s, "e", "d"); n != c.next+1 {
				t.Errorf("the one after it is %d", n)
			}
			s.Rebuild()
			s.Prune(0)
			if faults, err := s.Check(10); err != nil || len(faults) > 0 {
				t.Errorf("rebuilt: %v, %v", faults, err)
			}
		})
	}
}
