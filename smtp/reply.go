package smtp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// A Reply is a server's answer: RFC 5321, 4.2. It is a value and also an error. A
// refusal travels through all layers wrapped with %w, and ReplyTo returns it as it was
// declared.
type Reply struct {
	Code     int    // three digits, 200 to 599
	Enhanced string // RFC 3463, "5.1.1"; empty if RFC 2034 wants none
	Text     string // one or more lines separated by \n, without the codes
}

// Error returns the reply in one line, as the log shows it.
func (r Reply) Error() string { return r.String() }

// String returns the reply in one line: "550 5.1.1 no such list".
func (r Reply) String() string {
	text := strings.ReplaceAll(r.Text, "\n", " ")
	if r.Enhanced != "" {
		text = r.Enhanced + " " + text
	}
	return fmt.Sprintf("%03d %s", r.Code, clean(text))
}

// Temporary reports whether the reply is a 4xx: the same command may pass later.
func (r Reply) Temporary() bool { return r.Code >= 400 && r.Code < 500 }

// Permanent reports whether the reply is a 5xx.
func (r Reply) Permanent() bool { return r.Code >= 500 && r.Code < 600 }

// Replies that any part of the program may give.
var (
	ReplyNoSpace = Reply{452, "4.3.1", "no space left for mail here now; please try again later"}
	ReplyTimeout = Reply{421, "4.4.2", "timeout: no input received; closing"}
	ReplyLocal   = Reply{451, "4.3.0", "a fault on this side, not in your mail; please try again later"}
)

// ReplyTo turns any error into the reply that the other side sees; nothing else does. A
// wrapped refusal is returned as it is. A full disk is 452 4.3.1, a deadline 421 4.4.2.
// Everything else is 451 4.3.0 without details, which belong in the log. That includes
// a Reply that is not a refusal, since an error must never tell the client that its
// mail is safe.
func ReplyTo(err error) Reply {
	var r Reply
	switch {
	case err == nil:
		return Reply{250, "2.0.0", "ok"}
	case errors.As(err, &r) && (r.Temporary() || r.Permanent()):
		return r
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return ReplyNoSpace
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ReplyTimeout
	}
	return ReplyLocal
}

// Refusal returns the permanent reply in an error, and reports whether there is one.
func Refusal(err error) (Reply, bool) {
	var r Reply
	return r, errors.As(err, &r) && r.Permanent()
}

// writeTo writes the reply.
func (r Reply) writeTo(w *bufio.Writer) {
	r.each(func(start, text string) {
		w.WriteString(start)
		w.WriteString(text)
		w.WriteString("\r\n")
	})
}

// Lines returns the reply as sent, without the CRLFs: each line has the code and the
// enhanced code (RFC 2034, 4), and none is longer than MaxReplyLine.
func (r Reply) Lines() (lines []string) {
	r.each(func(start, text string) { lines = append(lines, start+text) })
	return lines
}

// each calls do for every line, in two pieces: the codes and the text.
func (r Reply) each(do func(start, text string)) {
	prefix := ""
	if r.Enhanced != "" {
		prefix = r.Enhanced + " "
	}
	width := MaxReplyLine - len("250-") - len(prefix) - len("\r\n")
	code := strconv.Itoa(r.Code)
	last, other := code+" "+prefix, code+"-"+prefix
	for rest, more := r.Text, true; more; {
		var line string
		line, rest, more = strings.Cut(rest, "\n")
		line = clean(line)
		for len(line) > width { // at a space if possible
			cut := strings.LastIndexByte(line[:width], ' ')
			if cut <= 0 {
				cut = width
			}
			do(other, line[:cut])
			line = strings.TrimLeft(line[cut:], " ")
		}
		if more {
			do(other, line)
		} else {
			do(last, line)
		}
	}
}

// ParseReply parses a reply of one or more lines, separated by CRLF.
func ParseReply(text string) (Reply, error) {
	br := bufio.NewReader(strings.NewReader(text + "\r\n"))
	r, err := readReply(br)
	if _, more := br.ReadByte(); err == nil && more == nil {
		err = fmt.Errorf("%w: text behind it", errProtocol)
	}
	return r, err
}

// errProtocol wraps input that cannot be a reply at all.
var errProtocol = errors.New("not an SMTP reply")

// readReply reads one reply. A line longer than MaxReplyRead, more than MaxReplyLines
// lines, or an invalid line is errProtocol: the two sides are then out of step.
func readReply(br *bufio.Reader) (Reply, error) {
	r, err := readPlain(br)
	if err != nil {
		return Reply{}, err
	}
	text := strings.Split(r.Text, "\n")
	for i, line := range text {
		enhanced, rest := splitEnhanced(r.Code, line)
		if enhanced != "" {
			r.Enhanced = enhanced
		}
		text[i] = rest
	}
	r.Text = strings.Join(text, "\n")
	return r, nil
}

// readPlain is readReply, but leaves enhanced codes in the text, where each line may
// have its own. The reply can then be passed on unchanged.
func readPlain(br *bufio.Reader) (Reply, error) {
	var r Reply
	var text []string
	for range MaxReplyLines {
		line, err := readReplyLine(br)
		if err != nil {
			return Reply{}, err
		}
		code, more, rest, ok := splitReply(line)
		if !ok || r.Code != 0 && code != r.Code {
			return Reply{}, fmt.Errorf("%w: %q", errProtocol, line)
		}
		r.Code = code
		text = append(text, rest)
		if !more {
			r.Text = strings.Join(text, "\n")
			return r, nil
		}
	}
	return Reply{}, fmt.Errorf("%w: more than %d lines", errProtocol, MaxReplyLines)
}

func readReplyLine(br *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > MaxReplyRead {
			return "", fmt.Errorf("%w: a line of more than %d bytes", errProtocol, MaxReplyRead)
		}
		switch {
		case err == bufio.ErrBufferFull:
		case err == io.EOF && len(line) > 0:
			return "", io.ErrUnexpectedEOF
		case err != nil:
			return "", err
		default:
			return strings.TrimRight(string(line), "\r\n"), nil
		}
	}
}

func splitReply(line string) (code int, more bool, text string, ok bool) {
	if len(line) < 3 {
		return 0, false, "", false
	}
	for _, c := range []byte(line[:3]) {
		if c < '0' || c > '9' {
			return 0, false, "", false
		}
		code = code*10 + int(c-'0')
	}
	if code < 200 || code > 599 {
		return 0, false, "", false
	}
	if len(line) == 3 {
		return code, false, "", true
	}
	return code, line[3] == '-', line[4:], line[3] == '-' || line[3] == ' '
}

// splitEnhanced splits "5.1.1 text": RFC 2034, 4. If its first digit differs from the
// code's, it is plain text.
func splitEnhanced(code int, text string) (enhanced, rest string) {
	word, rest, _ := strings.Cut(text, " ")
	class, detail, ok := strings.Cut(word, ".")
	subject, detail, ok2 := strings.Cut(detail, ".")
	if !ok || !ok2 || class != fmt.Sprint(code/100) || !digits(subject, 3) || !digits(detail, 3) {
		return "", text
	}
	return word, rest
}

// digits reports whether s consists of one to most decimal digits.
func digits(s string, most int) bool {
	if s == "" || len(s) > most {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
