package deliver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/people"
	"superlist/lists/site"
	"superlist/lists/web"
	pages "superlist/lists/web/serve"
	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
)

// secretSubject is what nobody may learn once its list is private.
const secretSubject = "Quarterly"

// publicList is a site whose list shows two posts to anyone.
func publicList(t *testing.T) (*site.Site, *lists.List) {
	t.Helper()
	s := faultSite(t, t.TempDir())
	s.Web.Requests = true
	if err := os.RemoveAll(s.QueueDir); err != nil { // its post
		t.Fatal(err)
	}
	l, err := lists.Of(s).Open(path(dev))
	if err == nil {
		err = s.Spool().Init()
	}
	if err == nil {
		err = edit.Set(l, []string{"web=anyone", "web_mbox=full"})
	}
	if err != nil {
		t.Fatal(err)
	}
	p := &actPlace{site: s, l: l, now: time.Now()}
	for n := range 2 {
		p.put(t, path("a@example.com"), l.Addr, fmt.Sprintf("From: a@example.com\r\nMessage-ID: <%d@x>\r\nSubject: %s figures\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n%s\r\n--b\r\nContent-Type: image/png\r\n\r\n%s\r\n--b--\r\n", n, secretSubject, secretSubject, secretSubject))
	}
	if err := deliverOnce(s, alone, nil); err != nil {
		t.Fatal(err)
	}
	if l, err = lists.Of(s).Open(l.Addr); err != nil || !strings.Contains(shown(t, s), secretSubject) {
		t.Fatalf("it has no pages: %v", err)
	}
	if got := get(s, "/dev/2/raw"); !strings.Contains(got.Body.String(), secretSubject) {
		t.Fatalf("superlist-web does not show it: %d %s", got.Code, got.Body)
	}
	return s, l
}

// shown is all that a web server shows.
func shown(t *testing.T, s *site.Site) string {
	t.Helper()
	var b strings.Builder
	filepath.WalkDir(s.Web.Root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(&b, "%s\n%s\n", path, text)
		return err
	})
	return b.String()
}

// get asks superlist-web, as a stranger.
func get(s *site.Site, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.Host = "lists.example.org"
	w := httptest.NewRecorder()
	(&pages.Handler{Site: s, Log: new(maillog.Log), Sleep: func(time.Duration) {}}).ServeHTTP(w, r)
	return w
}

