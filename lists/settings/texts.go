package settings

import (
	"embed"
	"io/fs"

	"github.com/BurntSushi/toml"
)

// texts are what the settings of a list mean in other languages than English, for people who
// see them on a page. Whoever edits list.toml by hand reads English.
//
//go:embed texts
var texts embed.FS

// A translation is the text of a group, named by its first key. of is made of the English
// text, so that a test finds what has become of it.
type translation struct{ Of, Text string }

func translations(lang string) (map[string]translation, error) {
	file, err := fs.ReadFile(texts, "texts/"+lang+".toml")
	if err != nil {
		return nil, err
	}
	var all map[string]translation
	return all, toml.Unmarshal(file, &all)
}

// In returns the texts of List in a language, by their English ones; none for English, and for
// a language that has no translation.
func In(lang string) map[string]string {
	there, err := translations(lang)
	if err != nil {
		return nil
	}
	all := make(map[string]string)
	for _, g := range Groups(List) {
		if len(g.Keys) == 0 {
			continue
		}
		if t := there[g.Keys[0].Name].Text; t != "" {
			all[g.Text] = t
		}
	}
	return all
}
