package settings

import (
	"slices"
	"strings"
	"testing"
)

func TestGroups(t *testing.T) {
	const file = `# The head.

# What a is.
# It has two = lines.
#a = "1"

# A table.
[t]

# Both.
#b = 2
#c  = ""

# Another. Not = a key.
#
# [[u]]
# d = "x"
`
	groups := Groups(file)
	want := []Group{
		{"", "What a is. It has two = lines.", []Key{{"", "a", `"1"`}}},
		{"t", "A table.", nil},
		{"t", "Both.", []Key{{"t", "b", "2"}, {"t", "c", `""`}}},
		{"u", "Another. Not = a key.", []Key{{"u", "d", `"x"`}}},
	}
	if !slices.EqualFunc(groups, want, func(a, b Group) bool {
		return a.Table == b.Table && a.Text == b.Text && slices.Equal(a.Keys, b.Keys)
	}) {
		t.Errorf("got %q\nwant %q", groups, want)
	}
	if got := Explain(file, "t.c"); got != "Both." {
		t.Errorf("t.c: %q", got)
	}
	if got := Explain(file, "c"); got != "" {
		t.Errorf("c: %q", got)
	}
}

// TestWidth: the files are read on terminals of 80 columns, and each key has its
// words.
func TestWidth(t *testing.T) {
	for _, file := range []string{Site, List} {
		for line := range strings.Lines(file) {
			if len([]rune(line)) > 80 {
				t.Errorf("longer than 79 columns: %s", line)
			}
		}
		for _, g := range Groups(file) {
			if len(g.Text) < 10 || !strings.HasSuffix(strings.TrimSpace(g.Text), ".") && !strings.HasSuffix(g.Text, `"`) {
				t.Errorf("%v is explained by %q", g.Keys, g.Text)
			}
		}
	}
}
