//go:build !race

package deliver

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"superlist/lists/cluster"
	"superlist/lists/cluster/clustertest"
	"superlist/lists/ledger/files"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
)

// inCluster makes a host of a cluster of a site whose relay's Maildirs are below out.
func inCluster(t *testing.T, s *site.Site, name, db string) *host {
	t.Helper()
	h := &host{world: &world{t: t, site: s}, cable: &cable{Store: clustertest.Store{File: db}}}
	s.Cluster.Database, s.Cluster.Host = "postgres://db/superlist", name
	h.copy = &cluster.Site{Root: s.ListsDir, Disk: disktest.Lazy(), DB: h.cable}
	s.Disk = &disk.Disk{Shared: h.copy}
	return h
}

// does runs deliver after so many days.
func (h *host) does(days int) error {
	log, _ := maillog.Open("none", "info", "test")
	log.Also(&h.log)
	r := &Runner{Site: h.site, Spool: h.site.Spool(), Log: log, Cluster: h, atOnce: alone, Now: func() time.Time { return time.Now().AddDate(0, 0, days) }}
	h.copy.Applied = r.Applied
	return r.Run(context.Background())
}

// TestFaultHosts has the database fail at each commit of each act; every second one
// happens all the same, and its answer is lost. Another host then has its turn before the first one's next.
func TestFaultHosts(t *testing.T) {
	t.Parallel()
	for name, act := range acts {
		for n := int32(1); ; n++ {
			lost := (int(n)+len(name))%2 == 0
			what := fmt.Sprintf("%s, commit %d, lost=%v", name, n, lost)
			p := act.place(t)
			dir := t.TempDir()
			other, err := site.Load(sitetest.Write(t, dir, fmt.Sprintf("[relay]\naddress = %q\nbatch = %d", "maildir:"+outOf(p), faultBatch)))
			if err == nil {
				other.Ledger = files.On
				err = other.Spool().Init()
			}
			if err != nil {
				t.Fatal(err)
			}
			a, b := inCluster(t, p.site, "mx1", filepath.Join(dir, "db")), inCluster(t, other, "mx2", filepath.Join(dir, "db"))
			if err := a.copy.Init(nil); err != nil {
				t.Fatal(err)
			}
			a.cable.lost = lost
			a.cable.broken.Store(n)
			a.does(act.days)
			hit := a.cable.broken.Swap(0) == 0
			for range 2 {
				if err := b.does(act.days); err != nil {
					t.Errorf("%s: the other host: %v", what, err)
				}
				if err := makeDue(a.site); err != nil {
					t.Fatal(err)
				}
				a.does(act.days)
			}
			act.check(t, p, what, false)
			for _, box := range []queue.Box{queue.Inbound, queue.Outbound, queue.Failed} {
				if list, err := b.site.Spool().List(box); err != nil || len(list) > 0 {
					t.Errorf("%s: %s of the other host still has %d, %v", what, box, len(list), err)
				}
			}
			a.t, b.t = t, t
			same(a, b)
			if t.Failed() {
				t.Logf("the first host's log:\n%s\nthe other one's:\n%s", a.log.String(), b.log.String())
				return
			}
			if !hit {
				break
			}
		}
	}
}
