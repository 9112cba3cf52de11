package config

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestCommentLines: what the decoder does not see changes nothing but what it
// would only have skipped, and lines keep their numbers.
func TestCommentLines(t *testing.T) {
	for text, want := range map[string]string{
		"# a\n  \t#b\nx = 1 # c\n":      "\n\nx = 1 # c\n",
		"#no end":                       "\n",
		"# a\r\nx = 1\r\n":              "\nx = 1\r\n",
		"x = \"\"\"\n# a\n\"\"\"\n#b\n": "x = \"\"\"\n# a\n\"\"\"\n#b\n",
		"x = '''\n# a\n'''\n#b\n":       "x = '''\n# a\n'''\n#b\n",
		"x = [\n# a\n\"b\"]\n":          "x = [\n\n\"b\"]\n",
		"# a\x01\n":                     "# a\x01\n",
		"# a\x7f\n":                     "# a\x7f\n",
		"# a\rb\n":                      "# a\rb\n",
		"# a\xff\n":                     "# a\xff\n",
		"# ä\n":                         "\n",
		"":                              "",
	} {
		if got := withoutCommentLines(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestPlain: each byte, in each place of short comments and beside each kind of
// neighbour, is as plain as it is by itself.
func TestPlain(t *testing.T) {
	byItself := func(s string) bool {
		return utf8.ValidString(s) && !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
	}
	for _, filling := range []string{"a", "\t", " ", "~", "ü"} {
		for n := range 20 {
			for at := range n + 1 {
				for c := range 0x100 {
					s := strings.Repeat(filling, at) + string([]byte{byte(c)}) + strings.Repeat(filling, n-at) + "."
					if got, want := plain(s), byItself(s); got != want {
						t.Fatalf("%q: %t, want %t", s, got, want)
					}
				}
			}
		}
	}
}
