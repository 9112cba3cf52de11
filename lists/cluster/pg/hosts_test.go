package pg

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"superlist/lists/cluster"
	"superlist/lists/cluster/clustertest"
	"superlist/lists/cluster/pgtest"
)

// sql runs a statement past all others.
func sql(t testing.TB, s *pgtest.Server, statement string) {
	t.Helper()
	if err := trySQL(s, statement); err != nil {
		t.Fatal(err)
	}
}

func trySQL(s *pgtest.Server, statement string) error {
	conn, err := pgx.Connect(context.Background(), s.URL())
	if err != nil {
		return err
	}
	defer conn.Close(context.Background())
	_, err = conn.Exec(context.Background(), statement)
	return err
}

// TestReady: a database without tables, and one of a newer version, are told apart, and
// Migrate can be called by everybody.
func TestReady(t *testing.T) {
	s := pgtest.Start(t)
	for _, c := range []struct{ before, want string }{
		{"", cluster.ErrNotInit.Error()},
		{"CREATE TABLE migrations (version int)", cluster.ErrNotInit.Error()},
		{"INSERT INTO migrations VALUES (99)", ErrNewer.Error()},
	} {
		if c.before != "" {
			sql(t, s, c.before)
		}
		db, err := Open(s.URL())
		if err == nil {
			_, err = db.Units()
		}
		if err == nil || !errors.Is(err, cluster.ErrAway) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.before, err)
		}
		db.Close()
	}
	sql(t, s, "DROP TABLE migrations")
	for range 2 {
		open(t, s)
	}
	for _, url := range []string{"", "postgres://%", "nonsense"} {
		if db, err := Open(url); err == nil {
			db.Close()
			if url != "" { // which means the environment, to libpq as well
				t.Errorf("%q is a URL", url)
			}
		}
	}
}

// TestHosts: who is there, who has a name, and whose queue somebody has taken over.
func TestHosts(t *testing.T) {
	db := open(t, pgtest.Start(t))
	for _, name := range []string{"mx2", "mx1", "mx2"} {
		if err := db.Enter(name, "id of "+name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := db.Enter("mx2", "another"); !errors.Is(err, ErrName) {
		t.Errorf("a second host of that name: %v", err)
	}
	seen := func(name, id, want string, wantErr error) {
		t.Helper()
		if by, err := db.Seen(name, id); by != want || !errors.Is(err, wantErr) {
			t.Errorf("%s: %q, %v", name, by, err)
		}
	}
	seen("mx2", "id of mx2", "", nil)
	seen("mx2", "another", "", ErrLeft)
	if err := db.Adopt("mx2", "mx1"); err != nil {
		t.Error(err)
	}
	seen("mx2", "id of mx2", "mx1", nil)
	hosts, err := db.Hosts()
	if err != nil || len(hosts) != 2 || hosts[0].Name != "mx1" || hosts[1].AdoptedBy != "mx1" || hosts[0].Ago < 0 || hosts[0].Ago > time.Hour {
		t.Errorf("%v, %v", hosts, err)
	}
	if err := db.Adopt("mx2", ""); err != nil {
		t.Error(err)
	}
	seen("mx2", "id of mx2", "", nil)
	for _, leave := range []struct {
		name, id string
		want     error
	}{{"mx1", "another", ErrNoHost}, {"mx1", "id of mx1", nil}, {"mx2", "", nil}, {"mx2", "", ErrNoHost}} {
		if err := db.Leave(leave.name, leave.id); !errors.Is(err, leave.want) {
			t.Errorf("%v: %v", leave, err)
		}
	}
	if err := db.Adopt("mx3", "mx1"); !errors.Is(err, ErrNoHost) {
		t.Error(err)
	}
	if hosts, err := db.Hosts(); err != nil || len(hosts) != 0 {
		t.Errorf("%v, %v", hosts, err)
	}
}

// TestPurge: what is gone is forgotten after a time; a host that has not heard of it until
// then compares, and loses nothing of its own.
func TestPurge(t *testing.T) {
	s := pgtest.Start(t)
	hosts := clustertest.Join(t, open(t, s), open(t, s))
	a, b := hosts[0], hosts[1]
	a.Must(func() error {
		return a.Create(clustertest.Dev, map[string]string{"list.toml": "# dev\n", "members": "alice@example.com\nbob@example.com\n", "asked/who": "1", "large": strings.Repeat("x", 2*cluster.PartSize)})
	}, "", clustertest.Dev)
	clustertest.Same(t, hosts)
	if err := os.MkdirAll(filepath.Join(b.Root, clustertest.Dev, "web"), 0o700); err != nil {
		t.Fatal(err)
	}
	a.Must(func() error {
		for file, text := range map[string]string{"large": "", "members": "bob@example.com\n"} {
			if err := a.Write(clustertest.Dev+"/"+file, text, time.Now().Truncate(time.Second).Add(314159265)); err != nil {
				return err
			}
		}
		return a.Remove(clustertest.Dev + "/asked/who")
	}, clustertest.Dev)
	before := a.Look()
	if err := a.DB.Purge(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s); n != 0 {
		t.Errorf("%d items that are gone are there", n)
	}
	hosts = append(hosts, clustertest.NewHost(t, open(t, s)))
	if all := clustertest.Same(t, hosts); all != before {
		t.Errorf("there is\n%s\nand was\n%s", all, before)
	}
	if _, err := os.Lstat(filepath.Join(b.Root, clustertest.Dev, "web")); err != nil {
		t.Error(err)
	}
}

// count counts what is gone.
func count(t *testing.T, s *pgtest.Server) (n int) {
	conn, err := pgx.Connect(context.Background(), s.URL())
	if err == nil {
		err = conn.QueryRow(context.Background(), "SELECT count(*) FROM items WHERE content IS NULL").Scan(&n)
		conn.Close(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}
