package signature

import (
	"slices"
	"strings"
)

// TagList is what a DKIM-Signature field or the record of a key says, by the names of its
// tags: RFC 6376, 3.2. Values have no white space, which only folds the base64 of b= and
// p= over several lines.
type TagList map[string]string

// Tags parses a tag list. The last one counts of a tag that stands there twice.
func Tags(text string) TagList {
	tags := make(TagList)
	for tag := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(tag, "=")
		tags[strings.TrimSpace(name)] = strings.Join(strings.Fields(value), "")
	}
	return tags
}

// OnTrial reports whether a key's record says that the domain only tries DKIM out (t=y).
func (t TagList) OnTrial() bool { return slices.Contains(strings.Split(t["t"], ":"), "y") }
