package pg

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlist/lists/cluster"
	"superlist/lists/cluster/clustertest"
	"superlist/lists/cluster/pgtest"
	"superlist/lists/members"
)

// TestTogether: three hosts, with two processes each, number posts and add members at once,
// while the server stops in the middle and sessions are ended. No number is there twice,
// nobody who was told is lost, and the copies end equal.
func TestTogether(t *testing.T) {
	s := pgtest.Start(t)
	hosts := clustertest.Join(t, open(t, s), open(t, s), open(t, s))
	hosts[0].Must(func() error {
		return hosts[0].Create(clustertest.Dev, map[string]string{"list.toml": "# dev\n", "members": ""})
	}, "", clustertest.Dev)
	clustertest.Same(t, hosts)
	const each = 12
	var mu sync.Mutex
	numbers := make(map[string]int) // by cause
	var wg sync.WaitGroup
	for worker := range 2 * len(hosts) {
		h := hosts[worker/2]
		wg.Go(func() {
			for n := range each {
				cause := fmt.Sprintf("%d.%02d", worker, n)
				for {
					number := 0
					err := h.Change([]string{clustertest.Dev}, func() (err error) {
						number, err = post(h, cause)
						return err
					})
					if err == nil {
						mu.Lock()
						numbers[cause] = number
						mu.Unlock()
						break
					}
					if !errors.Is(err, cluster.ErrAway) {
						t.Error(err)
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
				switch {
				case worker == 0 && n == each/2:
					s.Restart()
				case worker == 2 && n%3 == 0:
					// the server may be starting just now
					trySQL(s, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
				}
			}
		})
	}
	wg.Wait()
	all := clustertest.Same(t, hosts)
	seen := make(map[int]string)
	text, err := os.ReadFile(filepath.Join(hosts[1].Root, clustertest.Dev, "archive/index"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var number int
		var cause string
		if _, err := fmt.Sscan(line, &number, &cause); err != nil {
			t.Fatal(err)
		}
		if seen[number] != "" {
			t.Errorf("%s and %s are both %d", cause, seen[number], number)
		}
		seen[number] = cause
		if numbers[cause] != number {
			t.Errorf("%s is %d, and was told to be %d", cause, number, numbers[cause])
		}
		if !strings.Contains(all, "/decided/"+cause+" ") {
			t.Errorf("%s has no record", cause)
		}
	}
	roll, err := os.ReadFile(filepath.Join(hosts[2].Root, clustertest.Dev, "members"))
	if err != nil || len(seen) != 2*len(hosts)*each || strings.Count(string(roll), "\n") != len(seen) {
		t.Errorf("%d numbers, %d members, %v", len(seen), strings.Count(string(roll), "\n"), err)
	}
}

// post numbers a post, unless its cause has a number, and adds a member and a record.
func post(h *clustertest.Host, cause string) (int, error) {
	dir := filepath.Join(h.Root, clustertest.Dev)
	index, err := os.ReadFile(filepath.Join(dir, "archive/index"))
	if err != nil && !os.IsNotExist(err) {
		return 0, err
	}
	lines := strings.Split(strings.TrimSuffix(string(index), "\n"), "\n")
	for n, line := range lines {
		if strings.HasSuffix(line, " "+cause) {
			return n + 1, nil
		}
	}
	number := strings.Count(string(index), "\n") + 1
	if err := h.Write(clustertest.Dev+"/archive/index", string(index)+fmt.Sprintln(number, cause), time.Now()); err != nil {
		return 0, err
	}
	roll, err := os.ReadFile(filepath.Join(dir, "members"))
	if err != nil {
		return 0, err
	}
	who := append(strings.Fields(string(roll)), "user"+cause+"@example.com")
	slices.Sort(who)
	if err := h.Write(clustertest.Dev+"/members", strings.Join(who, "\n")+"\n", members.SortedTime(time.Now())); err != nil {
		return 0, err
	}
	return number, h.Write(clustertest.Dev+"/decided/"+cause, fmt.Sprint(number), time.Now())
}

// TestFence: a host whose session has ended commits nothing, whatever it still believes; and
// who waits for another host sees what that has done.
func TestFence(t *testing.T) {
	s := pgtest.Start(t)
	hosts := clustertest.Join(t, open(t, s), open(t, s))
	slow, quick := hosts[0], hosts[1]
	slow.Must(func() error { return slow.Create(clustertest.Dev, map[string]string{"list.toml": "# dev\n"}) }, "", clustertest.Dev)
	clustertest.Same(t, hosts)
	err := slow.Change([]string{clustertest.Dev}, func() error {
		if err := slow.Write(clustertest.Dev+"/list.toml", "# slow\n", clustertest.Day); err != nil {
			return err
		}
		sql(t, s, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'")
		return quick.Change([]string{clustertest.Dev}, func() error {
			return quick.Write(clustertest.Dev+"/left", "quick", clustertest.Day)
		})
	})
	if !errors.Is(err, cluster.ErrAway) {
		t.Errorf("the slow one: %v", err)
	}
	if all := clustertest.Same(t, hosts); strings.Contains(all, "# slow") || !strings.Contains(all, "left") {
		t.Errorf("there is\n%s", all)
	}
	begun, done := make(chan bool), make(chan error)
	go func() {
		<-begun
		done <- quick.Change([]string{clustertest.Dev}, func() error {
			text, err := os.ReadFile(filepath.Join(quick.Root, clustertest.Dev, "list.toml"))
			if err == nil && string(text) != "# first\n" {
				err = fmt.Errorf("it has %q", text)
			}
			return err
		})
	}()
	slow.Must(func() error {
		begun <- true
		return slow.Write(clustertest.Dev+"/list.toml", "# first\n", clustertest.Day)
	}, clustertest.Dev)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestStopped: a host that stands still in a change keeps others from its lists for a time,
// and has then lost its change; one that only takes long has not. Others do not wait for
// ever.
func TestStopped(t *testing.T) {
	s := pgtest.Start(t)
	hosts := clustertest.Join(t, open(t, s), open(t, s))
	slow, quick := hosts[0], hosts[1]
	slow.Must(func() error { return slow.Create(clustertest.Dev, map[string]string{"list.toml": "# dev\n"}) }, "", clustertest.Dev)
	clustertest.Same(t, hosts)
	change := func(h *clustertest.Host, text string, do func()) error {
		return h.Change([]string{clustertest.Dev}, func() error {
			do()
			return h.Write(clustertest.Dev+"/list.toml", text, clustertest.Day)
		})
	}
	db, other := slow.DB.(*DB), quick.DB.(*DB)
	db.idleFor, db.lifeEach, other.lockFor = 1500*time.Millisecond, 50*time.Millisecond, 10*time.Millisecond
	if err := change(slow, "# long\n", func() {
		time.Sleep(db.idleFor + db.idleFor/4)
		if err := change(quick, "# other\n", func() {}); !errors.Is(err, cluster.ErrAway) || !strings.Contains(err.Error(), "another host") {
			t.Errorf("while it is changed: %v", err)
		}
	}); err != nil {
		t.Errorf("one that takes long: %v", err)
	}
	db.lifeEach, other.lockFor = time.Hour, time.Minute
	if err := change(slow, "# stopped\n", func() {
		if err := change(quick, "# new\n", func() {}); err != nil {
			t.Error(err)
		}
	}); !errors.Is(err, cluster.ErrAway) {
		t.Errorf("one that was stopped: %v", err)
	}
	if all := clustertest.Same(t, hosts); !strings.Contains(all, "# new") {
		t.Errorf("there is\n%s", all)
	}
}
