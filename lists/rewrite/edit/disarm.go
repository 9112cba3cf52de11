package edit

import (
	"errors"
	"io"
	"regexp"
	"strings"

	"superlist/lists/parts"
	"superlist/lists/token"
)

// Disarm replaces each letter of the proofs in links that begin with base by x: members
// who quote their own footer would otherwise give everybody the means to unsubscribe
// them. It changes texts, and the headers of attached messages, but nothing that is
// signed or encrypted. It returns the number of proofs.
func (m *Message) Disarm(base string) (n int, err error) {
	if base == "" {
		return 0, nil
	}
	root, err := m.tree()
	if errors.Is(err, parts.ErrUnreadable) {
		return 0, nil
	}
	if err != nil || root.Doubt != "" {
		return 0, err
	}
	var edits []Edit
	root.All(func(e *parts.Entity) bool {
		if e.Parent != nil && !inSigned(e) {
			head := &parts.Entity{At: e.At, Body: e.At, End: e.Body}
			n, err = m.disarm(head, base, &edits, n)
		}
		if err == nil && strings.HasPrefix(e.Type, "text/") && !inSigned(e) {
			n, err = m.disarm(e, base, &edits, n)
		}
		return err == nil
	})
	if err != nil {
		return 0, err
	}
	m.change(edits)
	return n, nil
}

// inSigned reports whether a part is signed or encrypted, or lies in one that is.
func inSigned(e *parts.Entity) bool {
	for ; e != nil; e = e.Parent {
		if stays(e) {
			return true
		}
	}
	return false
}

func (m *Message) disarm(e *parts.Entity, base string, edits *[]Edit, n int) (int, error) {
	d := newDecoder(e, m.Body)
	if d == nil {
		return n, nil
	}
	l := newLinks(base)
	for {
		text, err := d.next()
		if err != nil {
			return n, err
		}
		if len(text) == 0 {
			break
		}
		for i, c := range text {
			l.next(c, letterAt{d.where(i), byteOf(d, i)})
		}
	}
	l.end()
	if d.bad { // programs read it in different ways
		return n, nil
	}
	for i := 0; i < len(l.found); {
		if e.Encoding != "base64" {
			at := l.found[i].at
			size, err := m.sizeAt(e, at)
			if err != nil {
				return n, err
			}
			*edits = append(*edits, Edit{At: at, Remove: size, Insert: Insert{Before: "x"}})
			i++
			continue
		}
		k := i
		for k < len(l.found) && l.found[k].at == l.found[i].at {
			k++
		}
		edit, ok, err := m.regroup(e, l.found[i:k])
		if err != nil {
			return n, err
		}
		if ok {
			*edits = append(*edits, edit)
		}
		i = k
	}
	return n + l.count, nil
}

// A letterAt is the place of a byte of a text: in base64 where its group begins, and
// which of the group's three bytes it is.
type letterAt struct {
	at  int64
	nth int
}

// byteOf returns the position within its group of the i-th byte decoded last.
func byteOf(d *decoder, i int) (nth int) {
	if len(d.from) == 0 {
		return 0
	}
	for i-nth > 0 && d.from[i-nth-1] == d.from[i] {
		nth++
	}
	return nth
}

// sizeAt returns how many bytes encode the byte of a text at an offset.
func (m *Message) sizeAt(e *parts.Entity, at int64) (int64, error) {
	if e.Encoding != "quoted-printable" {
		return 1, nil
	}
	b := make([]byte, 1)
	if _, err := m.Body.ReadAt(b, at); err != nil && err != io.EOF {
		return 0, err
	}
	if b[0] == '=' {
		return 3, nil
	}
	return 1, nil
}

// regroup returns the edit that replaces these bytes of a base64 group by x.
func (m *Message) regroup(e *parts.Entity, which []letterAt) (Edit, bool, error) {
	at := which[0].at
	edit, ok, err := putBase64(e, m.Body, at, 0, "", "")
	if err != nil || !ok {
		return Edit{}, false, err
	}
	group := []byte(edit.Trail)
	for _, p := range which {
		if p.nth < len(group) {
			group[p.nth] = 'x'
		}
	}
	// The lines keep their length: later edits count on it.
	raw := make([]byte, edit.Remove)
	if _, err := m.Body.ReadAt(raw, at); err != nil && err != io.EOF {
		return Edit{}, false, err
	}
	letters := base64Lines(string(group), 0)
	for i, c := range raw {
		if letter(c) >= 0 || c == '=' {
			raw[i], letters = letters[0], letters[1:]
		}
	}
	return Edit{At: at, Remove: edit.Remove, Insert: Insert{Before: string(raw)}}, true, nil
}

// links finds the proofs of links in a text: the words after their last slash.
type links struct {
	base string // in lower case
	seen int    // bytes of it
	back []int  // what of the base is seen where it does not go on, by how much was

	inside   bool
	word     []byte // since the last slash
	places   []letterAt
	newlines int
	fresh    bool // at the beginning of a line
	long     int

	found []letterAt
	count int
}

// longestLink is how many bytes of a link are read.
const longestLink = 2000

// proofs matches the end of a link, which may have been cut off.
var proofs = regexp.MustCompile(`^[0-9a-z]{1,7}-[0-9a-z]+$`)

func newLinks(base string) *links {
	l := &links{base: strings.ToLower(base)}
	l.back = make([]int, len(l.base))
	for i := 1; i < len(l.base); i++ {
		l.back[i] = l.after(l.back[i-1], l.base[i])
	}
	return l
}

// after returns how many bytes of the base the text ends in, seen of them and then c: a
// base may begin again within what looked like it (Knuth, Morris and Pratt).
func (l *links) after(seen int, c byte) int {
	for seen > 0 && c != l.base[seen] {
		seen = l.back[seen-1]
	}
	if c == l.base[seen] {
		seen++
	}
	return seen
}

// next takes a byte of the text. A link is looked for within another, too: the end of a
// post may look like the beginning of a link that goes on in the footer.
func (l *links) next(c byte, at letterAt) {
	if l.inside && !l.goesOn(c, at) {
		l.end()
	}
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	if l.seen = l.after(l.seen, c); l.seen == len(l.base) {
		l.end()
		l.seen = l.back[l.seen-1]
		l.inside, l.long, l.newlines, l.fresh = true, 0, 0, false
	}
}

// goesOn adds a byte to a link; false if the link has ended. A program that quotes a
// long link may have broken it.
func (l *links) goesOn(c byte, at letterAt) bool {
	l.long++
	switch {
	case l.long > longestLink:
		return false
	case c == '/':
		l.word, l.places, l.fresh = l.word[:0], l.places[:0], false
	case '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || strings.IndexByte("-._~@=+%", c) >= 0:
		l.word, l.places, l.fresh = append(l.word, c), append(l.places, at), false
	case l.whole():
		return false
	case c == '\n' && l.newlines < 2:
		l.newlines++
		l.fresh = true
	case c == '\r' || l.fresh && (c == ' ' || c == '\t' || c == '>' || c == '|'):
	default:
		return false
	}
	return true
}

// whole reports whether all of a proof has been seen.
func (l *links) whole() bool {
	day, word, _ := strings.Cut(string(l.word), "-")
	return len(day) > 0 && len(word) >= token.Len
}

// end ends a link, and the text.
func (l *links) end() {
	if l.inside && proofs.Match(l.word) {
		l.count++
		begin := strings.IndexByte(string(l.word), '-') + 1
		l.found = append(l.found, l.places[begin:]...)
	}
	l.inside, l.word, l.places = false, nil, nil
}
