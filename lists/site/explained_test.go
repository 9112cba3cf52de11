package site

import (
	"os"
	"path/filepath"
	"testing"

	"superlist/lists/config/configtest"
	"superlist/lists/settings"
	"superlist/lists/sitetest"
)

// testSite loads a site in a directory of its own. more is TOML that is added.
func testSite(t testing.TB, more string) *Site {
	t.Helper()
	s, err := Load(sitetest.Write(t, t.TempDir(), more))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestExplainedWords: where a value is one of a few words, the explanation of the
// key has those that the error names.
func TestExplainedWords(t *testing.T) {
	tried := 0
	for _, g := range settings.Groups(settings.Site) {
		for _, k := range g.Keys {
			text := "hostname = \"h.example\"\n"
			if k.Table != "" && k.Table != "milter" {
				text += "[" + k.Table + "]\n"
			}
			file := filepath.Join(t.TempDir(), "superlist.toml")
			os.WriteFile(file, []byte(text+k.Name+" = \"xyzzy\"\n"), 0o600)
			_, err := Load(file)
			if configtest.Words(t, settings.Site, k.Dotted(), err) {
				tried++
			}
		}
	}
	if tried < 5 {
		t.Errorf("only %d keys have such words", tried)
	}
}

func TestEveryFieldHasAKey(t *testing.T) {
	configtest.EveryField(t, new(Site), new(Auth), new(Relay), new(Proxy), new(Milter), new(Cluster))
}

// TestEveryMistake: whatever is wrong with a value, or with the name of a key, is told
// with file, line, key and mend.
func TestEveryMistake(t *testing.T) {
	file := filepath.Join(t.TempDir(), "superlist.toml")
	n := configtest.Mistakes(t, new(Site), func(text string) error {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(file)
		return err
	})
	if n < 1500 {
		t.Errorf("only %d mistakes", n)
	}
}
