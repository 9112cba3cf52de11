package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// A report is all of a run, as docs/reliability.md shows it.
type report struct {
	Date    string    `json:"date"`
	Machine string    `json:"machine"`
	Version string    `json:"version"` // of superlist
	Command string    `json:"command"`
	Parts   []*result `json:"parts"`
}

func newReport(results []*result, length time.Duration) report {
	kernel, _ := exec.Command("uname", "-sr").Output()
	commit, _ := exec.Command("git", "describe", "--always", "--dirty").Output()
	return report{
		Date:    time.Now().UTC().Format(time.DateOnly),
		Machine: fmt.Sprintf("%d processors, %s", runtime.NumCPU(), strings.TrimSpace(string(kernel))),
		Version: strings.TrimSpace(string(commit)),
		Command: fmt.Sprintf("make torture TORTURE_TIME=%gm", length.Minutes()),
		Parts:   results,
	}
}

// table is what a person reads.
func table(results []*result) {
	fmt.Printf("%-8s %9s %9s %7s %7s %9s  %s\n", "part", "tried", "of", "twice", "faults", "seconds", "")
	for _, r := range results {
		what := r.What
		if r.Skipped != "" {
			what = "SKIPPED: " + r.Skipped
		}
		fmt.Printf("%-8s %9d %9d %7d %7d %9.1f  %s\n", r.Part, r.Tried, r.Of, r.Twice, len(r.Faults), r.Seconds, what)
		for _, n := range r.Notes {
			fmt.Println("  " + n)
		}
	}
	const most = 100
	for _, r := range results {
		for i, f := range r.Faults {
			if i == most {
				fmt.Printf("%s: and %d more\n", r.Part, len(r.Faults)-most)
				break
			}
			fmt.Printf("FAULT %s\n  %d times, first %s\n", f.What, f.Times, f.At)
		}
	}
}

var terminal = func() bool {
	st, err := os.Stderr.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}()

// progress keeps one line on a terminal; "" wipes it.
func (t *torture) progress(s string) {
	if !terminal {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := []rune(s); len(r) > 78 {
		s = string(r[:78])
	}
	fmt.Fprintf(os.Stderr, "\r%s\r%s", strings.Repeat(" ", 79), s)
}
