package bounce

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"
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
type table struct {
	rows   map[[3]byte][]row
	begins [1 << 16 / 64]uint64 // the first two bytes of rows, a bit each
}

func newTable() *table { return &table{rows: make(map[[3]byte][]row)} }

var words = sync.OnceValue(func() *table { return readTable(wordsFile) })

func readTable(file string) *table {
	t := newTable()
	for line := range strings.Lines(file) {
		class, text, ok := strings.Cut(strings.TrimRight(line, "\n"), "\t")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		text, _, _ = strings.Cut(text, "\t") // what follows is the row's source, for people
		r := row{}
		r.class, r.hint = strings.CutSuffix(class, "?")
		for _, text := range strings.Split(text, " * ") {
			p := piece{text: text}
			p.text, p.open = strings.CutSuffix(text, "*")
			r.pieces = append(r.pieces, p)
		}
		t.add(r)
	}
	return t
}

func (t *table) add(r row) {
	k := key(r.pieces[0].text)
	t.rows[k] = append(t.rows[k], r)
	mark := func(pair int) { t.begins[pair/64] |= 1 << (pair % 64) }
	mark(int(k[0])<<8 | int(k[1]))
	if k[1] == 0 { // a row of one byte, whatever follows
		for c := range 1 << 8 {
			mark(int(k[0])<<8 | c)
		}
	}
}

// at yields the rows that a text may begin with.
func (t *table) at(text string, yield func(row)) {
	k := key(text)
	pair := int(k[0])<<8 | int(k[1])
	if t.begins[pair/64]&(1<<(pair%64)) == 0 { // as nearly everywhere in a text
		return
	}
	for {
		for _, r := range t.rows[k] {
			yield(r)
		}
		switch { // rows of two bytes and of one are found too
		case k[2] != 0:
			k[2] = 0
		case k[1] != 0:
			k[1] = 0
		default:
			return
		}
	}
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
func (t *table) judge(text string) verdict {
	v := verdict{}
	for i := range len(text) {
		if !begins(text, i) {
			continue
		}
		t.at(text[i:], func(r row) {
			if !r.fits(text[i:]) {
				return
			}
			into := &v.said
			if r.hint {
				into = &v.hinted
			}
			if *into == nil {
				*into = make(map[string]bool)
			}
			(*into)[r.class] = true
		})
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
	text = plainMarks(text[:min(len(text), 4*maxDiagnostic)])
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
	text = b.String()
	for _, label := range labels {
		text = strings.ReplaceAll(text, label, "")
	}
	return text
}

// labels of Amazon's or a similar host's; the words follow them.
var labels = [...]string{"unknown address error", "other or undefined"}

// plainMarks returns a text in lower case, with spaces for brackets and underscores,
// and without double quotation marks; single ones are ASCII's.
func plainMarks(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, c := range text {
		switch c {
		case '"', '\u201c', '\u201d':
		case '<', '>', '_', '\u00a0':
			b.WriteByte(' ')
		case '`', '\u2018', '\u2019':
			b.WriteByte('\'')
		default:
			b.WriteRune(unicode.ToLower(c))
		}
	}
	return b.String()
}

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
