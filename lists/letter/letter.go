// Package letter writes the mail that superlist itself sends: questions, answers and
// notices. All its texts are in texts/, a file for each language, and a list may have
// its own in texts.toml.
//
// A letter is plain text. It says that a program wrote it (RFC 3834), and its return
// path is the list's for delivery reports, which are not answered. What somebody sent
// to the list is quoted only for moderators, as an attachment: somebody who can have a
// letter sent to a stranger must not choose its words.
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
	Words   map[string]string // values of {list}, {owner} … in the text
	From    smtp.Path
	Name    string // display name in From
	To      []smtp.Path
	ReplyTo smtp.Path // null: From
	ListID  string
	Host    string // for the Message-ID
	ID      string // unique: a letter that is written again has the same
	Answers string // the Message-ID it answers, as found; may be empty
	Date    time.Time

	Quote string // value of {words} or {contents}, in lines
	Parts []Part // messages after the text
}

// A Part is a message that a letter includes unchanged. It is opened when it is
// written, so that any number of parts need no memory.
type Part struct {
	Name string // suggested name of a file
	Open func() (io.ReadCloser, error)
	Form compose.Form
}

// maxLine is the longest line: RFC 5322, 2.1.1.
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
	w.Field("X-Auto-Response-Suppress", "All") // Exchange does not know Auto-Submitted
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

// WriteTop writes the fields that say who the letter is from, who it is to, and which
// letter it is.
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

// Said returns the text of the letter.
func (l Letter) Said() string { return wrapped(l.fill(l.Text.Body)) }

// write writes the part with its header.
func (p Part) write(w *compose.Writer) error {
	encoding := "8bit" // plain ASCII may be called that, too
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

// optional are words without which their paragraph says nothing.
var optional = [...]string{"{digest}", "{index}", "{next}", "{earlier}", "{left}", "{words}", "{link}"}

// saying returns a text without the paragraphs that say nothing here.
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

// fill fills in the words. The value of a word never adds another word or a line break.
func (l Letter) fill(text string) string {
	text = l.saying(text)
	pairs := make([]string, 0, 2*len(l.Words))
	for word, value := range l.Words {
		pairs = append(pairs, "{"+word+"}", maillog.Line(value))
	}
	pairs = append(pairs, "{words}", l.quote(), "{contents}", l.quote())
	return strings.NewReplacer(pairs...).Replace(text)
}

// Fill returns the text's body with the words filled in, for use within another letter.
func (t Text) Fill(words map[string]string) string {
	return Letter{Text: t, Words: words}.fill(t.Body)
}

// quote returns Quote set off from the text, a line at a time.
func (l Letter) quote() string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.Trim(l.Quote, "\r\n"), "\n") {
		b.WriteString("    " + strings.TrimRight(maillog.Line(line), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}
