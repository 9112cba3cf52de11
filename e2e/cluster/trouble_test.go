package cluster

import (
	"math/rand/v2"
	"testing"
	"time"

	"superlist/lists/cluster/pgtest"
)

// trouble makes trouble until the mail is sent, one after the other, and mends it.
func (t *town) trouble(tb testing.TB, db *pgtest.Server, stop chan bool) {
	everywhere := func(do func()) {
		for _, h := range t.hosts {
			do = func(inner func()) func() { return func() { h.without(inner) } }(do)
		}
		do()
	}
	some := func(from, to time.Duration) {
		time.Sleep(from + rand.N(to-from))
	}
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		case <-time.After(time.Second + rand.N(3*time.Second)):
		}
		h := t.hosts[t.host()-1]
		switch i % 4 {
		case 0:
			t.note("hosts killed")
			h.without(func() {
				h.kill()
				some(0, 4*time.Second)
				h.start()
			})
		case 1:
			t.note("hosts cut off from the database")
			h.without(func() {
				cut(tb, h.n)
				some(2*time.Second, 12*time.Second)
				mend(tb, h.n)
			})
		case 2:
			t.note("restarts of the database")
			everywhere(db.Restart)
		case 3:
			t.note("the database was down")
			everywhere(func() {
				db.Kill()
				some(time.Second, 6*time.Second)
				db.Restart()
			})
		}
	}
}

// adopt kills a host for good while it has mail. Its disk goes to others: the first host
// takes its spool over, and its Postfix, without its doors, sends what it still has.
func (t *town) adopt(tb testing.TB, n int) {
	h := t.hosts[n-1]
	t.gone.Store(int32(n))
	h.kill()
	h.mu.Lock()
	h.away = append(h.away, span{time.Now().Add(-20 * time.Second), time.Now().Add(time.Hour)})
	h.mu.Unlock()
	adopter := t.hosts[0]
	for end := time.Now().Add(patience); ; time.Sleep(time.Second) {
		out, err := adopter.superlist("queue", "adopt", h.dir+"/spool")
		if err == nil {
			tb.Logf("%s: %s", hostName(adopter.n), out)
			break
		}
		if time.Now().After(end) {
			tb.Fatalf("queue adopt: %v: %s", err, out)
		}
	}
	adopter.try("cluster", "leave", hostName(n))
	h.write("conf/master.cf", hostMaster[len("OUT\n"):])
	h.start()
}
