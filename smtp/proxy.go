package smtp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
)

// The PROXY protocol of HAProxy, versions 1 and 2: a proxy in front describes the
// connection before its first byte. If the protocol is configured the header is
// mandatory, since nothing else distinguishes a proxy's header from one that a client
// makes up.

// errProxy wraps what is wrong with a header.
var errProxy = errors.New("no PROXY header")

// proxySignature begins version 2. No command of any protocol begins like it.
const proxySignature = "\r\n\r\n\x00\r\nQUIT\n"

// proxied takes the client from the header in front of the session. An error
// ends it.
func (s *Session) proxied() error {
	s.last = "PROXY"
	if !s.trusted() {
		r := Reply{421, "4.7.0", "this port accepts connections from its proxy only; closing"}
		s.log(Event{What: "refused", Text: s.last, Reply: r})
		s.bye(r)
		return nil
	}
	s.wire.request(ProxyTimeout)
	src, dst, err := readProxy(s.wire.br)
	if errors.Is(err, errProxy) {
		s.bye(Reply{421, "4.3.0", "the proxy did not say who you are; please try again later"})
	}
	if err != nil {
		return err
	}
	if src.IsValid() {
		s.Peer = Peer{Addr: src, Dest: dst}
		s.log(Event{What: "proxied"})
	}
	s.last = ""
	return nil
}

// readProxy reads one header of either version, and nothing after it. The addresses are
// invalid if the proxy speaks for itself or does not know them; those of the connection
// then apply.
func readProxy(br *bufio.Reader) (src, dst netip.AddrPort, err error) {
	first, err := br.Peek(1)
	if err != nil {
		return src, dst, err
	}
	if first[0] == proxySignature[0] {
		return readProxy2(br)
	}
	return readProxy1(br)
}

// readProxy1 reads the line of version 1.
func readProxy1(br *bufio.Reader) (src, dst netip.AddrPort, err error) {
	var line []byte
	for !bytes.HasSuffix(line, crlf) {
		c, err := br.ReadByte()
		if err != nil {
			return src, dst, cut(err)
		}
		// If the input does not begin like a header, do not wait for its end.
		if line = append(line, c); len(line) <= len("PROXY ") && !strings.HasPrefix("PROXY ", string(line)) || len(line) > MaxProxyLine {
			return src, dst, fmt.Errorf("%w but %q", errProxy, line)
		}
	}
	words := strings.Split(string(line[:len(line)-len(crlf)]), " ")
	if len(words) >= 2 && words[1] == "UNKNOWN" {
		return src, dst, nil
	}
	ok := len(words) == 6 && (words[1] == "TCP4" || words[1] == "TCP6")
	if ok {
		var ok2 bool
		src, ok = proxyAddr(words[1], words[2], words[4])
		dst, ok2 = proxyAddr(words[1], words[3], words[5])
		ok = ok && ok2
	}
	if !ok {
		return netip.AddrPort{}, netip.AddrPort{}, fmt.Errorf("%w but %q", errProxy, line)
	}
	return src, dst, nil
}

func proxyAddr(family, addr, port string) (netip.AddrPort, bool) {
	a, err := netip.ParseAddr(addr)
	p, ok := parsePort(port)
	return netip.AddrPortFrom(a.Unmap(), p), err == nil && ok && a.Zone() == "" && a.Is4() == (family == "TCP4")
}

// readProxy2 reads the bytes of version 2. It skips the type-length-value fields after
// the addresses.
func readProxy2(br *bufio.Reader) (src, dst netip.AddrPort, err error) {
	var head [len(proxySignature) + 4]byte
	for i := range head {
		if head[i], err = br.ReadByte(); err != nil {
			return src, dst, cut(err)
		}
		if i < len(proxySignature) && head[i] != proxySignature[i] {
			return src, dst, fmt.Errorf("%w but %q", errProxy, head[:i+1])
		}
	}
	command, family, size := head[12], head[13], int(binary.BigEndian.Uint16(head[14:]))
	if command != 0x20 && command != 0x21 || size > MaxProxyBody {
		return src, dst, fmt.Errorf("%w that is known: command %#x, %d bytes", errProxy, command, size)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(br, body); err != nil {
		return src, dst, cut(err)
	}
	width := 0 // of an address
	switch family {
	case 0x00: // unspecified
	case 0x11: // TCP over IPv4
		width = 4
	case 0x21: // TCP over IPv6
		width = 16
	default:
		if command == 0x21 {
			return src, dst, fmt.Errorf("%w that is known: family %#x", errProxy, family)
		}
	}
	switch {
	case command == 0x20 || width == 0: // LOCAL: the proxy checks our health
		return src, dst, nil
	case size < 2*width+4:
		return src, dst, fmt.Errorf("%w that is whole: %d bytes", errProxy, size)
	}
	ports := body[2*width:]
	end := func(addr, port []byte) netip.AddrPort {
		a, _ := netip.AddrFromSlice(addr)
		return netip.AddrPortFrom(a.Unmap(), binary.BigEndian.Uint16(port))
	}
	return end(body[:width], ports), end(body[width:2*width], ports[2:]), nil
}

// cut returns err for a header that ends in the middle.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
