package postfix

import (
	"fmt"
	"strings"

	"superlist/cmd/superlist/linediff"
)

// around is the number of unchanged lines shown before and after a change.
const around = 2

// Diff returns the changes from one text to another, in the format of diff -u.
func Diff(from, to, a, b string) string {
	if a == b {
		return ""
	}
	steps := linediff.Steps(lines(a), lines(b))
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", from, to)
	near := func(i int) bool {
		for j := max(0, i-around); j < min(len(steps), i+around+1); j++ {
			if steps[j][0] != ' ' {
				return true
			}
		}
		return false
	}
	at, shown := [2]int{1, 1}, false // line numbers
	for i, step := range steps {
		if near(i) {
			if !shown {
				fmt.Fprintf(&out, "@@ -%d +%d @@\n", at[0], at[1])
			}
			out.WriteString(step + "\n")
		}
		shown = near(i)
		if step[0] != '+' {
			at[0]++
		}
		if step[0] != '-' {
			at[1]++
		}
	}
	return out.String()
}

func lines(s string) []string { return strings.Split(strings.TrimSuffix(s, "\n"), "\n") }
