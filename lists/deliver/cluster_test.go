package deliver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"superlist/lists"
	"superlist/lists/cluster"
	"superlist/lists/cluster/clustertest"
	"superlist/lists/edit"
	"superlist/lists/members"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
)

// A cable leads from a host to the database of its cluster.
type cable struct {
	clustertest.Store
	cut    bool
	broken atomic.Int32 // how many commits will still come: then one fails. 0: all do
	lost   bool         // the commit that fails has happened
}

func (c *cable) Change(units []string) (cluster.Tx, error) {
	if c.cut {
		return nil, cluster.ErrAway
	}
	tx, err := c.Store.Change(units)
	return breaking{tx, c}, err
}

func (c *cable) Look() (cluster.Tx, error) {
	if c.cut {
		return nil, cluster.ErrAway
	}
	return c.Store.Look()
}

func (c *cable) Units(names ...string) ([]cluster.Unit, error) {
	if c.cut {
		return nil, cluster.ErrAway
	}
	return c.Store.Units(names...)
}

type breaking struct {
	cluster.Tx
	c *cable
}

func (b breaking) Commit() error {
	if b.c.broken.Load() > 0 && b.c.broken.Add(-1) == 0 {
		if b.c.lost {
			b.Tx.Commit()
		}
		b.Tx.Rollback()
		return cluster.ErrAway
	}
	return b.Tx.Commit()
}

// A host is a world in a cluster.
type host struct {
	*world
	cable *cable
	copy  *cluster.Site
}

func (h *host) See() (string, error) { return "", nil }

func (h *host) Follow() error { return h.copy.Follow() }

func (h *host) runner() *Runner {
	r := h.world.runner()
	r.Cluster = h
	h.copy.Applied = r.Applied
	return r
}

// run delivers once. Trouble is in the log.
func (h *host) run() error { return h.runner().Run(h.t.Context()) }

