package bounces

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"superlist/lists/config"
	"superlist/lists/mail/bounce"
	"superlist/lists/site"
	"superlist/queue/disk"
)

// wordsFile is the file beside superlist.toml in which a postmaster says what hosts
// write, and what it means.
const wordsFile = "bounce-words.txt"

// wordsPath returns where a site would have that file; empty: nowhere.
func wordsPath(s *site.Site) string {
	if s.File() == "" {
		return ""
	}
	return filepath.Join(filepath.Dir(s.File()), wordsFile)
}

// Words returns the site's own words; nil if it has none.
func Words(s *site.Site) (*bounce.Words, error) {
	file := wordsPath(s)
	if file == "" {
		return nil, nil
	}
	text, info, err := disk.ReadRegular(file, os.O_RDONLY, bounce.MaxWords)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Size() > bounce.MaxWords {
		return nil, &config.Error{File: file, Text: fmt.Sprintf("it is longer than %d bytes", bounce.MaxWords)}
	}
	words, err := bounce.ParseWords(text)
	var m *bounce.Mistake
	if errors.As(err, &m) {
		err = &config.Error{File: file, Line: m.Line, Text: m.Text}
	}
	return words, err
}
