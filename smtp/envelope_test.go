package smtp

import (
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestPeer(t *testing.T) {
	for _, test := range []struct {
		p               Peer
		string, literal string
	}{
		{Peer{Name: "stdin"}, "stdin", "stdin"},
		{Peer{Addr: netip.MustParseAddrPort("192.0.2.7:4711")}, "[192.0.2.7]:4711", "[192.0.2.7]"},
		{Peer{Addr: netip.MustParseAddrPort("192.0.2.7:0")}, "[192.0.2.7]", "[192.0.2.7]"},
		{Peer{Addr: netip.MustParseAddrPort("[::ffff:192.0.2.7]:25")}, "[192.0.2.7]:25", "[192.0.2.7]"},
		{Peer{Addr: netip.MustParseAddrPort("[2001:db8::7]:25")}, "[2001:db8::7]:25", "[IPv6:2001:db8::7]"},
		{Peer{Addr: netip.MustParseAddrPort("[fe80::1%eth0]:25")}, "[fe80::1%eth0]:25", "[IPv6:fe80::1]"},
	} {
		if got := test.p.String(); got != test.string {
			t.Errorf("String %s, want %s", got, test.string)
		}
		if got := test.p.literal(); got != test.literal {
			t.Errorf("literal %s, want %s", got, test.literal)
		}
	}
}

func TestReceived(t *testing.T) {
	at := time.Date(2026, 11, 1, 9, 5, 7, 0, time.FixedZone("", -90*60))
	env := &Envelope{
		Peer: Peer{Addr: netip.MustParseAddrPort("192.0.2.7:4711")}, Helo: "mail.example.com", Proto: ESMTP,
		From: Path{"a", "example.com"}, To: []Rcpt{{Path: Path{"dev", "lists.example.org"}}},
	}
	want := "Received: from mail.example.com ([192.0.2.7])\r\n\tby lists.example.org (superlist) with ESMTP id 1.M2P3R4.mx\r\n" +
		"\tfor <dev@lists.example.org>; Sun, 1 Nov 2026 10:35:07 +0000\r\n"
	if got := string(env.Received("lists.example.org", "1.M2P3R4.mx", at)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// Nobody learns of the others.
	env.To = append(env.To, Rcpt{Path: Path{"secret", "lists.example.org"}})
	want = "Received: from mail.example.com ([192.0.2.7])\r\n\tby lists.example.org (superlist) with LMTP id x; Sun, 1 Nov 2026 10:35:07 +0000\r\n"
	env.Proto = LMTP
	if got := string(env.Received("lists.example.org", "x", at)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestReceivedProtocol: RFC 3848.
func TestReceivedProtocol(t *testing.T) {
	tls := TLS{Version: "TLSv1.3", Cipher: "TLS_AES_128_GCM_SHA256"}
	for want, env := range map[string]Envelope{
		"with ESMTP id x;": {Proto: ESMTP},
		"with ESMTPS id x\r\n\t(TLSv1.3 TLS_AES_128_GCM_SHA256);": {Proto: ESMTP, TLS: tls},
		"with ESMTPA id x;": {Proto: ESMTP, Login: "alice"},
		"with LMTPSA id x\r\n\t(TLSv1.3 TLS_AES_128_GCM_SHA256);": {Proto: LMTP, TLS: tls, Login: "alice"},
		"with SMTP id x\r\n\t(TLSv1.3 TLS_AES_128_GCM_SHA256);":   {Proto: SMTP, TLS: tls, Login: "alice"},
	} {
		if got := string(env.Received("mx", "x", time.Time{})); !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}

// TestReceivedIsAHeader makes Received of the longest and worst that a client
// can say: its lines stay below the limit, and a mail reader understands it.
func TestReceivedIsAHeader(t *testing.T) {
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	long, _, ok := ParsePath(`<"` + strings.Repeat(`\"`, (MaxPath-6)/2) + `; "@x>`)
	if !ok {
		t.Fatal("the longest path is refused")
	}
	for _, helo := range []string{"a", strings.Repeat("h", MaxDomain), "a\r\nBcc: x", "(((", "ä\x00", `a;b"\`} {
		name, ok := HeloName(strings.ReplaceAll(helo, " ", "_"))
		if !ok {
			t.Fatal(helo)
		}
		env := &Envelope{Peer: Peer{Name: "stdin"}, Helo: name, Proto: SMTP, To: rcpts([]Path{long})}
		got := string(env.Received(strings.Repeat("d", MaxDomain), "id", at))
		for line := range strings.Lines(got) {
			if len(line) > 1000 || !strings.HasSuffix(line, "\r\n") {
				t.Errorf("a line of %d bytes: %q", len(line), line)
			}
		}
		m, err := mail.ReadMessage(strings.NewReader(got + "\r\n"))
		if err != nil || len(m.Header) != 1 {
			t.Errorf("%q is read as %v, %v", got, m, err)
			continue
		}
		field := m.Header.Get("Received")
		if _, err := mail.ParseDate(strings.TrimSpace(field[strings.LastIndex(field, ";")+1:])); err != nil {
			t.Errorf("%q: %v", field, err)
		}
	}
}

func TestEventString(t *testing.T) {
	peer := Peer{Addr: netip.MustParseAddrPort("192.0.2.7:4711")}
	for _, test := range []struct {
		e    Event
		want string
	}{
		{Event{What: "connect", Peer: peer}, `connect client=[192.0.2.7]:4711`},
		{Event{What: "accepted", ID: "1", Peer: peer, Helo: "h", Proto: ESMTP, InMail: true, To: Path{"dev", "x"}, Size: 12, Reply: Reply{250, "2.0.0", "queued"}},
			`accepted id=1 client=[192.0.2.7]:4711 helo=h proto=ESMTP from=<> to=<dev@x> size=12 reply="250 2.0.0 queued"`},
		{Event{What: "refused", Text: "RCPT", Peer: peer, To: Path{"dev", "x"}, Reply: Reply{550, "5.1.1", "no"}, Err: fmt.Errorf("x: %w", Reply{550, "5.1.1", "no"})},
			`refused client=[192.0.2.7]:4711 to=<dev@x> at=RCPT reply="550 5.1.1 no"`},
		{Event{What: "refused", Text: "DATA", Peer: peer, Reply: ReplyLocal, Err: errors.New("open\n/x: no")},
			`refused client=[192.0.2.7]:4711 at=DATA reply="` + ReplyLocal.String() + `" error="open?/x: no"`},
		{Event{What: "disconnect", Text: "messages=1 errors=0", Peer: Peer{Name: "stdin"}}, `disconnect client=stdin messages=1 errors=0`},
	} {
		if got := test.e.String(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

func TestEventFault(t *testing.T) {
	for name, test := range map[string]struct {
		e    Event
		want bool
	}{
		"accepted":    {Event{What: "accepted"}, false},
		"refusal":     {Event{What: "refused", Err: fmt.Errorf("x: %w", Reply{550, "", ""})}, false},
		"protocol":    {Event{What: "refused"}, false},
		"temporary":   {Event{What: "refused", Err: Reply{452, "4.3.1", "full"}}, false},
		"why":         {Event{What: "refused", Err: fmt.Errorf("12 blocks left: %w", Reply{452, "4.3.1", "full"})}, true},
		"disk":        {Event{What: "refused", Err: errors.New("disk")}, true},
		"lost":        {Event{What: "disconnect", Err: errors.New("connection lost")}, false},
		"panic":       {Event{What: "disconnect", Err: fmt.Errorf("%w: x", errPanic)}, true},
		"in one line": {Event{What: "disconnect"}, false},
	} {
		if got := test.e.Fault(); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
