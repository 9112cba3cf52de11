package smtp

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

// proxy2 is a header of version 2.
func proxy2(command, family byte, body string) string {
	size := binary.BigEndian.AppendUint16(nil, uint16(len(body)))
	return proxySignature + string([]byte{command, family}) + string(size) + body
}

const (
	four = "\xc0\x00\x02\x07\xc6\x33\x64\x01\x10\x92\x00\x19" // 192.0.2.7:4242 to 198.51.100.1:25
	tlvs = "\x04\x00\x03abc\x03\x00\x04\x01\x02\x03\x04"
)

var (
	six = string(netip.MustParseAddr("2001:db8::7").AsSlice()) + string(netip.MustParseAddr("2001:db8::1").AsSlice()) + "\x10\x92\x00\x19"

	proxyHeaders = []struct{ in, src, dst string }{ // src empty: the connection's own; "no": no header; "cut"
		{"PROXY TCP4 192.0.2.7 198.51.100.1 4242 25\r\n", "192.0.2.7:4242", "198.51.100.1:25"},
		{"PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n", "255.255.255.255:65535", "0.0.0.0:0"},
		{"PROXY TCP6 2001:db8::7 2001:db8::1 4242 25\r\n", "[2001:db8::7]:4242", "[2001:db8::1]:25"},
		{"PROXY TCP6 ::ffff:192.0.2.7 ::1 4242 25\r\n", "192.0.2.7:4242", "[::1]:25"},
		{"PROXY UNKNOWN\r\n", "", ""},
		{"PROXY UNKNOWN " + strings.Repeat("x", MaxProxyLine-len("PROXY UNKNOWN \r\n")) + "\r\n", "", ""},
		{"PROXY UNKNOWN " + strings.Repeat("x", MaxProxyLine-len("PROXY UNKNOWN \r\n")+1) + "\r\n", "no", ""},
		{"PROXY\r\n", "no", ""},
		{"PROXY \r\n", "no", ""},
		{"PROXY UNKNOWNS\r\n", "no", ""},
		{"PROXY TCP4\r\n", "no", ""},
		{"PROXY TCP4 192.0.2.7 198.51.100.1 4242\r\n", "no", ""},
		{"PROXY TCP4 192.0.2.7 198.51.100.1 4242 25 1\r\n", "no", ""},
		{"PROXY TCP4 192.0.2.7 198.51.100.1 4242 +25\r\n", "no", ""},
		{"PROXY TCP4 192.0.2.7 198.51.100.1 4242 \r\n", "no", ""},
		{"PROXY TCP4 192.0.2.07 198.51.100.1 4242 25\r\n", "no", ""},
		{"PROXY TCP4 [192.0.2.7] 198.51.100.1 4242 25\r\n", "no", ""},
		{"PROXY TCP6 192.0.2.7 198.51.100.1 4242 25\r\n", "no", ""},
		{"PROXY TCP4 192.0.2.7 2001:db8::1 4242 25\r\n", "no", ""},
		{"PROXY\tTCP4 192.0.2.7 198.51.100.1 4242 25\r\n", "no", ""},
		{"PROXZ", "no", ""},
		{"E", "no", ""},
		{"\n", "no", ""},
		{"", "cut", ""},
		{"PROXY TCP4 192.0.2.7 198.51.100.1 4242 25\r", "cut", ""},

		{proxy2(0x21, 0x11, four), "192.0.2.7:4242", "198.51.100.1:25"},
		{proxy2(0x21, 0x11, four+tlvs), "192.0.2.7:4242", "198.51.100.1:25"},
		{proxy2(0x21, 0x21, six+tlvs), "[2001:db8::7]:4242", "[2001:db8::1]:25"},
		{proxy2(0x21, 0x00, ""), "", ""},
		{proxy2(0x20, 0x00, ""), "", ""},
		{proxy2(0x20, 0x11, four), "", ""},
		{proxy2(0x20, 0x00, strings.Repeat("x", MaxProxyBody)), "", ""},
		{proxy2(0x20, 0x00, strings.Repeat("x", MaxProxyBody+1)), "no", ""},
		{proxy2(0x21, 0x11, four[:11]), "no", ""},
		{proxy2(0x21, 0x21, six[:35]), "no", ""},
		{proxy2(0x21, 0x12, four), "no", ""},
		{proxy2(0x21, 0x31, strings.Repeat("x", 216)), "no", ""},
		{proxy2(0x22, 0x11, four), "no", ""},
		{proxy2(0x11, 0x11, four), "no", ""},
		{"\r\n\r\n\x00\r\nQUIT\r", "no", ""},
		{proxy2(0x21, 0x11, four)[:20], "cut", ""},
	}
)

