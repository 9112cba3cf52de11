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

// MaxRules is the size of a file of rules: more than anybody keeps in his head.
const MaxRules = 64 << 10

// RulesFile is the file of the list's rules, which package policy understands.
func (l *List) RulesFile() string { return filepath.Join(l.Dir, "rules") }

// RulesText is what stands in the list's rules; empty where it has no such file.
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
