package milter

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"superlist/smtp"
)

// A Client asks a filter, as an MTA does: Open, then Connect and Helo, and for each
// message Mail, Rcpt, Data, Header, EOH, Body and EOM, or Abort. It does not send what
// the filter does not want.
//
// Each method returns the filter's answer: nil means continue, a Verdict or a
// smtp.Reply decides. After a decision about the whole message, every method up to the
// next Mail returns it again without asking; after one about the client, every method
// does so from then on. Any other error means that the filter failed. The connection is
// then unusable, and every method returns that error.
type Client struct {
	Version uint32  // to offer; 0: MaxVersion
	Actions Actions // to allow; 0: everything the version has

	// Macro returns the value of a macro, by its name without braces; empty if unknown.
	// If nil, no macros are sent.
	Macro func(name string) string
	// Change gets every change that the filter requests, in order, before its verdict.
	// An error ends the connection. If nil, no changes are allowed.
	Change func(Change) error

	CommandTimeout, ContentTimeout, TotalTimeout time.Duration // 0: the constant of that name

	wire    *wire
	options Options
	changes int     // received for this message
	skip    Command // the filter has had enough of this command, until another comes; 0: none
	message error   // the decision about this message
	client  error   // the decision about the client
	broken  error
}

// protocol returns what to offer in a version, as Postfix does: leaving out the
// commands of that version, and from version 6 on everything.
func protocol(version uint32) (offer Protocol) {
	if version >= 6 {
		return AllProtocol
	}
	for i := range commands {
		if commands[i].since <= version {
			offer |= commands[i].no
		}
	}
	return offer
}

// Open negotiates with the filter on rw. If rw supports deadlines, they are set.
func (c *Client) Open(rw io.ReadWriter) error {
	offer := Options{Version: cmp.Or(c.Version, MaxVersion)}
	if offer.Version < MinVersion || offer.Version > MaxVersion {
		return fmt.Errorf("milter: no version %d", offer.Version)
	}
	offer.Protocol = protocol(offer.Version)
	if c.Change != nil {
		offer.Actions = AllActions
		if offer.Version < 6 {
			offer.Actions = actionsV2
		}
		offer.Actions &= cmp.Or(c.Actions, AllActions)
	} else if offer.Version >= 6 {
		offer.Actions = ActSetSymList
	}
	c.wire = newWire(rw)
	c.wire.writeTimeout = WriteTimeout
	c.wire.readTimeout = cmp.Or(c.CommandTimeout, CommandTimeout)
	c.begin()
	c.wire.write(optNeg, offer.encode())
	code, data, err := c.read()
	if err == nil && code != optNeg {
		err = fmt.Errorf("%w: OPTNEG was answered with %q", ErrPacket, code)
	}
	if err == nil {
		c.options, err = decodeOptions(data)
	}
	o := c.options
	switch {
	case err != nil:
	case o.Version < MinVersion || o.Version > offer.Version:
		err = fmt.Errorf("%w: the filter speaks version %d", ErrPacket, o.Version)
	case o.Protocol&^(offer.Protocol|protocolInternal) != 0:
		// We would not know how to comply.
		err = fmt.Errorf("%w: the filter wants protocol %#x of %#x", ErrPacket, o.Protocol, offer.Protocol)
	}
	// The filter may list changes that are not allowed: they fail when it tries.
	c.options.Actions &= offer.Actions
	return c.fail(err)
}

// Options returns what was agreed on.
func (c *Client) Options() Options { return c.options }

// begin starts the time that the filter has, and forgets the previous message.
func (c *Client) begin() {
	c.wire.end = time.Now().Add(cmp.Or(c.TotalTimeout, TotalTimeout))
	c.changes, c.skip, c.message = 0, 0, nil
}

// fail records why the connection is unusable.
func (c *Client) fail(err error) error {
	c.broken = err
	return err
}

// errGone means that the filter closed the connection.
var errGone = errors.New("milter: the filter has gone")

// read returns the filter's next packet.
func (c *Client) read() (code byte, data []byte, err error) {
	if code, data, err = c.wire.read(); err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errGone
	}
	return code, data, err
}

// Connect describes the client.
func (c *Client) Connect(conn Connection) error { return c.ask(CmdConnect, conn.encode()) }

