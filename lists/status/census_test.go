package status

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/ledger"
	"superlist/lists/ledger/files"
	"superlist/lists/site"
	"superlist/queue/disk"
)

func testSite(t testing.TB) *site.Site {
	root := t.TempDir()
	return &site.Site{Hostname: "lists.example.org", ListsDir: root + "/lists", QueueDir: root + "/spool", RecipientDelimiter: "+", Disk: new(disk.Disk), Ledger: files.On}
}

func list(t testing.TB, s *site.Site, name, members string) string {
	dir := filepath.Join(s.ListsDir, "lists.example.org", name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"list.toml": "owners = [\"o@example.org\"]\n", "members": members} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestCount: members, who of them is suspended, what waits, and lists that cannot be read.
func TestCount(t *testing.T) {
	s, now := testSite(t), time.Now()
	if c, err := Count(s, now, nil); err != nil || c.Lists != 0 {
		t.Errorf("nothing: %+v, %v", c, err)
	}
	dir := list(t, s, "dev", "# comment\na@example.com\nb@example.com bounced=2026-11-01 name=B\nc@example.com name=bounced=2026\n\n")
	list(t, s, "news", strings.Repeat("x", 20000)+"\nd@example.com\n")
	os.WriteFile(filepath.Join(list(t, s, "broken", ""), "list.toml"), []byte("post = 7\n"), 0o600)
	os.Mkdir(dir+"/held", 0o700)
	os.Mkdir(dir+"/requests", 0o700)
	for _, name := range []string{"held/0123456789ab", "held/.0123.new", "requests/abc"} {
		os.WriteFile(filepath.Join(dir, name), nil, 0o600)
	}
	seen := 0
	c, err := Count(s, now, func(n int) { seen = n })
	if want := (Census{At: now, Lists: 3, Faulty: 1, Members: 4, Suspended: 1, Held: 1, Waiting: 1}); err != nil || c != want || seen != 3 {
		t.Errorf("%+v, %v, %d seen", c, err, seen)
	}
}

// TestLastCensus: it is counted once an hour, and anew where nobody understands what was
// counted.
func TestLastCensus(t *testing.T) {
	s := testSite(t)
	list(t, s, "dev", "a@example.com\n")
	now := time.Now().Truncate(time.Second)
	for i, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {59 * time.Minute, 1}, {time.Hour, 2}} {
		c, err := lastCensus(s, now.Add(step.after))
		if err != nil || c.Lists != step.want {
			t.Errorf("%d: %+v, %v", i, c, err)
		}
		list(t, s, "news", "")
	}
	file := ledger.OfSite(s.ListsDir).Path(ledger.Tallies) + "/" + censusName
	os.WriteFile(file, []byte("{"), 0o600)
	if c, err := lastCensus(s, now); err != nil || c.Lists != 2 {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestMetrics: each family has its head once, and labels are quoted.
func TestMetrics(t *testing.T) {
	at := time.Unix(1796040000, 0)
	st := &Status{At: at.Add(time.Hour), Census: Census{At: at, Lists: 2}, Queue: []Box{{Box: "inbound", Messages: 3, Oldest: &at}}, Certificates: []Certificate{{File: "/a\"b\\\n", Until: &at}}}
	text := st.Metrics()
	for _, want := range []string{"# TYPE superlist_lists gauge\nsuperlist_lists 2\n", "superlist_queue_oldest_age_seconds{box=\"inbound\"} 3600\n",
		`superlist_certificate_expiry_timestamp_seconds{file="/a\"b\\\n"} 1796040000` + "\n", "# TYPE superlist_posts_total counter\nsuperlist_posts_total 0\n"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "superlist_digest_timestamp_seconds") {
		t.Error("a digest that never was has a time")
	}
	for _, f := range Families() {
		if n := strings.Count(text, "# TYPE "+f.Name+" "); n > 1 || f.Help == "" || !strings.HasSuffix(f.Help, ".") {
			t.Error(fmt.Sprint(f.Name, " ", n, " ", f.Help))
		}
	}
}
