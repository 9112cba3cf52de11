package pattern

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestPattern(t *testing.T) {
	for pattern, words := range map[string][2]string{
		"abc":        {"abc ABC aBc", "ab abcd xabc"},
		"a*c":        {"ac abc abcbc", "ab acd"},
		"*":          {"x", ""},
		"a?c":        {"abc axc", "ac abbc"},
		"[0-9]*":     {"1 9x", "a x1"},
		"[!0-9]*":    {"a x1", "1 9x"},
		`\*x`:        {"*x", "ax x"},
		"*[":         {"a[ [", "a"},
		"*a*b*c*":    {"abc xaxbxcx", "acb cba"},
		"[]":         {"[]", "a"},
		"x[a-":       {"x[a-", "xa"},
		`back\`:      {`back\`, "back"},
		"*@*.de":     {"a@b.de", "a@b.com de"},
		"**********": {"aaaaaaaaaaaaaaaaaaaa", ""},
	} {
		for _, word := range strings.Fields(words[0]) {
			if !Strict.Match(pattern, word) {
				t.Errorf("%q does not fit %q", pattern, word)
			}
		}
		for _, word := range strings.Fields(words[1]) {
			if Strict.Match(pattern, word) {
				t.Errorf("%q fits %q", pattern, word)
			}
		}
	}
}

func TestPatternIsRight(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	word := func(letters []string, most int) (w string) {
		for range random.IntN(most) {
			w += letters[random.IntN(len(letters))]
		}
		return w
	}
	of, in := strings.Split(`a a b b * * ? [ ] - ! \ \ ü ü`, " "), strings.Split("a a a b b b ü ü * [ - \xff \xc3", " ")
	fit := 0
	for range 100000 {
		pattern, s := word(of, 10), word(in, 12)
		want := fitsSlowly(pattern, s)
		if got := MatchFolded(pattern, s); got != want {
			t.Fatalf("%q, %q: %v", pattern, s, got)
		}
		if want {
			fit++
		}
	}
	if fit < 1000 {
		t.Errorf("only %d of them fit", fit)
	}
}

// fitsSlowly is matchFolded, written so that one sees that it is right.
func fitsSlowly(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case s == "":
		return pattern[0] == '*' && fitsSlowly(pattern[1:], s)
	}
	c, size := char(s)
	if pattern[0] == '*' {
		return fitsSlowly(pattern[1:], s) || fitsSlowly(pattern, s[size:])
	}
	n, ok := matchOne(pattern, c)
	return ok && fitsSlowly(pattern[n:], s[size:])
}