// hosts makes a cluster of two hosts, with one relay, and a list that the first one has made.
func hosts(t *testing.T, settings []string, who ...string) (a, b *host, f *fakeRelay) {
	t.Helper()
	f = &fakeRelay{Extensions: "PIPELINING 8BITMIME XVERP"}
	address, db := f.Start(t), filepath.Join(t.TempDir(), "db")
	for i, h := range []**host{&a, &b} {
		*h = &host{world: newWorld(t, address, ""), cable: &cable{Store: clustertest.Store{File: db}}}
		(*h).site.Cluster.Database, (*h).site.Cluster.Host = "postgres://db/superlist", fmt.Sprintf("mx%d", i+1)
		(*h).copy = &cluster.Site{Root: (*h).site.ListsDir, Disk: disktest.Lazy(), DB: (*h).cable}
		if err := os.MkdirAll((*h).site.ListsDir, 0o700); err != nil {
			t.Fatal(err)
		}
		(*h).site.Disk = &disk.Disk{Shared: (*h).copy}
	}
	if err := a.copy.Init(nil); err != nil {
		t.Fatal(err)
	}
	l, err := edit.Create(lists.Of(a.site), path(dev), nil, append([]string{"post=anyone", "owners=olga@example.org"}, settings...))
	if err != nil {
		t.Fatal(err)
	}
	err = edit.Members(l, func(set members.Set) error {
		for _, line := range who {
			m, ok := members.Parse(line)
			if !ok {
				t.Fatalf("%q", line)
			}
			set.Add(m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	a.fresh()
	b.fresh()
	return a, b, f
}

func (h *host) fresh() {
	h.t.Helper()
	if err := h.copy.FreshAll(nil); err != nil {
		h.t.Fatal(err)
	}
}

// say is a post that comes to this host.
func (h *host) say(n int) {
	h.message("alice@example.com", fmt.Sprintf("From: alice@example.com\r\nMessage-ID: <%d@x>\r\nSubject: post %d\r\n\r\n%d\r\n", n, n, n), dev)
}

// files is what a host has of a list, but for what is its own.
func (h *host) files() string {
	h.t.Helper()
	var all []string
	filepath.WalkDir(h.site.ListsDir, func(name string, d os.DirEntry, err error) error {
		rel, _ := filepath.Rel(h.site.ListsDir, name)
		if err != nil || d.IsDir() && rel != "." && (d.Name()[0] == '.' || d.Name() == "tmp" || d.Name() == "web") {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() && d.Name()[0] != '.' {
			text, err := os.ReadFile(name)
			if err != nil {
				h.t.Error(err)
			}
			all = append(all, fmt.Sprintf("%s: %.300q", rel, text))
		}
		return nil
	})
	return strings.Join(all, "\n")
}

func (h *host) want(who string, f *fakeRelay, want ...string) {
	h.t.Helper()
	digests, posts := issues(h.t, f, who)
	got := strings.Fields(subjectsOf(digests))
	for _, post := range posts {
		_, subject, _ := strings.Cut(post, "Subject: post ")
		number, _, _ := strings.Cut(subject, "\r\n")
		got = append(got, number)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		h.t.Errorf("%s has %q, want %q", who, got, want)
	}
}

func same(a, b *host) {
	a.t.Helper()
	a.fresh()
	b.fresh()
	one, other := strings.Split(a.files(), "\n"), strings.Split(b.files(), "\n")
	for _, line := range one {
		if !slices.Contains(other, line) {
			a.t.Errorf("only the first host has %s", line)
		}
	}
	for _, line := range other {
		if !slices.Contains(one, line) {
			a.t.Errorf("only the second host has %s", line)
		}
	}
}

// TestTwoHosts: posts to two hosts have one row of numbers, whoever leaves on one gets
// nothing by the other, and a digest comes once, with the posts of both.
func TestTwoHosts(t *testing.T) {
	a, b, f := hosts(t, nil, "each@example.com", "leaves@example.com", "in@example.com digest")
	for _, h := range []*host{a, b} {
		h.at(1, 9, 0)
	}
	a.say(1)
	b.say(2)
	if err := errors.Join(a.run(), b.run()); err != nil {
		t.Fatal(err)
	}
	l, err := lists.Of(a.site).Open(path(dev))
	if err == nil {
		err = edit.Members(l, func(set members.Set) error { set.Remove(path("leaves@example.com")); return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	b.say(3)
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	if first, last, err := l.Posts().Range(); err != nil || first != 1 || last != 2 {
		t.Errorf("before it asks: posts %d to %d, %v", first, last, err)
	}
	for _, h := range []*host{b, a, b} {
		h.at(2, 0, 1)
		if err := h.run(); err != nil {
			t.Fatal(err)
		}
	}
	if first, last, err := l.Posts().Range(); err != nil || first != 1 || last != 3 {
		t.Errorf("posts %d to %d, %v", first, last, err)
	}
	a.want("each@example.com", f, "1", "2", "3")
	a.want("leaves@example.com", f, "1", "2")
	a.want("in@example.com", f, "1", "2", "3")
	if digests, _ := issues(t, f, "in@example.com"); len(digests) != 1 {
		t.Errorf("%d digests", len(digests))
	}
	same(a, b)
}

// TestAway: while the database is away posts go on, and the archive has them later.
func TestAway(t *testing.T) {
	a, b, f := hosts(t, nil, "each@example.com", "in@example.com digest")
	for _, h := range []*host{a, b} {
		h.at(1, 9, 0)
	}
	b.cable.cut = true
	b.say(1)
	b.run()
	b.want("each@example.com", f, "1")
	if got := b.spool(queue.Inbound); len(got) != 1 || !strings.HasPrefix(got[0], "T<"+dev+">") {
		t.Errorf("what waits is %q", got)
	}
	a.say(2)
	if err := a.run(); err != nil {
		t.Fatal(err)
	}
	b.cable.cut = false
	for _, h := range []*host{b, a, b} {
		h.at(2, 0, 1)
		if err := h.run(); err != nil {
			t.Fatal(err)
		}
	}
	a.want("each@example.com", f, "1", "2")
	a.want("in@example.com", f, "1", "2")
	l, _ := lists.Of(a.site).Open(path(dev))
	if first, last, err := l.Posts().Range(); err != nil || first != 1 || last != 2 {
		t.Errorf("posts %d to %d, %v", first, last, err)
	}
	b.wantEmpty()
	same(a, b)
}

// TestAwayNumber: a post that shows its number waits for it.
func TestAwayNumber(t *testing.T) {
	_, b, f := hosts(t, []string{"subject_prefix=[dev {number}]"}, "each@example.com")
	b.cable.cut = true
	b.say(1)
	b.run()
	if got := f.Taken(); len(got) > 0 {
		t.Errorf("sent without its number: %q", got[0].Message)
	}
	b.cable.cut = false
	b.at(1, 9, 0)
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	if got := f.Taken(); len(got) != 1 || !strings.Contains(got[0].Message, "Subject: [dev 1] post 1") {
		t.Errorf("sent %+v", got)
	}
}

// TestLostCommits fails each commit in turn, of one that happens and of one that does not,
// on a host that takes a post, keeps it, and makes a digest. Another host then goes on
// first.
func TestLostCommits(t *testing.T) {
	for _, lost := range []bool{false, true} {
		for n := int32(1); ; n++ {
			a, b, f := hosts(t, nil, "each@example.com", "in@example.com digest")
			for _, h := range []*host{a, b} {
				h.at(1, 9, 0)
			}
			b.cable.lost = lost
			b.cable.broken.Store(n)
			b.say(1)
			b.run()
			b.at(2, 0, 1)
			b.run()
			hit := b.cable.broken.Swap(0) == 0
			for day := 2; day < 5; day++ {
				for _, h := range []*host{a, b} {
					h.at(day, 0, 2)
					h.run()
				}
			}
			a.want("each@example.com", f, "1")
			a.want("in@example.com", f, "1")
			a.wantEmpty()
			b.wantEmpty()
			same(a, b)
			if t.Failed() {
				t.Fatalf("commit %d, lost=%v", n, lost)
			}
			if !hit {
				if n < 3 {
					t.Errorf("only %d commits", n)
				}
				break
			}
		}
	}
}
