package milter

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
)

// bad returns the error for a packet whose data violate the protocol.
func bad(code byte, what string) error {
	return fmt.Errorf("%w: %s: %s", ErrPacket, Command(code), what)
}

// cut splits off the first string, up to its NUL.
func cut(data []byte) (s string, rest []byte, ok bool) {
	i := bytes.IndexByte(data, 0)
	if i < 0 {
		return "", nil, false
	}
	return string(data[:i]), data[i+1:], true
}

// stringsOf splits data into strings, at most most of them, each ended by a NUL.
func stringsOf(data []byte, most int) ([]string, bool) {
	n := bytes.Count(data, []byte{0})
	if n > most || len(data) > 0 && data[len(data)-1] != 0 {
		return nil, false
	}
	list := make([]string, 0, n)
	for len(data) > 0 {
		s, rest, _ := cut(data)
		list, data = append(list, s), rest
	}
	return list, true
}

// terminated joins strings, each ended by a NUL. A string is cut at a NUL within it,
// which would split it.
func terminated(list ...string) []byte {
	var b []byte
	for _, s := range list {
		s, _, _ = strings.Cut(s, "\x00")
		b = append(append(b, s...), 0)
	}
	return b
}

// A Connection is the client of the MTA.
type Connection struct {
	Host   string // its name; Postfix: [192.0.2.7] if it has none
	Family byte   // '4', '6', 'L' for a unix socket, 'U' for unknown: SMFIA_*
	Port   uint16 // 0 if there is none
	Addr   string // as received: an address without brackets, or the path of a socket
}

// AddrPort returns the client's address; it is invalid if there is none.
func (c Connection) AddrPort() netip.AddrPort {
	if c.Family != familyIPv4 && c.Family != familyIPv6 {
		return netip.AddrPort{}
	}
	addr := c.Addr
	if len(addr) > 5 && strings.EqualFold(addr[:5], "ipv6:") { // sendmail's
		addr = addr[5:]
	}
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip.WithZone("").Unmap(), c.Port)
}

// decodeConnection decodes SMFIC_CONNECT.
func decodeConnection(data []byte) (Connection, error) {
	host, rest, ok := cut(data)
	if !ok || len(rest) == 0 {
		return Connection{}, bad('C', "a name and a family are missing")
	}
	c := Connection{Host: host, Family: rest[0]}
	rest = rest[1:]
	switch c.Family {
	case familyUnknown:
		if len(rest) > 0 {
			return Connection{}, bad('C', "an address without a family")
		}
		return c, nil
	case familyUnix, familyIPv4, familyIPv6:
	default:
		return Connection{}, bad('C', fmt.Sprintf("family %q", c.Family))
	}
	if len(rest) < 3 {
		return Connection{}, bad('C', "port and address are missing")
	}
	c.Port = binary.BigEndian.Uint16(rest)
	if c.Addr, rest, ok = cut(rest[2:]); !ok || len(rest) > 0 {
		return Connection{}, bad('C', "the address has no end, or more than one")
	}
	return c, nil
}

func (c Connection) encode() []byte {
	b := append(terminated(c.Host), c.Family)
	if c.Family == familyUnknown {
		return b
	}
	b = binary.BigEndian.AppendUint16(b, c.Port)
	return append(b, terminated(c.Addr)...)
}

// decodeArgs decodes the strings of SMFIC_MAIL and SMFIC_RCPT: an address, which may be
// empty, and parameters.
func decodeArgs(cmd Command, data []byte) (addr string, args []string, err error) {
	list, ok := stringsOf(data, MaxArgs)
	if !ok || len(list) == 0 {
		return "", nil, bad(byte(cmd), fmt.Sprintf("it is not one to %d strings", MaxArgs))
	}
	return list[0], list[1:], nil
}

// decodeOne decodes data that consist of one string.
func decodeOne(cmd Command, data []byte) (string, error) {
	s, rest, ok := cut(data)
	if !ok || len(rest) > 0 {
		return "", bad(byte(cmd), "it is not one string")
	}
	return s, nil
}

// decodeHeader decodes SMFIC_HEADER: name and value.
func decodeHeader(data []byte) (name, value string, err error) {
	list, ok := stringsOf(data, 2)
	if !ok || len(list) != 2 || list[0] == "" {
		return "", "", bad('L', "it is not a name and a value")
	}
	return list[0], list[1], nil
}

// A Macro is one of the MTA's variables, such as i, the queue id, or {auth_authen}, the
// user who has logged in.
type Macro struct {
	Name  string // as received: with braces if it has more than one letter
	Value string
}

// decodeMacros decodes SMFIC_MACRO: the command that the macros belong to, names and
// values.
func decodeMacros(data []byte) (Command, []Macro, error) {
	if len(data) == 0 {
		return 0, nil, bad('D', "it has no command")
	}
	list, ok := stringsOf(data[1:], 2*MaxMacros)
	if !ok || len(list)%2 != 0 {
		return 0, nil, bad('D', fmt.Sprintf("it is not names and values, or more than %d", MaxMacros))
	}
	macros := make([]Macro, 0, len(list)/2)
	for i := 0; i < len(list); i += 2 {
		macros = append(macros, Macro{list[i], list[i+1]})
	}
	return Command(data[0]), macros, nil
}

func encodeMacros(cmd Command, macros []Macro) []byte {
	b := []byte{byte(cmd)}
	for _, m := range macros {
		b = append(b, terminated(m.Name, m.Value)...)
	}
	return b
}
