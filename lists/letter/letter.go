// Package letter writes the mail that superlist itself sends: questions, answers
// and notices. All its words stand in texts/, a file for each language, and a
// list may have its own in texts.toml.
//
// A letter is plain text. It says that a program wrote it (RFC 3834), and is
// sent with the null sender, so nothing answers it. What somebody sent to the
// list is quoted for moderators alone, as an attachment: whoever can have a letter
// sent to a stranger must not choose its words.
package letter

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"slices"
	"strings"
	"time"

	"superlist/lists/maillog"

	"superlist/smtp"
)

// A Letter is one mail of ours.
type Letter struct {
	Text    Text
	Words   map[string]string // what stands for {list}, {owner} … in the text
	From    smtp.Path
	Name    string // in front of From
	To      []smtp.Path
	ReplyTo smtp.Path // null: From
	ListID  string
	Host    string // in the Message-ID
	ID      string // unique: the same letter written again has the same
	Answers string // the Message-ID it is an answer to, as it stood there; may be empty
	Date    time.Time

	Quote string // what stands for {words}, or {contents}, in lines
	Parts []Part // messages that come behind the text
}

// A Part is a message that a letter brings, as it is. It is opened when it is
// written, so that any number of them need no memory.
type Part struct {
	Name   string // of the file that somebody may make of it
	Open   func() (io.ReadCloser, error)
	UTF8   bool // it may have a header beyond ASCII: RFC 6532, 3.7
	Binary bool // it need not have lines, so it goes in base64: the letter can go everywhere
}

// maxLine is where a text without line breaks must be encoded: RFC 5322, 2.1.1.
const maxLine = 998

