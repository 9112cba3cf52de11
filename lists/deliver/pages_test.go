package deliver

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists/edit"
	"superlist/lists/web"
	"superlist/queue/disk/disktest"
)

// filesText is the text of the files that a pattern finds.
func filesText(t *testing.T, pattern string) string {
	t.Helper()
	var b strings.Builder
	found, _ := filepath.Glob(pattern)
	for _, file := range found {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
		}
		b.Write(text)
	}
	return b.String()
}

// TestPages: a post of a public list says where it is archived, the same to members,
// archive and digest, and is there when the run is over; a private list's says nothing.
func TestPages(t *testing.T) {
	out := t.TempDir()
	w := newWorld(t, "maildir:"+out, "")
	w.site.Web.Root = t.TempDir()
	l := w.list("dev", "bob@example.com", "dora@example.com digest")
	private := w.list("private", "bob@example.com")
	if err := edit.Set(l, []string{"web=anyone"}); err != nil {
		t.Fatal(err)
	}
	w.message("alice@example.com", "From: Alice <alice@example.com>\r\nList-Archive: <https://elsewhere.example/>\r\nArchived-At: <https://elsewhere.example/7>\r\nSubject: one\r\n\r\nhello\r\n", "dev@lists.example.org")
	w.message("alice@example.com", "From: Alice <alice@example.com>\r\nSubject: two\r\n\r\nhello\r\n", "dev@lists.example.org")
	w.message("alice@example.com", "From: Alice <alice@example.com>\r\nSubject: secret\r\n\r\nhello\r\n", "private@lists.example.org")
	w.deliver()
	got := filesText(t, filepath.Join(out, "*", "new", "*"))
	for text, n := range map[string]int{
		"List-Archive: <https://lists.example.org/dev/>\n": 2, "List-Archive: <https://elsewhere.example/>": 0,
		"Archived-At: <https://lists.example.org/dev/0/1.html>\n": 1, "Archived-At: <https://lists.example.org/dev/0/2.html>\n": 1,
		"Archived-At: <https://elsewhere.example/7>": 1, "Subject: secret": 1,
	} {
		if strings.Count(got, text) != n {
			t.Errorf("members have %q %d times, not %d:\n%s", text, strings.Count(got, text), n, got)
		}
	}
	kept := filesText(t, filepath.Join(l.Dir, "archive", "000", "*"))
	if !strings.Contains(kept, "Archived-At: <https://lists.example.org/dev/0/2.html>\r\n") {
		t.Errorf("the archive:\n%s", kept)
	}
	if text := filesText(t, filepath.Join(private.Dir, "archive", "000", "*")); strings.Contains(text, "Archive") {
		t.Errorf("a private list:\n%s", text)
	}
	pages := filesText(t, filepath.Join(w.site.Web.Root, "lists.example.org", "dev", "0", "*.html"))
	if !strings.Contains(pages, "<bdi>one</bdi>") || !strings.Contains(pages, "<bdi>two</bdi>") {
		t.Errorf("the pages:\n%s", pages)
	}
	if all, _ := filepath.Glob(filepath.Join(w.site.Web.Root, "*", "*")); len(all) != 2 || filepath.Base(all[1]) != "robots.txt" {
		t.Errorf("there is %v", all)
	}
	// In the mail by digest they are the same.
	if err := edit.Set(l, []string{"web=nobody"}); err != nil {
		t.Fatal(err)
	}
	w.message("alice@example.com", "From: Alice <alice@example.com>\r\nSubject: three\r\n\r\nhello\r\n", "dev@lists.example.org")
	w.deliver()
	if web.Kept(l) || filesText(t, filepath.Join(w.site.Web.Root, "*", "*", "*")) != "" {
		t.Error("there are pages of a list that is private now")
	}
	w.wantEmpty()
}

