package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// mboxOf are the messages in an mbox.gz.
func mboxOf(t testing.TB, text string) []string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(all), mboxFrom)[1:]
}

// same compares the pages of two lists.
func same(t testing.TB, what string, a, b map[string]string) {
	t.Helper()
	for name, text := range a {
		if b[name] != text {
			t.Errorf("%s: %s differs:\n%s", what, name, firstDifference(text, b[name]))
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			t.Errorf("%s: there is %s", what, name)
		}
	}
}

func firstDifference(a, b string) string {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	from := max(0, i-80)
	return fmt.Sprintf("%q\n%q", a[from:min(len(a), i+160)], b[min(len(b), from):min(len(b), i+160)])
}

// TestIncremental: a list that has grown post by post has the pages of one that was
// made at once, and each post writes few of them.
func TestIncremental(t *testing.T) {
	mails := conversation()
	once := newList(t)
	add(t, once, mails...)
	update(t, once)
	want := checkAll(t, once)

	l := newList(t)
	for i, m := range mails {
		add(t, l, m)
		before := changedAt(t, l)
		update(t, l)
		written := 0
		for name, at := range changedAt(t, l) {
			if before[name] != at {
				written++
			}
		}
		if most := 9 + 1; i > 0 && written > most { // and one month that gets a neighbour
			t.Errorf("post %d: %d files were written", i+1, written)
		}
		checkAll(t, l)
	}
	same(t, "post by post", want, files(t, l))
	for _, step := range []int{1, 3} {
		l := newList(t)
		add(t, l, mails...)
		for more := true; more; {
			var err error
			if more, err = l.Update(step); err != nil {
				t.Fatal(err)
			}
		}
		same(t, fmt.Sprint("in steps of ", step), want, files(t, l))
	}
}

// changedAt is which file stands where a page is.
func changedAt(t testing.TB, l *List) map[string]string {
	t.Helper()
	all := make(map[string]string)
	filepath.WalkDir(l.Dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		info, err := d.Info()
		if err == nil {
			all[path] = fmt.Sprint(info.Sys(), info.ModTime(), info.Size())
		}
		return nil
	})
	return all
}

// TestPaging: long threads and months have several pages, and a new post changes the
// last and the first.
func TestPaging(t *testing.T) {
	t.Parallel()
	l := newList(t)
	l.MBox = MBoxFull
	var mails []mail
	const many = 2*perMonth + 7
	for i := range many {
		m := mail{fmt.Sprintf("P%d <p%d@example.com>", i%17, i%17), "Re: long", fmt.Sprint("x", i), fmt.Sprint("x", max(0, i-1-i%3)), "", fmt.Sprintf("Post %d.\n", i+1), time.Duration(i) * time.Minute}
		if i == 0 {
			m.answers = ""
		}
		mails = append(mails, m)
	}
	add(t, l, mails[:many-1]...)
	update(t, l)
	checkAll(t, l)
	before := files(t, l)
	add(t, l, mails[many-1])
	update(t, l)
	all := checkAll(t, l)
	var changed []string
	for name, text := range all {
		if before[name] != text {
			changed = append(changed, name)
		}
	}
	slices.Sort(changed)
	want := []string{postPath(many), "2026-09-3.html", "2026-09.mbox.gz", "index.html", "new.atom", threadPath(1, 1), threadPath(1, pagesOf(many, perThread))}
	slices.Sort(want)
	if !slices.Equal(changed, want) {
		t.Errorf("%v were changed, not %v", changed, want)
	}
	if n := len(mboxOf(t, all["2026-09.mbox.gz"])); n != many {
		t.Errorf("%d messages", n)
	}
	if text := all[threadPath(1, 2)]; strings.Count(text, "<article") != perThread || !strings.Contains(text, "Post 101.") {
		t.Errorf("%d posts on page 2", strings.Count(text, "<article"))
	}
}

// TestRemoved: a post that was removed is on no page, in no feed and in no mbox; its
// own page says so, and its thread goes on.
func TestRemoved(t *testing.T) {
	for _, mbox := range []string{MBoxFull, MBoxVeiled} {
		l := newList(t)
		l.MBox = mbox
		add(t, l, conversation()...)
		update(t, l)
		if _, err := l.Posts.Remove([]int{2}, "he <asked>", began.Add(time.Hour*24*100)); err != nil {
			t.Fatal(err)
		}
		update(t, l)
		all := checkAll(t, l)
		for name, text := range all {
			if strings.HasSuffix(name, ".gz") {
				text = strings.Join(mboxOf(t, text), "")
			}
			for _, word := range []string{"We do, in two places, and both could move. What", "Bob Builder: ", "format=flowed"} {
				if strings.Contains(text, word) {
					t.Errorf("%s has %q", name, word)
				}
			}
		}
		page := all[postPath(2)]
		if !strings.Contains(page, "This post was removed on 2026-12-12. Reason: he &lt;asked&gt;") || strings.Contains(page, "Bob") {
			t.Errorf("its page:\n%s", page)
		}
		if n := len(mboxOf(t, all["2026-09.mbox.gz"])); n != 6 {
			t.Errorf("%d messages in the mbox", n)
		}
		if !strings.Contains(all["t/0/1.html"], `<li><a href="#m2"><bdi>(removed)</bdi></a> <time datetime="2026-09-03T11:15:00Z">2026-09-03</time>`+"\n<ol>\n"+`<li><a href="#m3">`) {
			t.Errorf("its thread:\n%s", all["t/0/1.html"])
		}
		before := files(t, l)
		add(t, l, mail{"Zoe <zoe@example.org>", "Re: Does anybody", "z", "a2", "", "Me too.\n", 100 * time.Hour})
		update(t, l)
		all = checkAll(t, l)
		if !strings.Contains(all["t/0/1.html"], "Me too.") || all[postPath(2)] != before[postPath(2)] {
			t.Error("what answers it is not in its thread")
		}
	}
}

