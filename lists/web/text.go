package web

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxQuotes is how deep quotes are nested. Deeper ones stay on that level.
const maxQuotes = 8

// text writes the text of a mail, UTF-8 with LF lines, as HTML: quotes nested, patches
// in colour, and the signature set apart.
func (l *List) text(b *bytes.Buffer, s string) {
	w := &textWriter{l: l, b: b}
	lines := strings.Split(strings.TrimRight(s, "\n \t"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if line == "-- " || line == "--" && i+1 < len(lines) && len(lines)-i <= maxSignature {
			w.flush()
			w.quote(0)
			w.signature(lines[i+1:])
			return
		}
		depth, content := unquote(line)
		if depth == 0 && beginsDiff(lines[i:]) {
			w.flush()
			w.quote(0)
			n := diffLen(lines[i:])
			w.diff(lines[i : i+n])
			i += n - 1
			continue
		}
		if depth != w.depth {
			w.flush()
			w.quote(depth)
		}
		w.lines = append(w.lines, content)
	}
	w.flush()
	w.quote(0)
}

// maxSignature is how many lines a signature may have if its dashes have lost their
// space.
const maxSignature = 8

// unquote removes the > in front of a line. ">From" comes from mbox, and is not a
// quote.
func unquote(line string) (depth int, content string) {
	content = line
	for {
		rest := content
		if depth > 0 {
			rest = strings.TrimPrefix(rest, " ")
		}
		if !strings.HasPrefix(rest, ">") || strings.HasPrefix(rest, ">From ") {
			break
		}
		content = rest[1:]
		depth++
	}
	if depth > 0 {
		content = strings.TrimPrefix(content, " ")
	}
	return min(depth, maxQuotes), content
}

type textWriter struct {
	l     *List
	b     *bytes.Buffer
	depth int
	lines []string // of one or more paragraphs of the same depth
}

// quote opens or closes quotes.
func (w *textWriter) quote(depth int) {
	for ; w.depth < depth; w.depth++ {
		w.b.WriteString(`<blockquote><span class="vh">` + w.l.words.html("quoted") + "</span>\n")
	}
	for ; w.depth > depth; w.depth-- {
		w.b.WriteString("</blockquote>\n")
	}
}

// flush writes the waiting lines.
func (w *textWriter) flush() {
	lines := w.lines
	w.lines = nil
	for len(lines) > 0 && strings.TrimSpace(lines[0]) == "" {
		lines = lines[1:]
	}
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	if len(lines) == 0 {
		return
	}
	w.l.block(w.b, "t", lines)
}

// maxSet is how long the lines are, in characters, that stay as they are even in a browser
// that knows no style sheet, and shows a <pre> as wide as it is.
const maxSet = 100

// block writes lines of somebody's text. They stay lines, and indented, in w3m and lynx
// too; only longer ones than there may be room for are broken there, as paragraphs are.
func (l *List) block(b *bytes.Buffer, class string, lines []string) {
	if slices.ContainsFunc(lines, func(line string) bool { return len(line) > maxSet && utf8.RuneCountInString(line) > maxSet }) {
		b.WriteString(`<div class="` + class + `" dir="auto">`)
		for i, line := range lines {
			if i > 0 {
				b.WriteString("<br>")
			}
			l.inline(b, line)
		}
		b.WriteString("</div>\n")
		return
	}
	b.WriteString(`<pre class="` + class + `" dir="auto">`)
	l.inline(b, strings.Join(lines, "\n"))
	b.WriteString("</pre>\n")
}

func (w *textWriter) signature(lines []string) {
	text := strings.TrimRight(strings.Join(lines, "\n"), "\n ")
	if strings.TrimSpace(text) == "" {
		return
	}
	w.b.WriteString(`<p class="vh">` + w.l.words.html("signature") + "</p>\n")
	w.l.block(w.b, "t sig", strings.Split(text, "\n"))
}

// beginsDiff reports whether lines begin with a patch.
func beginsDiff(lines []string) bool {
	switch line := lines[0]; {
	case strings.HasPrefix(line, "diff --git ") || strings.HasPrefix(line, "diff -"):
		return len(lines) > 1
	case strings.HasPrefix(line, "--- "):
		return len(lines) > 2 && strings.HasPrefix(lines[1], "+++ ") && strings.HasPrefix(lines[2], "@@ ")
	}
	return false
}

// diffHeads begin the lines of a patch outside its hunks.
var diffHeads = []string{"diff ", "index ", "--- ", "+++ ", "Index: ", "new file mode ", "deleted file mode ", "old mode ", "new mode ",
	"similarity index ", "dissimilarity index ", "rename ", "copy ", "Binary files ", "GIT binary patch", "===", `\ `}

// maxVersion is how many lines git's signature has, including empty lines after it.
const maxVersion = 4

// diffLen returns how many of the lines belong to the patch that they begin with. The
// head of a hunk gives its length.
func diffLen(lines []string) int {
	old, now := 0, 0 // lines of the hunk still to come
	for i, line := range lines {
		switch {
		case line == "-- " && len(lines)-i <= maxVersion: // git's, after a patch that somebody has cut
			return i
		case old > 0 || now > 0:
			switch {
			case strings.HasPrefix(line, "-"):
				old--
			case strings.HasPrefix(line, "+"):
				now--
			case strings.HasPrefix(line, `\`):
			case line == "" || line[0] == ' ':
				old--
				now--
			default: // the hunk is shorter than it claims
				return i
			}
		case strings.HasPrefix(line, "@@ "):
			old, now = hunk(line)
		case !hasOneOf(line, diffHeads):
			return i
		}
	}
	return len(lines)
}

func hasOneOf(line string, begins []string) bool {
	for _, begin := range begins {
		if strings.HasPrefix(line, begin) {
			return true
		}
	}
	return false
}

// hunk parses the head of a hunk, "@@ -1,5 +1,6 @@". It returns its number of lines in
// the old file and in the new one.
func hunk(line string) (old, now int) {
	fields := strings.Fields(line)
	count := func(i int) int {
		if len(fields) <= i {
			return 0
		}
		_, n, ok := strings.Cut(fields[i], ",")
		if !ok {
			return 1
		}
		lines, err := strconv.Atoi(n)
		if err != nil || lines < 0 || lines > 1<<20 {
			return 0
		}
		return lines
	}
	return count(1), count(2)
}

// diff writes a patch.
func (w *textWriter) diff(lines []string) {
	w.b.WriteString(`<section class="diff" tabindex="0" aria-label="` + w.l.words.html("diff") + `"><pre>`)
	old, now := 0, 0
	for i, line := range lines {
		class := ""
		switch {
		case (old > 0 || now > 0) && strings.HasPrefix(line, "+"):
			class = "ins"
			now--
		case (old > 0 || now > 0) && strings.HasPrefix(line, "-"):
			class = "del"
			old--
		case old > 0 || now > 0:
			if !strings.HasPrefix(line, `\`) {
				old--
				now--
			}
		case strings.HasPrefix(line, "@@ "):
			class = "hunk"
			old, now = hunk(line)
		default:
			class = "head"
		}
		if i > 0 {
			w.b.WriteByte('\n')
		}
		if class == "" {
			w.l.plain(w.b, line)
			continue
		}
		// <ins> and <del> tell those who do not see colours what they mean.
		tag, attr := "span", ` class="`+class+`"`
		if class == "ins" || class == "del" {
			tag, attr = class, ""
		}
		w.b.WriteString("<" + tag + attr + ">")
		w.l.plain(w.b, line)
		w.b.WriteString("</" + tag + ">")
	}
	w.b.WriteString("</pre></section>\n")
}
