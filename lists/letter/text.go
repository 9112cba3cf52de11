package letter

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"superlist/lists/textfile"
)

//go:embed texts/*.toml
var files embed.FS

// A Text is the text of a letter, in one language.
type Text struct {
	Subject  string `toml:"subject"`
	Body     string `toml:"body"`
	Language string `toml:"-"`
}

// Languages are those with texts. English comes first: it is used if nothing fits.
var Languages = []string{"en", "de", "es", "fr", "ja"}

// Words are what a text may have in braces, with their meanings.
var Words = map[string]string{
	"list":            "the list's address",
	"description":     "what the list is about",
	"address":         "whom the letter is about",
	"owner":           "the address of the owners",
	"subscribe":       "the address for subscribing",
	"unsubscribe":     "the address for leaving",
	"unsubscribe-for": "the address for taking off an address that somebody cannot write from; you=example.com stands for that",
	"help":            "the address for help",
	"confirm":         "the address whose answer says yes",
	"decline":         "the address whose answer says no",
	"link":            "a page on which somebody can do the same; empty where there are no pages",
	"expires":         "until when that is good",
	"author":          "who wrote a post",
	"subject":         "what its Subject says",
	"reason":          "why it waits",
	"allow":           "the address whose answer lets its author write freely",
	"reject":          "the address whose answer sends it back",
	"discard":         "the address whose answer throws it away",
	"ban":             "the address whose answer keeps its author away",
	"count":           "how many there are: posts that wait, members",
	"number":          "which of them this is",
	"words":           "what a moderator wrote to the author",
	"digest":          "the address for getting digests; where the list sends none, a paragraph with it is left out",
	"issue":           "the number of a digest",
	"contents":        "posts or members, one a line",
	"posts":           "the numbers of posts",
	"index":           "the address that says which old posts there are",
	"get":             "the address that sends post 12",
	"thread":          "the address that sends post 12 with what belongs to it",
	"next":            "the address that sends the posts which had no room",
	"earlier":         "the address that says which posts there were before",
	"left":            "how many of them had no room",
	"name":            "what an attachment is called, and its type",
	"size":            "how large it is",
	"date":            "when that was which the letter is about",
}

// ownTexts is the file with a list's own texts.
const ownTexts = "texts.toml"

// Find returns the text of this name in the language nearest to lang, a BCP 47 tag: the
// list's own, if dir has one, else ours. The error is about the list's own texts, which
// are then ignored: a mistake in them must not keep a letter from being sent.
func Find(name, lang, dir string) (Text, error) {
	own, err := Own(dir)
	if text, ok := own[name]; ok {
		text.Language = lang
		return text, err
	}
	tag := Match(lang)
	texts, builtin := load(files, "texts/"+tag+".toml")
	if builtin != nil {
		return Text{}, builtin
	}
	text, ok := texts[name]
	if !ok {
		return Text{}, fmt.Errorf("there is no text %q", name)
	}
	text.Language = tag
	return text, err
}

// nearest are languages without texts whose readers are likely to read one of ours: CLDR,
// "languageMatching". TestMatch holds them, and Match, against language.Matcher of x/text,
// which builds its tables in every process that links it.
var nearest = [][2]string{
	{"de", "deu ger gsw lb ltz rm roh"},
	{"es", "ay aym baq eu eus gl glg gn grn qu que spa"},
	{"fr", "br bre co cos crs fra fre hat ht kg kin kon lin ln lua mg mlg oc oci rw wo wol"},
	{"ja", "jpn"},
}

// Match returns the supported language nearest to a tag (BCP 47).
func Match(tag string) string {
	if slices.Contains(Languages, tag) {
		return tag
	}
	subtags := strings.FieldsFunc(strings.ToLower(tag), func(c rune) bool { return c == '-' || c == '_' })
	if len(subtags) == 0 {
		return Languages[0]
	}
	if slices.Contains(Languages, subtags[0]) {
		return subtags[0]
	}
	for _, n := range nearest {
		if slices.Contains(strings.Fields(n[1]), subtags[0]) {
			return n[0]
		}
	}
	return Languages[0]
}

// Own reads a list's own texts. Wrong ones are left out, and the error names them; a
// list without the file has none.
func Own(dir string) (map[string]Text, error) {
	file := filepath.Join(dir, ownTexts)
	texts, err := load(os.DirFS(dir), ownTexts)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	known, err := load(files, "texts/en.toml")
	if err != nil {
		return nil, err
	}
	var wrong []error
	for name, text := range texts {
		_, ok := known[name]
		switch {
		case !ok:
			wrong = append(wrong, fmt.Errorf("%s: [%s]: there is no such letter", file, name))
		case strings.TrimSpace(text.Subject) == "" || strings.TrimSpace(text.Body) == "":
			wrong = append(wrong, fmt.Errorf("%s: [%s]: needs a subject and a body", file, name))
		default:
			if word := strange(text); word != "" {
				wrong = append(wrong, fmt.Errorf("%s: [%s]: nothing stands for %s", file, name, word))
				break
			}
			if word := missing(known[name], text); word != "" {
				wrong = append(wrong, fmt.Errorf("%s: [%s]: without %s nobody can answer it", file, name, word))
				break
			}
			continue
		}
		delete(texts, name)
	}
	return texts, errors.Join(wrong...)
}

// load reads a file of texts.
func load(from fs.FS, name string) (map[string]Text, error) {
	raw, err := fs.ReadFile(from, name)
	if err != nil {
		return nil, err
	}
	texts := make(map[string]Text)
	meta, err := toml.Decode(string(textfile.Plain(raw)), &texts)
	if err != nil {
		return nil, err
	}
	if extra := meta.Undecoded(); len(extra) > 0 {
		return nil, fmt.Errorf("%s: a text has a subject and a body, and no %s", name, extra[0])
	}
	return texts, nil
}

// strange returns the first word in braces or between dollars that has no meaning: it
// would be sent as it is.
func strange(t Text) string {
	for _, word := range inBraces(t) {
		if _, ok := Words[word]; !ok {
			return "{" + word + "}"
		}
	}
	return inDollars(t.Subject + "\n" + t.Body)
}

// inDollars returns the first $word$ of a text: mlmmj's notation.
func inDollars(s string) string {
	for {
		_, after, ok := strings.Cut(s, "$")
		if !ok {
			return ""
		}
		word := strings.TrimLeft(after, "abcdefghijklmnopqrstuvwxyz")
		if len(word) < len(after) && strings.HasPrefix(word, "$") {
			return "$" + after[:len(after)-len(word)] + "$"
		}
		s = after
	}
}

// missing returns an address for the answer that a text must have but lacks.
func missing(known, t Text) string {
	for _, word := range []string{"confirm", "decline"} {
		if slices.Contains(inBraces(known), word) && !slices.Contains(inBraces(t), word) {
			return "{" + word + "}"
		}
	}
	return ""
}

func inBraces(t Text) (words []string) {
	for _, rest := range []string{t.Subject, t.Body} {
		for {
			_, after, ok := strings.Cut(rest, "{")
			if !ok {
				break
			}
			word, more, ok := strings.Cut(after, "}")
			if !ok {
				break
			}
			words = append(words, word)
			rest = more
		}
	}
	return words
}
