package linediff

import (
	"strings"
	"testing"
)

func TestSteps(t *testing.T) {
	for _, test := range [][3]string{
		{"", "", ""},
		{"a b c", "a b c", " a, b, c"},
		{"a b c", "a c", " a,-b, c"},
		{"a c", "a b c", " a,+b, c"},
		{"a b c", "a x c", " a,-b,+x, c"},
		{"a b", "b a", "-a, b,+a"},
		{"a", "", "-a"},
		{"", "a b", "+a,+b"},
	} {
		if got := strings.Join(Steps(strings.Fields(test[0]), strings.Fields(test[1])), ","); got != test[2] {
			t.Errorf("%q to %q: %q, want %q", test[0], test[1], got, test[2])
		}
	}
}
