package queue

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/smtp"
)

// magic is the first line of every file: a word, and the version of the format.
const (
	magicWord = "superlist-message "
	magic     = magicWord + "1"
)

// maxHeadLine is the longest line of a head. The longest is a recipient, which has a
// path.
const maxHeadLine = smtp.MaxPath + 1024

// A Head is what a file says about its message before the recipients.
type Head struct {
	ID      string
	Arrived time.Time
	Client  string    // the session it came from, for the operator
	From    smtp.Path // return path
	Body    string    // BODY of MAIL: "", "7BIT", "8BITMIME" or smtp.BinaryMIME
	Ret     string    // RET of MAIL: "", "FULL" or "HDRS"
	EnvID   string    // ENVID of MAIL, in xtext
	UTF8    bool      // SMTPUTF8: in inbound MAIL declared it, in outbound the header needs it
	List    smtp.Path // the list that sends it; null in inbound
	VERP    bool      // each recipient gets a return path of its own, made from From

	Proved []smtp.Path // addresses that the client has proved to own, by AUTH
	Hold   string      // in inbound: why a mail filter wants a person to look at it first
	Why    string      // of a held message: what is done with it, and why
	Author smtp.Path   // of a held message: the author that Why is about
	Share  Share       // of a new message: written only into its id
	Gone   int64       // in failed: how many bytes of its body are no longer kept

	// Order marks what is not mail but a program's signed request: package request. No
	// session of mail sets it.
	Order bool

	// Late marks a post that members have had, and that the archive has not: on a host
	// of a cluster, whose database was away. No session sets it.
	Late bool

	// For the log, in messages that a list sends: the post that the message comes from,
	// by the id that its sender was told, and its Message-ID.
	Post, MessageID string

	After []After // in outbound: what must have happened before it is sent
	Holes []Hole  // in outbound: what differs per recipient

	// RequireTLS is REQUIRETLS: the message leaves by verified TLS only.
	RequireTLS bool
}

// timeFormat is RFC 3339 with microseconds.
const timeFormat = "2006-01-02T15:04:05.000000Z07:00"

// contentLine says where the message begins and how long it is. It is written as zeros
// and filled in last, so that an unfinished file can be recognized.
func contentLine(at, size int64) string {
	const digits = 15
	return "content: " + zeros(at, digits) + " " + zeros(size, digits) + "\n"
}

