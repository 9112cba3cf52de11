package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
)

// instructionsRow is what a session may have: what was measured, and a tenth, since
// the runtime puts its memory elsewhere each time, and looks for it.
var instructionsRow = countRow{name: "instructions outside the kernel", limit: 1_000_000, goal: 1.35}

// stepped is how often each contender is stepped through.
const stepped = 3

// instructions counts them one by one: half a minute for a session, on a virtual
// machine. exim, which has ten times as many, is left out.
func (b *bench) instructions() error {
	if runtime.GOARCH != "amd64" {
		b.skip("instructions", "steps knows amd64 only")
		return nil
	}
	if err := compile(".", b.work+"/steps", "superlist/e2e/bench/steps"); err != nil {
		return err
	}
	dialogue, err := b.dialogue()
	if err != nil {
		return err
	}
	cs, err := b.countable("instructions", dialogue)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s, one session: the middle of %d\n", instructionsRow.name, stepped)
	var all []count
	for _, c := range cs {
		var ns []int64
		for i := range stepped {
			progress(fmt.Sprintf("%s %d/%d", c.name, i, stepped))
			n, err := steps(b.work+"/steps/steps", c)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			ns = append(ns, n)
		}
		progress("")
		slices.Sort(ns)
		fmt.Printf("  %-34s %10d  (%d … %d)\n", c.name, ns[len(ns)/2], ns[0], ns[len(ns)-1])
		all = append(all, count{instructionsRow.name: ns[len(ns)/2]})
	}
	fmt.Println(b.counted(instructionsRow, cs, all))
	return nil
}

// steps runs a contender one instruction at a time.
func steps(program string, c *contender) (n int64, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	run := *c
	run.argv, run.report = append([]string{program}, c.argv...), w
	_, _, err = run.once()
	w.Close()
	if err == nil {
		_, err = fmt.Fscan(r, &n)
	}
	return n, err
}
