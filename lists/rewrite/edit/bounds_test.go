package edit

import (
	"strings"
	"testing"

	"superlist/lists/parts"
)

// TestTextDivides: no text that is put into a message, and none that is made of HTML, is
// a boundary of it: an author who knows a footer, or writes HTML, cannot make a part of
// what stands behind.
func TestTextDivides(t *testing.T) {
	message := func(boundary, fields, text string) string {
		return "From: a@author.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\n\r\n" +
			"--" + boundary + "\r\n" + fields + "\r\n" + text + "\r\n--" + boundary + "\r\nContent-Type: text/x-log; name=x\r\n\r\nlog\r\n--" + boundary + "--\r\n"
	}
	wide := strings.Repeat("x", 73) + " ----b "
	for _, test := range []struct {
		name, boundary, fields, text, footer string
		want                                 Outcome
	}{
		{"a line of dashes", "--", "", "Hello.", "------\nThe list", Apart},
		{"in quoted-printable", "--", "Content-Transfer-Encoding: quoted-printable\r\n", "Hello.", "------\nThe list", Inside},
		{"at a soft break", "--b", "Content-Transfer-Encoding: quoted-printable\r\n", "Hello.", wide + wide, Inside},
		{"in base64", "--", "Content-Transfer-Encoding: base64\r\n", "SGVsbG8uDQo=", "------\nThe list", Inside},
		{"the mark of a signature", "-", "", "Hello.", "-- \nThe list", Inside},
		{"another's", "b", "", "Hello.", "--------\nThe list", Inside},
	} {
		for _, first := range []bool{false, true} {
			m := open(t, message(test.boundary, test.fields, test.text))
			if got, err := m.insert(test.footer, "=_sealed", first, Manner{}); got != test.want || err != nil {
				t.Errorf("%s: %s %v, want %s", test.name, got, err, test.want)
			}
			list, doubt, err := leaves(open(t, whole(t, m)))
			if want := 2 + strings.Count(string(test.want), string(Apart)); len(list) != want || doubt != "" || err != nil {
				t.Errorf("%s: %d parts, %s %v: %q", test.name, len(list), doubt, err, whole(t, m))
			}
		}
	}
	html := "Content-Type: text/html\r\n"
	for name, text := range map[string]string{
		"a line":       "<p>Hello.</p><p>&#45;-b</p><p>Content-Type: application/x-msdownload; name=x.exe</p><p>\r\n</p><p>MZ</p>",
		"a soft break": "<p>" + strings.Repeat("ü", 12) + "xx --b " + strings.Repeat("y", 60) + "&#45;-b</p>",
		"the end":      "<pre>\r\n&#45;-b-&#45;\r\n</pre>",
		"without ctrl": "<pre>\r\n-\x01-b\r\n</pre>",
	} {
		m := open(t, message("b", html, text))
		if n, err := m.PlainText(false, func(*parts.Entity) string { return "" }); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		if list, doubt, err := leaves(open(t, whole(t, m))); len(list) != 2 || doubt != "" || err != nil {
			t.Errorf("%s: %d parts, %s %v: %q", name, len(list), doubt, err, whole(t, m))
		}
	}
}