// TestLateParent: threads that were found to be one are one, and where the later one
// was stands a link.
func TestLateParent(t *testing.T) {
	l := newList(t)
	late := []mail{
		{"Alice <alice@example.com>", "whereabouts", "a", "", "", "Where?\n", 0},
		{"Carol <carol@example.com>", "Re: whereabouts", "c", "b", "", "Indeed there.\n", time.Hour},
		{"Dave <dave@example.com>", "Re: whereabouts", "d", "c", "", "Thanks.\n", 2 * time.Hour},
	}
	add(t, l, late...)
	update(t, l)
	if all := checkAll(t, l); strings.Contains(all["t/0/1.html"], "Indeed") || !strings.Contains(all["t/0/2.html"], "Indeed") {
		t.Error("before, it is one thread")
	}
	add(t, l, mail{"Bob <bob@example.com>", "Re: whereabouts", "b", "a", "", "There. This was held.\n", 3 * time.Hour})
	update(t, l)
	all := checkAll(t, l)
	for _, word := range []string{"Where?", "Indeed there.", "Thanks.", "This was held."} {
		if !strings.Contains(all["t/0/1.html"], word) {
			t.Errorf("the thread is without %q", word)
		}
	}
	if text := all["t/0/2.html"]; strings.Contains(text, "Indeed") || !strings.Contains(text, `href="../../t/0/1.html"`) {
		t.Errorf("where the later one was:\n%s", text)
	}
	if strings.Count(all["index.html"], "whereabouts") != 1 {
		t.Errorf("the front page:\n%s", all["index.html"])
	}
}

// TestPruned: what was let go of has no page; what is left is as before.
func TestPruned(t *testing.T) {
	for upto := range 11 {
		l := newList(t)
		add(t, l, conversation()...)
		update(t, l)
		if _, err := l.Posts.Prune(upto); err != nil {
			t.Fatal(err)
		}
		update(t, l)
		all := checkAllBut(t, l, upto)
		for n := 1; n <= 10; n++ {
			if _, there := all[postPath(n)]; there != (n > upto) {
				t.Errorf("up to %d: post %d: %t", upto, n, there)
			}
		}
		if upto == 10 && len(all) != 3 {
			t.Errorf("what is left of nothing: %v", len(all))
		}
		if text := all["2026-09.mbox.gz"]; upto < 7 && len(mboxOf(t, text)) != 7-upto || upto >= 7 && text != "" {
			t.Errorf("up to %d: the mbox has %d bytes", upto, len(text))
		}
	}
}

// checkAllBut is checkAll for a list whose pages may name, in what was written once,
// posts that were let go of.
func checkAllBut(t testing.TB, l *List, upto int) map[string]string {
	t.Helper()
	all := files(t, l)
	known := make(map[string]string)
	for name, text := range all {
		known[name] = text
	}
	for n := 1; n <= upto; n++ {
		known[postPath(n)] = "gone"
	}
	for _, month := range []string{"2026-09", "2026-10", "2026-11"} {
		if known[month+".html"] == "" {
			known[month+".html"] = "gone"
		}
	}
	for name, text := range all {
		if strings.HasSuffix(name, ".html") {
			checkPage(t, l, known, name, text)
		}
	}
	return all
}

// TestPrivate: a list that is not public has no pages, and one that was public has
// none any more, from the first step on.
func TestPrivate(t *testing.T) {
	l := newList(t)
	l.Public = false
	add(t, l, conversation()...)
	update(t, l)
	if all := files(t, l); len(all) > 0 {
		t.Errorf("there is %v", all)
	}
	if _, err := os.Stat(l.Books); err == nil {
		t.Error("books are kept of it")
	}
	l.Public = true
	if _, err := l.Update(3); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(l.Dir, "robots.txt")
	os.WriteFile(other, []byte("somebody's own"), 0o644)
	l.Public = false
	if _, err := l.Update(3); err != nil {
		t.Fatal(err)
	}
	if all := files(t, l); len(all) != 1 || all["robots.txt"] == "" {
		t.Errorf("there is %v", all)
	}
	if _, err := os.Stat(l.Books); err == nil {
		t.Error("books are kept of it")
	}
}

