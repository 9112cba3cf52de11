package lists

import (
	"fmt"
	"strings"
	"testing"
)

// TestTextLanguage: who has chosen a language gets the nearest that the list has, and who
// has chosen none what is said in the list's.
func TestTextLanguage(t *testing.T) {
	l := &List{Config: Defaults()}
	if got := l.TextLanguage("de"); got != "" {
		t.Errorf("a list without languages has %q", got)
	}
	l.Footer, l.HeaderText = "bye", "hello"
	l.Footers, l.HeaderTexts = []string{"de: tschüss", "pt-BR: tchau", "zh-Hant:再見"}, []string{"de-AT: servus", "fr: salut: à tous"}
	for chosen, want := range map[string][3]string{
		"": {"", "bye", "hello"}, "en": {"", "bye", "hello"}, "ja": {"", "bye", "hello"}, "d": {"", "bye", "hello"}, "deu": {"", "bye", "hello"},
		"de": {"de", "tschüss", "hello"}, "DE": {"de", "tschüss", "hello"}, "de-CH": {"de", "tschüss", "hello"},
		"de-AT": {"de-at", "tschüss", "servus"}, "de-at-1996": {"de-at", "tschüss", "servus"},
		"pt": {"", "bye", "hello"}, "pt-br": {"pt-br", "tchau", "hello"}, "zh-Hant-TW": {"zh-hant", "再見", "hello"}, "fr-CA": {"fr", "bye", "salut: à tous"},
	} {
		tag := l.TextLanguage(chosen)
		if got := [3]string{tag, l.FooterIn(tag, l.Footer), l.HeaderTextIn(tag)}; got != want {
			t.Errorf("%q: %q, want %q", chosen, got, want)
		}
	}
	l.Language = "de-DE"
	if got := l.TextLanguage(""); got != "de" {
		t.Errorf("who has chosen none gets %q", got)
	}
	many := func(n int) (texts []string) {
		for i := range n {
			texts = append(texts, fmt.Sprintf("x-%d: a", i))
		}
		return texts
	}
	for _, test := range []struct {
		texts []string
		bad   bool
	}{
		{nil, false}, {many(maxLanguages), false}, {many(maxLanguages + 1), true}, {[]string{"de a"}, true}, {[]string{": a"}, true}, {[]string{"d e: a"}, true},
		{[]string{"de: a", "DE:b"}, true}, {[]string{"de: " + strings.Repeat("a ", MaxFooter/2)}, true}, {[]string{"de: a\x01"}, true}, {[]string{"de: a\nb"}, false},
	} {
		if what := badLanguages(test.texts); (what != "") != test.bad {
			t.Errorf("%.40q: %q", test.texts, what)
		}
	}
}

// TestMaxLanguages is on each side of how many languages footers may have.
func TestMaxLanguages(t *testing.T) {
	var texts []string
	for i := range maxLanguages {
		texts = append(texts, fmt.Sprintf("x%c: Bye.", 'a'+i))
	}
	if what := badLanguages(texts); what != "" {
		t.Error(what)
	}
	if what := badLanguages(append(texts, "de: Bye.")); what != "must have at most 20 languages" {
		t.Errorf("one more: %q", what)
	}
}
