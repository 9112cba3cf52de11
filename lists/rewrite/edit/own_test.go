package edit

import (
	"strings"
	"testing"

	"superlist/lists/rewrite/edit/edittest"
)

// TestOwnPart: the text of a part of its own is as it is, or encoded where a line of it
// would not go through.
func TestOwnPart(t *testing.T) {
	for text, want := range map[string]string{
		"The list":               "Content-Type: text/plain; charset=us-ascii\r\nContent-Disposition: inline\r\n\r\nThe list\r\n",
		"-- \nThe list\n":        "Content-Type: text/plain; charset=us-ascii\r\nContent-Disposition: inline\r\n\r\n-- \r\nThe list\r\n",
		"Die Größe":              "Die Gr=C3=B6=C3=9Fe\r\n",
		"--x\n":                  "=2D-x\r\n",
		strings.Repeat("x", 990): "xxx=\r\nxxx",
	} {
		got := ownPart(text)
		if !strings.HasSuffix(got, want) && !strings.Contains(got, want) {
			t.Errorf("%.40q: %q", text, got)
		}
		if encoded := strings.Contains(got, "quoted-printable"); encoded == strings.Contains(want, "us-ascii") {
			t.Errorf("%.40q: encoded %t", text, encoded)
		}
		for line := range strings.SplitSeq(got, "\r\n") {
			if len(line) > 998 {
				t.Errorf("%.40q: a line of %d bytes", text, len(line))
			}
		}
	}
}

// TestDisarmNothing: without a base there is no link.
func TestDisarmNothing(t *testing.T) {
	if n, err := open(t, edittest.Head+"\r\nhttps://lists.example.org/leave/x\r\n").Disarm(""); n != 0 || err != nil {
		t.Error(n, err)
	}
}
