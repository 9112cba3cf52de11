package web

import (
	"bytes"
	"embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"superlist/lists/letter"
)

//go:embed words/*.toml
var wordFiles embed.FS

// Words are the texts of pages in one language. They are read when the first is needed:
// most requests to superlist-web need none.
type Words struct {
	read func() (language string, texts map[string]string)
}

var languages sync.Map // of map[string]string, by language

// wordsIn returns the words in the language nearest to a BCP 47 tag.
func wordsIn(tag string) *Words {
	return &Words{sync.OnceValues(func() (string, map[string]string) {
		lang := letter.Match(tag)
		if texts, ok := languages.Load(lang); ok {
			return lang, texts.(map[string]string)
		}
		texts := make(map[string]string)
		raw, err := wordFiles.ReadFile("words/" + lang + ".toml")
		if err == nil {
			_, err = toml.Decode(string(raw), &texts)
		}
		if err != nil {
			panic("the words in " + lang + ": " + err.Error()) // they are part of the program
		}
		languages.Store(lang, texts)
		return lang, texts
	})}
}

// Language is the one that they are in.
func (w *Words) Language() string {
	lang, _ := w.read()
	return lang
}

func (w *Words) texts() map[string]string {
	_, texts := w.read()
	return texts
}

// Get returns a text as it is.
func (w *Words) Get(name string) string {
	text, ok := w.texts()[name]
	if !ok {
		panic("there is no text " + strconv.Quote(name)) // they are part of the program
	}
	return text
}

// html returns a text as HTML.
func (w *Words) html(name string) string { return escaped(w.Get(name)) }

// with returns a text with the words in braces replaced. pairs are names and values.
func (w *Words) with(name string, pairs ...any) string {
	text := w.Get(name)
	var b strings.Builder
	for text != "" {
		front, rest, _ := strings.Cut(text, "{")
		b.WriteString(front)
		word, behind, ok := strings.Cut(rest, "}")
		for i := 0; ok && i+1 < len(pairs); i += 2 {
			if pairs[i] == word {
				fmt.Fprint(&b, pairs[i+1])
			}
		}
		text = behind
	}
	return b.String()
}

// count returns a text about n things; NAME-1 is the text about one.
func (w *Words) count(name string, n int) string {
	if n == 1 {
		name += "-1"
	}
	return w.with(name, "n", n)
}

// month formats a month for people.
func (w *Words) month(m string) string {
	t, err := time.Parse(monthFormat, m)
	if err != nil {
		return m
	}
	names := strings.Split(w.Get("months"), " ")
	return w.with("month", "month", names[int(t.Month())-1], "year", t.Year(), "number", int(t.Month()))
}

// monthFormat is a month in the name of a file.
const monthFormat = "2006-01"

func escaped(s string) string {
	var b bytes.Buffer
	escape(&b, s)
	return b.String()
}

// oneLine returns a text without line breaks.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// clip shortens a text to at most most bytes, between characters.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

// size formats a number of bytes for people.
func size(n int) string {
	switch {
	case n < 1000:
		return strconv.Itoa(n) + " B"
	case n < 1000<<10:
		return strconv.Itoa((n+512)>>10) + " KiB"
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// monthName formats a month without its year.
func (w *Words) monthName(m string) string {
	t, err := time.Parse(monthFormat, m)
	if err != nil {
		return m
	}
	return w.with("month-alone", "month", strings.Split(w.Get("months"), " ")[int(t.Month())-1])
}
