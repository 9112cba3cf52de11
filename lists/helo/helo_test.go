package helo

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"superlist/smtp"
)

// dns is a name server on loopback, and a resolver that asks it and nobody else.
// It knows mail.example.com, and that six.example.com has an IPv6 address only;
// it fails for broken.example.com and says nothing about slow.example.com.
func dns(t *testing.T) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply := answer(buf[:n]); reply != nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// answer is the server's reply to a question; nil: none.
func answer(query []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Header = dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}
	m.Additionals = nil
	header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}
	switch name := strings.ToLower(q.Name.String()); {
	case name == "slow.example.com.":
		return nil
	case name == "broken.example.com.":
		m.RCode = dnsmessage.RCodeServerFailure
	case name == "mail.example.com." && q.Type == dnsmessage.TypeA:
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 7}}})
	case name == "six.example.com." && q.Type == dnsmessage.TypeAAAA:
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: [16]byte{0x20, 1, 0xd, 0xb8, 15: 7}}})
	case name != "mail.example.com." && name != "six.example.com." && name != "nothing.example.com.":
		m.RCode = dnsmessage.RCodeNameError
	}
	reply, _ := m.Pack()
	return reply
}

func TestCheck(t *testing.T) {
	c := &Checker{Resolver: dns(t), Timeout: 300 * time.Millisecond}
	for name, want := range map[string]int{
		"mail.example.com":     0,
		"MAIL.Example.Com.":    0,
		"six.example.com":      0,
		"nothing.example.com":  550, // it is there, and has no address
		"nosuch.example.com":   550,
		"broken.example.com":   451,
		"slow.example.com":     451,
		"localhost":            504,
		"":                     504,
		"a..b":                 504,
		"-x.example":           504,
		"[192.0.2.7]":          0,
		"[IPv6:2001:db8::7]":   0,
		"[ipv6:2001:db8::7]":   0,
		"[2001:db8::7]":        504,
		"[IPv6:192.0.2.7]":     504,
		"[192.0.2.300]":        504,
		"[IPv6:fe80::1%eth0]":  504,
		"192.0.2.7":            550, // no name, whatever a resolver makes of it
		"mail.example.com?bad": 504,
	} {
		err := c.Check(name)
		var r smtp.Reply
		errors.As(err, &r)
		if r.Code != want || (err != nil) != (want != 0) {
			t.Errorf("%q: %v, want %d", name, err, want)
		}
	}
}

// TestCheckDeadline: a name server that is silent costs the time that was said.
func TestCheckDeadline(t *testing.T) {
	c := &Checker{Resolver: dns(t), Timeout: 50 * time.Millisecond}
	begin := time.Now()
	err := c.Check("slow.example.com")
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	if r := smtp.ReplyTo(err); !r.Temporary() {
		t.Errorf("%v", r)
	}
}
