package pg

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"superlist/lists/cluster"
	"superlist/lists/cluster/clustertest"
	"superlist/lists/cluster/pgtest"
	"superlist/lists/members"
)

// A cutter is between a host and the database, and cuts the connection once: at what is the
// nth of the moments before something is asked, and before the answer has come.
type cutter struct {
	dir string
	mu  sync.Mutex
	n   int
	hit bool
}

// newCutter returns a cutter that listens until the test ends.
func newCutter(t *testing.T, s *pgtest.Server) *cutter {
	dir, err := os.MkdirTemp("", "cut")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", dir+"/.s.PGSQL.5432")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{dir: dir}
	var wg sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
		os.RemoveAll(dir)
	})
	wg.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", s.Socket())
			if err != nil {
				client.Close()
				continue
			}
			wg.Go(func() { c.pass(server, client, true, 'S', 'Q') }) // Sync, Query
			wg.Go(func() { c.pass(client, server, false, 'Z') })     // ReadyForQuery
		}
	})
	return c
}

// moment says whether this is the moment to cut.
func (c *cutter) moment() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hit {
		return false
	}
	c.n--
	c.hit = c.n < 0
	return c.hit
}

// pass passes messages on (PostgreSQL's documentation, 55.7), and cuts before one of these
// kinds.
func (c *cutter) pass(to, from net.Conn, first bool, kinds ...byte) {
	defer to.Close()
	defer from.Close()
	for {
		head := make([]byte, 5)
		if first { // the first message has no kind
			head = head[1:]
		}
		if _, err := io.ReadFull(from, head); err != nil {
			return
		}
		size := head[len(head)-4:]
		rest := make([]byte, int(size[0])<<24|int(size[1])<<16|int(size[2])<<8|int(size[3])-4)
		if _, err := io.ReadFull(from, rest); err != nil {
			return
		}
		if !first && strings.IndexByte(string(kinds), head[0]) >= 0 && c.moment() {
			return
		}
		first = false
		if _, err := to.Write(append(head, rest...)); err != nil {
			return
		}
	}
}

// TestCut cuts the connection at each statement, before it and before its answer: a list is
// changed or not, and moved or not, on all hosts alike, and what was acknowledged is there.
func TestCut(t *testing.T) {
	s := pgtest.Start(t)
	hosts := clustertest.Join(t, open(t, s), open(t, s))
	a, b := hosts[0], hosts[1]
	a.Must(func() error {
		return a.Create(clustertest.Dev, map[string]string{"list.toml": "# dev\n", "members": "alice@example.com\n"})
	}, "", clustertest.Dev)
	direct := b.DB
	c := newCutter(t, s)
	at, away := clustertest.Dev, "lists.example.org/moved"
	cuts, lost := 0, 0
	for n := 0; ; n++ {
		clustertest.Same(t, hosts)
		a.Must(func() error { return a.Write(at+"/decided/last", fmt.Sprint(n), clustertest.Day) }, at)
		db, err := Open("postgres://superlist@/postgres?host=" + c.dir)
		if err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		c.n, c.hit = n, false
		c.mu.Unlock()
		b.DB = db
		who := fmt.Sprintf("user%03d@example.com", n)
		changed := b.Change([]string{at}, func() error {
			if err := b.Write(at+"/decided/"+fmt.Sprint(n), "x", clustertest.Day); err != nil {
				return err
			}
			return b.Write(at+"/members", "alice@example.com\n"+who+"\n", members.SortedTime(time.Now()))
		})
		moved := b.Change([]string{"", at, away}, func() error { return b.Move(at, away) })
		db.Close()
		b.DB = direct
		all := clustertest.Same(t, hosts)
		where := at
		if strings.Contains(all, away) {
			where = away
		}
		if changed == nil != strings.Contains(all, who) || moved == nil != (where == away) {
			lost++ // the answer to the commit was, which is no wrong
		}
		if changed == nil && !strings.Contains(all, who) || moved == nil && where != away {
			t.Errorf("cut at %d: said %v, %v, and is not there:\n%s", n, changed, moved, all)
		}
		for _, err := range []error{changed, moved} {
			if err != nil && !errors.Is(err, cluster.ErrAway) {
				t.Errorf("cut at %d: %v", n, err)
			}
		}
		if strings.Contains(all, who) != strings.Contains(all, fmt.Sprintf("/decided/%d ", n)) {
			t.Errorf("cut at %d: half of it is there:\n%s", n, all)
		}
		if where == away {
			at, away = away, at
		}
		c.mu.Lock()
		hit := c.hit
		c.mu.Unlock()
		if !hit {
			break
		}
		cuts++
	}
	if cuts < 15 || lost < 2 {
		t.Errorf("cut at %d moments, and %d answers to a commit were lost", cuts, lost)
	}
}

// TestRestart: the server is stopped in the middle of a change, and is back: what was not
// committed has not happened, and the next change works with a new connection.
func TestRestart(t *testing.T) {
	s := pgtest.Start(t)
	hosts := clustertest.Join(t, open(t, s), open(t, s))
	a, b := hosts[0], hosts[1]
	a.Must(func() error { return a.Create(clustertest.Dev, map[string]string{"list.toml": "# dev\n"}) }, "", clustertest.Dev)
	clustertest.Same(t, hosts)
	err := a.Change([]string{clustertest.Dev}, func() error {
		s.Restart()
		return a.Write(clustertest.Dev+"/list.toml", "# lost\n", clustertest.Day)
	})
	if !errors.Is(err, cluster.ErrAway) {
		t.Errorf("%v", err)
	}
	b.Must(func() error { return b.Write(clustertest.Dev+"/list.toml", "# new\n", clustertest.Day) }, clustertest.Dev)
	if all := clustertest.Same(t, hosts); !strings.Contains(all, "# new") {
		t.Errorf("there is\n%s", all)
	}
	s.Kill()
	if err := a.Change([]string{clustertest.Dev}, func() error { return nil }); !errors.Is(err, cluster.ErrAway) {
		t.Errorf("without a server: %v", err)
	}
	if err := b.Fresh(b.Root+"/"+clustertest.Dev, func() error { return nil }); !errors.Is(err, cluster.ErrAway) {
		t.Errorf("without a server: %v", err)
	}
}
