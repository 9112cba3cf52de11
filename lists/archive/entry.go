package archive

import (
	"strconv"
	"strings"
	"time"

	"superlist/lists/maillog"
	"superlist/smtp"

	"superlist/lists/rewrite"
)

// An Entry is a line of the index: what is known about a post without opening it.
type Entry struct {
	Number     int
	Time       time.Time // when it was sent, to the second
	ID         string    // of the outbound message; empty if unknown
	Size       int64     // in bytes
	RequireTLS bool      // it may be sent by verified TLS only: RFC 8689
	Thread     int       // the number of the first post of its thread
	MessageID  string    // with its angle brackets; may be empty
	Parent     string    // the Message-ID of the post that it answers; may be empty
	From       string    // the author, and …
	Subject    string    // … the subject, decoded, without control characters, shortened
	Removed    bool      // the post was removed; a stub takes its place
}

const (
	// maxText is how many characters of From and Subject are kept: enough for a table
	// of contents.
	maxText = 200

	// maxMessageID is how many bytes of a Message-ID are kept: RFC 5322 allows a whole
	// line, with anything in it.
	maxMessageID = 250

	// maxRefs is how many Message-IDs are tried to find the post that one answers.
	maxRefs = 20

	// maxEntryID is the longest id: it is a file name in the spool.
	maxEntryID = 255

	// maxLine is the longest line of an index: two texts whose characters take four
	// bytes each, three ids, and some numbers, with room to spare.
	maxLine = 4 << 10
)

// entry returns what a header says about a post.
func (s *Store) entry(h rewrite.Header) Entry {
	e := Entry{From: s.text(h.Get("From")), Subject: s.text(h.Get("Subject"))}
	if ids := messageIDs(h.Get("Message-ID")); len(ids) > 0 {
		e.MessageID = ids[0]
	}
	if refs := references(h); len(refs) > 0 {
		e.Parent = refs[0]
	}
	return e
}

// references returns the posts that a header says it answers, the nearest first: RFC
// 5322, 3.6.4.
func references(h rewrite.Header) []string {
	refs := messageIDs(h.Get("In-Reply-To"))
	older := messageIDs(h.Get("References"))
	for i := len(older) - 1; i >= 0 && len(refs) < maxRefs; i-- {
		refs = append(refs, older[i])
	}
	return refs
}

// messageIDs returns what is in angle brackets: old programs add words around it.
func messageIDs(value string) (ids []string) {
	for len(ids) < maxRefs {
		_, rest, ok := strings.Cut(value, "<")
		if !ok {
			break
		}
		id, after, ok := strings.Cut(rest, ">")
		if !ok {
			break
		}
		value = after
		if strings.ContainsAny(id, " \t") { // a folded one
			id = strings.ReplaceAll(strings.ReplaceAll(id, " ", ""), "\t", "")
		}
		id = smtp.Clean(id, "")
		if id != "" {
			ids = append(ids, "<"+id[:min(len(id), maxMessageID-len("<>"))]+">")
		}
	}
	return ids
}

// text returns a field as a person reads it, on one line.
func (s *Store) text(value string) string {
	if s.Words != nil {
		value = s.Words(value)
	}
	return tame(value)
}

// tame removes from a text what could break a line or confuse a screen, and shortens
// it.
func tame(s string) string {
	s = maillog.Words(s)
	if runes := []rune(s); len(runes) > maxText {
		s = strings.TrimSpace(string(runes[:maxText-1])) + "…"
	}
	return s
}

// timeFormat is RFC 3339 in UTC, to the second: later times sort higher as text.
const timeFormat = "2006-01-02T15:04:05Z"

// Flags, in this order, separated by commas.
const (
	flagRequireTLS = "requiretls"
	flagRemoved    = "removed"
)

func (e Entry) flags() string {
	switch {
	case e.RequireTLS && e.Removed:
		return flagRequireTLS + "," + flagRemoved
	case e.RequireTLS:
		return flagRequireTLS
	case e.Removed:
		return flagRemoved
	}
	return ""
}

// line returns the entry as a line of the index, with its LF.
func (e Entry) line() string {
	return strings.Join([]string{
		strconv.Itoa(e.Number), e.Time.UTC().Format(timeFormat), e.ID, strconv.FormatInt(e.Size, 10), e.flags(),
		strconv.Itoa(e.Thread), e.MessageID, e.Parent, e.From, e.Subject,
	}, "\t") + "\n"
}

// Line returns the entry as a line of the index, with its LF. ParseLine parses it.
func (e Entry) Line() string { return e.line() }

// ParseLine parses what Line returns, and refuses anything else.
func ParseLine(line string) (e Entry, ok bool) {
	line, ended := strings.CutSuffix(line, "\n")
	if e, ok = parseEntry(line); !ended {
		ok = false
	}
	return e, ok
}

// parseEntry parses a line of the index, without its LF. It refuses everything that
// line would not write.
func parseEntry(line string) (e Entry, ok bool) {
	f := strings.Split(line, "\t")
	if len(line) >= maxLine || len(f) != 10 {
		return e, false
	}
	var errs [4]error
	e.Number, errs[0] = strconv.Atoi(f[0])
	e.Time, errs[1] = time.Parse(timeFormat, f[1])
	e.Size, errs[2] = strconv.ParseInt(f[3], 10, 64)
	e.Thread, errs[3] = strconv.Atoi(f[5])
	if errs != [4]error{} || e.Number < 1 || e.Size < 0 || e.Thread < 1 || e.Thread > e.Number {
		return e, false
	}
	e.ID, e.MessageID, e.Parent, e.From, e.Subject = f[2], f[6], f[7], f[8], f[9]
	for flag := range strings.SplitSeq(f[4], ",") {
		e.RequireTLS = e.RequireTLS || flag == flagRequireTLS
		e.Removed = e.Removed || flag == flagRemoved
	}
	if e.ID != "" && !validID(e.ID) || !isMessageID(e.MessageID) || !isMessageID(e.Parent) ||
		tame(e.From) != e.From || tame(e.Subject) != e.Subject {
		return e, false
	}
	return e, e.line() == line+"\n"
}

// field returns one of the fields of a line, from 0 on.
func field(line string, i int) string {
	for ; i > 0; i-- {
		_, line, _ = strings.Cut(line, "\t")
	}
	f, _, _ := strings.Cut(line, "\t")
	return f
}

// isMessageID reports whether s is empty, or a possible result of messageIDs.
func isMessageID(s string) bool {
	ids := messageIDs(s)
	return s == "" || len(ids) == 1 && ids[0] == s
}

// validID reports whether s can be the id of a message: letters, digits, dots, hyphens
// and underscores.
func validID(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return s != "" && len(s) <= maxEntryID
}
