package web

import (
	"regexp"
	"slices"
	"testing"

	"superlist/lists/letter"
)

// TestWordsInEachLanguage: each text is there in each language, and has the same words to
// fill in.
func TestWordsInEachLanguage(t *testing.T) {
	braces := regexp.MustCompile(`\{[a-z-]+\}`)
	english := wordsIn("en").texts()
	filled := func(text string) []string {
		words := braces.FindAllString(text, -1)
		slices.Sort(words)
		return slices.Compact(words)
	}
	for _, lang := range letter.Languages {
		texts := wordsIn(lang).texts()
		for name := range texts {
			if _, ok := english[name]; !ok {
				t.Errorf("%s has %q, which English has not", lang, name)
			}
		}
		for name, text := range english {
			got, ok := texts[name]
			if !ok || got == "" {
				t.Errorf("%s lacks %q", lang, name)
			}
			if name != "month" && name != "month-alone" && !slices.Equal(filled(got), filled(text)) {
				t.Errorf("%s: %s: %q has other words to fill in than %q", lang, name, got, text)
			}
		}
	}
}
