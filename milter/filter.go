package milter

import (
	"io"
	"time"
)

// A Filter decides on mail. What it does stands in its callbacks, each of which
// may be nil; the zero Filter lets everything pass. The MTA is asked to leave out
// what there is no callback for, so a Filter costs what it looks at.
//
// A callback's error is the answer: nil goes on, a Verdict says what is to
// happen, and any other error is what smtp.ReplyTo makes of it: a smtp.Reply
// speaks for itself, and all else is 451 without a word of what it was. A
// callback that takes long may: the MTA is told every second that it still works.
//
// One Filter serves any number of connections at a time; what belongs to one of
// them is in the Session, or in the callbacks' own variables where a program
// serves only one.
type Filter struct {
	// Actions are the changes that the filter may make. What the MTA does not
	// offer fails with ErrNotOffered when it is tried.
	Actions Actions
	// Protocol may have RejectedRcpt, to hear of recipients that the MTA refuses
	// itself, and NoReplyX for stages that the filter promises to let pass: it
	// saves a turn for each. The promise is kept for it, and a breach is logged.
	Protocol Protocol
	// Macros are what the filter wants to know, by Stage. Where it says nothing
	// the MTA decides.
	Macros [stages][]string
	// KeepBody has the body ready at EOM, in Session.Body; a large one in a file
	// without a name in TempDir ("": os.TempDir).
	KeepBody bool
	TempDir  string

	IdleTimeout, WriteTimeout time.Duration // 0: the constant of that name
	ProgressEvery             time.Duration // 0: the constant of that name

	// Log gets what is wrong with the connection and with the filter itself. It
	// must not fail.
	Log func(text string)

	// Negotiate hears what the MTA offers, and can refuse to serve it: an error
	// ends the connection. xxfi_negotiate.
	Negotiate func(s *Session, offer Options) error
	// Connect is a new client. xxfi_connect.
	Connect func(s *Session, c Connection) error
	// Helo is its name; it comes again after STARTTLS. xxfi_helo.
	Helo func(s *Session, name string) error
	// Mail begins a message. The address is as the client gave it, mostly in <>;
	// from a program on the MTA's own machine it has none, and may be empty.
	// xxfi_envfrom.
	Mail func(s *Session, from string, args []string) error
	// Rcpt is one recipient, and Reject, Tempfail or a smtp.Reply refuses that
	// one alone. Accept and Discard are for the whole message, whose other
	// recipients are then not heard of. xxfi_envrcpt.
	Rcpt func(s *Session, to string, args []string) error
	// Data comes before the message (since version 4). xxfi_data.
	Data func(s *Session) error
	// Header is one field: its name and what follows the colon, with the leading
	// space, lines parted by LF. Where the MTA cannot tell, one space is
	// supposed. xxfi_header.
	Header func(s *Session, name, value string) error
	// EOH is the end of the header. xxfi_eoh.
	EOH func(s *Session) error
	// Body is the next piece of the body, whose lines end with CRLF; it holds
	// until the callback returns. Skip is enough of it. xxfi_body.
	Body func(s *Session, piece []byte) error
	// EOM is the end of the message. What the session's methods have asked for
	// since MAIL is done when the message passes. xxfi_eom.
	EOM func(s *Session) error
	// Abort is the end of a message that had neither EOM nor a verdict of this
	// filter's. It does not come after EOM, though MTAs send it, and it takes
	// nothing back. xxfi_abort.
	Abort func(s *Session)
	// Unknown is a command that the MTA does not know (since version 3).
	// xxfi_unknown.
	Unknown func(s *Session, command string) error
	// Macro is one macro, before the command that it belongs to. Session.Macro
	// looks them up; this is for who wants them all.
	Macro func(s *Session, at Command, macro Macro)
	// Quit is the end of a client's connection, in whatever way. xxfi_close.
	Quit func(s *Session)
}

// Serve serves one connection until the MTA leaves. An error is for the log: of
// the connection, of the MTA's grammar, or a panic of a callback's. Where rw can
// set deadlines they are set.
func (f *Filter) Serve(rw io.ReadWriter) error {
	s := &Session{filter: f, wire: newWire(rw)}
	return s.serve()
}

// answer is what the filter wants of an offer: libmilter's mi_negotiate. It asks
// for nothing that is not offered. The session ignores commands that the MTA was
// asked to leave out, and still answers commands that need no answer if the MTA
// insists on one.
func (f *Filter) answer(offer Options) Options {
	o := Options{Version: offer.Version, Actions: f.Actions & offer.Actions &^ ActSetSymList}
	want := f.Protocol&RejectedRcpt | CanSkip | LeadingSpace
	for i := range commands {
		c := &commands[i]
		want |= f.Protocol & c.noReply
		if c.asks != nil && !c.asks(f) {
			want |= c.no
		}
	}
	o.Protocol = want & offer.Protocol
	for stage, names := range f.Macros {
		if len(names) > 0 && offer.Actions&ActSetSymList != 0 {
			o.Actions |= ActSetSymList
			o.Macros[stage] = names
		}
	}
	return o
}
