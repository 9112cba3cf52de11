//go:build !race

package deliver

import (
	"fmt"
	"testing"

	"superlist/lists/site"
	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
)

func init() {
	tasks["act"] = func(site *site.Site, d *disk.Disk, words string) error { return acts[words].do(onDisk(site, d)) }
}

// TestFaultActs fails every system call of each act.
func TestFaultActs(t *testing.T) {
	t.Parallel()
	for name, a := range acts {
		disktest.Each(t, 20, func(f *disktest.Fault) {
			p := a.place(t)
			if err := a.do(onDisk(p.site, f.Disk())); err != nil && !f.Hit() {
				t.Errorf("%s: %v", name, err)
			}
			a.check(t, p, fmt.Sprint(name, ", ", f), hidden(f.Call, f.Path))
		})
	}
}

// TestKillActs kills deliver at every system call of each act.
// Every second time the host is gone then, and another one takes its spool over.
func TestKillActs(t *testing.T) {
	t.Parallel()
	for name, a := range acts {
		disktest.Kill(t, 20, func(run func(string) disktest.Death) {
			p := a.place(t)
			k := run(task("act", p.site, name))
			if k.Call == "" && k.Err != nil {
				t.Errorf("%s: %v: %s", name, k.Err, k.Said)
			}
			if k.N%2 == 1 {
				p.moves(t)
			}
			a.check(t, p, fmt.Sprint(name, ", ", k), mayHide(k.Call, k.Path))
		})
	}
}
