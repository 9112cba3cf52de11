// Report reads the events of `go test -json` on standard input and prints what
// a person wants to know: each package with its time, every failure with its
// output, and at the end every skipped test with its reason, so that nothing
// that did not run can pass for something that did.
//
//	go test -json ./... | go run ./e2e/report
//
// It exits 1 when anything failed, and as root or with CI=true also when a test was
// skipped: root can install what a test needs.
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	r := newReport(os.Stdout)
	if st, err := os.Stderr.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
		r.progress = progress
	}
	r.read(os.Stdin)
	if !r.close(os.Getenv("CI") == "true" || os.Geteuid() == 0) {
		os.Exit(1)
	}
}

// progress keeps one line of a terminal; "" wipes it.
func progress(s string) {
	if len(s) > 78 {
		s = s[:78]
	}
	fmt.Fprintf(os.Stderr, "\r%s\r%s", strings.Repeat(" ", 79), s)
}
