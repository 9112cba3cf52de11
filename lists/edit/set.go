package edit

import (
	"fmt"
	"os"
	"slices"

	"superlist/lists"
	"superlist/lists/textfile"
	"superlist/lists/tomltext"
	"superlist/smtp"
)

// Set changes keys of list.toml, each given as "key=value". It keeps the file's
// comments and order, and holds the list's lock.
func Set(l *lists.List, settings []string) error {
	return Change(l, func(lists.Config) []string { return settings })
}

// Change is Set for settings that depend on the current ones. It reads those under the
// lock, since somebody may have changed them after the list was opened.
func Change(l *lists.List, to func(lists.Config) []string) (err error) {
	l, unlock, err := lockAddresses(l)
	if err != nil {
		return err
	}
	defer unlock(&err)
	return rewrite(l, to, true)
}

// rewrite is Change without taking the lock. If point is set, it also updates the
// aliases' files: the list's aliases lead to it, former ones no longer do.
func rewrite(l *lists.List, to func(lists.Config) []string, point bool) error {
	raw, err := os.ReadFile(l.ConfigFile())
	if err != nil {
		return err
	}
	text := string(textfile.UTF8(raw))
	now := tomltext.Config(l, text)
	settings := to(now)
	if len(settings) == 0 {
		return nil
	}
	text, next, err := tomltext.Set(l, text, settings)
	if err == nil && point {
		err = pointHere(l, next.AliasPaths())
	}
	if err != nil {
		return fmt.Errorf("nothing was changed: %w", err)
	}
	if err := l.Disk.Replace(l.ConfigFile(), []byte(text)); err != nil {
		return err
	}
	before, err := lists.Addresses(now.Aliases)
	if err != nil || !point {
		return nil
	}
	return unpoint(l, slices.DeleteFunc(before, func(p smtp.Path) bool { return smtp.ContainsPath(next.AliasPaths(), p) }))
}
