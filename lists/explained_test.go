package lists

import (
	"testing"

	"superlist/lists/config/configtest"
	"superlist/lists/letter"
	"superlist/lists/settings"
)

// TestExplainedWords: where a value is one of a few words, the explanation of the
// key has those that the error names.
func TestExplainedWords(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	tried := 0
	for _, k := range new(Config).Keys() {
		_, err := l.WithConfig(k.Name + " = \"xyzzy\"\n")
		if configtest.Words(t, settings.List, k.Name, err) {
			tried++
		}
		for _, lang := range letter.Languages { // as owners see it on a page
			if text := settings.In(lang)[settings.Explain(settings.List, k.Name)]; text != "" {
				configtest.WordsIn(t, text, lang+": "+k.Name, err)
			}
		}
	}
	if tried < 7 {
		t.Errorf("only %d keys have such words", tried)
	}
}

func TestEveryFieldHasAKey(t *testing.T) { configtest.EveryField(t, new(Config)) }

// TestListDefaults holds what an empty list.toml means.
func TestListDefaults(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	if l.Post != PostMembers || l.MaxMessageSize != 1<<20 || l.Description != "" || len(l.OwnerPaths()) != 1 {
		t.Errorf("%+v", l.Config)
	}
}

// TestEveryMistake: whatever is wrong with a value, or with the name of a key, is told
// with file, line, key and mend.
func TestEveryMistake(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	n := configtest.Mistakes(t, new(Config), func(text string) error {
		_, err := l.WithConfig(text)
		return err
	})
	if n < 1000 {
		t.Errorf("only %d mistakes", n)
	}
}