// Helo passes on the client's HELO name.
func (c *Client) Helo(name string) error { return c.ask(CmdHelo, terminated(name)) }

// Mail begins a message. The address has its brackets.
func (c *Client) Mail(from string, args ...string) error {
	if c.broken == nil {
		c.begin()
	}
	return c.ask(CmdMail, terminated(append([]string{from}, args...)...))
}

// Rcpt asks about one recipient. Reject, Tempfail and a smtp.Reply apply to it alone.
func (c *Client) Rcpt(to string, args ...string) error {
	return c.ask(CmdRcpt, terminated(append([]string{to}, args...)...))
}

// Data announces the message.
func (c *Client) Data() error { return c.ask(CmdData) }

// Header passes on one header field. value is everything after the colon as it is in
// the message, with its leading space, lines separated by CRLF or LF.
func (c *Client) Header(name, value string) error {
	value = folded(value)
	if c.options.Protocol&LeadingSpace == 0 {
		value = strings.TrimPrefix(value, " ")
	}
	return c.ask(CmdHeader, terminated(name, value))
}

// EOH announces the end of the header.
func (c *Client) EOH() error { return c.ask(CmdEOH) }

// Body sends the body, which has CRLF lines. It reads no more of it than the filter
// wants, and returns any error of r.
func (c *Client) Body(r io.Reader) error {
	if c.options.Protocol&NoBody != 0 {
		return c.ask(CmdBody)
	}
	piece := make([]byte, MaxSend)
	for c.skip != CmdBody {
		n, err := io.ReadFull(r, piece)
		if n > 0 {
			if err := c.ask(CmdBody, piece[:n]); err != nil {
				return err
			}
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return nil
		default:
			return err
		}
	}
	return nil
}

// EOM announces the end of the message. Changes that the filter requests go to Change.
func (c *Client) EOM() error { return c.ask(CmdEOM) }

// Unknown passes on a command that the MTA does not know. The answer applies to it
// alone.
func (c *Client) Unknown(command string) error { return c.ask(CmdUnknown, terminated(command)) }

// Abort abandons the message.
func (c *Client) Abort() error {
	if c.broken != nil {
		return c.broken
	}
	c.wire.write(byte(CmdAbort))
	c.changes, c.skip, c.message = 0, 0, nil
	return nil
}

// Quit ends the connection.
func (c *Client) Quit() error {
	if c.broken != nil {
		return c.broken
	}
	c.wire.write(byte(CmdQuit))
	return c.fail(c.wire.flush())
}

// QuitNC ends this client's session; another one begins on the same connection with
// Connect. It needs a filter that speaks version 6. No MTA is known to use it.
func (c *Client) QuitNC() error {
	if c.broken != nil {
		return c.broken
	}
	if c.options.Version < CmdQuitNC.row().since {
		return fmt.Errorf("milter: %s is not in version %d", CmdQuitNC, c.options.Version)
	}
	c.wire.write(byte(CmdQuitNC))
	c.client = nil
	c.begin()
	return nil
}

// ask sends one command and returns the answer.
func (c *Client) ask(cmd Command, data ...[]byte) error {
	switch {
	case c.broken != nil:
		return c.broken
	case c.client != nil:
		return c.client
	case c.message != nil:
		return c.message
	case c.skip == cmd:
		return nil
	}
	c.skip = 0
	c.sendMacros(cmd)
	row := cmd.row()
	if c.options.Protocol&row.no != 0 || c.options.Version < row.since {
		return nil
	}
	c.wire.write(byte(cmd), data...)
	if c.options.Protocol&row.noReply != 0 {
		return nil
	}
	c.wire.readTimeout = cmp.Or(c.CommandTimeout, CommandTimeout)
	if cmd == CmdHeader || cmd == CmdEOH || cmd == CmdBody || cmd == CmdEOM {
		c.wire.readTimeout = cmp.Or(c.ContentTimeout, ContentTimeout)
	}
	decision, err := c.answer(cmd)
	if err != nil {
		return c.fail(fmt.Errorf("%s: %w", cmd, err))
	}
	if decision == Skip {
		// MTAs accept Skip everywhere, agreed on or not, and so filters send it. The
		// message continues, but repeated commands (recipients, header fields, pieces
		// of the body) are no longer sent. Postfix does the same.
		c.skip, decision = cmd, nil
	}
	c.remember(cmd, decision)
	return decision
}

