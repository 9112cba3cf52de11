package body

import (
	"strings"
	"unicode"
)

// Own returns what somebody wrote in an answer: the text without quotations, the lines
// that introduce them, and the signature. If the quoted letter is not marked with ">"
// on each line, everything below its beginning counts as quoted.
func Own(text string) string {
	lines := strings.Split(text, "\n")
	var own []string
	for i := 0; i < len(lines); {
		line := clean(lines[i])
		switch {
		case quoted(line):
			i++
			continue
		case signature(line), separator(line), rule(line), headerBlock(lines[i:]):
			return trimOwn(own)
		}
		if n := attribution(lines[i:]); n > 0 {
			if !quoted(clean(firstOf(lines[i+n:]))) {
				return trimOwn(own)
			}
			i += n
			continue
		}
		own = append(own, strings.TrimRightFunc(lines[i], unicode.IsSpace))
		i++
	}
	return trimOwn(own)
}

// trimOwn removes what a phone adds at the end.
func trimOwn(lines []string) string {
	for len(lines) > 0 {
		last := clean(lines[len(lines)-1])
		if last != "" && !device(last) && last != "--" && last != "—" {
			break
		}
		lines = lines[:len(lines)-1]
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// clean returns a line without the decoration that programs add: spaces of all kinds,
// invisible marks, and the stars around bold text.
func clean(line string) string {
	line = strings.Map(func(c rune) rune {
		switch {
		case unicode.Is(unicode.Cf, c): // zero width, direction
			return -1
		case unicode.IsSpace(c):
			return ' '
		}
		return c
	}, line)
	return strings.TrimRight(strings.TrimSpace(line), "*")
}

// firstOf returns the first line that is not empty.
func firstOf(lines []string) string {
	for _, line := range lines {
		if clean(line) != "" {
			return line
		}
	}
	return ""
}

// quoted reports whether a line is marked as quoted: RFC 3676, 4.5, and what other
// programs write: a vertical bar (Lotus, Eudora), and initials before the > (Gnus with
// supercite).
func quoted(line string) bool {
	if strings.HasPrefix(line, ">") || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "»") {
		return true
	}
	initials, _, ok := strings.Cut(line, ">")
	return ok && 0 < len(initials) && len(initials) <= 4 && strings.Trim(initials, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// signature reports whether a line separates a signature: "-- " (RFC 3676, 4.3), of
// which some programs drop the space.
func signature(line string) bool { return line == "--" }

// minRule is the shortest line of underscores that separates two letters. Outlook's has
// 32; other programs make it shorter.
const minRule = 10

// rule reports whether a line is such a line of underscores.
func rule(line string) bool {
	return len(line) >= minRule && strings.Trim(line, "_") == ""
}

// minDashes is the number of dashes at each end that make any text between them a
// separator: people write up to three. Around one of separators, two in front are enough.
const minDashes = 4

// separator reports whether a line separates two letters, as -----Original Message-----
// does in any language: text between dashes, or one of separators.
func separator(line string) bool {
	start := strings.TrimLeft(line, "*# ")
	inner := strings.TrimLeft(start, "-–—")
	text := strings.TrimRight(inner, "-–—")
	before, after := len([]rune(start))-len([]rune(inner)), len([]rune(inner))-len([]rune(text))
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" {
		return false
	}
	if before >= minDashes && after >= minDashes {
		return true
	}
	for _, s := range separators {
		if text == s || before >= 2 && strings.HasPrefix(text, s) {
			return true
		}
	}
	return false
}

// maxAttribution is the number of lines over which a program may break the line above a
// quotation.
const maxAttribution = 4

// attribution returns the number of lines at the front that say who wrote the quotation
// below; 0 if they do not. If the text below is not marked, it counts as a quotation
// only if these lines leave no doubt.
func attribution(lines []string) int {
	joined := ""
	for n := 1; n <= min(maxAttribution, len(lines)); n++ {
		line := clean(lines[n-1])
		if line == "" || quoted(line) {
			return 0
		}
		joined = strings.TrimSpace(joined + " " + line)
		sure, likely := attributes(joined)
		if sure || likely && quoted(clean(firstOf(lines[n:]))) {
			return n
		}
	}
	return 0
}

// attributes reports whether a line, or several that were one, introduces a quotation.
// In any language that is a date, an address in brackets and a colon at the end;
// otherwise the words of attributions decide. Above text that is marked as quoted, any
// line with a colon will do.
func attributes(line string) (sure, likely bool) {
	end := strings.TrimRight(line, " -")
	bare := strings.TrimRight(end, ":： ")
	colon := len(bare) < len(end)
	dated := hasDate(line)
	bracket := strings.LastIndexAny(line, "<(")
	address := bracket >= 0 && strings.Contains(line[bracket:], "@")
	likely = colon || address && dated
	if address && dated && colon {
		return true, likely
	}
	lower := strings.ToLower(bare)
	for _, a := range attributions {
		if rest, ok := strings.CutPrefix(lower, a.starts); ok && (dated || address) && strings.Contains(rest, a.says) &&
			(a.starts != "" && colon || strings.HasSuffix(rest, a.says)) {
			return true, likely
		}
	}
	return false, likely
}

// hasDate reports whether a line contains a year or a time of day.
func hasDate(line string) bool {
	digits := 0
	for i, c := range line + " " {
		if unicode.IsDigit(c) {
			digits++
			continue
		}
		if digits == 4 || (digits == 1 || digits == 2) && (c == ':' || c == '.' || c == '/' || c == '-' || c == '年' || c == '月') && i+1 < len(line) {
			return true
		}
		digits = 0
	}
	return false
}

const (
	// maxFields is the number of lines that contain the fields of a quoted letter, not
	// counting empty ones.
	maxFields = 8
	// minUnknown is the number of field-like lines that make a header if the table
	// knows none of them.
	minUnknown = 4
	// maxLabel is the longest name of a field, in any language.
	maxLabel = 24
)

// headerBlock reports whether a quoted letter begins here with its fields, as Outlook,
// Apple Mail and Lotus write them: From, Sent, To, Subject, in some order and language.
func headerBlock(lines []string) bool {
	var seen [kinds]bool
	first, known, labels, n := false, 0, 0, 0
	address := false
	for _, line := range lines {
		if line = clean(line); line == "" {
			if n == 0 {
				return false
			}
			continue
		}
		if n++; n > maxFields {
			break
		}
		label, ok := cutLabel(line)
		if !ok {
			if n > 1 && strings.Contains(line, "@") { // To, folded
				continue
			}
			break
		}
		kind, isField := fieldKind(label)
		if !isField && !plausible(label) {
			break
		}
		first = first || n == 1 && isField
		if isField && !seen[kind] {
			seen[kind] = true
			known++
		}
		labels++
		address = address || strings.Contains(line, "@")
	}
	if first {
		return known >= 3 || known == 2 && seen[from] && (seen[date] || address)
	}
	return known == 0 && labels >= minUnknown && address
}

// cutLabel returns the text before the colon of a line that looks like a field, in
// lower case.
func cutLabel(line string) (label string, ok bool) {
	line = strings.TrimLeft(line, "*_•- ")
	i := strings.IndexAny(line, ":：")
	if i <= 0 {
		return "", false
	}
	label = strings.ToLower(strings.Trim(line[:i], "*_ "))
	if label == "" || len([]rune(label)) > maxLabel || len(strings.Fields(label)) > 3 {
		return "", false
	}
	return label, true
}

// plausible reports whether a label may be the name of a field in a language that the
// table lacks: letters and spaces only.
func plausible(label string) bool {
	return !strings.ContainsFunc(label, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsMark(c) && c != ' ' && c != '-' && c != '.'
	}) && !strings.HasPrefix(label, "http")
}

// device reports whether phones or programs put such a line below a letter.
func device(line string) bool {
	if len(line) > 120 {
		return false
	}
	lower := strings.ToLower(strings.TrimLeft(line, "-–—_ \"“<"))
	for _, d := range devices {
		if strings.HasPrefix(lower, d) || d[0] == '*' && strings.Contains(lower, d[1:]) {
			return true
		}
	}
	return false
}
