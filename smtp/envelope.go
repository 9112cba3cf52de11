package smtp

import (
	"net/netip"
	"strings"
	"time"
)

// Protocols, as Received names them: RFC 5321, 4.4 and RFC 3848.
const (
	SMTP  = "SMTP"
	ESMTP = "ESMTP"
	LMTP  = "LMTP"
)

// BinaryMIME is the BODY of a message whose body need not consist of lines: RFC 3030,
// 3.
const BinaryMIME = "BINARYMIME"

// A TLS describes the TLS of a session.
type TLS struct {
	Version string // "TLSv1.3"; empty: no TLS
	Cipher  string // "TLS_AES_128_GCM_SHA256"
	Client  string // the subject of the client's certificate, if it was requested and verified
	Doubt   string // why the client's certificate does not count
}

// On reports whether the session is inside TLS.
func (t TLS) On() bool { return t.Version != "" }

// String returns "TLSv1.3/TLS_AES_128_GCM_SHA256", or nothing outside TLS.
func (t TLS) String() string {
	if !t.On() {
		return ""
	}
	return t.Version + "/" + t.Cipher
}

// with returns the protocol as Received names it: RFC 3848, ESMTPSA, and RFC 6531, 4.3,
// UTF8SMTPSA. After HELO it is just SMTP.
func (e *Envelope) with() string {
	s := e.Proto
	if e.UTF8 {
		s = "UTF8" + strings.TrimPrefix(s, "E")
	}
	if s == SMTP {
		return s
	}
	if e.TLS.On() {
		s += "S"
	}
	if e.Login != "" {
		s += "A"
	}
	return s
}

// An Envelope is a mail transaction as far as it has come.
type Envelope struct {
	Peer  Peer
	Helo  string // the name in HELO, EHLO or LHLO
	Proto string // SMTP, ESMTP or LMTP
	TLS   TLS    // zero outside TLS
	Login string // the user that AUTH or XCLIENT LOGIN names; empty: nobody
	From  Path
	Size  int64  // as MAIL announced it, 0 if it did not; never to be trusted: RFC 1870, 5
	Body  string // BODY of MAIL: "", "7BIT", "8BITMIME" or BinaryMIME
	UTF8  bool   // SMTPUTF8: addresses and header may have characters beyond ASCII (RFC 6531)
	Ret   string // how much of the message a report should include: "", "FULL" or "HDRS" (RFC 3461, 4.3)
	EnvID string // the sender's name for the transaction, in xtext as received; see EnvelopeID
	To    []Rcpt // the recipients accepted so far
	// RequireTLS is REQUIRETLS: the message must go on by verified TLS, or not at all
	// (RFC 8689).
	RequireTLS bool
	Line       string // the command that the backend is asked about, as received: MAIL, then each RCPT

	Forwarded *Forwarded // what XFORWARD said; nil: nothing
}

// Params takes the relevant parameters with which another server accepted MAIL: SIZE,
// BODY, SMTPUTF8 and REQUIRETLS. It ignores the others.
func (e *Envelope) Params(params []string) {
	for _, p := range params {
		key, value, _ := strings.Cut(p, "=")
		switch {
		case strings.EqualFold(key, "SIZE"):
			if n, ok := parseSize(value); ok {
				e.Size = n
			}
		case strings.EqualFold(p, "SMTPUTF8"):
			e.UTF8 = true
		case strings.EqualFold(p, "REQUIRETLS"):
			e.RequireTLS = true
		case strings.EqualFold(key, "BODY"):
			if value = upper(value); value == "7BIT" || value == "8BITMIME" {
				e.Body = value
			}
		}
	}
}

// A Rcpt is a recipient with what RCPT said about it.
type Rcpt struct {
	Path
	Notify Notify
	ORcpt  string // the original recipient, "rfc822;dev@example.org", in xtext as received
}

// Line returns the recipient as RCPT names it: <dev@example.org> NOTIFY=NEVER.
func (r Rcpt) Line() string {
	s := r.Path.String()
	if r.Notify != 0 {
		s += " NOTIFY=" + r.Notify.String()
	}
	if r.ORcpt != "" {
		s += " ORCPT=" + r.ORcpt
	}
	return s
}

// ParseRcpt parses what Line returns.
func ParseRcpt(line string) (Rcpt, bool) {
	path, rest, ok := ParsePath(line)
	params, ok2 := parseParams(rest)
	r := Rcpt{Path: path}
	for _, p := range params {
		_, known := r.dsn(p)
		ok = ok && known
	}
	return r, ok && ok2
}

// Origin returns where the mail comes from: what XFORWARD said, or the client of the
// session.
func (e *Envelope) Origin() Peer {
	if e.Forwarded != nil {
		return e.Forwarded.Peer
	}
	return e.Peer
}

// Client describes the sending host in one line, for the log. The line begins with the
// Origin: see OriginAddr.
func (e *Envelope) Client() string {
	peer, helo, proto := e.Peer, e.Helo, e.Proto
	s := ""
	if e.Login != "" {
		s = " login=" + Word(e.Login)
	}
	if f := e.Forwarded; f != nil {
		peer, helo, proto = f.Peer, f.Helo, f.Proto
		s += " via=" + e.Peer.String()
		if f.Ident != "" {
			s += " ident=" + f.Ident
		}
		if f.Local {
			s += " source=LOCAL"
		}
	}
	return peer.String() + " helo=" + helo + " proto=" + proto + s
}

// OriginAddr returns the address of the Origin from a line made by Client, or from
// "[192.0.2.7]:4711" alone; it is invalid if there is no address. Neither the host name
// before it nor the HELO name after it is taken for an address, whatever they look
// like.
func OriginAddr(client string) netip.Addr {
	peer, _, _ := strings.Cut(client, " ")
	_, host, _ := strings.Cut(peer, "[")
	host, _, _ = strings.Cut(host, "]")
	addr, _ := netip.ParseAddr(host)
	return addr
}

// Received returns the trace header for this transaction: RFC 5321, 4.4. It names a
// recipient only if there is exactly one, since all of them see the header, and an id
// only if id is not empty. The time is in UTC: to learn the local zone a session would
// have to read a file.
func (e *Envelope) Received(hostname, id string, at time.Time) []byte {
	line := make([]byte, 0, 1<<9) // at once: this is in every session
	add := func(words ...string) {
		for _, w := range words {
			line = append(line, w...)
		}
	}
	add("Received: from ", e.Helo, " (", e.Peer.literal(), ")\r\n\tby ", hostname, " (superlist) with ", e.with())
	if id != "" {
		add(" id ", id)
	}
	if e.TLS.On() {
		add("\r\n\t(", e.TLS.Version, " ", e.TLS.Cipher, ")")
		if e.TLS.Client != "" {
			add("\r\n\t(client certificate ", comment(e.TLS.Client), ")")
		}
	}
	if len(e.To) == 1 {
		add("\r\n\tfor ", e.To[0].Path.String())
	}
	add("; ", at.UTC().Format("Mon, 2 Jan 2006 15:04:05 -0700"), "\r\n")
	return line
}
