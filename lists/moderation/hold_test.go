package moderation

import (
	"strings"
	"testing"
)

// TestOneLine: a reason that is too long for its line is cut.
func TestOneLine(t *testing.T) {
	for _, more := range []int{-1, 0, 1} {
		got := oneLine(strings.Repeat("\n", MaxWhy+more))
		if want := strings.Repeat("?", MaxWhy+min(more, 0)); got != want {
			t.Errorf("%d: %d bytes", more, len(got))
		}
	}
}
