package config

import "testing"

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
