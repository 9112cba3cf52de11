package e2e

import (
	"os"
	"strings"
	"testing"
)

// manual is the file whose fenced blocks an administrator copies.
const manual = "../README.md"

// block is the fenced block of the manual below the line <!-- test: NAME -->.
func block(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(manual)
	must(t, err)
	marker := "<!-- test: " + name + " -->\n```"
	if n := strings.Count(string(data), marker); n != 1 {
		t.Fatalf("%s: %d blocks marked %q, want 1", manual, n, name)
	}
	_, rest, _ := strings.Cut(string(data), marker)
	_, rest, _ = strings.Cut(rest, "\n") // the language of the block
	text, _, ok := strings.Cut(rest, "\n```\n")
	if !ok {
		t.Fatalf("%s: the block %q does not end", manual, name)
	}
	return text + "\n"
}
