package serve

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/ledger/files"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/lists/weblink"
	"superlist/queue"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

// leaving is a site with a member, and their link.
func leaving(t testing.TB) (s *site.Site, link string) {
	t.Helper()
	s, err := site.Load(sitetest.Write(t, t.TempDir(), "[web]\nrequests = true\n"))
	if err != nil {
		t.Fatal(err)
	}
	s.Ledger = files.On
	alice := smtp.Path{Local: "alice", Domain: "example.com"}
	l, err := edit.Create(lists.Of(s), smtp.Path{Local: "dev", Domain: "lists.example.org"}, nil, nil)
	if err == nil {
		err = os.WriteFile(l.Dir+"/members", []byte("alice@example.com\n"), 0o600)
	}
	if err == nil {
		err = s.Spool().Init()
	}
	if err == nil {
		link, err = weblink.Leaving(s, l, alice, time.Now())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s, strings.TrimPrefix(link, "https://lists.example.org")
}

// press presses the button behind a link.
func press(s *site.Site, link string) int {
	r := httptest.NewRequest("POST", link, strings.NewReader("List-Unsubscribe=One-Click"))
	r.Host = "lists.example.org"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	(&Handler{Site: s, Log: new(maillog.Log)}).ServeHTTP(w, r)
	return w.Code
}

// checkPressed holds that who has heard 200 is in the spool, whole, and nobody is twice.
func checkPressed(t *testing.T, s *site.Site, what string, code int) {
	t.Helper()
	entries, err := s.Spool().List(queue.Inbound)
	if err != nil || len(entries) > 1 || code == 200 && len(entries) != 1 || code != 200 && code != 503 && code != 0 {
		t.Errorf("%s: %d, and %d requests, %v", what, code, len(entries), err)
	}
	for _, e := range entries {
		m, err := s.Spool().Open(queue.Inbound, e.ID)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		text := make([]byte, m.Size)
		m.Content().ReadAt(text, 0)
		if !strings.HasSuffix(string(text), "\"day\":\""+time.Now().UTC().Format(time.DateOnly)+"\"}\r\n") {
			t.Errorf("%s: %s", what, text)
		}
		m.Close()
	}
}

// pressCalls is how many calls change the disk for one request.
const pressCalls = 5

// TestFaultPost fails each call of a POST.
func TestFaultPost(t *testing.T) {
	disktest.Each(t, pressCalls, func(f *disktest.Fault) {
		s, link := leaving(t)
		broken := *s
		broken.Disk = f.Disk()
		code := press(&broken, link)
		if !f.Hit() && code != 200 {
			t.Errorf("without a fault: %d", code)
		}
		checkPressed(t, s, f.String(), code)
	})
}

// TestKillPost kills a process at each call of a POST.
func TestKillPost(t *testing.T) {
	disktest.Kill(t, pressCalls, func(run func(string) disktest.Death) {
		s, link := leaving(t)
		k := run(link + "\n" + s.File())
		code := 0
		fmt.Sscan(k.Said, &code)
		if k.Call == "" && code != 200 {
			t.Errorf("it was not killed: %v: %s", k.Err, k.Said)
		}
		checkPressed(t, s, k.String(), code)
	})
}

// TestMain is also the process that TestKillPost kills.
func TestMain(m *testing.M) {
	d, task, ok := disktest.Task()
	if !ok {
		os.Exit(m.Run())
	}
	link, file, _ := strings.Cut(task, "\n")
	s, err := site.Load(file)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	s.Disk = d
	fmt.Println(press(s, link))
}
