// Package letter writes the mail that superlist itself sends: questions, answers
// and notices. All its words stand in texts/, a file for each language, and a
// list may have its own in texts.toml.
//
// A letter is plain text. It says that a program wrote it (RFC 3834), and its return
// path is the list's for delivery reports, where nothing is answered. What somebody sent to the
// list is quoted for moderators alone, as an attachment: whoever can have a letter
// sent to a stranger must not choose its words.
package letter

import (
	"io"
	"slices"
	"strings"
	"time"

	"superlist/lists/mail/compose"
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
	Name string // of the file that somebody may make of it
	Open func() (io.ReadCloser, error)
	Form compose.Form
}

// maxLine is how long a line may be: RFC 5322, 2.1.1.
const maxLine = 998

// Write writes the letter as it is sent, with CRLF lines.
func (l Letter) Write(to io.Writer) error {
	w := compose.To(to)
	l.WriteTop(w)
	if id := maillog.Line(l.Answers); id != "" && len(id) < maxLine-len("In-Reply-To: ") && smtp.IsASCII(id) {
		w.Field("In-Reply-To", id)
		w.Field("Auto-Submitted", "auto-replied")
	} else {
		w.Field("Auto-Submitted", "auto-generated")
	}
	w.Field("X-Auto-Response-Suppress", "All") // Exchange knows no Auto-Submitted
	w.Field("Precedence", "bulk")
	w.Field("List-Id", "<"+l.ListID+">")
	w.Field("Content-Language", l.Text.Language)
	w.Field("MIME-Version", "1.0")
	boundary := "=_" + l.ID
	if len(l.Parts) > 0 {
		w.Field("Content-Type", "multipart/mixed; boundary=\""+boundary+"\"")
		w.Next(boundary)
	}
	w.Text(l.Said())
	for _, p := range l.Parts {
		w.Next(boundary)
		if err := p.write(w); err != nil {
			return err
		}
	}
	if len(l.Parts) > 0 {
		w.End(boundary)
	}
	return w.Flush()
}

// WriteTop writes the fields that say from whom the letter is, to whom, and which it is.
func (l Letter) WriteTop(w *compose.Writer) {
	w.Field("From", compose.Mailbox(l.Name, l.From))
	w.Field("To", compose.Addresses(l.To))
	if !l.ReplyTo.IsNull() {
		w.Field("Reply-To", "<"+l.ReplyTo.Address()+">")
	}
	w.Field("Subject", compose.Unstructured(maillog.Line(l.fill(l.Text.Subject))))
	w.Field("Date", compose.Date(l.Date))
	w.Field("Message-ID", "<"+l.ID+"@"+l.Host+">")
}

// Said is what the letter says.
func (l Letter) Said() string { return wrapped(l.fill(l.Text.Body)) }

// write writes the part with its header.
func (p Part) write(w *compose.Writer) error {
	encoding := "8bit" // what is less may be called so
	if p.Form.Binary {
		encoding = p.Form.Encoding()
	}
	w.Field("Content-Type", p.Form.Type())
	w.Field("Content-Transfer-Encoding", encoding)
	w.Field("Content-Disposition", "attachment; filename=\""+p.Name+"\"")
	w.EndHeader()
	content, err := p.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	return w.Message(p.Form, content)
}

// optional are words without which the paragraph that they stand in says nothing.
var optional = [...]string{"{digest}", "{index}", "{next}", "{earlier}", "{left}", "{words}", "{link}"}

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
