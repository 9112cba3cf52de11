package edit

import (
	"io"
	"strings"
	"testing"

	"superlist/lists/rewrite/edit/edittest"
)

// TestHoles: what is filled in reads as if it had been there from the start, in each
// form of a text, and is a message as good as that.
func TestHoles(t *testing.T) {
	for _, s := range edittest.Corpus() {
		for _, word := range []string{"https://lists.example.org/u/bob=40example.net/abcdefgh", "https://x.example/a", "b@c"} {
			text := "On your own: " + Mark + " or so.\n(" + Mark + ")\nThe end.\n"
			m := open(t, s.Raw)
			outcome, err := m.Footer(text, "=_sealed", Manner{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Top("Hi "+Mark, "=_sealed2", Manner{}); err != nil {
				t.Fatal(err)
			}
			r, holes := m.Personal()
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(b), Mark) || (len(holes) == 0) != (outcome == Nowhere) {
				t.Fatalf("%s: %d holes", s.Name, len(holes))
			}
			full, err := io.ReadAll(Filled(io.NewSectionReader(strings.NewReader(string(b)), 0, int64(len(b))), holes, word))
			if err != nil {
				t.Fatal(err)
			}
			if outcome == Nowhere {
				continue
			}
			got := open(t, string(full))
			list, doubt, err := leaves(got)
			if err != nil || doubt != "" {
				t.Fatalf("%s: %v %s", s.Name, err, doubt)
			}
			said := 0
			for _, e := range list {
				if e.Type == "text/plain" || e.Type == "text/html" {
					words := strings.Join(strings.Fields(decoded(got, e)), " ")
					said += strings.Count(strings.ReplaceAll(words, word+" ", word), word)
				}
				for line := range strings.SplitSeq(raw(got, e), "\r\n") {
					if len(line) > 998 {
						t.Errorf("%s: a line of %d", s.Name, len(line))
					}
				}
			}
			if said < 3 {
				t.Errorf("%s: it is said %d times: %q", s.Name, said, full)
			}
		}
	}
}