// TestPagesTrouble: pages that cannot be written hold no mail up; once they can be,
// what is missing is made up.
func TestPagesTrouble(t *testing.T) {
	out := t.TempDir()
	w := newWorld(t, "maildir:"+out, "")
	root := filepath.Join(t.TempDir(), "www")
	if err := os.WriteFile(root, nil, 0o600); err != nil { // a file where the directory should be
		t.Fatal(err)
	}
	w.site.Web.Root = root
	l := w.list("dev", "bob@example.com")
	if err := edit.Set(l, []string{"web=anyone"}); err != nil {
		t.Fatal(err)
	}
	w.message("alice@example.com", "From: Alice <alice@example.com>\r\nSubject: one\r\n\r\nhello\r\n", "dev@lists.example.org")
	w.deliver()
	if !strings.Contains(filesText(t, filepath.Join(out, "*", "new", "*")), "Subject: one") {
		t.Error("the post has not gone out")
	}
	if !strings.Contains(w.log.String(), "trouble pages list=<dev@lists.example.org>") {
		t.Errorf("the log:\n%s", w.log.String())
	}
	os.Remove(root)
	w.deliver()
	if filesText(t, filepath.Join(root, "*", "*", "index.html")) != "" {
		t.Error("it was tried again at once")
	}
	w.later += 2 * pagesRetry
	w.deliver()
	if !strings.Contains(filesText(t, filepath.Join(root, "*", "dev", "index.html")), "<bdi>one</bdi>") {
		t.Error("it was not made up")
	}
}

// TestFaultPages: whatever fails on the way of a post to the members and to the web,
// in the end it is in both, once.
func TestFaultPages(t *testing.T) {
	t.Parallel()
	disktest.Each(t, 60, func(f *disktest.Fault) {
		out := t.TempDir()
		w := newWorld(t, "maildir:"+out, "")
		w.site.Web.Root = t.TempDir()
		l := w.list("dev", "bob@example.com")
		if err := edit.Set(l, []string{"web=anyone"}); err != nil {
			t.Fatal(err)
		}
		w.message("alice@example.com", "From: Alice <alice@example.com>\r\nSubject: one\r\n\r\nhello\r\n", "dev@lists.example.org")
		sound := w.site
		w.site = onDisk(sound, f.Disk())
		w.runner().Run(context.Background())
		f.Off()
		w.site = sound
		for range 2 {
			w.later += 2 * pagesRetry
			w.deliver()
		}
		if n := strings.Count(filesText(t, filepath.Join(out, "*", "new", "*")), "Subject: one"); n != 1 && !hidden(f.Call, f.Path) && !strings.Contains(f.Path, out) {
			t.Errorf("%v: bob has it %d times", f, n)
		}
		index := filesText(t, filepath.Join(w.site.Web.Root, "*", "dev", "index.html"))
		page := filesText(t, filepath.Join(w.site.Web.Root, "*", "dev", "0", "1.html"))
		if strings.Count(index, "<bdi>one</bdi>") != 1 || !strings.Contains(page, "hello") {
			t.Errorf("%v: the pages:\n%s\n%s", f, index, page)
		}
		if left, _ := filepath.Glob(filepath.Join(w.site.QueueDir, "pages", "*", "*")); len(left) > 0 {
			t.Errorf("%v: reminders are left: %v", f, left)
		}
		w.wantEmpty()
	})
}

// TestPagesAfterMove: a crash between a list and its pages, as after list mv and restore,
// costs the pages a day.
func TestPagesAfterMove(t *testing.T) {
	w := newWorld(t, "maildir:"+t.TempDir(), "")
	w.site.Web.Root = t.TempDir()
	l := w.list("dev", "bob@example.com")
	if err := edit.Set(l, []string{"web=anyone"}); err != nil {
		t.Fatal(err)
	}
	w.message("alice@example.com", "From: Alice <alice@example.com>\r\nSubject: one\r\n\r\nhello\r\n", "dev@lists.example.org")
	w.deliver()
	pages := filepath.Join(w.site.Web.Root, "lists.example.org", "dev", "0", "*.html")
	for _, gone := range []string{filepath.Join(l.Dir, "web"), w.site.Web.Root, filepath.Join(w.site.QueueDir, "maintained")} {
		if err := os.RemoveAll(gone); err != nil {
			t.Fatal(err)
		}
	}
	w.deliver() // which is the first of its day
	w.deliver()
	if text := filesText(t, pages); !strings.Contains(text, "<bdi>one</bdi>") {
		t.Errorf("the next day there are no pages: %q", text)
	}
}
