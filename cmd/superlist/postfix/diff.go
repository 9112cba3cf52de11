package postfix

import (
	"fmt"
	"strings"
)

// around is the number of unchanged lines shown before and after a change.
const around = 2

// Diff returns the changes from one text to another, in the format of diff -u.
func Diff(from, to, a, b string) string {
	if a == b {
		return ""
	}
	steps := compare(lines(a), lines(b))
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

// compare returns the lines of both texts; those of only one have - or + in front. It
// uses the longest common subsequence, since the files are small.
func compare(a, b []string) (steps []string) {
	common := make([][]int, len(a)+1) // its length from here on
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			steps = append(steps, " "+a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			steps = append(steps, "-"+a[i])
			i++
		default:
			steps = append(steps, "+"+b[j])
			j++
		}
	}
	return steps
}
