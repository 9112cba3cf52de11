package body

import (
	"strings"
	"unicode"
)

// Own is what somebody wrote in a letter that answers another: the text without
// what it quotes, without the lines that say whom it quotes, and without the
// signature. What stands below a letter that is quoted without ">" in front of each
// line is taken to belong to it.
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

// trimOwn takes away what a phone says of itself at the end.
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

// clean is a line without what programs put around its text: spaces of all kinds,
// marks that nobody sees, the stars of what was bold.
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

// firstOf is the first line that has something on it.
func firstOf(lines []string) string {
	for _, line := range lines {
		if clean(line) != "" {
			return line
		}
	}
	return ""
}

// quoted: RFC 3676, 4.5, and what other programs write: | (Lotus, Eudora), and
// initials before the > (Gnus with supercite).
func quoted(line string) bool {
	if strings.HasPrefix(line, ">") || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "»") {
		return true
	}
	initials, _, ok := strings.Cut(line, ">")
	return ok && 0 < len(initials) && len(initials) <= 4 && strings.Trim(initials, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// signature is the line above one: "-- " (RFC 3676, 4.3), of which programs take the
// space.
func signature(line string) bool { return line == "--" }

// minRule is how long a line of underscores is that parts two letters: Outlook's has
// 32, other programs make it shorter.
const minRule = 10

// rule is such a line.
func rule(line string) bool {
	return len(line) >= minRule && strings.Trim(line, "_") == ""
}

// minDashes is how many dashes stand at both ends of a separator. Programs write from
// two on, people write up to three.
const minDashes = 4

// separator is a line such as -----Original Message-----, in whatever language: text
// between dashes, or one of separators.
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

// maxAttribution is over how many lines a program breaks the line above a quotation.
const maxAttribution = 4

// attribution is how many lines at the front say who wrote what is quoted below; 0
// where they do not. What follows without marks is taken for a quotation only where
// they leave no doubt.
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

// attributes says that a line, or some that are one, stands above a quotation: in
// whatever language where it has a date, an address in brackets and a colon at its
// end, else by the words of attributions. Above what is marked as quoted any line
// with a colon does.
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

// hasDate says that a line has a year, or a time of day, in it.
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
	// maxFields is within how many lines the fields of a quoted letter stand, empty
	// ones not counted.
	maxFields = 8
	// minUnknown is how many lines that look like fields are a header, where the
	// table knows none of them.
	minUnknown = 4
	// maxLabel is how long the name of a field is, in any language.
	maxLabel = 24
)

// headerBlock says that a quoted letter begins here with its fields, as Outlook,
// Apple Mail and Lotus write them: From, Sent, To, Subject, in some order and
// language.
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

// cutLabel is what stands before the colon of a line that looks like a field, in
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

// plausible says that a label may be that of a field in a language that the table
// has not: letters and spaces.
func plausible(label string) bool {
	return !strings.ContainsFunc(label, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsMark(c) && c != ' ' && c != '-' && c != '.'
	}) && !strings.HasPrefix(label, "http")
}

// device says that a line is what phones and programs put below a letter.
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
