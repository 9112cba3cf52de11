package copies

import (
	"strings"
	"testing"

	"superlist/lists/rewrite/edit/edittest"
)

// TestUndo: without the list's fields in front, the prefix and the From that is the list's
// a message is what it was, to the byte.
func TestUndo(t *testing.T) {
	l := listOf(t, `subject_prefix = "[dev]"`, `dmarc = "munge"`)
	keys := zone{"_dmarc.author.example": "v=DMARC1; p=reject"}
	for _, s := range edittest.Corpus() {
		header, _, whole := strings.Cut(s.Raw, "\r\n\r\n")
		if !whole || !strings.HasPrefix(header, "From: ") || strings.Contains(header, "\nFrom: ") { // two are refused
			continue
		}
		members, _ := sent(t, makeOf(t, l, s.Raw, keys), 1)
		var back strings.Builder
		from, ours := "", true
		for _, f := range headerOf(t, members) {
			if f.Is("X-Original-From") {
				from = strings.TrimPrefix(string(f.Raw), "X-Original-")
			}
		}
		for _, f := range headerOf(t, members) {
			text := string(f.Raw)
			switch {
			case f.Is("From"):
				text, ours = from, false
			case f.Is("Subject"):
				text = strings.Replace(text, "[dev] ", "", 1)
			case f.Is("Reply-To") || f.Is("X-Original-From"):
				text = ""
			}
			if !ours {
				back.WriteString(text)
			}
		}
		_, body, _ := strings.Cut(members, "\r\n\r\n")
		if got := back.String() + "\r\n" + body; got != s.Raw {
			t.Errorf("%s: %q was %q", s.Name, got, s.Raw)
		}
	}
}
