package lists

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"superlist/lists/config"
	"superlist/lists/settings"
	"superlist/lists/textfile"
	"superlist/queue/disk"
	"superlist/smtp"
)

// An InputError is something given by hand that cannot be used.
type InputError struct{ text string }

func (e *InputError) Error() string { return e.text }

func inputError(format string, args ...any) error {
	return &InputError{fmt.Sprintf(format, args...)}
}

// Create makes a list: its directory, complete, by one rename. settings are
// lines of list.toml, "key=value". fs.ErrExist: there is such a list already.
func (s Directory) Create(addr smtp.Path, owners []smtp.Path, settings []string) (*List, error) {
	text, err := NewConfig(owners, settings)
	if err != nil {
		return nil, err
	}
	d, err := s.Begin(addr, text)
	if err != nil {
		return nil, err
	}
	defer d.Abort()
	return d.Publish()
}

// NewConfig is the list.toml of a new list, with its comments. settings are
// lines of it, "key=value".
func NewConfig(owners []smtp.Path, settings []string) (text string, err error) {
	text = template(owners)
	for _, setting := range settings {
		if text, err = setKey(text, setting); err != nil {
			return "", err
		}
	}
	return text, nil
}

// template is a new list's list.toml.
func template(owners []smtp.Path) string {
	var addresses []string
	for _, owner := range owners {
		addresses = append(addresses, owner.Address())
	}
	return strings.Replace(settings.List, "\nowners = []\n", "\nowners = "+listTOML(addresses)+"\n", 1)
}

func quoteTOML(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// accept checks a list.toml before it takes the place of the old one, and gives
// the list as it will be.
func (l *List) accept(text string) (*List, error) {
	c := *l
	c.Config = defaults()
	if err := config.Decode(l.ConfigFile(), text, &c.Config); err != nil {
		return nil, err
	}
	return &c, c.check(text)
}

// needOwners refuses a list.toml without owners: mail to them would have nowhere
// to go.
func (l *List) needOwners(text string) error {
	var c Config
	if err := config.Decode(l.ConfigFile(), text, &c); err != nil || len(c.Owners) > 0 {
		return err
	}
	return &config.Error{File: l.ConfigFile(), Line: config.LineOf(text, "owners"), Key: "owners", Text: "somebody has to answer for the list"}
}

// Set changes keys of list.toml, "key=value" each, and leaves its comments and
// its order. It holds the list's lock.
func (l *List) Set(settings []string) error {
	return l.Change(func(Config) []string { return settings })
}

// Change is Set for settings that depend on those there are when the lock is
// held: somebody else may have changed them since the list was opened.
func (l *List) Change(to func(Config) []string) error {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	return l.rewrite(to, true)
}

// rewrite is Change for who holds the lock. With point the list's other addresses
// lead to it, and those that are no more its own do not.
func (l *List) rewrite(to func(Config) []string, point bool) error {
	raw, err := os.ReadFile(l.ConfigFile())
	if err != nil {
		return err
	}
	text := string(textfile.UTF8(raw))
	now := defaults()
	config.Decode(l.ConfigFile(), text, &now) // what is wrong in it, accept says below
	settings := to(now)
	if len(settings) == 0 {
		return nil
	}
	for _, setting := range settings {
		if text, err = setKey(text, setting); err != nil {
			return err
		}
	}
	sets := func(keys ...string) bool {
		return slices.ContainsFunc(settings, func(setting string) bool {
			key, _, _ := strings.Cut(setting, "=")
			return slices.Contains(keys, strings.TrimSpace(key))
		})
	}
	next, err := l.accept(text)
	if err == nil && sets("owners") {
		err = l.needOwners(text)
	}
	if err == nil && sets("owners", "moderators", "aliases") {
		err = next.ownsItself(text)
	}
	if err == nil && point {
		err = l.point(next.aliases)
	}
	if err != nil {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	if err := l.disk.Replace(l.ConfigFile(), []byte(text)); err != nil {
		return err
	}
	before, err := addresses(now.Aliases)
	if err != nil || !point {
		return nil
	}
	return l.unpoint(slices.DeleteFunc(before, func(p smtp.Path) bool { return contains(next.aliases, p) }))
}

// setKey puts "key=value" into a text of TOML. The value may be TOML; what is
// none is taken as a string, and where the key is a list of strings commas part
// it.
func setKey(text, setting string) (string, error) {
	key, value, ok := strings.Cut(setting, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if !ok || key == "" || strings.ContainsAny(setting, "\r\n") {
		return "", inputError("%q: say key=value", setting)
	}
	var want, new map[string]any
	if _, err := toml.Decode(text, &want); err != nil {
		return "", fmt.Errorf("fix list.toml by hand first: %w", err)
	}
	line := key + " = " + literal(key, value)
	if _, err := toml.Decode(line, &new); err != nil || len(new) != 1 || new[key] == nil {
		return "", inputError("%q: %s", setting, wantOf(key, line))
	}
	_, there := want[key]
	want[key] = new[key]
	lines := strings.SplitAfter(text, "\n")
	if !there {
		if i := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "#"+key+" =") }); i >= 0 {
			lines[i] = line + "\n"
			return strings.Join(lines, ""), nil
		}
		return strings.TrimRight(text, "\n") + "\n" + line + "\n", nil
	}
	n := config.LineOf(text, key)
	// A value may go over several lines: take as many as leave all other keys
	// as they are.
	for end := n; n > 0 && end <= len(lines); end++ {
		next := strings.Join(lines[:n-1], "") + line + "\n" + strings.Join(lines[end:], "")
		var got map[string]any
		if _, err := toml.Decode(next, &got); err == nil && reflect.DeepEqual(got, want) {
			return next, nil
		}
	}
	return "", inputError("%s: change it in list.toml by hand, it is written in an unusual way there", key)
}