// TestReadProxy: a header is read to its end and not a byte further.
func TestReadProxy(t *testing.T) {
	const rest = "EHLO x\r\n"
	for _, test := range proxyHeaders {
		after := rest
		if test.src == "cut" {
			after = ""
		}
		br := bufio.NewReader(iotest.OneByteReader(strings.NewReader(test.in + after)))
		src, dst, err := readProxy(br)
		switch {
		case test.src == "no" && !errors.Is(err, errProxy),
			test.src == "cut" && err != io.EOF && err != io.ErrUnexpectedEOF,
			test.src != "no" && test.src != "cut" && err != nil:
			t.Errorf("%q: %v", test.in, err)
		}
		if err != nil {
			continue
		}
		if got := addrString(src) + " " + addrString(dst); got != test.src+" "+test.dst {
			t.Errorf("%q: %s", test.in, got)
		}
		if next, _ := io.ReadAll(br); string(next) != rest {
			t.Errorf("%q: then comes %q", test.in, next)
		}
	}
}

func addrString(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// FuzzProxy: a header means the same however it arrives; what it gives is an
// address without a zone; what comes after it is still there; and no more is
// read than a header can have.
func FuzzProxy(f *testing.F) {
	for _, test := range proxyHeaders {
		f.Add([]byte(test.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		br := bufio.NewReaderSize(bytes.NewReader(in), 1<<16)
		src, dst, err := readProxy(br)
		rest, _ := io.ReadAll(br)
		br1 := bufio.NewReader(iotest.OneByteReader(bytes.NewReader(in)))
		src1, dst1, err1 := readProxy(br1)
		rest1, _ := io.ReadAll(br1)
		if src != src1 || dst != dst1 || (err == nil) != (err1 == nil) || !bytes.Equal(rest, rest1) {
			t.Errorf("%q: in one piece %v %v %v, byte by byte %v %v %v", in, src, dst, err, src1, dst1, err1)
		}
		if read := len(in) - len(rest); read > max(MaxProxyLine+1, len(proxySignature)+4+MaxProxyBody) {
			t.Errorf("%d bytes were read", read)
		}
		if err != nil && (src.IsValid() || dst.IsValid()) || src.IsValid() != dst.IsValid() {
			t.Errorf("%q: %v %v %v", in, src, dst, err)
		}
		for _, a := range []netip.AddrPort{src, dst} {
			if a.Addr().Zone() != "" || a.Addr().Is4In6() {
				t.Errorf("%q: %v", in, a)
			}
		}
	})
}

// TestProxyTimeout: the header has its own time, of which no byte buys much.
func TestProxyTimeout(t *testing.T) {
	clock := newClock()
	rw := &slow{clock: clock, in: "PROXY TCP4 192.0.2.7 198.51.100.1 4242 25\r\nQUIT\r\n", each: ProxyTimeout / 40}
	s := &Session{Hostname: "h", Backend: new(memory), ProxyProtocol: true, Trusted: func(p Peer) bool { return p.Name == "unix" }, Peer: Peer{Name: "unix"}}
	err := s.serve(clock.wire(rw))
	if !strings.HasPrefix(rw.out.String(), "421 4.4.2 ") || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%q, %v", rw.out.String(), err)
	}
	rw = &slow{clock: clock, in: "PROXY TCP4 192.0.2.7 198.51.100.1 4242 25\r\nQUIT\r\n", each: ProxyTimeout / 60}
	s = &Session{Hostname: "h", Backend: new(memory), ProxyProtocol: true, Trusted: s.Trusted, Peer: Peer{Name: "unix"}}
	if err := s.serve(clock.wire(rw)); err != nil || codes(rw.out.String()) != "220 221" {
		t.Errorf("%q, %v", rw.out.String(), err)
	}
}
