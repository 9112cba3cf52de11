package milter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Change is one change to a message. Its Kind decides which fields count.
type Change struct {
	Kind  Kind
	Addr  string    // a recipient or sender, with or without <>
	Args  string    // ESMTP parameters
	Index uint32    // of a header field; see Session.ChangeHeader and Session.InsertHeader
	Name  string    // of a header field
	Value string    // what follows the colon, with its leading space, lines separated by LF; for Quarantine the reason
	Body  io.Reader // the new body; a Client passes it on piece by piece
}

// Errors of the methods that request a change.
var (
	// ErrNotOffered refuses a change that the MTA does not offer, or that the filter
	// did not list in its Actions.
	ErrNotOffered = errors.New("milter: the MTA does not offer this change")
	// ErrNoMessage refuses a change before MAIL or after EOM.
	ErrNoMessage = errors.New("milter: there is no message to change")
	// ErrText refuses a text with a forbidden NUL, CR or line break, or one too long
	// for a packet.
	ErrText = errors.New("milter: a text that cannot stand in a header or an address")
)

// change keeps a change until the end of the message.
func (s *Session) change(c Change) error {
	switch {
	case !s.state.inMessage():
		return ErrNoMessage
	case s.options.Actions&c.Kind.action() == 0:
		return ErrNotOffered
	}
	if err := c.check(); err != nil {
		return err
	}
	if len(c.encode(true)) > MaxSend {
		return ErrText
	}
	s.changes = append(s.changes, c)
	return nil
}

// check refuses anything that the other side would take for structure.
func (c Change) check() error {
	if strings.ContainsAny(c.Addr+c.Args, "\x00\r\n") {
		return ErrText
	}
	switch c.Kind {
	case AddHeader, InsertHeader, ChangeHeader:
		for _, b := range []byte(c.Name) {
			if b <= ' ' || b > '~' || b == ':' {
				return ErrText
			}
		}
		if c.Name == "" {
			return ErrText
		}
	}
	return checkValue(c.Value)
}

// checkValue allows a line break only before a folded line: any other line would begin
// a new field.
func checkValue(value string) error {
	if strings.ContainsAny(value, "\x00\r") {
		return ErrText
	}
	for i := range len(value) {
		if value[i] == '\n' && (i+1 == len(value) || value[i+1] != ' ' && value[i+1] != '\t') {
			return ErrText
		}
	}
	return nil
}

// folded encodes a header value: lines separated by LF.
func folded(value string) string { return strings.ReplaceAll(value, "\r\n", "\n") }

// AddHeader adds a field at the end of the header. The value is what follows the colon;
// it gets a leading space if it has none.
func (s *Session) AddHeader(name, value string) error {
	return s.change(Change{Kind: AddHeader, Name: name, Value: folded(value)})
}

// InsertHeader inserts a field below the first index fields, counting the MTA's own
// Received: 0 is the top.
func (s *Session) InsertHeader(index uint32, name, value string) error {
	return s.change(Change{Kind: InsertHeader, Index: index, Name: name, Value: folded(value)})
}

// ChangeHeader changes the index-th field of that name, counted from 1; an empty value
// removes it. Beyond the last one, an empty value does nothing and any other is added.
// Remove several from the last to the first: Postfix renumbers them after each change,
// and sendmail does not.
func (s *Session) ChangeHeader(index uint32, name, value string) error {
	return s.change(Change{Kind: ChangeHeader, Index: index, Name: name, Value: folded(value)})
}

// AddRcpt adds a recipient. args are ESMTP parameters, such as NOTIFY=NEVER; they need
// ActAddRcptPar.
func (s *Session) AddRcpt(addr string, args ...string) error {
	if len(args) > 0 {
		return s.change(Change{Kind: AddRcptPar, Addr: addr, Args: strings.Join(args, " ")})
	}
	return s.change(Change{Kind: AddRcpt, Addr: addr})
}

// DelRcpt removes a recipient. The address must be exactly what Rcpt got: Postfix
// compares bytes.
func (s *Session) DelRcpt(addr string) error { return s.change(Change{Kind: DelRcpt, Addr: addr}) }

