// Package tomltext changes the text of a list.toml: keys get other values, and all else,
// comments above all, stays as it is. It writes no file, so that a page can show what a
// change would do.
package tomltext

import (
	"fmt"
	"slices"
	"strings"

	"superlist/lists"
	"superlist/lists/config"
)

// An InputError reports unusable input that somebody gave by hand.
type InputError struct{ text string }

func (e *InputError) Error() string { return e.text }

// Errorf returns an InputError.
func Errorf(format string, args ...any) error {
	return &InputError{fmt.Sprintf(format, args...)}
}

// Config returns the values of a text, as far as they can be read. Set says what is wrong
// in it.
func Config(l *lists.List, text string) lists.Config {
	c := lists.Defaults()
	config.Decode(l.ConfigFile(), text, &c)
	return c
}

// Set returns the list.toml of a list with other settings, each given as "key=value", and
// the list as it would be with that. It refuses what would not be valid.
func Set(l *lists.List, text string, settings []string) (string, *lists.List, error) {
	var err error
	for _, setting := range settings {
		if text, err = SetKey(text, setting); err != nil {
			return "", nil, err
		}
	}
	next, err := l.WithConfig(text)
	if err == nil && Sets(settings, "owners") {
		err = l.NeedsOwners(text)
	}
	if err == nil && Sets(settings, "owners", "moderators", "aliases") {
		err = next.OwnsItself(text)
	}
	return text, next, err
}

// Sets reports whether one of the settings is for one of the keys.
func Sets(settings []string, keys ...string) bool {
	return slices.ContainsFunc(settings, func(setting string) bool {
		key, _, _ := strings.Cut(setting, "=")
		return slices.Contains(keys, strings.TrimSpace(key))
	})
}