// remember keeps a decision that applies to more than one command.
func (c *Client) remember(cmd Command, decision error) {
	v, is := decision.(Verdict)
	switch {
	case decision == nil, cmd == CmdEOM:
	case cmd == CmdConnect, cmd == CmdHelo:
		c.client = decision
	case is && (v == Accept || v == Discard), cmd != CmdRcpt && cmd != CmdUnknown:
		c.message = decision
	}
}

// answer reads up to a verdict; err is an error of the connection.
func (c *Client) answer(cmd Command) (decision, err error) {
	for {
		code, data, err := c.read()
		if err != nil {
			return nil, err
		}
		switch code {
		case replyCode:
			r, err := decodeReply(data)
			return r, err
		case byte(Continue), byte(Accept), byte(Reject), byte(Tempfail), byte(Discard), byte(Skip), progress, shutdown:
			if len(data) > 0 {
				return nil, fmt.Errorf("%w: %q has data", ErrPacket, code)
			}
		default:
			if err := c.changed(cmd, Kind(code), data); err != nil {
				return nil, err
			}
			continue
		}
		switch v := Verdict(code); {
		case code == progress:
		case code == shutdown:
			return replyShutdown, nil
		case v == Continue:
			return nil, nil
		case v == Discard && (cmd == CmdConnect || cmd == CmdHelo || cmd == CmdUnknown):
			return nil, fmt.Errorf("%w: %v", ErrSequence, v)
		default:
			return v, nil
		}
	}
}

// replyShutdown is the reply for SMFIR_SHUTDOWN.
var replyShutdown = smtp.Reply{Code: 421, Enhanced: "4.7.0", Text: "the mail filter asks to try again later"}

// changed handles one change. Only the reason for a quarantine may come early.
func (c *Client) changed(cmd Command, kind Kind, data []byte) error {
	if kind.action() == 0 {
		return fmt.Errorf("%w: unknown answer %q", ErrPacket, byte(kind))
	}
	if cmd != CmdEOM && kind != Quarantine {
		return fmt.Errorf("%w: change %q", ErrSequence, byte(kind))
	}
	if c.options.Actions&kind.action() == 0 {
		return fmt.Errorf("%w: change %q was not agreed on", ErrSequence, byte(kind))
	}
	if c.changes++; c.changes > MaxChanges {
		return fmt.Errorf("%w: more than %d changes", ErrSequence, MaxChanges)
	}
	change, err := decodeChange(kind, data, c.options.Protocol&LeadingSpace != 0)
	if err != nil {
		return err
	}
	return c.Change(change)
}

// usual lists the macros that go with each stage unless the filter asks for others:
// Postfix's and sendmail's.
var usual = [stages][]string{
	StageConnect: {"j", "{daemon_name}", "{daemon_addr}", "v", "_"},
	StageHelo:    {"{tls_version}", "{cipher}", "{cipher_bits}", "{cert_subject}", "{cert_issuer}"},
	StageMail:    {"i", "{auth_type}", "{auth_authen}", "{auth_author}", "{mail_addr}", "{mail_host}", "{mail_mailer}"},
	StageRcpt:    {"i", "{rcpt_addr}", "{rcpt_host}", "{rcpt_mailer}"},
	StageData:    {"i"},
	StageEOM:     {"i"},
	StageEOH:     {"i"},
}

// sendMacros sends the macros of a stage, even if the command itself is left out.
func (c *Client) sendMacros(cmd Command) {
	stage := cmd.row().stage
	if stage == noStage || c.Macro == nil {
		return
	}
	names := c.options.Macros[stage]
	if len(names) == 0 {
		names = usual[stage]
	}
	var macros []Macro
	for _, name := range names {
		if value := c.Macro(bare(name)); value != "" {
			macros = append(macros, Macro{name, value})
		}
	}
	if len(macros) > 0 {
		c.wire.write(byte(CmdMacro), encodeMacros(cmd, macros))
	}
}
