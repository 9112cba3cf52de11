package pg

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"superlist/lists/cluster/clustertest"
	"superlist/lists/cluster/pgtest"
	"superlist/lists/members"
)

// roll is a members file with n members, one of whom has words.
func roll(n int, words string) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "user%07d@example.com", i)
		if i == n/2 {
			text.WriteString(words)
		}
		text.WriteByte('\n')
	}
	return text.String()
}

// processor is how much processor time this process has used; that of the server is not in
// it.
func processor() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// largeSite returns a host that has a list of many members and posts.
func largeSite(b *testing.B, s *pgtest.Server, members, posts int) *clustertest.Host {
	a := clustertest.NewHost(b, open(b, s))
	files := map[string]string{"list.toml": "# dev\n", "members": roll(members, "")}
	if err := a.Init(nil); err != nil {
		b.Fatal(err)
	}
	text := strings.Repeat("A line of a post of the usual length, or so.\r\n", 60)
	for n := range posts {
		files[fmt.Sprintf("archive/%03d/%06d", n/1000, n)] = text
	}
	begin := time.Now()
	a.Must(func() error { return a.Create(clustertest.Dev, files) }, "", clustertest.Dev)
	b.Logf("%d members and %d posts went into the database in %v", members, posts, time.Since(begin).Round(time.Millisecond))
	return a
}

// BenchmarkOneOfMany brings one change among a million members from one host to another:
// what differs is found and put, and fetched and merged.
func BenchmarkOneOfMany(b *testing.B) {
	const many = 1000000
	s := pgtest.Start(b)
	a := largeSite(b, s, many, 0)
	other := clustertest.NewHost(b, open(b, s))
	other.BeFresh()
	file := clustertest.Dev + "/members"
	var push, fetch time.Duration
	n := 0
	for b.Loop() {
		n++
		b.StopTimer()
		text := roll(many, fmt.Sprint(" name=", n))
		c, err := a.Begin(filepath.Join(a.Root, clustertest.Dev))
		if err == nil {
			err = a.Write(file, text, members.SortedTime(time.Now()))
		}
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		at := processor()
		if err := c.End(); err != nil {
			b.Fatal(err)
		}
		push += processor() - at
		at = processor()
		if err := other.Fresh(filepath.Join(other.Root, clustertest.Dev), func() error { return nil }); err != nil {
			b.Fatal(err)
		}
		fetch += processor() - at
		b.StopTimer()
		if got, err := os.ReadFile(filepath.Join(other.Root, file)); err != nil || string(got) != text {
			b.Fatal("the copy differs: ", err)
		}
		b.StartTimer()
	}
	b.ReportMetric(float64(push.Milliseconds())/float64(n), "push-ms/op")
	b.ReportMetric(float64(fetch.Milliseconds())/float64(n), "fetch-ms/op")
}

// BenchmarkJoin brings a million members and 100,000 posts to a new host.
func BenchmarkJoin(b *testing.B) {
	s := pgtest.Start(b)
	largeSite(b, s, 1000000, 100000)
	for b.Loop() {
		h := clustertest.NewHost(b, open(b, s))
		at := processor()
		h.BeFresh()
		b.ReportMetric(float64((processor() - at).Milliseconds()), "processor-ms/op")
	}
}

// BenchmarkFollow asks for news of 10,000 lists, of which there are none.
func BenchmarkFollow(b *testing.B) {
	s := pgtest.Start(b)
	a := clustertest.NewHost(b, open(b, s))
	for n := range 10000 {
		dir := filepath.Join(a.Root, fmt.Sprintf("lists.example.org/list%05d", n))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "list.toml"), []byte("# a list\n"), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	if err := a.Init(nil); err != nil {
		b.Fatal(err)
	}
	at := processor()
	n := 0
	for b.Loop() {
		n++
		if err := a.Follow(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((processor()-at).Microseconds())/1000/float64(n), "processor-ms/op")
}