// Write writes the letter as it is sent, with CRLF lines.
func (l Letter) Write(w io.Writer) error {
	var b bytes.Buffer
	boundary := ""
	if len(l.Parts) > 0 {
		boundary = "=_" + l.ID
	}
	put := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	put("From", encoded(quoted(l.Name), l.Name)+" <"+l.From.Address()+">")
	put("To", addresses(l.To))
	if !l.ReplyTo.IsNull() {
		put("Reply-To", "<"+l.ReplyTo.Address()+">")
	}
	subject := maillog.Line(l.fill(l.Text.Subject))
	put("Subject", encoded(subject, subject))
	put("Date", l.Date.UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700"))
	put("Message-ID", "<"+l.ID+"@"+l.Host+">")
	if id := maillog.Line(l.Answers); id != "" && len(id) < maxLine-len("In-Reply-To: ") && smtp.IsASCII(id) {
		put("In-Reply-To", id)
		put("Auto-Submitted", "auto-replied")
	} else {
		put("Auto-Submitted", "auto-generated")
	}
	put("X-Auto-Response-Suppress", "All") // Exchange knows no Auto-Submitted
	put("Precedence", "bulk")
	put("List-Id", "<"+l.ListID+">")
	put("Content-Language", l.Text.Language)
	put("MIME-Version", "1.0")
	if boundary != "" {
		put("Content-Type", "multipart/mixed; boundary=\""+boundary+"\"")
		b.WriteString("\r\n--" + boundary + "\r\n")
	}
	b.Write(l.text())
	if _, err := w.Write(b.Bytes()); err != nil || boundary == "" {
		return err
	}
	for _, p := range l.Parts {
		if _, err := io.WriteString(w, "\r\n--"+boundary+"\r\n"); err != nil {
			return err
		}
		if err := p.write(w); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\r\n--"+boundary+"--\r\n")
	return err
}

// text is what the letter says, with the fields that say how.
func (l Letter) text() []byte {
	var b bytes.Buffer
	body := strings.ReplaceAll(strings.TrimRight(wrapped(l.fill(l.Text.Body)), "\n")+"\n", "\n", "\r\n")
	b.WriteString("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ")
	if smtp.IsASCII(body) && !longLine(body) {
		b.WriteString("7bit\r\n\r\n" + body)
		return b.Bytes()
	}
	b.WriteString("quoted-printable\r\n\r\n")
	q := quotedprintable.NewWriter(&b)
	q.Write([]byte(body))
	q.Close()
	return b.Bytes()
}

// write writes the part with its header.
func (p Part) write(w io.Writer) error {
	kind, encoding := "message/rfc822", "8bit"
	switch {
	case p.Binary: // no message, which must not be encoded: RFC 2046, 5.2.1
		kind, encoding = "application/octet-stream", "base64"
	case p.UTF8:
		kind = "message/global"
	}
	_, err := fmt.Fprintf(w, "Content-Type: %s\r\nContent-Transfer-Encoding: %s\r\nContent-Disposition: attachment; filename=\"%s\"\r\n\r\n",
		kind, encoding, p.Name)
	if err != nil {
		return err
	}
	content, err := p.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	attach := io.Copy
	if p.Binary {
		attach = copyBase64
	}
	_, err = attach(w, content)
	return err
}

// base64Line is how many bytes make a line of 76 letters: RFC 2045, 6.8.
const base64Line = 57

// copyBase64 is io.Copy in base64.
func copyBase64(w io.Writer, r io.Reader) (n int64, err error) {
	in, out := make([]byte, 256*base64Line), []byte(nil)
	for err == nil {
		var got int
		got, err = io.ReadFull(r, in)
		n += int64(got)
		out = out[:0]
		for line := range slices.Chunk(in[:got], base64Line) {
			out = append(base64.StdEncoding.AppendEncode(out, line), "\r\n"...)
		}
		if _, werr := w.Write(out); werr != nil {
			return n, werr
		}
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return n, err
}

// optional are words without which the paragraph that they stand in says nothing.
var optional = [...]string{"{digest}", "{index}", "{next}", "{earlier}", "{left}", "{words}"}

// saying is a text without the paragraphs that say nothing here.
func (l Letter) saying(text string) string {
	paragraphs := strings.Split(text, "\n\n")
	return strings.Join(slices.DeleteFunc(paragraphs, func(p string) bool {
		for _, word := range optional {
			value := l.Words[strings.Trim(word, "{}")]
			if word == "{words}" {
				value = l.Quote
			}
			if value == "" && strings.Contains(p, word) {
				return true
			}
		}
		return false
	}), "\n\n")
}

// fill puts the words in. A word never brings one in itself, nor a line break.
func (l Letter) fill(text string) string {
	text = l.saying(text)
	pairs := make([]string, 0, 2*len(l.Words))
	for word, value := range l.Words {
		pairs = append(pairs, "{"+word+"}", maillog.Line(value))
	}
	pairs = append(pairs, "{words}", l.quote(), "{contents}", l.quote())
	return strings.NewReplacer(pairs...).Replace(text)
}

// Fill is the text's body with words put in, for use within another letter.
func (t Text) Fill(words map[string]string) string {
	return Letter{Text: t, Words: words}.fill(t.Body)
}

// quote is Quote set off from the text, a line at a time.
func (l Letter) quote() string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.Trim(l.Quote, "\r\n"), "\n") {
		b.WriteString("    " + strings.TrimRight(maillog.Line(line), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// encoded is plain where it is short ASCII, and else the text as encoded words,
// one a line: RFC 2047, 2.
func encoded(plain, text string) string {
	switch {
	case !smtp.IsASCII(plain) || len(plain) >= 800:
		return strings.ReplaceAll(mime.BEncoding.Encode("utf-8", text), " ", "\r\n ")
	case !strings.Contains(plain, "=?"):
		return plain
	}
	// It would be taken for an encoded word, and may say what it likes then.
	// Package mime leaves ASCII as it is.
	var words []string
	for part := range slices.Chunk([]byte(text), wordBytes) {
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString(part)+"?=")
	}
	return strings.Join(words, "\r\n ")
}

// wordBytes is how much makes an encoded word of at most 75 letters.
const wordBytes = 45

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func addresses(to []smtp.Path) string {
	var list []string
	for _, p := range to {
		list = append(list, "<"+p.Address()+">")
	}
	return strings.Join(list, ",\r\n ")
}

func longLine(s string) bool {
	for line := range strings.SplitSeq(s, "\r\n") {
		if len(line) > maxLine {
			return true
		}
	}
	return false
}
