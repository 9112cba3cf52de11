package edit

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"

	"superlist/lists/rewrite/edit/edittest"
)

const (
	footer = "____________\nThe list dev: https://lists.example.org/dev/\nLeave: dev+unsubscribe@lists.example.org <&>\n"
	german = "____________\nGrüße von der Liste: https://lists.example.org/dev/\n"
)

func open(t *testing.T, raw string) *Message {
	t.Helper()
	m, err := Open(io.NewSectionReader(strings.NewReader(raw), 0, int64(len(raw))))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func whole(t *testing.T, m *Message) string {
	t.Helper()
	b, err := io.ReadAll(m.Reader())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestUntouched: what is opened and changed in nothing is the same, but for the empty
// line that a header without a body gets.
func TestUntouched(t *testing.T) {
	for _, s := range edittest.Corpus() {
		if got := whole(t, open(t, s.Raw)); got != s.Raw && got != s.Raw+"\r\n" {
			t.Errorf("%s: %q", s.Name, got)
		}
	}
}

// A compared message is one for testdata/compare.py.
type compared struct {
	Name    string  `json:"name"`
	Before  []byte  `json:"before"`
	After   []byte  `json:"after"`
	Outcome Outcome `json:"outcome"`
	Text    string  `json:"text"`
	First   bool    `json:"first"`
}

// TestCorpus puts footers and texts on top into each message of the corpus, and has
// Python's email compare what it was and is: no defect that was not there, each other
// part to the byte, the text where it belongs.
func TestCorpus(t *testing.T) {
	var in bytes.Buffer
	out := json.NewEncoder(&in)
	names := make(map[string]bool)
	for _, s := range edittest.Corpus() {
		if names[s.Name] {
			t.Errorf("%s is there twice", s.Name)
		}
		names[s.Name] = true
		for _, text := range []string{footer, german} {
			for _, first := range []bool{false, true} {
				m := open(t, s.Raw)
				outcome, err := m.insert(text, "=_sealed", first, Manner{})
				if outcome == Nowhere && err == nil && s.Want == edittest.Nowhere {
					outcome, err = m.insert(text, "=_sealed", first, Manner{BesideSigned: true})
					s.Want = string(outcome) // programs that are no mail, and doubt, have none
				}
				if err != nil {
					t.Errorf("%s: %v", s.Name, err)
					continue
				}
				if text == footer && !first && s.Want != "" && string(outcome) != s.Want {
					t.Errorf("%s: %s, want %s", s.Name, outcome, s.Want)
				}
				before := s.Raw
				if !strings.Contains(before, "\r\n\r\n") && !strings.HasPrefix(before, "\r\n") {
					before += "\r\n"
				}
				after := whole(t, m)
				for line := range strings.SplitSeq(after, "\r\n") {
					if len(line) > 998 {
						t.Errorf("%s: a line of %d", s.Name, len(line))
					}
				}
				out.Encode(compared{s.Name, []byte(before), []byte(after), outcome, text, first})
			}
		}
	}
	t.Logf("%d messages", len(names))
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	c := exec.Command(python, "testdata/compare.py")
	c.Stdin = &in
	found, err := c.CombinedOutput()
	if err != nil || len(found) > 0 {
		t.Errorf("%v\n%s", err, found)
	}
}
