package pg

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"superlist/lists/cluster/clustertest"
	"superlist/lists/cluster/pgtest"
)

// TestFollow: a host that asks for what has changed misses nothing, also not what was begun
// before it asked and committed after what it has seen; and it has all of it again when the
// database is another one.
func TestFollow(t *testing.T) {
	s := pgtest.Start(t)
	hosts := clustertest.Join(t, open(t, s), open(t, s), open(t, s))
	a, b, c := hosts[0], hosts[1], hosts[2]
	const two = "lists.example.org/two"
	for _, list := range []string{clustertest.Dev, two} {
		a.Must(func() error { return a.Create(list, map[string]string{"list.toml": "# new\n"}) }, "", list)
	}
	follow := func() {
		t.Helper()
		if err := b.Follow(); err != nil {
			t.Error(err)
		}
	}
	has := func(list, want string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(b.Root, list, "list.toml"))
		if string(text) != want {
			t.Errorf("%s has %q, %v, want %q", list, text, err, want)
		}
	}
	follow()
	has(two, "# new\n")
	a.Must(func() error {
		c.Must(func() error { return c.Write(two+"/list.toml", "# second\n", clustertest.Day) }, two)
		follow()
		has(two, "# second\n")
		return a.Write(clustertest.Dev+"/list.toml", "# first\n", clustertest.Day)
	}, clustertest.Dev)
	follow()
	has(clustertest.Dev, "# first\n")

	db := b.DB.(*DB)
	units, mark, err := db.News("")
	if err != nil || len(units) != 3 {
		t.Fatal(units, err)
	}
	if units, _, err := db.News(mark); err != nil || len(units) > 1 { // the last may be asked again
		t.Errorf("without news: %v, %v", units, err)
	}
	which, _, _ := strings.Cut(mark, " ")
	for _, other := range []string{"1.1.1 5", which + " 99999999", which + " x", which, "x"} {
		if units, _, err := db.News(other); err != nil || len(units) != 3 {
			t.Errorf("with the mark %q: %v, %v", other, units, err)
		}
	}
	clustertest.Same(t, hosts)

	a.Must(func() error { return a.Remove(two + "/list.toml") }, two)
	sql(t, s, "UPDATE items SET at = 1 WHERE content IS NULL")
	if err := os.Remove(filepath.Join(b.Root, ".cluster/.fresh")); err != nil { // an hour is over
		t.Error(err)
	}
	follow()
	if n := count(t, s); n != 0 {
		t.Errorf("%d items that are long gone are there", n)
	}
	clustertest.Same(t, hosts)
}

// TestRights: a user who may only read and change the tables can do all that a host does.
func TestRights(t *testing.T) {
	s := pgtest.Start(t)
	owner := open(t, s)
	sql(t, s, `CREATE USER host; GRANT SELECT, INSERT, UPDATE, DELETE ON units, items, hosts TO host; GRANT SELECT ON migrations TO host; GRANT USAGE ON SEQUENCE units_id_seq TO host`)
	db, err := Open(strings.Replace(s.URL(), "superlist@", "host@", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	hosts := clustertest.Join(t, db, owner)
	a := hosts[0]
	a.Must(func() error {
		return a.Create(clustertest.Dev, map[string]string{"list.toml": "# dev\n", "members": "alice@example.com\n"})
	}, "", clustertest.Dev)
	a.Must(func() error { return a.Remove(clustertest.Dev + "/members") }, clustertest.Dev)
	if err := a.Follow(); err != nil {
		t.Error(err)
	}
	clustertest.Same(t, hosts)
	conn, err := pgx.Connect(context.Background(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var super bool
	if err := conn.QueryRow(context.Background(), "SELECT rolsuper FROM pg_roles WHERE rolname = 'host'").Scan(&super); err != nil || super {
		t.Errorf("the user is a superuser: %t, %v", super, err)
	}
}
