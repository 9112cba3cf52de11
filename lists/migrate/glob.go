package migrate

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// maxGlobs is how many patterns one regular expression may become.
const maxGlobs = 32

// A glob is one of our patterns, translated from a regular expression.
type glob struct {
	text        string // in the syntax of lists' patterns: * ? [a-z] and backslashes
	begin, end  bool   // anchored at the beginning, and at the end
	onlyLiteral bool   // without wildcards
}

// anything is .* between two others.
const anything = "*"

// globs translates a regular expression, if patterns can express it exactly: one of the
// patterns matches whatever the expression matches.
func globs(expr string, flags syntax.Flags) ([]glob, bool) {
	// A header line contains no line end, and the meaning of { differs.
	re, err := syntax.Parse(expr, flags|syntax.MatchNL)
	if err != nil || strings.Contains(expr, "{") {
		return nil, false
	}
	found, ok := expand(re)
	if !ok {
		return nil, false
	}
	for i := range found {
		found[i].text = squeeze(found[i].text)
	}
	return found, true
}

// squeeze replaces several stars by one, which means the same and is faster.
func squeeze(text string) string {
	var b strings.Builder
	star := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '*' && star {
			continue
		}
		star = c == '*'
		b.WriteByte(c)
		if c == '\\' && i+1 < len(text) {
			i++
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

func expand(re *syntax.Regexp) ([]glob, bool) {
	one := func(g glob) ([]glob, bool) { return []glob{g}, true }
	switch re.Op {
	case syntax.OpEmptyMatch:
		return one(glob{onlyLiteral: true})
	case syntax.OpLiteral:
		var b strings.Builder
		for _, c := range re.Rune {
			if strings.ContainsRune(`*?[\`, c) {
				b.WriteByte('\\')
			}
			b.WriteRune(c)
		}
		return one(glob{text: b.String(), onlyLiteral: true})
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return one(glob{text: "?"})
	case syntax.OpBeginLine, syntax.OpBeginText:
		return one(glob{begin: true, onlyLiteral: true})
	case syntax.OpEndLine, syntax.OpEndText:
		return one(glob{end: true, onlyLiteral: true})
	case syntax.OpCharClass:
		text, ok := class(re.Rune)
		return []glob{{text: text}}, ok
	case syntax.OpStar, syntax.OpPlus:
		if op := re.Sub[0].Op; op != syntax.OpAnyChar && op != syntax.OpAnyCharNotNL {
			return nil, false
		}
		if re.Op == syntax.OpPlus {
			return one(glob{text: "?" + anything})
		}
		return one(glob{text: anything})
	case syntax.OpQuest:
		some, ok := expand(re.Sub[0])
		return append(some, glob{onlyLiteral: true}), ok
	case syntax.OpCapture:
		return expand(re.Sub[0])
	case syntax.OpAlternate:
		var all []glob
		for _, sub := range re.Sub {
			some, ok := expand(sub)
			if all = append(all, some...); !ok || len(all) > maxGlobs {
				return nil, false
			}
		}
		return all, true
	case syntax.OpConcat:
		all := []glob{{onlyLiteral: true}}
		for _, sub := range re.Sub {
			some, ok := expand(sub)
			if !ok || len(all)*len(some) > maxGlobs {
				return nil, false
			}
			var next []glob
			for _, a := range all {
				for _, b := range some {
					joined, ok := a.then(b)
					if !ok {
						return nil, false
					}
					next = append(next, joined)
				}
			}
			all = next
		}
		return all, true
	}
	return nil, false
}

// then concatenates a and b. An anchor in the middle matches nothing, and nobody means
// that.
func (a glob) then(b glob) (glob, bool) {
	if a.end && b.text != "" || b.begin && a.text != "" {
		return glob{}, false
	}
	return glob{
		text: a.text + b.text, begin: a.begin || b.begin, end: a.end || b.end, onlyLiteral: a.onlyLiteral && b.onlyLiteral,
	}, true
}

// class writes a set of characters, given as the ends of ranges, in the form [a-z],
// which has bytes and no escapes.
func class(ranges []rune) (string, bool) {
	not := ""
	if n := len(ranges); n > 0 && ranges[n-1] == 0x10ffff { // a negated set
		var rest []rune
		from := rune(0)
		for i := 0; i < n; i += 2 {
			if ranges[i] > from {
				rest = append(rest, from, ranges[i]-1)
			}
			from = ranges[i+1] + 1
		}
		not, ranges = "!", rest
	}
	var b strings.Builder
	dash := ""
	for i := 0; i < len(ranges); i += 2 {
		lo, hi := ranges[i], ranges[i+1]
		if hi >= 0x80 || lo <= ']' && ']' <= hi || (lo == '!' || hi == '!') && lo != hi {
			return "", false
		}
		switch {
		case lo == '-' && hi == '-':
			dash = "-"
		case lo == '-' || hi == '-':
			return "", false
		case lo == hi:
			b.WriteRune(lo)
		default:
			b.WriteString(string(lo) + "-" + string(hi))
		}
	}
	text := b.String() + dash
	if text == "" || not == "" && strings.HasPrefix(text, "!") {
		return "", false
	}
	return "[" + not + text + "]", true
}

// fieldRules translates an expression applied to whole lines of a header, "Subject:
// hello", into our rule about a post: "Subject: *hello*". Our rules ignore white space
// around a value, and its encoding.
func fieldRules(expr string, flags syntax.Flags) (fields []string, ok bool) {
	found, ok := globs(expr, flags)
	if !ok {
		return nil, false
	}
	for _, g := range found {
		if g.text == "" && !(g.begin && g.end) || strings.Trim(g.text, "*?") == "" && len(g.text) == 1 && !(g.begin && g.end) {
			return []string{"*"}, true // each post has a line in its header
		}
		name, value, colon := strings.Cut(g.text, ":")
		switch {
		case !g.begin && (colon || !g.onlyLiteral || g.end || strings.TrimSpace(g.text) != g.text):
			return nil, false // no pattern can say where its parts would have to be
		case !g.begin:
			if !strings.ContainsAny(g.text, " \t") {
				fields = append(fields, "*"+g.text+"*")
			}
			fields = append(fields, "?*: *"+g.text+"*")
			continue
		case !colon && (g.end || !g.onlyLiteral || !isFieldName(name)):
			return nil, false
		case !colon:
			fields = append(fields, name+"*")
			continue
		}
		if !isFieldName(name) {
			return nil, false
		}
		value, ok := valueOf(value, g.end)
		if !ok {
			return nil, false
		}
		fields = append(fields, strings.TrimSuffix(name+": "+value, ": "))
	}
	slices.Sort(fields)
	return slices.Compact(fields), len(fields) > 0
}

// valueOf returns what follows the colon, without the leading space.
func valueOf(v string, end bool) (string, bool) {
	switch {
	case v == "" && !end, v == " " && !end:
		return "", true // the field must only exist
	case strings.HasPrefix(v, " "):
		v = v[1:]
	case strings.HasPrefix(v, "*"):
	default:
		return "", false
	}
	if !end {
		v += anything
	}
	if v = squeeze(v); v == "" || strings.TrimSpace(v) != v {
		return "", false
	}
	if v == anything {
		return "", true
	}
	return v, true
}

// isFieldName reports whether a pattern is the name of a field, or the beginning of
// one: RFC 5322, 3.6.8, without characters that have a meaning in patterns or rules.
func isFieldName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c > '~' || strings.IndexByte(`*?[]\!"#`, c) >= 0 {
			return false
		}
	}
	return name != ""
}
