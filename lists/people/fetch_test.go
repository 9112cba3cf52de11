package people

import "testing"

// TestSpans: numbers as people write them.
func TestSpans(t *testing.T) {
	for want, numbers := range map[string][]int{"": nil, "7": {7}, "1-2": {1, 2}, "1, 3-5, 9": {1, 3, 4, 5, 9}} {
		if got := spans(numbers); got != want {
			t.Errorf("%v: %q, want %q", numbers, got, want)
		}
	}
}