// wantOf says what a value that is no TOML should have been.
func wantOf(name, line string) string {
	for _, k := range new(Config).Keys() {
		if k.Name == name {
			switch k.To.(type) {
			case *bool:
				return name + " must be true or false"
			case *int:
				return name + " must be a whole number"
			}
		}
	}
	return line + " is not TOML"
}

// literal writes a value of the command line as TOML.
func literal(name, value string) string {
	var to any // nil: there is no such key, and accept will say so
	for _, k := range new(Config).Keys() {
		if k.Name == name {
			to = k.To
		}
	}
	switch to.(type) {
	case *bool, *int:
		return value
	case *[]string:
		if strings.HasPrefix(value, "[") {
			return value
		}
		return listTOML(splitList(value))
	}
	if strings.HasPrefix(value, `"`) {
		return value
	}
	return quoteTOML(value)
}

// splitList takes apart what commas and spaces part, but not inside quotes: a local
// part may have both in it.
func splitList(value string) (words []string) {
	quoted, escaped := false, false
	return strings.FieldsFunc(value, func(c rune) bool {
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		default:
			return (c == ',' || c == ' ') && !quoted
		}
		return false
	})
}

// listTOML is a list of strings as TOML.
func listTOML(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = quoteTOML(word)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// Remove takes a list away with everything that is in its directory. It is gone
// by one rename, before the first file is. It holds the list's lock.
func (l *List) Remove() error {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	gone := filepath.Join(filepath.Dir(l.Dir), fmt.Sprintf(".gone-%d-%s", os.Getpid(), filepath.Base(l.Dir)))
	if _, err := l.disk.Rename(l.Dir, gone); err != nil {
		return err
	}
	err = l.unpoint(l.aliases)
	err = errors.Join(err, l.disk.RemoveAll(gone))
	disk.Discard(filepath.Dir(l.Dir)) // refused while the domain has other lists
	return err
}
