package edit

import (
	"crypto/rand"
	"encoding/base64"
	hexpkg "encoding/hex"
	"strings"
)

// An encoding is a way to encode the text of a part.
type encoding byte

const (
	verbatim encoding = iota
	quoted            // quoted-printable, line by line
	octets            // quoted-printable, with line ends as ordinary text
	base64ed
)

// An Insert is text to insert into a part, in the part's own form.
type Insert struct {
	Before, After string // unencoded

	Lead, Text, Trail string // encoded; Lead and Trail were there before
	as                encoding
	column            int    // letters of base64 already on the line
	pad               string // appended to Text until its length is a multiple of 3
}

// Mark stands in a text where each reader gets something different: a Hole. It differs
// in each process, so that nobody's text can contain it: otherwise the author of a post
// could choose where its readers' secrets go. Its length is a multiple of 3, so that
// base64 pads a text with it as without.
var Mark = "\x1a" + rand.Text()[:25] + "\x1a"

// A Hole is the place for that. In the header, At counts from the start of the message.
// In the body it counts from the end, as -1 and less, so that it stays valid if the
// length of the header changes.
type Hole struct {
	At   int64
	Form string // how the filling is encoded there
}

// Fill returns the encoded form of a word of ASCII.
func (h Hole) Fill(word string) string {
	form, rest, _ := strings.Cut(h.Form, ",")
	switch form {
	case "qp":
		return "=\r\n" + quotedLines(word) + "=\r\n"
	case "base64":
		lead, trail, _ := strings.Cut(rest, ",")
		before, _ := hexDecode(lead)
		after, _ := hexDecode(trail)
		for len(word)%3 != 0 {
			word += " "
		}
		return base64Lines(before+word+after, 0)
	}
	return word
}

func hexDecode(s string) (string, error) {
	b, err := hexpkg.DecodeString(s)
	return string(b), err
}

// Bytes returns the insertion without what fills holes.
func (i Insert) Bytes() string {
	text, _ := i.bytes()
	return text
}

// bytes is Bytes, plus the holes in it, counted from its start.
func (i Insert) bytes() (string, []Hole) {
	text := i.Text
	if i.pad != "" {
		for len(text)%3 != 0 {
			text += i.pad
		}
	}
	var b strings.Builder
	var holes []Hole
	b.WriteString(i.Before)
	pieces := strings.Split(i.Lead+text+i.Trail, Mark)
	column := i.column
	for k, piece := range pieces {
		last := k == len(pieces)-1
		form := "text"
		switch i.as {
		case quoted:
			b.WriteString(quotedLines(piece))
			form = "qp"
		case octets:
			b.WriteString(quotedOctets(piece))
		case base64ed:
			if last {
				b.WriteString(base64Lines(piece, column))
				break
			}
			whole := len(piece) - len(piece)%3
			b.WriteString(base64Lines(piece[:whole], column) + "\r\n")
			lead := piece[whole:]
			n := min((3-len(lead))%3, len(pieces[k+1]))
			form = "base64," + hexpkg.EncodeToString([]byte(lead)) + "," + hexpkg.EncodeToString([]byte(pieces[k+1][:n]))
			pieces[k+1] = pieces[k+1][n:]
			column = 0
		default:
			b.WriteString(piece)
		}
		if !last {
			holes = append(holes, Hole{int64(b.Len()), form})
			if i.as == base64ed {
				b.WriteString("\r\n")
			}
		}
	}
	b.WriteString(i.After)
	return b.String(), holes
}

// lineWidth is the longest line of an encoded text: RFC 2045, 6.7 and 6.8.
const lineWidth = 76

const digits = "0123456789ABCDEF"

// likeBoundary reports whether a line may be a multipart's boundary: RFC 2046, 5.1.1. The
// mark of a signature is none.
func likeBoundary(line string) bool {
	return strings.HasPrefix(line, "--") && strings.TrimRight(line, " \t") != "--"
}

// quotedLines encodes lines in quoted-printable: RFC 2045, 6.7. They end with CRLF,
// except perhaps the last. None is anybody's boundary.
func quotedLines(text string) string {
	var b strings.Builder
	for line := range strings.SplitAfterSeq(text, "\r\n") {
		content, ended := strings.CutSuffix(line, "\r\n")
		column := 0
		for i := 0; i < len(content); i++ {
			c := content[i]
			last := i == len(content)-1
			plain := c > ' ' && c <= '~' && c != '=' || (c == ' ' || c == '\t') && !last
			if column == 0 && likeBoundary(content[i:]) {
				plain = false
			}
			width := 3
			if plain {
				width = 1
			}
			if column+width > lineWidth-1 && !(last && column+width <= lineWidth) {
				b.WriteString("=\r\n")
				column = 0
				if likeBoundary(content[i:]) {
					plain, width = false, 3
				}
			}
			if plain {
				b.WriteByte(c)
			} else {
				b.Write([]byte{'=', digits[c>>4], digits[c&15]})
			}
			column += width
		}
		if ended {
			b.WriteString("\r\n")
		}
	}
	return b.String()
}

// quotedOctets encodes any bytes in quoted-printable, between two soft breaks.
func quotedOctets(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if i%25 == 0 {
			b.WriteString("=\r\n")
		}
		b.Write([]byte{'=', digits[text[i]>>4], digits[text[i]&15]})
	}
	b.WriteString("=\r\n")
	return b.String()
}

// base64Lines encodes text in base64, after column letters already on the line. It does
// not end the last line.
func base64Lines(text string, column int) string {
	letters := base64.StdEncoding.EncodeToString([]byte(text))
	var b strings.Builder
	for len(letters) > 0 {
		room := (lineWidth - column) / 4 * 4
		if room <= 0 {
			b.WriteString("\r\n")
			room, column = lineWidth, 0
		}
		n := min(room, len(letters))
		b.WriteString(letters[:n])
		letters = letters[n:]
		column += n
	}
	return b.String()
}