// ChangeFrom changes the sender of the message.
func (s *Session) ChangeFrom(addr string, args ...string) error {
	return s.change(Change{Kind: ChangeFrom, Addr: addr, Args: strings.Join(args, " ")})
}

// ReplaceBody replaces the body of the message with CRLF lines. body is read after EOM
// has returned.
func (s *Session) ReplaceBody(body io.Reader) error {
	return s.change(Change{Kind: ReplaceBody, Body: body})
}

// Quarantine holds the message for all of its recipients. It is not a verdict: the
// message must also be accepted.
func (s *Session) Quarantine(reason string) error {
	return s.change(Change{Kind: Quarantine, Value: reason})
}

// sendChanges sends the requested changes, in order.
func (s *Session) sendChanges() error {
	for _, c := range s.changes {
		if c.Kind == ReplaceBody {
			if err := s.sendBody(c.Body); err != nil {
				return err
			}
			continue
		}
		s.wire.write(byte(c.Kind), c.encode(s.options.Protocol&LeadingSpace != 0))
	}
	return nil
}

// sendBody sends a body in pieces. Postfix requires them to follow each other directly.
// An empty body is one empty piece.
func (s *Session) sendBody(r io.Reader) error {
	piece := make([]byte, MaxSend)
	for first := true; ; first = false {
		n, err := io.ReadFull(r, piece)
		if n > 0 || first {
			s.wire.write(byte(ReplaceBody), piece[:n])
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return nil
		default:
			return err
		}
	}
}

// encode returns a change's data. leading says that header values are sent with their
// leading space; otherwise the MTA adds one.
func (c Change) encode(leading bool) []byte {
	value := c.Value
	switch {
	case c.Kind != AddHeader && c.Kind != InsertHeader && c.Kind != ChangeHeader || value == "":
	case !leading:
		value = strings.TrimPrefix(value, " ")
	case value[0] != ' ' && value[0] != '\t' && value[0] != '\n':
		value = " " + value
	}
	switch c.Kind {
	case AddRcptPar, ChangeFrom:
		if c.Args == "" {
			return terminated(c.Addr)
		}
		return terminated(c.Addr, c.Args)
	case AddRcpt, DelRcpt:
		return terminated(c.Addr)
	case AddHeader:
		return terminated(c.Name, value)
	case InsertHeader, ChangeHeader:
		return append(binary.BigEndian.AppendUint32(nil, c.Index), terminated(c.Name, value)...)
	}
	return terminated(c.Value) // Quarantine
}

// decodeChange decodes a change that a filter requests, and refuses what no header or
// address can contain.
func decodeChange(kind Kind, data []byte, leading bool) (Change, error) {
	c := Change{Kind: kind}
	most, least := 1, 1
	switch kind {
	case ReplaceBody:
		c.Body = bytes.NewReader(data)
		return c, nil
	case AddRcpt, DelRcpt, Quarantine:
	case AddRcptPar, ChangeFrom:
		most = 2
	case AddHeader:
		most, least = 2, 2
	case InsertHeader, ChangeHeader:
		if len(data) < 4 {
			return c, bad(byte(kind), "it has no index")
		}
		c.Index, data = binary.BigEndian.Uint32(data), data[4:]
		most, least = 2, 2
	default:
		return c, fmt.Errorf("%w: unknown change %q", ErrPacket, byte(kind))
	}
	list, ok := stringsOf(data, most)
	if !ok || len(list) < least {
		return c, bad(byte(kind), fmt.Sprintf("it is not %d to %d strings", least, most))
	}
	list = append(list, "")
	switch kind {
	case AddRcpt, DelRcpt:
		c.Addr = list[0]
	case AddRcptPar, ChangeFrom:
		c.Addr, c.Args = list[0], list[1]
	case Quarantine:
		c.Value = list[0]
		return c, nil // a reason, only for the log
	default:
		c.Name, c.Value = list[0], folded(list[1])
		if !leading && c.Value != "" {
			c.Value = " " + c.Value
		}
	}
	if err := c.check(); err != nil {
		return c, bad(byte(kind), err.Error())
	}
	return c, nil
}
