package policy

import (
	"errors"
	"fmt"

	"superlist/lists/rewrite"
	"superlist/smtp"
)

// maxShown is how much of a line a refusal shows.
const maxShown = 60

// JudgeLines refuses a message whose lines others read differently than we do, or
// refuse. Otherwise members might get another message than the list has judged, or the
// relay might refuse it for all of them. If lines is nil it checks only the header. The
// error is a smtp.Reply.
func JudgeLines(h rewrite.Header, lines *rewrite.Lines) error {
	if n, line := h.NoField(); n > 0 {
		return refuseForm("line %d of the message is not a header field: \"%s\"; a field is a name, a colon and a value, and an empty line ends the header", n, shown(line))
	}
	if lines == nil {
		return nil
	}
	if n, octets := lines.Long(); n > 0 {
		return refuseForm("line %d of the message has %d octets, and RFC 5322 lets a line have %d; have your program send the text as quoted-printable or base64",
			n, octets, rewrite.MaxLine)
	}
	return nil
}

// unreadable says what is wrong with From, and how to correct it.
func unreadable(h rewrite.Header, err error) string {
	from := h.Get("From")
	switch {
	case errors.Is(err, rewrite.ErrNobody):
		return "the message has no From field that names an author"
	case errors.Is(err, rewrite.ErrDeceives):
		return fmt.Sprintf("the From field deceives, %s: \"%s\"", err, shown([]byte(from)))
	}
	return fmt.Sprintf("the From field cannot be read, %s: \"%s\"; write it as Name <name@example.com>, and put a name that is more than words in double quotes", err, shown([]byte(from)))
}

func refuseForm(format string, args ...any) smtp.Reply {
	return smtp.Reply{Code: 550, Enhanced: "5.6.0", Text: fmt.Sprintf(format, args...)}
}

// shown returns the beginning of a line of a message, made safe for a reply and a
// terminal.
func shown(line []byte) string {
	cut := ""
	if len(line) > maxShown {
		line, cut = line[:maxShown], "..."
	}
	text := make([]byte, 0, maxShown+len(cut))
	for _, c := range line {
		if c < ' ' || c > '~' {
			c = '?'
		}
		text = append(text, c)
	}
	return string(text) + cut
}
