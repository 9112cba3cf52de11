package body

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestReadable: what HTML says to somebody who has only text.
func TestReadable(t *testing.T) {
	for in, want := range map[string]string{
		"<p>Hello</p><p>you</p>":                                       "Hello\n\nyou\n",
		"<style>p{color:red}</style><p>Hello</p><script>x</script>":    "Hello\n",
		"<a href=\"https://x.example/a\">this</a>":                     "this <https://x.example/a>\n",
		"<a href=\"https://x.example/\">https://x.example</a>":         "https://x.example\n",
		"<a href=\"mailto:a@x.example\">a@x.example</a>":               "a@x.example\n",
		"<a href=\"javascript:alert(1)\">this</a>":                     "this\n",
		"<a href=\"https://x.example/a\"><img alt=\"Logo\"></a>":       "[Logo] <https://x.example/a>\n",
		"<ul><li>one<li>two</ul><ol start=3><li>c<li>d</ol>":           "* one\n* two\n3. c\n4. d\n",
		"<ul><li>one<ol><li>a</ol></ul>":                               "* one\n  1. a\n",
		"<blockquote>quoted<blockquote>more</blockquote></blockquote>": "> quoted\n>> more\n",
		"<table><tr><td>a<td>b<tr><td>c<td>d</table>":                  "a | b\nc | d\n",
		"one<br>two<hr>three":                                          "one\ntwo\n----\nthree\n",
		"<pre>a\n  b</pre>":                                            "a\n  b\n",
		"a &lt;b&gt; &amp; c&nbsp;d":                                   "a <b> & c d\n",
		"<p>a</p><br><br><br><br><p>b</p>":                             "a\n\nb\n",
		"":                                                             "\n",
	} {
		if got := Readable(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// FuzzReadable: whatever comes, no markup that was one is left, and it ends.
func FuzzReadable(f *testing.F) {
	f.Add("<p>Hello <a href='https://x.example'>x</a><ul><li>y")
	f.Add("<table><td><blockquote><pre>a</b></pre>")
	f.Fuzz(func(t *testing.T, s string) {
		got := Readable(s)
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("%q: %q", s, got)
		}
		if !strings.ContainsAny(s, "<&") && strings.Join(strings.Fields(got), "") != strings.Join(strings.Fields(strings.ReplaceAll(s, "\x00", "\uFFFD")), "") && !strings.ContainsAny(s, "\x00\u00a0\u0085\r\v") {
			t.Errorf("%q: %q", s, got)
		}
	})
}