// write writes the head and returns the offset of the content line. It refuses a value
// that would begin a line of its own.
func (h *Head) write(w *strings.Builder) (contentAt int64, err error) {
	if !validID(h.ID) {
		return 0, fmt.Errorf("queue: %q cannot be an id", h.ID)
	}
	w.WriteString(magic + "\nid: " + h.ID + "\n")
	contentAt = int64(w.Len())
	w.WriteString(contentLine(0, 0))
	w.WriteString("arrived: " + h.Arrived.UTC().Format(timeFormat) + "\n")
	orNone := func(p smtp.Path) string {
		if p.IsNull() {
			return ""
		}
		return p.String()
	}
	for _, field := range []struct{ key, value string }{
		{"client", h.Client}, {"body", h.Body}, {"ret", h.Ret}, {"envid", h.EnvID}, {"utf8", yes(h.UTF8)},
		{"requiretls", yes(h.RequireTLS)}, {"order", yes(h.Order)}, {"late", yes(h.Late)},
		{"list", orNone(h.List)}, {"verp", yes(h.VERP)}, {"hold", h.Hold}, {"why", h.Why}, {"post", h.Post}, {"message-id", h.MessageID}, {"author", orNone(h.Author)}, {"gone", count(h.Gone)},
	} {
		if !smtp.Printable(field.value) {
			return 0, fmt.Errorf("queue: %s %q does not fit into a head", field.key, field.value)
		}
		if field.value != "" {
			w.WriteString(field.key + ": " + field.value + "\n")
		}
	}
	for _, p := range h.Proved {
		if !smtp.Printable(p.String()) {
			return 0, fmt.Errorf("queue: proved %q does not fit into a head", p)
		}
		w.WriteString("proved: " + p.String() + "\n")
	}
	for _, a := range h.After {
		if back, ok := parseAfter(a.String()); !ok || back != a {
			return 0, fmt.Errorf("queue: after %q does not fit into a head", a)
		}
		w.WriteString("after: " + a.String() + "\n")
	}
	for i, o := range h.Holes {
		if back, ok := parseHole(o.String()); !ok || back != o || i == maxHoles {
			return 0, fmt.Errorf("queue: hole %q does not fit into a head", o)
		}
		w.WriteString("hole: " + o.String() + "\n")
	}
	if !smtp.Printable(h.From.String()) {
		return 0, fmt.Errorf("queue: from %q does not fit into a head", h.From)
	}
	w.WriteString("from: " + h.From.String() + "\n")
	return contentAt, nil
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

func count(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// ErrDamaged means that a file is not a complete message, and ErrLater that a later version
// has written it: it is left where it is.
var (
	ErrDamaged = errors.New("damaged queue file")
	ErrLater   = errors.New("queue file of a later superlist")
)

// readHead reads the head. It returns the offset of the first recipient, and where the
// content is.
func readHead(br *bufio.Reader) (h Head, recipientsAt, contentAt, contentSize int64, err error) {
	damaged := func(what string) error { return fmt.Errorf("%w: %s", ErrDamaged, what) }
	first := true
	for {
		line, err := headLine(br)
		if err != nil {
			return h, 0, 0, 0, err
		}
		if first && line != magic && strings.HasPrefix(line, magicWord) {
			return h, 0, 0, 0, fmt.Errorf("%w: it begins with %q, and this version knows %q", ErrLater, line, magic)
		}
		if first && line != magic {
			return h, 0, 0, 0, damaged("it does not begin with " + magic)
		}
		if !first {
			key, value, ok := strings.Cut(line, ": ")
			if !ok || !smtp.Printable(line) {
				return h, 0, 0, 0, damaged("line " + strconv.Quote(line))
			}
			switch key {
			case "id":
				h.ID = value
			case "content":
				if _, err := fmt.Sscanf(line, "content: %d %d", &contentAt, &contentSize); err != nil {
					return h, 0, 0, 0, damaged("line " + strconv.Quote(line))
				}
			case "arrived":
				if h.Arrived, err = time.Parse(timeFormat, value); err != nil {
					return h, 0, 0, 0, damaged("line " + strconv.Quote(line))
				}
			case "client":
				h.Client = value
			case "body":
				h.Body = value
			case "ret":
				h.Ret = value
			case "envid":
				h.EnvID = value
			case "utf8":
				h.UTF8 = value == "yes"
			case "requiretls":
				h.RequireTLS = value == "yes"
			case "order":
				h.Order = value == "yes"
			case "late":
				h.Late = value == "yes"
			case "verp":
				h.VERP = value == "yes"
			case "hold":
				h.Hold = value
			case "why":
				h.Why = value
			case "post":
				h.Post = value
			case "message-id":
				h.MessageID = value
			case "hole":
				hole, ok := parseHole(value)
				if !ok || len(h.Holes) == maxHoles {
					return h, 0, 0, 0, damaged("line " + strconv.Quote(line))
				}
				h.Holes = append(h.Holes, hole)
			case "after":
				a, ok := parseAfter(value)
				if !ok || len(h.After) == maxAfter {
					return h, 0, 0, 0, damaged("line " + strconv.Quote(line))
				}
				h.After = append(h.After, a)
			case "gone":
				if h.Gone, err = strconv.ParseInt(value, 10, 64); err != nil {
					return h, 0, 0, 0, damaged("line " + strconv.Quote(line))
				}
			case "list", "from", "proved", "author":
				path, rest, ok := smtp.ParsePath(value)
				if !ok || rest != "" {
					return h, 0, 0, 0, damaged("line " + strconv.Quote(line))
				}
				switch key {
				case "list":
					h.List = path
				case "proved":
					h.Proved = append(h.Proved, path)
				case "author":
					h.Author = path
				default:
					h.From = path
				}
			}
		}
		recipientsAt += int64(len(line)) + 1
		first = false
		if strings.HasPrefix(line, "from: ") { // the last line before the recipients
			break
		}
	}
	switch {
	case !validID(h.ID) || contentAt <= recipientsAt || contentSize < 0:
		return h, 0, 0, 0, damaged("its writer did not finish")
	case !h.validParams():
		return h, 0, 0, 0, damaged("body, ret or envid is not one of MAIL's")
	}
	return h, recipientsAt, contentAt, contentSize, nil
}

// validParams reports whether the parameters of MAIL, which the relay will get too, are
// valid.
func (h *Head) validParams() bool {
	_, envid := smtp.EnvelopeID(h.EnvID)
	return slices.Contains([]string{"", "7BIT", "8BITMIME", smtp.BinaryMIME}, h.Body) &&
		slices.Contains([]string{"", "FULL", "HDRS"}, h.Ret) && (h.EnvID == "" || envid)
}

// maxInboundID is the longest id in inbound. Messages that follow from one have its id
// plus a suffix.
const maxInboundID = 200

// checkInbound returns an error if a head in inbound was not written by a session.
// Sessions meet strangers, and one that has been taken over can write anything there. A
// list's own mail, with recipients of its choice, is made by deliver only.
func (h *Head) checkInbound() error {
	switch {
	case !h.List.IsNull(), h.VERP, h.Why != "", h.Gone != 0, len(h.After) > 0, len(h.Holes) > 0:
		return fmt.Errorf("%w: a session may not set list, verp, why, gone, after or hole", ErrDamaged)
	case len(h.ID) > maxInboundID || !('0' <= h.ID[0] && h.ID[0] <= '9'):
		return fmt.Errorf("%w: no session gives a message the id %s", ErrDamaged, h.ID)
	}
	return nil
}

// headLine reads one line and returns it without its LF.
func headLine(br *bufio.Reader) (string, error) {
	line, err := br.ReadSlice('\n')
	if err == io.EOF || err == bufio.ErrBufferFull || err == nil && len(line) > maxHeadLine {
		return "", fmt.Errorf("%w: a line without an end", ErrDamaged)
	}
	if err != nil {
		return "", err
	}
	return string(line[:len(line)-1]), nil
}

// The states of a recipient.
const (
	ToDo = 'T'
	Done = 'D'
	Fail = 'F'
)

// A Recipient is one line of a head.
type Recipient struct {
	smtp.Rcpt
	State byte  // ToDo, Done or Fail
	at    int64 // offset of the state byte in the file
}

func parseRecipient(line string) (Recipient, bool) {
	if len(line) < 3 || line[1] != ' ' || line[0] != ToDo && line[0] != Done && line[0] != Fail {
		return Recipient{}, false
	}
	to, ok := smtp.ParseRcpt(line[2:])
	return Recipient{Rcpt: to, State: line[0]}, ok
}
