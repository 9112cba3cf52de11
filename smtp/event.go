package smtp

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// An Event is one decision of a session, for the log.
type Event struct {
	What   string // connect, starttls, auth, accepted, refused, disconnect
	Text   string // the command or stage, or a summary
	ID     string // the message's id in the queue
	Peer   Peer
	Via    Peer   // the host that passed on the origin with XFORWARD; zero: nobody did
	Ident  string // the mail's queue id on that host
	Helo   string
	Proto  string
	TLS    TLS
	Login  string // the user the client has logged in as; in a refused AUTH, the one it claimed
	From   Path
	InMail bool // From is valid, even if it is the null sender
	To     Path
	MsgID  string // the Message-ID
	Size   int64
	Reply  Reply
	Err    error // the cause of the reply, or what ended the session
}

// Fault reports whether the event is trouble on our side, which the administrator
// should look at, and not the client's doing.
func (e Event) Fault() bool {
	return e.What == "refused" && e.behind() != "" ||
		errors.Is(e.Err, errPanic)
}

// behind returns the part of the error that the reply does not show: all of it if the
// error is not a Reply, and the wrapping text if it is a temporary one, such as how
// full the disk is.
func (e Event) behind() string {
	var r Reply
	if e.Err == nil || errors.As(e.Err, &r) && (!r.Temporary() || e.Err.Error() == r.Error()) {
		return ""
	}
	return e.Err.Error()
}

// String returns the event as one log line.
func (e Event) String() string {
	var b strings.Builder
	b.WriteString(e.What)
	add := func(key, value string) {
		if strings.ContainsAny(value, " \"") {
			value = strconv.Quote(value)
		}
		if value != "" {
			fmt.Fprintf(&b, " %s=%s", key, value)
		}
	}
	quote := func(key, value string) { fmt.Fprintf(&b, " %s=%q", key, value) }
	add("id", e.ID)
	add("client", e.Peer.String())
	if e.Peer.Host == "" { // else the one says it better
		add("reverse", e.Peer.Reverse)
	}
	if e.What == "proxied" || e.What == "xclient" {
		add("dest", e.Peer.dest())
	}
	add("via", e.Via.String())
	add("ident", e.Ident)
	add("helo", e.Helo)
	add("proto", e.Proto)
	add("tls", e.TLS.String())
	if e.TLS.Client != "" {
		quote("cert", clean(e.TLS.Client))
	}
	add("login", Word(e.Login))
	if e.InMail {
		add("from", visible(e.From.String()))
	}
	if !e.To.IsNull() {
		add("to", visible(e.To.String()))
	}
	add("message-id", Word(e.MsgID))
	if e.Size > 0 {
		add("size", fmt.Sprint(e.Size))
	}
	if e.What == "refused" {
		add("at", e.Text)
	} else if e.Text != "" {
		b.WriteString(" " + e.Text)
	}
	if e.Reply.Code != 0 {
		quote("reply", e.Reply.String())
	}
	if text := e.behind(); text != "" {
		quote("error", clean(text))
	}
	return b.String()
}
