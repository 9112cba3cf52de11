//go:build !race

package clustertest

import (
	"errors"
	"fmt"
	"testing"

	"superlist/queue/disk/disktest"
)

// TestFault fails each call of the disk in turn: afterwards all copies are equal, and have
// what was acknowledged.
func TestFault(t *testing.T) {
	for _, a := range acts {
		disktest.Each(t, a.calls, func(f *disktest.Fault) {
			hosts := behind(t, a.name == "follow")
			b := hosts[1]
			b.Disk = f.Disk()
			err := a.do(b)
			f.Off()
			if f.Hit() && !errors.Is(err, f.Err) {
				t.Errorf("%s, %s, and nobody noticed: %v", a.name, f, err)
			}
			check(t, fmt.Sprint(a.name, ", ", f), a, hosts, err)
		})
	}
}

// TestKill kills a process at each call of the disk.
func TestKill(t *testing.T) {
	for _, a := range acts {
		disktest.Kill(t, a.calls, func(run func(string) disktest.Death) {
			hosts := behind(t, a.name == "follow")
			k := run(a.name + "\n" + hosts[1].Root + "\n" + hosts[1].DB.(*Store).File)
			err := k.Err
			if k.Said == "done" {
				err = nil
			}
			check(t, fmt.Sprint(a.name, ", ", k), a, hosts, err)
		})
	}
}
