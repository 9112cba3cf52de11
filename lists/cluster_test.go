package lists

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"superlist/lists/cluster"
	"superlist/lists/cluster/clustertest"
	"superlist/lists/site"
	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
)

// onTwoHosts makes of the site at which a writer begins one of two hosts.
func onTwoHosts(t testing.TB, w *writer) (s *site.Site, here, other *clustertest.Host) {
	s = writerSite(t, w)
	db := &clustertest.Store{File: filepath.Join(t.TempDir(), "db")}
	here, other = clustertest.NewHost(t, db), clustertest.NewHost(t, db)
	here.Root = s.ListsDir
	if err := here.Init(nil); err != nil {
		t.Fatal(err)
	}
	other.BeFresh()
	return s, here, other
}

// TestWritersOnTwoHosts: what each writer does is on the other host too, with its times, and
// is the same as on a site with one host.
func TestWritersOnTwoHosts(t *testing.T) {
	t.Parallel()
	for i := range writers {
		w := &writers[i]
		_, after := w.afterwards(t)
		s, here, other := onTwoHosts(t, w)
		s.Disk = &disk.Disk{Fault: disktest.Lazy().Fault, Shared: here}
		if err := w.do(s); err != nil {
			t.Errorf("%s: %v", w.name, err)
		}
		if got, _ := kept(t, s, w); len(differ(got, after)) > 0 {
			t.Errorf("%s: %q", w.name, differ(got, after))
		}
		was := here.Look()
		if all := clustertest.Same(t, []*clustertest.Host{here, other}); all != was {
			t.Errorf("%s: there was\n%s\nand is\n%s", w.name, was, all)
		}
	}
}

// TestFaultWritersOnTwoHosts fails each call of each writer where another host has the same
// lists, those of the cluster too: what was acknowledged is on both, and nothing is half
// there.
func TestFaultWritersOnTwoHosts(t *testing.T) {
	t.Parallel()
	for i := range writers {
		w := &writers[i]
		before, after := w.afterwards(t)
		disktest.Each(t, w.calls, func(f *disktest.Fault) {
			s, here, other := onTwoHosts(t, w)
			here.Disk = f.Disk()
			s.Disk = &disk.Disk{Fault: here.Disk.Fault, Shared: &cluster.Site{Root: here.Root, Disk: here.Disk, DB: here.DB}}
			err := w.do(s)
			f.Off()
			what := fmt.Sprint(w.name, ", ", f)
			if f.Hit() && !errors.Is(err, f.Err) {
				t.Errorf("%s: %v", what, err)
			}
			clustertest.Same(t, []*clustertest.Host{here, other})
			w.check(t, s, before, after, what, err == nil, false)
			clustertest.Same(t, []*clustertest.Host{here, other})
		})
	}
}
