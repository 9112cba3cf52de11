package main

import (
	"fmt"
	"math"
	"strings"

	"superlist/e2e/figures"
)

// about says what a part of the bench does.
var about = map[string]string{
	"instructions": "Instructions of the same session, counted one by one (ptrace)",
	"counts":       "What one session uses, in counts that do not depend on how fast the machine is: one small message, durable, accepted",
	"session":      "The same session by the clock",
	"rcpt":         "RCPT for a large list, and on a site with many lists",
	"post":         "One post to its members, by SMTP",
	"personal":     "A message of their own for each member",
	"rewrite":      "What a list changes in a post",
	"memory":       "The most memory that a process has",
	"proxy":        "Other mail through superlist as a before-queue filter of Postfix",
	"milter":       "Mail through Postfix with superlist-milter, one session each",
	"bounces":      "Delivery reports",
	"web":          "Pages of an archive, requests and searches",
	"site":         "A site of 10,000 lists and a million members, with nothing in the kernel's caches",
}

// tables are all figures, a table for each part of the bench.
func tables(f figures.File) string {
	var b strings.Builder
	for _, run := range f.Runs {
		fmt.Fprintf(&b, "**%s.** `%s`, %s; %s; %s.\n\n", about[run.Part], run.Command, run.Date, run.Machine, strings.Join(run.Versions, ", "))
		b.WriteString("| what | superlist | beside | | of it | wanted | |\n|---|---|---|---|---|---|---|\n")
		for _, fig := range run.Figures {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells(fig), " | "))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func cells(f figures.Figure) []string {
	row := []string{f.What, with(f.Ours, f.Unit), "", "", "", "", ""}
	if f.Peer != "" {
		row[2], row[3], row[4] = f.Peer, with(f.Theirs, f.Unit), number(f.Ratio)
	}
	if f.Want > 0 {
		row[5] = wanted(f)
		row[6] = map[bool]string{true: "met", false: "**missed**"}[f.Met()]
	}
	return row
}

func wanted(f figures.Figure) string {
	most := map[bool]string{false: "at most ", true: "at least "}[f.More]
	if f.Peer != "" {
		return most + number(f.Want)
	}
	return most + with(f.Want, f.Unit)
}

// lost says where superlist is not as good as was wanted, and where it needs more
// than another program.
func lost(f figures.File) string {
	var b strings.Builder
	for _, run := range f.Runs {
		for _, fig := range run.Figures {
			switch {
			case !fig.Met() && fig.Peer != "":
				fmt.Fprintf(&b, "- %s: %s of %s, wanted %s.\n", fig.What, number(fig.Ratio), fig.Peer, wanted(fig))
			case !fig.Met():
				fmt.Fprintf(&b, "- %s: %s, wanted %s.\n", fig.What, with(fig.Ours, fig.Unit), wanted(fig))
			case run.Part != "counts" && fig.Peer != "" && fig.Want == 0 && fig.Cost() > 1.1:
				fmt.Fprintf(&b, "- %s: %s of %s.\n", fig.What, number(fig.Ratio), fig.Peer)
			}
		}
	}
	if b.Len() == 0 {
		return "Nowhere in what was measured last.\n"
	}
	return b.String()
}

// with is a number with its unit.
func with(n float64, unit string) string {
	if unit == "" {
		return number(n)
	}
	return number(n) + " " + unit
}

// number has three digits, and all of a large one.
func number(n float64) string {
	switch abs := math.Abs(n); {
	case abs >= 1000:
		s := fmt.Sprintf("%.0f", n)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
		return s
	case abs >= 100 || n == math.Trunc(n):
		return fmt.Sprintf("%.0f", n)
	case abs >= 10:
		return fmt.Sprintf("%.1f", n)
	}
	return fmt.Sprintf("%.2f", n)
}
