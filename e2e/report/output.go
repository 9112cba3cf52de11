package main

import (
	"regexp"
	"strings"
)

// said is a test's output without the framework's own lines.
func (t *test) said() string {
	var b strings.Builder
	for line := range strings.Lines(strings.Join(t.output, "")) {
		if !framework(line) {
			b.WriteString(line)
		}
	}
	return inTime(b.String())
}

// inTime is a text up to the stacks of all goroutines that the testing package
// prints when its time is up, and a plain word in their place.
func inTime(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if limit, ok := strings.CutPrefix(strings.TrimLeft(line, " "), "panic: test timed out after "); ok {
			b.WriteString("    ran out of time, after " + limit)
			break
		}
		b.WriteString(line)
	}
	return b.String()
}

// waited reports whether a test had not begun its work: it was to run in parallel
// with others, and its turn had not come.
func (t *test) waited() bool {
	said := strings.Join(t.output, "")
	return strings.Contains(said, "=== PAUSE ") && !strings.Contains(said, "=== CONT ")
}

// place is where t.Skip was called, which the reader does not need.
var place = regexp.MustCompile(`^\S+\.go:\d+: `)

// reason is what a test said when it was skipped, on one line.
func (t *test) reason() string {
	var words []string
	for line := range strings.Lines(t.said()) {
		if line = place.ReplaceAllString(strings.TrimSpace(line), ""); line != "" {
			words = append(words, line)
		}
	}
	if len(words) == 0 {
		return "no reason given"
	}
	return strings.Join(words, " ")
}

func framework(line string) bool {
	line = strings.TrimLeft(line, " ")
	for _, p := range []string{"=== RUN ", "=== PAUSE ", "=== CONT ", "=== NAME ", "--- FAIL: ", "--- SKIP: ", "--- PASS: "} {
		if strings.HasPrefix(line, p) {
			return true
		}
	}
	return false
}

// own is a package's output without the lines that every package ends with.
func own(output []string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.Join(output, "")) {
		switch {
		case line == "PASS\n", line == "FAIL\n",
			strings.HasPrefix(line, "FAIL\t"), strings.HasPrefix(line, "ok  \t"),
			strings.HasPrefix(line, "coverage: "), strings.HasPrefix(line, "exit status "):
		default:
			b.WriteString(line)
		}
	}
	return inTime(b.String())
}
