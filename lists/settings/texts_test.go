package settings

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// verbatim is what is the same in each language: what somebody types, and names.
var verbatim = regexp.MustCompile(`"[^"]+"|\{[a-z]+\}|\b[a-z]+_[a-z_]+\b|\b[a-z]+=[a-z]+\b|\bRFC \d+\b|\b[a-z]+/[a-z]+\.md\b|\bX-[A-Za-z-]+\b|\b\d\d+\b|\+[a-z]+\b|superlist-?[a-z]*`)

// TestTranslated: every text of list.toml but those of keys that owners do not see is there in
// each language of pages, made of the present English text, with all that is to be typed.
func TestTranslated(t *testing.T) {
	files, err := fs.Glob(texts, "texts/*")
	if err != nil || len(files) != 4 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		lang := strings.TrimSuffix(path.Base(file), ".toml")
		there, err := translations(lang)
		if err != nil {
			t.Fatal(lang, err)
		}
		found := 0
		for _, g := range Groups(List) {
			if len(g.Keys) == 0 || slices.Contains([]string{"aliases", "old_addresses"}, g.Keys[0].Name) {
				continue
			}
			name := g.Keys[0].Name
			is, ok := there[name]
			if !ok {
				t.Errorf("%s: %s is not translated: %s", lang, name, g.Text)
				continue
			}
			found++
			sum := sha256.Sum256([]byte(g.Text))
			if of := hex.EncodeToString(sum[:4]); of != is.Of {
				t.Errorf("%s: %s is now %q; see whether its translation still says that, and set of = %q", lang, name, g.Text, of)
			}
			if In(lang)[g.Text] != is.Text || is.Text == "" || is.Text == g.Text {
				t.Errorf("%s: %s is %q", lang, name, is.Text)
			}
			for _, word := range verbatim.FindAllString(g.Text, -1) {
				if !strings.Contains(is.Text, word) {
					t.Errorf("%s: %s does not have %s", lang, name, word)
				}
			}
		}
		if found != len(there) {
			t.Errorf("%s: %d texts for %d settings", lang, len(there), found)
		}
	}
	if len(In("en")) > 0 || len(In("xx")) > 0 || len(In("../list")) > 0 {
		t.Error("there are texts of no language")
	}
}
