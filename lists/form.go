package lists

import (
	"fmt"

	"superlist/lists/rewrite"
	"superlist/smtp"
)

// maxShown is how much of a line a refusal shows.
const maxShown = 60

// JudgeLines refuses a message whose lines others read in another way than we do, or
// refuse themselves. Sent on, members would get another message than the list has
// judged, or the relay would refuse it for all of them. The error is a smtp.Reply;
// nil: there is nothing wrong.
func JudgeLines(h rewrite.Header, lines *rewrite.Lines) error {
	if n, line := h.NoField(); n > 0 {
		return refuseForm("line %d of the message is no header field: \"%s\"; a field is a name, a colon and a value, and an empty line ends the header", n, shown(line))
	}
	if n, octets := lines.Long(); n > 0 {
		return refuseForm("line %d of the message has %d octets, and RFC 5322 lets a line have %d; fold it if it is a header field, else have your program send the text as quoted-printable or base64",
			n, octets, rewrite.MaxLine)
	}
	return nil
}

func refuseForm(format string, args ...any) smtp.Reply {
	return smtp.Reply{Code: 550, Enhanced: "5.6.0", Text: fmt.Sprintf(format, args...)}
}

// shown is the beginning of a line of a message, as it can stand in a reply and on a
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
