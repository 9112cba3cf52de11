package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"superlist/lists"
	"superlist/lists/intake"
	"superlist/lists/site"
	"superlist/smtp"
)

// maxAction is the longest answer to Postfix. Postfix reads up to line_length_limit,
// 2048 bytes, and a line of a reply may have only 512 (RFC 5321, 4.5.3.1.5), including
// Postfix's own words in front.
const maxAction = 400

// patience is how long a connection may be silent. Postfix closes it after five minutes
// (smtpd_policy_service_max_idle).
const patience = 10 * time.Minute

// dunno leaves the decision to the restrictions that follow: access(5).
const dunno = "DUNNO"

// A desk answers the requests of one connection as a session answers RCPT.
type desk struct {
	site *site.Site
	in   *intake.Intake
	log  func(smtp.Event)
	list string // the action for an address of a list that nothing is said against
}

// newDesk returns a desk. It accepts several lists in one message: Postfix passes the
// mail on by LMTP, where each list answers for itself.
func newDesk(s *site.Site, log func(smtp.Event)) *desk {
	return &desk{site: s, log: log, list: dunno, in: &intake.Intake{Site: s, Spool: s.Spool(), Late: true, Together: true}}
}

// A wire is the connection to Postfix.
type wire interface {
	io.ReadWriter
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// serve answers until Postfix asks no more. An error means that the input was not a
// request.
func (d *desk) serve(conn wire) error {
	br := newReader(conn)
	for {
		conn.SetReadDeadline(time.Now().Add(patience))
		q, err := readRequest(br)
		switch {
		case err == io.EOF, errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return err
		}
		conn.SetWriteDeadline(time.Now().Add(patience))
		if _, err := io.WriteString(conn, d.answer(q).String()); err != nil {
			return err
		}
	}
}

// An answer is the decision about a recipient.
type answer struct {
	action string
	list   string // whose address it is; empty: no list's
}

// String returns the answer in the form of the protocol. Postfix ignores the second
// line, which is for other programs that want to know about lists.
func (a answer) String() string {
	s := "action=" + a.action + "\n"
	if a.list != "" {
		s += "list=" + a.list + "\n"
	}
	return s + "\n"
}

// answer decides about a recipient, in any protocol state. A request without a
// recipient, before RCPT or after a message for several, needs no decision.
func (d *desk) answer(q request) answer {
	env := envelope(q)
	to, err := d.recipient(q["recipient"])
	switch {
	case err != nil:
		return answer{action: d.refuse(q, env, to, err)}
	case to.Domain == "":
		return answer{action: dunno}
	}
	dest, ours, err := d.in.Resolve(to)
	if !ours {
		return answer{action: dunno}
	}
	a := answer{action: d.list}
	if err == nil {
		a.list = dest.List.Addr.Address()
		err = d.take(env, dest)
	}
	if err != nil {
		a.action = d.refuse(q, env, to, err)
	}
	return a
}

// recipient parses an address in Postfix's internal form: without quotes. It returns
// the null path for addresses that are not the lists' business.
func (d *desk) recipient(s string) (smtp.Path, error) {
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return smtp.Path{}, nil
	}
	if p, ok := internal(s[:at], s[at+1:]); ok {
		return p, nil
	}
	return smtp.Path{}, d.in.Unreadable(s, s[at+1:])
}

// internal returns the path of an address whose local part is either unquoted or
// already quoted.
func internal(local, domain string) (smtp.Path, bool) {
	if p, ok := smtp.ParseAddress(local + "@" + domain); ok {
		return p, true
	}
	return smtp.ParseAddress(smtp.Path{Local: local, Domain: domain}.Address())
}

// take asks the list, after the checks that MAIL would have had.
func (d *desk) take(env *smtp.Envelope, dest lists.Destination) error {
	if limit := int64(d.site.MaxMessageSize); limit > 0 && env.Size > limit {
		return smtp.TooLarge(limit)
	}
	if err := d.in.Mail(env); err != nil {
		return err
	}
	return d.in.Take(env, dest)
}

// refuse logs a refusal, and returns it as an action: access(5), "4NN text".
func (d *desk) refuse(q request, env *smtp.Envelope, to smtp.Path, err error) string {
	r := smtp.ReplyTo(err)
	d.log(smtp.Event{
		What: "refused", Text: q["protocol_state"], Peer: env.Peer, Helo: env.Helo, Proto: env.Proto, TLS: env.TLS, Login: env.Login,
		From: env.From, InMail: true, To: to, Ident: word(q["queue_id"]), Err: err, Reply: r,
	})
	return shorten(r.String())
}

// shorten cuts a line to maxAction, between two characters.
func shorten(s string) string {
	if len(s) <= maxAction {
		return s
	}
	s = s[:maxAction]
	for !utf8.ValidString(s) && len(s) > 0 {
		s = s[:len(s)-1]
	}
	return s
}

// envelope returns the transaction that Postfix asks about.
func envelope(q request) *smtp.Envelope {
	env := &smtp.Envelope{
		Peer: peer(q), Helo: word(q["helo_name"]), Proto: word(q["protocol_name"]), Login: q["sasl_username"],
		TLS: smtp.TLS{Version: word(q["encryption_protocol"]), Cipher: word(q["encryption_cipher"])},
	}
	if s := q["sender"]; s != "" {
		at := strings.LastIndexByte(s, '@')
		env.From, _ = internal(s[:max(at, 0)], s[at+1:])
	}
	env.UTF8 = !env.From.IsASCII()
	if n, err := strconv.ParseInt(q["size"], 10, 64); err == nil && n > 0 {
		env.Size = n
	}
	return env
}

// peer returns Postfix's client.
func peer(q request) smtp.Peer {
	named := func(name string) string {
		if name == "unknown" {
			return ""
		}
		return word(name)
	}
	p := smtp.Peer{Name: "unknown", Host: named(q["client_name"]), Reverse: named(q["reverse_client_name"])}
	if ip, err := netip.ParseAddr(q["client_address"]); err == nil {
		port, _ := strconv.ParseUint(q["client_port"], 10, 16)
		p.Addr = netip.AddrPortFrom(ip.WithZone("").Unmap(), uint16(port))
	}
	return p
}

// word makes a value fit for the log.
func word(s string) string {
	name, _ := smtp.HeloName(s)
	return name
}

// checkAction returns an error if Postfix could not use an action.
func checkAction(s string) error {
	if s == "" || len(s) > maxAction || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Errorf("-list %q is not an action: see access(5)", s)
	}
	return nil
}
