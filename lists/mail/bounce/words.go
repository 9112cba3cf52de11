package bounce

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed words.txt
var wordsFile string

// maxGap is how many bytes a * between the words of a row may stand for.
const maxGap = 60

// A row is a line of words.txt.
type row struct {
	class  string // with nohost beside the Classes, and without the question mark
	hint   bool
	pieces []piece
}

// A piece is the text between two stars of a row.
type piece struct {
	text string
	open bool // its last word may go on
}

// A table holds rows by their first bytes.
type table map[[3]byte][]row

var words = sync.OnceValue(func() table { return readTable(wordsFile) })

func readTable(file string) table {
	t := make(table)
	for line := range strings.Lines(file) {
		class, text, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		r := row{}
		r.class, r.hint = strings.CutSuffix(class, "?")
		for _, text := range strings.Split(text, " * ") {
			p := piece{text: text}
			p.text, p.open = strings.CutSuffix(text, "*")
			r.pieces = append(r.pieces, p)
		}
		t[key(r.pieces[0].text)] = append(t[key(r.pieces[0].text)], r)
	}
	return t
}

// key returns the beginning of a text, by which table finds rows that may fit.
func key(text string) (k [3]byte) {
	copy(k[:], text)
	return k
}

// A verdict holds the classes of the rows that fit a text, and the classes of those
// that are only hints.
type verdict struct{ said, hinted map[string]bool }

// judge compares a normal text with the table.
func (t table) judge(text string) verdict {
	v := verdict{}
	for i := range len(text) {
		if !begins(text, i) {
			continue
		}
		for n := range 3 { // rows of one and two bytes are found too
			k := key(text[i:min(len(text), i+3-n)])
			for _, r := range t[k] {
				if r.fits(text[i:]) {
					into := &v.said
					if r.hint {
						into = &v.hinted
					}
					if *into == nil {
						*into = make(map[string]bool)
					}
					(*into)[r.class] = true
				}
			}
		}
	}
	return v
}

// fits reports whether a text begins with a row.
func (r row) fits(text string) bool {
	rest, ok := r.pieces[0].cut(text)
	for _, p := range r.pieces[1:] {
		if !ok {
			return false
		}
		ok = false
		for at := 0; at <= min(maxGap, len(rest)) && !ok; at++ {
			if begins(rest, at) {
				var after string
				if after, ok = p.cut(rest[at:]); ok {
					rest = after
				}
			}
		}
	}
	return ok
}

// cut removes a piece from the front of a text.
func (p piece) cut(text string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(text, p.text)
	if ok && !p.open && rest != "" && letter(rest[0]) && letter(p.text[len(p.text)-1]) {
		return text, false
	}
	return rest, ok
}

// begins reports whether a word may begin at i. Scripts without spaces allow it
// anywhere.
func begins(text string, i int) bool {
	return i == 0 || i < len(text) && (!letter(text[i-1]) || !letter(text[i]) || text[i] >= utf8.RuneSelf && text[i] >= 0xe2)
}

// letter reports whether c is part of a word. Bytes beyond ASCII are, except in scripts
// without spaces, whose bytes begin with e2 or more.
func letter(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '\'' || c >= 0x80 && c < 0xe2 && !(c < 0xc0)
}

// normal converts the words of a host into the form of words.txt. It drops codes, and
// whatever only names machines.
func normal(text string) string {
	text = strings.ToLower(quotes.Replace(text[:min(len(text), 4*maxDiagnostic)]))
	if host, said, ok := strings.Cut(text, " said: "); ok && strings.Contains(host, "host ") { // Postfix
		text = said
	}
	if before, _, ok := strings.Cut(text, "(in reply to "); ok {
		text = before
	}
	var b strings.Builder
	for word := range strings.FieldsSeq(text) {
		word = strings.Trim(word, "'")
		bare := strings.Trim(word, "<>()[]{},;:.#'")
		switch {
		case strings.Contains(bare, "@") && !strings.HasPrefix(bare, "http"):
			word = "@" + word[len(strings.TrimRight(word, ":,;")):]
			if strings.HasSuffix(bare, "...") {
				word = "@"
			}
		case isCode(bare):
			continue
		default:
			// 550-5.1.1 with the words attached to it
			if len(word) > 3 && isCode(word[:3]) && (word[3] == '-' || word[3] == ' ') {
				word = word[4:]
			}
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(word)
		if b.Len() > 2*maxDiagnostic {
			break
		}
	}
	// A label of Amazon's or a similar host's; the words follow it.
	return labels.Replace(b.String())
}

var labels = strings.NewReplacer("unknown address error", "", "other or undefined", "")

var quotes = strings.NewReplacer("\u2018", "'", "\u2019", "'", "\u201c", "", "\u201d", "", "\"", "", "`", "'", "\u00a0", " ", "<", " ", ">", " ", "_", " ")

// isCode reports whether a word is a reply code, an enhanced code, or both.
func isCode(word string) bool {
	if len(word) >= 3 && word[0] >= '2' && word[0] <= '5' && digits(word[1:3]) && (len(word) == 3 || word[3] == '-' && (len(word) == 4 || isCode(word[4:]))) {
		return true
	}
	_, ok := enhanced(word)
	return ok
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// enhanced parses an enhanced code: RFC 3463, 2.
func enhanced(word string) (code string, ok bool) {
	class, rest, _ := strings.Cut(word, ".")
	subject, detail, ok := strings.Cut(rest, ".")
	if !ok || len(class) != 1 || !strings.Contains("245", class) || !digits(subject) || !digits(detail) || len(subject) > 3 || len(detail) > 3 {
		return "", false
	}
	return word, true
}

// codes finds the first reply code and the first enhanced code in the words of a host.
// It ignores addresses of machines, sizes and dates.
func codes(text string) (reply int, status string) {
	for word := range strings.FieldsSeq(text) {
		word = strings.Trim(word, "<>()[]{},;:#\"'.")
		if reply == 0 && len(word) >= 3 && strings.Contains("45", word[:1]) && digits(word[:3]) && (len(word) == 3 || word[3] == '-' || word[3] == ' ' || word[3] == '#') {
			reply = int(word[0]-'0')*100 + int(word[1]-'0')*10 + int(word[2]-'0')
			if reply%100 > 59 {
				reply = 0
				continue
			}
			if len(word) > 4 {
				word = strings.Trim(word[4:], "#'")
			}
		}
		if code, ok := enhanced(word); ok && code[0] != '2' {
			if status == "" || vague(status) {
				status = code
			}
		}
		if reply != 0 && status != "" && !vague(status) {
			break
		}
	}
	return reply, status
}

// vague reports whether an enhanced code says nothing, or is only a label before
// another one, as Amazon's 5.1.0 is.
func vague(status string) bool {
	return strings.HasSuffix(status, ".0.0") || strings.HasSuffix(status, ".1.0")
}
