// Package stub asks a DNS resolver for text records, for a session: with one socket, a
// deadline and nothing of package net. It believes only an answer to its question from
// the resolver that the site names. It refuses to guess: anything else is an error.
package stub

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tries is how often a query is sent by UDP.
const tries = 2

// maxAnswer is the largest answer accepted: a DNS message over TCP has 64 KiB at most.
const maxAnswer = 64 << 10

// maxTexts is how many records of an answer are read.
const maxTexts = 100

const (
	typeTXT = 16
	classIN = 1
	typeOPT = 41
)

var errAnswer = errors.New("the resolver gave no answer that can be read")

// TXT asks a resolver (ip:port) for the text records of a name, each as one string.
// Having none is not an error.
func TXT(resolver, name string, timeout time.Duration) ([]string, error) {
	to, err := netip.ParseAddrPort(resolver)
	if err != nil {
		return nil, err
	}
	end := time.Now().Add(timeout)
	query, err := question(name)
	if err != nil {
		return nil, err
	}
	for range tries {
		var answer []byte
		answer, err = byUDP(to, query, time.Now().Add(time.Until(end)/tries))
		if err != nil {
			continue
		}
		if answer[2]&0x02 != 0 { // truncated
			if answer, err = byTCP(to, query, end); err != nil {
				return nil, err
			}
		}
		return texts(answer, query)
	}
	return nil, err
}

// question returns a query: RFC 1035, 4.1, with room for a larger answer (RFC 6891).
func question(name string) ([]byte, error) {
	q := make([]byte, 12, 64+len(name))
	if _, err := unix.Getrandom(q[:2], 0); err != nil {
		return nil, err
	}
	q[2], q[5], q[11] = 0x01, 1, 1 // RD; one question, one more record
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if label == "" || len(label) > 63 || len(q) > 250 {
			return nil, fmt.Errorf("%q cannot be asked for", name)
		}
		q = append(append(q, byte(len(label))), label...)
	}
	q = append(q, 0, 0, typeTXT, 0, classIN)
	return append(q, 0, 0, typeOPT, 0x04, 0xd0, 0, 0, 0, 0, 0, 0), nil // 1232 bytes
}

// open connects a socket.
func open(to netip.AddrPort, kind int) (int, error) {
	family := unix.AF_INET6
	var sa unix.Sockaddr = &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
	if ip := to.Addr().Unmap(); ip.Is4() {
		family, sa = unix.AF_INET, &unix.SockaddrInet4{Port: int(to.Port()), Addr: ip.As4()}
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return -1, err
	}
	if err := unix.Connect(fd, sa); err != nil && err != unix.EINPROGRESS {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// wait waits until a socket is ready.
func wait(fd int, what int16, end time.Time) error {
	for {
		left := time.Until(end)
		if left <= 0 {
			return unix.ETIMEDOUT
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: what}}, int(left.Milliseconds())+1)
		if n > 0 {
			return nil
		}
		if err != nil && err != unix.EINTR {
			return err
		}
	}
}

func byUDP(to netip.AddrPort, query []byte, end time.Time) ([]byte, error) {
	fd, err := open(to, unix.SOCK_DGRAM)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, query); err != nil {
		return nil, err
	}
	buf := make([]byte, 4096)
	for {
		if err := wait(fd, unix.POLLIN, end); err != nil {
			return nil, err
		}
		n, err := unix.Read(fd, buf)
		if err != nil && err != unix.EAGAIN && err != unix.EINTR {
			return nil, err
		}
		if err == nil && answers(buf[:n], query) {
			return buf[:n], nil
		}
	}
}

// byTCP asks with the length in front: RFC 1035, 4.2.2.
func byTCP(to netip.AddrPort, query []byte, end time.Time) ([]byte, error) {
	fd, err := open(to, unix.SOCK_STREAM)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	out := append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	for len(out) > 0 {
		if err := wait(fd, unix.POLLOUT, end); err != nil {
			return nil, err
		}
		n, err := unix.Write(fd, out)
		if err != nil && err != unix.EAGAIN && err != unix.EINTR {
			return nil, err
		}
		out = out[max(n, 0):]
	}
	var in []byte
	buf := make([]byte, 4096)
	for len(in) < 2 || len(in) < 2+int(binary.BigEndian.Uint16(in)) {
		if err := wait(fd, unix.POLLIN, end); err != nil {
			return nil, err
		}
		n, err := unix.Read(fd, buf)
		if err != nil && err != unix.EAGAIN && err != unix.EINTR {
			return nil, err
		}
		if n == 0 && err == nil || len(in) > maxAnswer {
			return nil, errAnswer
		}
		in = append(in, buf[:max(n, 0)]...)
	}
	if answer := in[2 : 2+binary.BigEndian.Uint16(in)]; answers(answer, query) {
		return answer, nil
	}
	return nil, errAnswer
}

// answers reports whether a message answers a query: it has the same id and question.
func answers(m, query []byte) bool {
	end := len(query) - 11 // without OPT
	return len(m) >= end && m[0] == query[0] && m[1] == query[1] && m[2]&0x80 != 0 && binary.BigEndian.Uint16(m[4:]) == 1 &&
		strings.EqualFold(string(m[12:end]), string(query[12:end]))
}

// texts parses the records: RFC 1035, 4.1.3. They may follow aliases, which the
// resolver has resolved.
func texts(m, query []byte) (list []string, err error) {
	switch m[3] & 0x0f {
	case 0, 3: // the name may not exist
	default:
		return nil, fmt.Errorf("%w: rcode %d", errAnswer, m[3]&0x0f)
	}
	at := len(query) - 11
	for range binary.BigEndian.Uint16(m[6:]) {
		if at = skipName(m, at); at < 0 || at+10 > len(m) {
			return nil, errAnswer
		}
		kind, size := binary.BigEndian.Uint16(m[at:]), int(binary.BigEndian.Uint16(m[at+8:]))
		at += 10
		if at+size > len(m) {
			return nil, errAnswer
		}
		if kind == typeTXT && len(list) < maxTexts {
			var text strings.Builder
			for data := m[at : at+size]; len(data) > 0; {
				n := int(data[0])
				if 1+n > len(data) {
					return nil, errAnswer
				}
				text.Write(data[1 : 1+n])
				data = data[1+n:]
			}
			list = append(list, text.String())
		}
		at += size
	}
	return list, nil
}

// skipName returns the end of a name; negative if it has none.
func skipName(m []byte, at int) int {
	for at < len(m) {
		n := int(m[at])
		switch {
		case n == 0:
			return at + 1
		case n >= 0xc0:
			return at + 2
		case n > 63:
			return -1
		}
		at += 1 + n
	}
	return -1
}
