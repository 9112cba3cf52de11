package web

import (
	"bytes"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLink is the longest link, in bytes. Longer ones stay text.
const maxLink = 2000

// inline writes a piece of somebody's text, which has no line breaks but its own, as
// HTML: links can be followed, addresses are veiled, and everything else is just text.
func (l *List) inline(b *bytes.Buffer, s string) {
	for {
		at, n := findLink(s)
		if n == 0 {
			break
		}
		l.plain(b, s[:at])
		link := s[at : at+n]
		// An @ in a link is not an address to write to, but looks like one to address
		// collectors.
		target := link
		if l.Veil != VeilNone {
			target = strings.ReplaceAll(link, "@", "%40")
		}
		b.WriteString(`<a rel="nofollow ugc noreferrer" href="`)
		escape(b, target)
		b.WriteString(`">`)
		l.plain(b, link)
		b.WriteString("</a>")
		s = s[at+n:]
	}
	l.plain(b, s)
}

func (l *List) plain(b *bytes.Buffer, s string) { escape(b, l.veil(s)) }

// findLink returns the index of the first http or https link in a text, and its length;
// 0 if there is none.
func findLink(s string) (at, n int) {
	for from := 0; ; {
		i := strings.Index(s[from:], "://")
		if i < 0 {
			return 0, 0
		}
		i += from
		from = i + len("://")
		begin := -1
		for _, scheme := range []string{"https", "http"} {
			if begin < 0 && i >= len(scheme) && strings.EqualFold(s[i-len(scheme):i], scheme) {
				begin = i - len(scheme)
			}
		}
		if begin < 0 || begin > 0 && isWord(s[:begin]) {
			continue
		}
		end, ended := linkEnd(s, begin)
		if ended && isLink(s[begin:end]) {
			return begin, end - begin
		}
		from = max(from, end) // nothing is searched twice
	}
}

// isWord reports whether a text ends within a word.
func isWord(s string) bool {
	c, _ := utf8.DecodeLastRuneInString(s)
	return unicode.IsLetter(c) || unicode.IsDigit(c)
}

// linkEnd returns where a link ends that begins at begin: before white space, quotes or
// brackets around it, and punctuation at the end of the sentence. It returns false if
// the link is too long.
func linkEnd(s string, begin int) (end int, ok bool) {
	end = min(len(s), begin+maxLink)
	for end < len(s) && !utf8.RuneStart(s[end]) {
		end--
	}
	ok = end == len(s)
	for i, c := range s[begin:end] {
		if c <= ' ' || strings.ContainsRune("<>\"`{}|\\^\u3000", c) || c >= utf8.RuneSelf && !(unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c)) {
			end, ok = begin+i, true
			break
		}
	}
	if !ok {
		return end, false
	}
	link := s[begin:end]
	round := strings.Count(link, ")") - strings.Count(link, "(") // closed more often than opened
	square := strings.Count(link, "]") - strings.Count(link, "[")
	for ; end > begin; end-- {
		last := s[end-1]
		switch {
		case strings.IndexByte(".,;:!?'*_", last) >= 0:
		case last == ')' && round > 0:
			round--
		case last == ']' && square > 0:
			square--
		default:
			return end, true
		}
	}
	return end, true
}

// isLink reports whether a link leads where it seems to: it has a host, and nothing in
// front of that which could be taken for one.
func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && u.User == nil && u.Opaque == "" && !strings.Contains(u.Host, "%")
}

// escape writes text into HTML or into the value of an attribute in double quotes.
func escape(b *bytes.Buffer, s string) {
	htmlEscaper.WriteString(b, visible(s))
}

var htmlEscaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

// visible is a text without what is obeyed and not shown: control characters go, and
// so does what Unicode has for no text at all; what turns the direction of what
// follows around is named.
func visible(s string) string {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] < utf8.RuneSelf && s[i] != 0x7f && (s[i] >= ' ' || s[i] == '\n' || s[i] == '\t')
	}
	if plain {
		return s
	}
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '\n' || c == '\t':
			b.WriteRune(c)
		case c < ' ' || 0x7f <= c && c < 0xa0 || c&0xfffe == 0xfffe || 0xfdd0 <= c && c <= 0xfdef:
		case 0x202a <= c && c <= 0x202e || 0x2066 <= c && c <= 0x2069:
			b.WriteString("⟦" + bidiNames[c] + "⟧")
		case c == 0x2028 || c == 0x2029:
			b.WriteByte('\n')
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

// bidiNames are Unicode's own short names of what changes the direction of text.
var bidiNames = map[rune]string{
	0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF", 0x202d: "LRO", 0x202e: "RLO",
	0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI",
}
