package main

import (
	"os"
	"strings"
	"testing"

	"superlist/e2e/figures"
)

// TestDocuments: what is committed is what was measured. make tables mends it.
func TestDocuments(t *testing.T) {
	files, err := documents("../..")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if got, err := os.ReadFile(name); err != nil {
			t.Error(err)
		} else if string(got) != want {
			t.Errorf("%s is not what docs/figures.json, docs/torture.json and the tests say: make tables", strings.TrimPrefix(name, "../../"))
		}
	}
}

// TestLost: what is missed is said, and so is where another program needs less.
func TestLost(t *testing.T) {
	fast := figures.Figure{What: "fast", Ours: 1, Peer: "exim", Theirs: 2, Ratio: 0.5, Want: 0.4}
	slow := figures.Figure{What: "slow", Unit: "ms", Ours: 4, Peer: "a daemon", Theirs: 2, Ratio: 2}
	rate := figures.Figure{What: "rate", Unit: "a second", Ours: 250, Want: 300, More: true}
	good := figures.Figure{What: "good", Ours: 2, Peer: "none", Theirs: 3, Ratio: 0.67, Want: 0.5, More: true}
	f := figures.File{Runs: []figures.Run{{Part: "session", Figures: []figures.Figure{fast, slow, rate, good}}}}
	const want = "- fast: 0.50 of exim, wanted at most 0.40.\n- slow: 2 of a daemon.\n- rate: 250 a second, wanted at least 300 a second.\n"
	if got := lost(f); got != want {
		t.Errorf("got\n%s", got)
	}
	f.Runs[0].Figures = []figures.Figure{good}
	if got := lost(f); strings.Contains(got, "- ") {
		t.Errorf("got\n%s", got)
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[float64]string{0.05: "0.05", 2: "2", 2.345: "2.35", 28.13: "28.1", 281: "281", 281.4: "281", 14674: "14,674", 1234567: "1,234,567", 0: "0"} {
		if got := number(n); got != want {
			t.Errorf("%v: %s, want %s", n, got, want)
		}
	}
}

// TestFill: a block is written once, and what is around it stays.
func TestFill(t *testing.T) {
	const page = "a\n<!-- measured: x -->\nold\n<!-- end -->\nb\n"
	once, err := fill(page, map[string]string{"x": "new\n"})
	if want := "a\n<!-- measured: x -->\n\nnew\n\n<!-- end -->\nb\n"; once != want || err != nil {
		t.Errorf("%q, %v", once, err)
	}
	if again, err := fill(once, map[string]string{"x": "new\n"}); again != once || err != nil {
		t.Errorf("%q, %v", again, err)
	}
	for _, bad := range []string{"", "<!-- measured: x -->\n", page + page} {
		if _, err := fill(bad, map[string]string{"x": "new"}); err == nil {
			t.Errorf("%q has one block", bad)
		}
	}
}

// TestPicture: the words have what the bars have, and a long bar stays inside.
func TestPicture(t *testing.T) {
	bars := barsOf(figures.File{Runs: []figures.Run{{Part: "session", Figures: []figures.Figure{
		{What: "a session, log none", Peer: "exim4 -bs", Ours: 1, Theirs: 2, Ratio: 0.5},
		{What: "a session, log none", Peer: "floor (only the durable file)", Ours: 9, Theirs: 1, Ratio: 9},
	}}}})
	svg := picture(bars)
	for _, want := range []string{"a session, by the clock 0.50 of exim4 -bs; a session, by the clock 9 of a Go program that only writes the file.", `class="less" x="300" y="58" width="65"`, `class="more" x="300" y="98" width="400"`, ">9 →<", "prefers-color-scheme: dark"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture has no %q:\n%s", want, svg)
		}
	}
}
