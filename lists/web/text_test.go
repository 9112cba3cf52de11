package web

import (
	"bytes"
	"strings"
	"testing"
)

// TestLines: w3m and lynx show the lines of a mail as they are, as long as they fit.
func TestLines(t *testing.T) {
	l := newList(t)
	fits, long := strings.Repeat("é", maxSet), strings.Repeat("é", maxSet+1)
	for text, want := range map[string]string{
		"one\n  two\n":               "<pre class=\"t\" dir=\"auto\">one\n  two</pre>\n",
		fits + "\n":                  `<pre class="t" dir="auto">` + fits + "</pre>\n",
		"one\n\n" + long + "\n":      `<div class="t" dir="auto">one<br><br>` + long + "</div>\n",
		"> one\n> two\n":             "<blockquote><span class=\"vh\">Quote:</span>\n<pre class=\"t\" dir=\"auto\">one\ntwo</pre>\n</blockquote>\n",
		"one\n-- \nAlice\nOxford\n":  "<pre class=\"t\" dir=\"auto\">one</pre>\n<p class=\"vh\">Signature:</p>\n<pre class=\"t sig\" dir=\"auto\">Alice\nOxford</pre>\n",
		"http://example.org/1\ntwo.": "<pre class=\"t\" dir=\"auto\"><a rel=\"nofollow ugc noreferrer\" href=\"http://example.org/1\">http://example.org/1</a>\ntwo.</pre>\n",
	} {
		var b bytes.Buffer
		if l.text(&b, text); b.String() != want {
			t.Errorf("%q is %q, want %q", text, b.String(), want)
		}
	}
}
