package members

import (
	"strings"

	"superlist/lists/textfile"
)

// Set reads all members, to change them. other are the lines that are not members:
// comments, and invalid ones.
func (m *File) Set() (set Set, other []string, err error) {
	set = make(Set)
	err = m.guard(func() {
		for line := range strings.Lines(string(m.data)) {
			line = strings.TrimFunc(line, textfile.Blank)
			if member, ok := parseLine(line); ok {
				set.Add(member)
			} else if line != "" {
				other = append(other, line)
			}
		}
	})
	return set, other, err
}
