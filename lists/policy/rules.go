package policy

import (
	"fmt"
	"mime"
	"slices"
	"strings"

	"superlist/lists/config"
	"superlist/lists/pattern"
	"superlist/lists/rewrite"
	"superlist/lists/textfile"
	"superlist/smtp"
)

// A Rule is one line of a list's file "rules": what happens to a post with such a
// field. The first rule that fits decides.
//
//	accept  From: *@partner.example
//	reject "No pictures, please." Content-Type: multipart/*
//	hold    !Message-ID
//	discard X-Spam-Level: \*\*\*\*\*\**
//	pass    Subject: \[ticket*
type Rule struct {
	Verdict Verdict
	Pass    bool   // no further rule is applied, and the list's settings decide
	Text    string // reject: what the author is told
	Not     bool   // it fits if no field does
	Field   string // a pattern for names of fields, or * for any post at all
	Value   string // a pattern for the whole value; empty: the field must only exist

	line int
}

// readRules reads the list's rules; none where it has no such file. A line that is
// none is a *config.Error: a rule that is left out might be the one that keeps
// something away.
func (l *Policy) readRules() ([]Rule, error) {
	text, err := l.rules.RulesText()
	if err != nil || text == "" {
		return nil, err
	}
	return ParseRules(l.rules.RulesFile(), text)
}

// CheckRules returns the error that a session would meet in the list's rules.
func (l *Policy) CheckRules() error {
	_, err := l.readRules()
	return err
}

// ParseRules parses a file of rules.
func ParseRules(file, text string) (rules []Rule, err error) {
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		line = strings.TrimFunc(line, textfile.Blank)
		if line == "" || line[0] == '#' {
			continue
		}
		r, wrong := parseRule(line)
		if wrong != "" {
			return nil, &config.Error{File: file, Line: n, Text: wrong}
		}
		r.line = n
		rules = append(rules, r)
	}
	return rules, nil
}

// parseRule parses one line; wrong says how to correct it.
func parseRule(line string) (r Rule, wrong string) {
	word, rest := line, ""
	if i := strings.IndexFunc(line, textfile.Blank); i >= 0 {
		word, rest = line[:i], strings.TrimFunc(line[i:], textfile.Blank)
	}
	switch word {
	case "accept":
		r.Verdict = Accept
	case "hold":
		r.Verdict = Hold
	case "discard":
		r.Verdict = Discard
	case "pass":
		r.Pass = true
	case "reject":
		r.Verdict = Reject
		if strings.HasPrefix(rest, `"`) {
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return r, `the text of reject has no second "`
			}
			r.Text, rest = rest[1:end+1], strings.TrimSpace(rest[end+2:])
		}
	default:
		return r, fmt.Sprintf("%q is not an action; write accept, hold, reject, discard or pass", word)
	}
	rest, r.Not = strings.CutPrefix(rest, "!")
	field, value, hasValue := strings.Cut(rest, ":")
	r.Field, r.Value = strings.TrimSpace(field), strings.TrimSpace(value)
	switch {
	case r.Field == "" || strings.ContainsAny(r.Field, " \t"):
		return r, `after the action comes a field and what it says, as in "Subject: *test*", or *`
	case hasValue && r.Value == "":
		return r, "after the colon comes what the field says; without a colon it need only be there"
	case r.Field == "*" && (hasValue || r.Not):
		return r, "* alone fits every post"
	}
	return r, ""
}

// Fits reports whether the rule fits a post with this header.
func (r Rule) Fits(h rewrite.Header) bool { return firstFit([]Rule{r}, h) == 0 }

// firstFit returns the first rule that fits a post with this header; -1 if none does.
func firstFit(rules []Rule, h rewrite.Header) int {
	strictly, loosely := reading{header: h, fold: pattern.Strict}, reading{header: h, fold: pattern.Loose}
	return slices.IndexFunc(rules, func(r Rule) bool {
		if keeps := !r.Pass && r.Verdict != Accept; keeps != r.Not {
			return loosely.fits(r)
		}
		return strictly.fits(r)
	})
}

// A reading is a folded header, prepared once for all rules.
type reading struct {
	header rewrite.Header
	fold   pattern.Fold
	fields []field
}

// A field is one field of a reading, as written and as a person reads it.
type field struct {
	name          string
	values, names []string // names: with U-labels, made if a rule needs them
}

func (h *reading) fits(r Rule) bool {
	if r.Field == "*" {
		return true
	}
	if h.fields == nil {
		h.fields = make([]field, len(h.header))
		for i, f := range h.header {
			h.fields[i].name = h.fold(f.Name)
		}
	}
	name := h.fold(r.Field)
	for i := range h.fields {
		if pattern.MatchFolded(name, h.fields[i].name) && (r.Value == "" || h.says(i, r.Value)) {
			return !r.Not
		}
	}
	return r.Not
}

// says reports whether a pattern matches a field.
func (h *reading) says(i int, this string) bool {
	f := &h.fields[i]
	if f.values == nil {
		value := h.header[i].Value()
		f.values = []string{h.fold(value)}
		if text := decoded(value); text != value {
			f.values = append(f.values, h.fold(text))
		}
	}
	folded := h.fold(this)
	fits := func(value string) bool { return pattern.MatchFolded(folded, value) }
	if slices.ContainsFunc(f.values, fits) {
		return true
	}
	if !pattern.HasNames(this) && !slices.ContainsFunc(f.values, pattern.HasNames) {
		return false
	}
	if f.names == nil {
		for _, value := range f.values {
			f.names = append(f.names, h.fold(smtp.UnicodeNames(value)))
		}
	}
	folded = h.fold(smtp.UnicodeNames(this))
	return slices.ContainsFunc(f.names, fits)
}

// decoded returns a value as a person reads it: RFC 2047.
func decoded(value string) string {
	if !strings.Contains(value, "=?") {
		return value
	}
	text, err := new(mime.WordDecoder).DecodeHeader(value)
	if err != nil {
		return value
	}
	return text
}

// String returns the rule as written in the file.
func (r Rule) String() string {
	s := r.Verdict.String()
	if r.Pass {
		s = "pass"
	}
	if r.Text != "" {
		s += ` "` + r.Text + `"`
	}
	s += " "
	if r.Not {
		s += "!"
	}
	s += r.Field
	if r.Value != "" {
		s += ": " + r.Value
	}
	return s
}
