package members

import (
	"strings"

	"superlist/lists/textfile"
)

// Set reads all members, for changing them. Other are the lines that are not members:
// comments, and what is not understood.
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
