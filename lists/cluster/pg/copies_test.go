package pg

import (
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists/cluster"
	"superlist/lists/cluster/clustertest"
	"superlist/lists/cluster/pgtest"
	"superlist/lists/members"
)

// open returns the database of a server, with its tables.
func open(t testing.TB, s *pgtest.Server) *DB {
	t.Helper()
	db, err := Open(s.URL())
	if err == nil {
		err = db.Migrate()
	}
	if err != nil {
		t.Fatal(err)
	}
	db.rest = 10 * time.Millisecond
	t.Cleanup(db.Close)
	return db
}

// TestCopies: what one host changes the others have, with its time: small files, large
// ones, members.
func TestCopies(t *testing.T) {
	s := pgtest.Start(t)
	hosts := clustertest.Join(t, open(t, s), open(t, s), open(t, s))
	a, b, c := hosts[0], hosts[1], hosts[2]
	a.Must(func() error {
		return a.Create(clustertest.Dev, map[string]string{"list.toml": "# dev\n", "members": "alice@example.com\nbob@example.com\n", "asked/x": "", "web/own": "a"})
	}, "", clustertest.Dev)
	all := clustertest.Same(t, hosts)
	for _, want := range []string{clustertest.Dev + "/members", "alice", "# dev", "asked/x"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in\n%s", want, all)
		}
	}

	large := strings.Repeat("0123456789abcde\n", 3*cluster.PartSize/16) + "end"
	roll := []string{"alice@example.com", "bob@example.com"}
	join := func(h *clustertest.Host, who string) {
		t.Helper()
		h.Must(func() error {
			roll = append(roll, who)
			slices.Sort(roll)
			return h.Write(clustertest.Dev+"/members", "# by hand\n"+strings.Join(roll, "\n")+"\n", members.SortedTime(time.Now()))
		}, clustertest.Dev)
	}
	steps := []func(){
		func() {
			b.Must(func() error { return b.Write(clustertest.Dev+"/decided/one", "1.M1\n", clustertest.Day) }, clustertest.Dev+"/decided")
		},
		func() {
			c.Must(func() error { return c.Write(clustertest.Dev+"/archive/index", large, clustertest.Day) }, clustertest.Dev)
		},
		func() {
			a.Must(func() error { return a.Write(clustertest.Dev+"/archive/index", large+" more", clustertest.Day) }, clustertest.Dev)
		},
		func() {
			b.Must(func() error {
				return b.Write(clustertest.Dev+"/archive/index", large[:cluster.PartSize], clustertest.Day)
			}, clustertest.Dev)
		},
		func() {
			b.Must(func() error { return b.Write(clustertest.Dev+"/archive/index", "", clustertest.Day) }, clustertest.Dev)
		},
		func() {
			c.Must(func() error { return c.Write(clustertest.Dev+"/decided/one", "1.M1\n", clustertest.Day.Add(time.Hour)) }, clustertest.Dev)
		},
		func() { a.Must(func() error { return a.Remove(clustertest.Dev + "/decided/one") }, clustertest.Dev) },
		func() { join(a, "carol@example.com") },
		func() { join(b, "aaron@example.com") },
		func() { join(c, "zoe@example.com") },
		func() { // by hand, not in order
			a.Must(func() error {
				return a.Write(clustertest.Dev+"/members", "zoe@example.com\nbob@example.com\n", clustertest.Day)
			}, clustertest.Dev)
		},
		func() { join(c, "dora@example.com") },
		func() { b.Must(func() error { return b.Write("tokens.json", "{}\n", clustertest.Day) }, "") },
		func() { c.Must(func() error { return c.Write(".asked/who-1", "1\n", clustertest.Day) }, ".asked") },
		func() { c.Must(func() error { return c.Remove(".asked/who-1") }, ".asked") },
		func() {
			a.Must(func() error { return a.Write("lists.example.org/old", "dev@lists.example.org\n", clustertest.Day) }, "")
		},
		func() { b.Must(func() error { return b.Remove(clustertest.Dev + "/archive") }, clustertest.Dev) },
	}
	for n, step := range steps {
		step()
		clustertest.Same(t, hosts)
		if t.Failed() {
			t.Fatalf("after step %d", n)
		}
	}
	all = clustertest.Same(t, hosts)
	for _, want := range []string{"carol@", "dora@", "tokens.json", "/old"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in\n%s", want, all)
		}
	}
	for _, gone := range []string{"archive", "decided", "who-1"} {
		if strings.Contains(all, gone) {
			t.Errorf("%s is in\n%s", gone, all)
		}
	}
}