// TestMoved: a list whose pages belong elsewhere has none where they were.
func TestMoved(t *testing.T) {
	l := newList(t)
	add(t, l, conversation()...)
	update(t, l)
	was := l.Dir
	l.Dir = filepath.Join(filepath.Dir(l.Dir), "devel")
	update(t, l)
	checkAll(t, l)
	if _, err := os.Stat(was); err == nil {
		t.Error("there are pages where the list was")
	}
}

// TestSettings: what changes how pages look is made up, and in no step is an address
// shown again once the veil is down.
func TestSettings(t *testing.T) {
	l := newList(t)
	l.Veil, l.MBox = VeilNone, MBoxFull
	add(t, l, conversation()...)
	update(t, l)
	if all := checkAll(t, l); !strings.Contains(all[postPath(1)], "alice@example.com") || !strings.Contains(strings.Join(mboxOf(t, all["2026-09.mbox.gz"]), ""), "alice@example.com") {
		t.Error("the address is not shown")
	}
	l.Veil, l.MBox, l.Language = VeilName, MBoxVeiled, "de"
	l.words = wordsIn("de")
	steps := 0
	for more := true; more; steps++ {
		var err error
		if more, err = l.Update(1); err != nil {
			t.Fatal(err)
		}
		for name, text := range files(t, l) {
			if strings.HasSuffix(name, ".gz") {
				text = strings.Join(mboxOf(t, text), "")
			}
			if name == "index.html" || name == "new.atom" || strings.HasSuffix(name, ".gz") {
				if strings.Contains(text, "alice@example.com") {
					t.Errorf("step %d: %s shows the address", steps, name)
				}
			}
		}
	}
	if steps < 10 {
		t.Errorf("it took %d steps", steps)
	}
	once := newList(t)
	once.Language, once.words = "de", wordsIn("de")
	add(t, once, conversation()...)
	update(t, once)
	same(t, "another veil", checkAll(t, once), checkAll(t, l))
}

// TestDamaged: whatever is missing or wrong among what is kept about the pages, the
// pages are right in the end.
func TestDamaged(t *testing.T) {
	once := newList(t)
	add(t, once, conversation()...)
	once.Update(Step)
	add(t, once, mail{"Zoe <zoe@example.org>", "Re: Does anybody", "z", "a2", "", "Me too.\n", 72 * 24 * time.Hour})
	update(t, once)
	want := files(t, once)
	for what, damage := range map[string]func(l *List) error{
		"no state":       func(l *List) error { return os.Remove(l.stateFile()) },
		"an empty state": func(l *List) error { return os.WriteFile(l.stateFile(), nil, 0o600) },
		"no books":       func(l *List) error { return os.RemoveAll(filepath.Join(l.Books, "t")) },
		"no months":      func(l *List) error { return os.RemoveAll(filepath.Join(l.Books, "m")) },
		"an empty book":  func(l *List) error { return os.WriteFile(filepath.Join(l.Books, "t", "0", "1"), nil, 0o600) },
		"half a book": func(l *List) error {
			return os.Truncate(filepath.Join(l.Books, "m", "2026-11"), 60)
		},
		"no mbox":   func(l *List) error { return os.Remove(filepath.Join(l.Dir, "2026-11.mbox.gz")) },
		"half mbox": func(l *List) error { return os.Truncate(filepath.Join(l.Dir, "2026-11.mbox.gz"), 10) },
		"more mbox": func(l *List) error {
			f, err := os.OpenFile(filepath.Join(l.Dir, "2026-11.mbox.gz"), os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				f.WriteString("half of a post")
				err = f.Close()
			}
			return err
		},
		"no page":  func(l *List) error { return os.Remove(filepath.Join(l.Dir, postPath(2))) },
		"no style": func(l *List) error { return os.Remove(filepath.Join(l.Dir, "style.css")) },
		"another boot": func(l *List) error {
			text, err := os.ReadFile(l.stateFile())
			if err == nil {
				err = os.WriteFile(l.stateFile(), bytes.Replace(text, []byte(boot()), []byte("another"), 1), 0o600)
			}
			os.Remove(filepath.Join(l.Dir, postPath(5)))
			os.Truncate(filepath.Join(l.Books, "t", "0", "5"), 0)
			return err
		},
	} {
		l := newList(t)
		add(t, l, conversation()...)
		update(t, l)
		if err := damage(l); err != nil {
			t.Fatal(what, err)
		}
		add(t, l, mail{"Zoe <zoe@example.org>", "Re: Does anybody", "z", "a2", "", "Me too.\n", 72 * 24 * time.Hour})
		update(t, l)
		got := files(t, l)
		if what == "no page" { // nobody looks for one page among a million
			got[postPath(2)] = want[postPath(2)]
		}
		same(t, what, want, got)
	}
}
