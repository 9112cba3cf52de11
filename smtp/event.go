package smtp

import (
	"errors"
	"fmt"
	"strings"
)

// An Event is one decision of a session, for the log.
type Event struct {
	What   string // connect, accepted, refused, disconnect
	Text   string // the command or stage, or a summary
	ID     string // of the message in the queue
	Peer   Peer
	Helo   string
	Proto  string
	From   Path
	InMail bool // From means something, even where it is null
	To     Path
	Size   int64
	Reply  Reply
	Err    error // what is behind the reply, or ended the session
}

// Fault says that the event is trouble on this side and not a matter of the
// client's: something for the administrator to look at.
func (e Event) Fault() bool {
	var r Reply
	return e.Err != nil && e.What == "refused" && !errors.As(e.Err, &r) ||
		e.Err != nil && strings.HasPrefix(e.Err.Error(), "panic")
}

// String is the event as one log line.
func (e Event) String() string {
	var b strings.Builder
	b.WriteString(e.What)
	add := func(key, value string) {
		if value != "" {
			fmt.Fprintf(&b, " %s=%s", key, value)
		}
	}
	add("id", e.ID)
	add("client", e.Peer.String())
	add("helo", e.Helo)
	add("proto", e.Proto)
	if e.InMail {
		add("from", clean(e.From.String()))
	}
	if !e.To.IsNull() {
		add("to", clean(e.To.String()))
	}
	if e.Size > 0 {
		add("size", fmt.Sprint(e.Size))
	}
	if e.What == "refused" {
		add("at", e.Text)
	} else if e.Text != "" {
		b.WriteString(" " + e.Text)
	}
	if e.Reply.Code != 0 {
		add("reply", fmt.Sprintf("%q", e.Reply.String()))
	}
	var r Reply
	if e.Err != nil && !errors.As(e.Err, &r) {
		add("error", fmt.Sprintf("%q", clean(e.Err.Error())))
	}
	return b.String()
}
