package main

import (
	"fmt"
	"os"
	"slices"
	"time"

	"superlist/e2e/figures"
)

// A plan says how far a run is, and how long it will take: each part as long as
// it took last.
type plan struct {
	start        time.Time
	begun, parts int
	takes        map[string]time.Duration // of the parts that are not done
}

func newPlan(file string, parts []string) (*plan, error) {
	p := &plan{start: time.Now(), parts: len(parts), takes: make(map[string]time.Duration)}
	if file == "" {
		return p, nil
	}
	f, err := figures.Read(file)
	if err == nil {
		err = f.Write(file) // or a run would end with nothing
	}
	if err != nil {
		return nil, err
	}
	for _, r := range f.Runs {
		if slices.Contains(parts, r.Part) {
			p.takes[r.Part] = time.Duration(r.Seconds * float64(time.Second))
		}
	}
	return p, nil
}

// begin says on standard error which part is next, and reports whether there is
// time for it.
func (p *plan) begin(part string, within time.Duration) bool {
	p.begun++
	gone, takes := time.Since(p.start), p.takes[part]
	var left time.Duration
	for _, d := range p.takes {
		left += d
	}
	delete(p.takes, part)
	fmt.Fprintf(os.Stderr, "%s after %s: part %d of %d, %s", time.Now().Format("15:04:05"), gone.Round(time.Second), p.begun, p.parts, part)
	if left > 0 {
		fmt.Fprintf(os.Stderr, "; about %s left, %s of it for this part", left, takes)
	}
	fmt.Fprintln(os.Stderr)
	return within == 0 || gone+takes <= within
}
