package lists

import (
	"errors"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"superlist/lists/config"
	"superlist/lists/textfile"
	"superlist/queue/disk"
)

// MaxRules is the largest file of rules: more than anybody can keep in mind.
const MaxRules = 64 << 10

// RulesFile returns the path of the list's rules, which package policy parses.
func (l *List) RulesFile() string { return filepath.Join(l.Dir, "rules") }

// RulesText returns the list's rules; empty if it has none.
func (l *List) RulesText() (string, error) {
	text, info, err := disk.ReadRegular(l.RulesFile(), unix.O_RDONLY, MaxRules)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if info.Size() > MaxRules {
		return "", &config.Error{File: l.RulesFile(), Text: "too large for rules"}
	}
	return string(textfile.Plain(text)), nil
}
