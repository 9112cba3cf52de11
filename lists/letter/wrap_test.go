package letter

import (
	"regexp"
	"strings"
	"testing"
)

// TestWrapped: a paragraph is broken anew where a word has made a line too long.
func TestWrapped(t *testing.T) {
	word := strings.Repeat("x", 30)
	for in, want := range map[string]string{
		"short\nlines stay\n\nas they are":                        "short\nlines stay\n\nas they are",
		"a " + word + " " + word + " bcdefghijklm no\npq rs.":     "a " + word + " " + word + " bcdefghijklm\nno pq rs.",
		"    " + strings.Repeat(word, 3):                          "    " + strings.Repeat(word, 3),
		"for it: " + strings.Repeat(word, 3) + " and more\nof it": "for it:\n" + strings.Repeat(word, 3) + "\nand more of it",
		strings.Repeat("字", 37) + "本。次\nの行":                       strings.Repeat("字", 37) + "\n本。次の行",
		strings.Repeat("字", 38) + "。次":                            strings.Repeat("字", 37) + "\n字。次",
		"あて先は " + strings.Repeat("a", 60) + " です。次の行\nに続く":        "あて先は " + strings.Repeat("a", 60) + " です。\n次の行に続く",
	} {
		if got := wrapped(in); got != want {
			t.Errorf("%q\nbecame\n%q, want\n%q", in, got, want)
		}
	}
}

// TestLettersAreReadable: each letter in each language, with addresses of a usual and
// of a great length: no line is wider than a screen unless it is one word, nothing in
// braces is left, and no word is lost by wrapping.
func TestLettersAreReadable(t *testing.T) {
	brace := regexp.MustCompile(`\{[a-z-]+\}`)
	for _, lang := range Languages {
		texts, err := load(files, "texts/"+lang+".toml")
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range texts {
			text.Language = lang
			for _, long := range []string{"", ".a.very.long.name.of.somebody"} {
				words := map[string]string{}
				for word := range Words {
					words[word] = "dev+" + word + long + "@lists.example.org"
				}
				words["subject"], words["description"] = "About "+strings.Repeat("things ", 8), "a list"
				l := Letter{Text: text, Words: words, Quote: "one\ntwo"}
				filled := l.fill(text.Body)
				got := wrapped(filled)
				flat := func(s string) string { return strings.Join(strings.Fields(s), "") }
				if flat(got) != flat(filled) {
					t.Errorf("%s %s: wrapping changes\n%s\nto\n%s", lang, name, filled, got)
				}
				for line := range strings.SplitSeq(got, "\n") {
					if columns(line) > maxColumns && line[0] != ' ' && strings.Contains(line, " ") {
						t.Errorf("%s %s: %d columns: %s", lang, name, columns(line), line)
					}
					if brace.MatchString(line) {
						t.Errorf("%s %s: %s", lang, name, line)
					}
				}
				if t.Failed() {
					return
				}
			}
		}
	}
}