// laterRun runs deliver two minutes from now.
func laterRun(t *testing.T, s *site.Site, what string) {
	t.Helper()
	log, _ := maillog.Open("none", "info", "test")
	r := &Runner{Site: s, Spool: s.Spool(), Log: log, atOnce: alone, Now: func() time.Time { return time.Now().Add(2 * time.Minute) }}
	if err := r.Run(t.Context()); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// wantPrivate wants superlist-web to say nothing of a list: what a stranger gets of a post
// that is there is what they get of one that is not, or never was.
func wantPrivate(t *testing.T, s *site.Site, l *lists.List, what string) {
	t.Helper()
	month := time.Now().UTC().Format("2006-01")
	none := get(s, "/dev/99999/raw")
	if l.Web == lists.WebNobody {
		none = get(s, "/nosuch/1")
	}
	for _, path := range []string{"", "index.html", "new.atom", "0/1.html", "t/0/1.html", month + ".html", month + ".mbox.gz", "1", "2/raw", "1/part/2", "1/t.mbox.gz", "1/t.atom",
		"1@x/", "1@x/raw", "1@x/t.mbox.gz", "search?q=" + secretSubject, "search?q=figures&x=A", "search?q=figures&x=m", "../dev/0/1.html"} {
		w := get(s, "/dev/"+path)
		if w.Code != none.Code || w.Body.String() != none.Body.String() || w.Header().Get("Location") != none.Header().Get("Location") || len(w.Header()) != len(none.Header()) || w.Code == http.StatusOK {
			t.Errorf("%s: /dev/%s: %d %v %s", what, path, w.Code, w.Header(), w.Body)
		}
	}
}

// becomesPrivate changes who may read a list, as superlist list set does.
func becomesPrivate(s *site.Site, setting string) error {
	log, _ := maillog.Open("none", "info", "test")
	r := &Runner{Site: s, Spool: s.Spool(), Log: log}
	l, err := lists.Of(s).Open(path(dev))
	if err != nil {
		return err
	}
	_, err = r.Desk().Do(people.Request{List: l, Command: lists.Command{Verb: people.VerbSettings}, Operator: "ann", Settings: []string{setting}, At: time.Now()})
	return err
}

// removesPosts removes all posts of the list, as superlist archive rm does.
func removesPosts(s *site.Site) error {
	log, _ := maillog.Open("none", "info", "test")
	r := &Runner{Site: s, Spool: s.Spool(), Log: log}
	l, err := lists.Of(s).Open(path(dev))
	if err != nil {
		return err
	}
	entries, err := l.Posts().By(path("a@example.com"))
	if err == nil {
		_, _, _, err = r.Desk().RemovePosts(l, entries, "", people.ListRequest{Operator: "ann"})
	}
	return err
}

// checkRemoved holds that a post that is removed is seen by nobody: at once of
// superlist-web, and of the files once deliver has run.
func checkRemoved(t *testing.T, s *site.Site, what string, done bool) {
	t.Helper()
	l, err := lists.Of(s).Open(path(dev))
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	gone, err := l.Posts().Removed()
	if err != nil || done && len(gone) != 2 {
		t.Errorf("%s: %d are removed, %v", what, len(gone), err)
	}
	if len(gone) == 0 {
		return
	}
	for _, path := range []string{"1", "2/raw", "1/part/2", "1/t.mbox.gz", "1/t.atom", "1@x/", "1@x/raw", "search?q=" + secretSubject} {
		if got := get(s, "/dev/"+path).Body.String(); strings.Contains(got, secretSubject+" figures") {
			t.Errorf("%s: /dev/%s: %s", what, path, got)
		}
	}
	if done && strings.Contains(shown(t, s), secretSubject) {
		t.Errorf("%s: when the command has returned there is\n%s", what, shown(t, s))
	}
	laterRun(t, s, what)
	if text := shown(t, s); strings.Contains(text, secretSubject) {
		t.Errorf("%s: after the next superlist deliver there is\n%s", what, text)
	}
}

// TestFaultRemoved fails each call by which posts are removed.
func TestFaultRemoved(t *testing.T) {
	t.Parallel()
	disktest.Each(t, 10, func(f *disktest.Fault) {
		s, _ := publicList(t)
		err := removesPosts(onDisk(s, f.Disk()))
		if err != nil && !f.Hit() {
			t.Error(err)
		}
		checkRemoved(t, s, f.String(), err == nil)
	})
}

// TestKillRemoved kills a process at each call by which posts are removed.
func TestKillRemoved(t *testing.T) {
	t.Parallel()
	disktest.Kill(t, 10, func(run func(string) disktest.Death) {
		s, _ := publicList(t)
		k := run(task("removed", s, ""))
		if k.Call == "" && k.Err != nil {
			t.Errorf("%v: %s", k.Err, k.Said)
		}
		checkRemoved(t, s, k.String(), k.Call == "")
	})
}

func init() {
	tasks["removed"] = func(s *site.Site, d *disk.Disk, _ string) error { return removesPosts(onDisk(s, d)) }
	tasks["private"] = func(s *site.Site, d *disk.Disk, setting string) error { return becomesPrivate(onDisk(s, d), setting) }
}

// checkPrivate holds that a list is public or private: never private with something to be
// seen of it by superlist-web, and not for longer than until deliver has run for its files.
func checkPrivate(t *testing.T, s *site.Site, what string, done bool) {
	t.Helper()
	l, err := lists.Of(s).Open(path(dev))
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if l.Web == lists.WebAnyone {
		if done {
			t.Errorf("%s: it is public", what)
		}
		return
	}
	wantPrivate(t, s, l, what)
	if done && strings.Contains(shown(t, s), secretSubject) {
		t.Errorf("%s: when the command has returned there is\n%s", what, shown(t, s))
	}
	laterRun(t, s, what)
	wantPrivate(t, s, l, what)
	if text := shown(t, s); strings.Contains(text, "dev") || strings.Contains(text, secretSubject) {
		t.Errorf("%s: after the next superlist deliver there is\n%s", what, text)
	}
	if l.Web == lists.WebNobody && web.Kept(l) {
		t.Errorf("%s: something is kept", what)
	}
}

// TestFaultPrivate fails each call by which a list's pages go from anybody to members.
func TestFaultPrivate(t *testing.T) {
	t.Parallel()
	disktest.Each(t, 10, func(f *disktest.Fault) {
		s, _ := publicList(t)
		err := becomesPrivate(onDisk(s, f.Disk()), "web=members")
		if err != nil && !f.Hit() {
			t.Error(err)
		}
		checkPrivate(t, s, f.String(), err == nil)
	})
}

// TestKillPrivate kills a process at each call by which a list becomes private to all.
func TestKillPrivate(t *testing.T) {
	t.Parallel()
	disktest.Kill(t, 10, func(run func(string) disktest.Death) {
		s, _ := publicList(t)
		k := run(task("private", s, "web=nobody"))
		if k.Call == "" && k.Err != nil {
			t.Errorf("%v: %s", k.Err, k.Said)
		}
		checkPrivate(t, s, k.String(), k.Call == "")
	})
}
