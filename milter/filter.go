package milter

import (
	"io"
	"time"
)

// A Filter decides about mail in its callbacks, each of which may be nil; the zero
// Filter accepts everything. The MTA is asked to leave out whatever has no callback, so
// a Filter costs only what it uses.
//
// A callback's error is the answer: nil means continue, a Verdict says what is to
// happen, and smtp.ReplyTo turns any other error into a reply: a smtp.Reply is sent as
// it is, and everything else is 451 without details. A callback may take its time: the
// MTA is told every second that it is still working.
//
// One Filter serves any number of connections at a time. What belongs to one of them is
// in the Session, or in the callbacks' own variables if the program serves only one.
type Filter struct {
	// Actions are the changes that the filter may make. One that the MTA does not offer
	// fails with ErrNotOffered when it is tried.
	Actions Actions
	// Protocol may have RejectedRcpt, to be asked about recipients that the MTA itself
	// refuses, and NoReplyX for stages that the filter promises not to refuse, which
	// saves a round trip each. The promise is enforced, and a breach is logged.
	Protocol Protocol
	// Macros are the macros that the filter wants, by Stage. If it names none, the MTA
	// decides.
	Macros [stages][]string
	// KeepBody makes the body available at EOM, in Session.Body; a large one is kept in
	// a file without a name in TempDir ("": os.TempDir).
	KeepBody bool
	TempDir  string

	IdleTimeout, WriteTimeout time.Duration // 0: the constant of that name
	ProgressEvery             time.Duration // 0: the constant of that name

	// Log gets problems with the connection and with the filter itself. It must not
	// fail.
	Log func(text string)

	// Negotiate gets what the MTA offers. An error refuses to serve it and ends the
	// connection. xxfi_negotiate.
	Negotiate func(s *Session, offer Options) error
	// Connect announces a new client. xxfi_connect.
	Connect func(s *Session, c Connection) error
	// Helo announces its HELO name; it comes again after STARTTLS. xxfi_helo.
	Helo func(s *Session, name string) error
	// Mail begins a message. The address is as the client gave it, usually in <>. From
	// a program on the MTA's own host it has no brackets, and may be empty.
	// xxfi_envfrom.
	Mail func(s *Session, from string, args []string) error
	// Rcpt announces one recipient. Reject, Tempfail or a smtp.Reply refuses that one
	// alone. Accept and Discard apply to the whole message, and its other recipients
	// are then not announced. xxfi_envrcpt.
	Rcpt func(s *Session, to string, args []string) error
	// Data announces the message (since version 4). xxfi_data.
	Data func(s *Session) error
	// Header announces one field: its name and what follows the colon, with the leading
	// space, lines separated by LF. If the MTA does not say, one leading space is
	// assumed. xxfi_header.
	Header func(s *Session, name, value string) error
	// EOH announces the end of the header. xxfi_eoh.
	EOH func(s *Session) error
	// Body gets the next piece of the body, which has CRLF lines. piece is valid until
	// the callback returns. Skip asks for no more of it. xxfi_body.
	Body func(s *Session, piece []byte) error
	// EOM announces the end of the message. The changes requested since MAIL are made
	// if the message is accepted. xxfi_eom.
	EOM func(s *Session) error
	// Abort announces the end of a message that had neither EOM nor a verdict of this
	// filter. It is not called after EOM, though MTAs send it then; it undoes nothing.
	// xxfi_abort.
	Abort func(s *Session)
	// Unknown announces a command that the MTA does not know (since version 3).
	// xxfi_unknown.
	Unknown func(s *Session, command string) error
	// Macro announces one macro, before the command that it belongs to. It is for
	// filters that want all of them; Session.Macro looks one up.
	Macro func(s *Session, at Command, macro Macro)
	// Quit announces the end of a client's connection, however it ended. xxfi_close.
	Quit func(s *Session)
}

// Serve serves one connection until the MTA leaves. The error is for the log: a failed
// connection, a violation of the protocol by the MTA, or a panic in a callback. If rw
// supports deadlines, they are set.
func (f *Filter) Serve(rw io.ReadWriter) error {
	s := &Session{filter: f, wire: newWire(rw)}
	return s.serve()
}

// answer returns the filter's answer to an offer: libmilter's mi_negotiate. It requests
// nothing that is not offered. The session ignores commands that the MTA was asked to
// leave out, and still answers commands that need no answer if the MTA insists on one.
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
