package smtp_test

import (
	"io"
	"slices"
	"strings"
	"testing"

	"superlist/smtp"
	"superlist/smtp/smtptest"
)

// A part is what somebody must ask a Client for, so that it says what the client
// of a recording for our server says.
type part struct {
	recording string
	client    string // lmtp or helo: how it introduces itself
	offers    string // keywords, since the recording leaves them open
	mails     []mail
}

// A mail is a transaction, as the recordings of testdata/client have it: see
// TestClientSessions.
type mail struct{ from, to, message, outcome string }

const (
	queued    = "250 2.0.0 queued as *"
	aliceSays = "From: alice@example.com\n\n"
	dev       = "<dev@lists.example.org>"
	open      = "<open@lists.example.org>"
	owner     = "<dev+owner@lists.example.org>"
	alice     = "<alice@example.com>"
)

var parts = []part{
	{"post", "", "", []mail{
		{alice, dev, "From: Alice <alice@example.com>\nSubject: hello\n\nA line.\n.dots\n", queued},
	}},
	{"two-lists", "", "", []mail{
		{alice, dev + "\n" + open + "\n<nolist@lists.example.org>\n<Dev@lists.example.org>", aliceSays + "To both.\n", queued + "\n452 4.5.3 *\n550 5.1.1 *\n" + queued},
		{alice, open, aliceSays + "To both.\n", queued},
	}},
	{"two-lists-one-refuses", "", "PIPELINING", []mail{
		{alice, open + "\n" + dev, "From: mallory@example.com\n\nTo both.\n", queued + "\n452 4.5.3 *"},
		{alice, dev, "From: mallory@example.com\n\nTo both.\n", "550 5.7.1 only members*"},
	}},
	{"lmtp-one-refused", "lmtp", "", []mail{
		{alice, dev + "\n" + open, "From: mallory@example.com\n\nTo whom it may concern.\n", "550 5.7.1 only members*\n" + queued},
	}},
	{"lmtp-reply-for-each", "lmtp", "", []mail{
		{alice, dev + "\n" + open + "\n<nolist@lists.example.org>", aliceSays + "To two.\n", queued + "\n" + queued + "\n550 5.1.1 *"},
	}},
	{"lmtp-all-refused", "lmtp", "", []mail{
		{alice, dev + "\n" + owner, "Delivered-To: dev@lists.example.org\nDelivered-To: dev+owner@lists.example.org\n" + aliceSays + "Again.\n", "554 5.4.6 *\n554 5.4.6 *"},
	}},
	{"lmtp-same-recipient-twice", "lmtp", "", []mail{{alice, dev + "\n" + dev, aliceSays + "Once.\n", queued + "\n" + queued}}},
	{"lmtp-null-sender", "lmtp", "", []mail{
		{"<>", dev + "\n" + owner, "From: mailer-daemon@example.com\n\nReport.\n", "550 5.7.1 a list takes no delivery reports*\n" + queued},
	}},
	{"sender-null", "helo", "", []mail{
		{"<>", dev + "\n<nolist@lists.example.org>", "From: mailer-daemon@example.com\n\n", "550 5.7.1 a list takes no delivery reports*\n550 5.1.1 *"},
	}},
	{"rcpt-owner-from-anyone", "helo", "", []mail{
		{"<mallory@example.com>", owner, "Subject: no From is needed\n\nHi.\n", queued},
		{"<>", "<dev+Owner@lists.example.org>", "From: mailer-daemon@example.com\n\nA report.\n", queued},
	}},
	{"data-dots", "", "", []mail{{alice, dev, aliceSays + ".\n..\n.hidden\na..b\n.\n .\n", queued}}},
	{"data-empty", "", "", []mail{
		{alice, owner, "", queued},
		{alice, dev, "", "550 5.6.0 *"},
	}},
	{"data-eight-bit", "", "", []mail{{alice, dev, "From: alice@example.com\nSubject: grüße\n\n日本\n", queued}}},
	{"data-long-lines", "", "", []mail{
		{alice, open, aliceSays + strings.Repeat("a", 998) + "\n" + strings.Repeat("b", 999) + "\n" + strings.Repeat("c", 100_000) + "\n", "550 5.6.0 line 4 *"},
	}},
	{"policy-members", "helo", "", []mail{{"<carol@example.com>", dev, "From: carol@example.com\n\nHi.\n", "550 5.7.1 only members may post to dev@lists.example.org, and carol@example.com is not a member*"}}},
	{"rcpt-unknown-list", "helo", "", []mail{
		{alice, "<nolist@lists.example.org>\n<dev@example.net>\n<nolist+owner@lists.example.org>", "", "550 5.1.1 *\n550 5.1.1 *\n550 5.1.1 *"},
	}},
	{"dsn-lmtp", "lmtp", "PIPELINING SIZE 8BITMIME DSN", []mail{
		{alice + " size=100 body=8BITMIME ret=FULL envid=4XYZ", dev + " NOTIFY=SUCCESS ORCPT=rfc822;dev@lists.example.org", aliceSays, "250 2.0.0 *"},
	}},
	{"utf8-post", "", "8BITMIME SMTPUTF8", []mail{
		{"<jürg@bücher.example> body=8BITMIME utf8", "<dev@Bücher.example>", "From: Jürg <jürg@xn--bcher-kva.example>\nSubject: grüezi\n\nÄ line.\n", queued},
	}},
	{"utf8-lmtp", "lmtp", "SMTPUTF8", []mail{
		{"<jürg@bücher.example> utf8", "<dev@xn--bcher-kva.example>\n" + dev, "From: jürg@bücher.example\n\n", "250 2.0.0 *\n550 5.7.1 *"},
	}},
}

// TestRoles plays recordings of our server with the roles swapped: the recording
// is the server, and a Client has to say what their client says.
func TestRoles(t *testing.T) {
	scripts, err := smtptest.ReadAll("../testdata/*.session")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		t.Run(p.recording, func(t *testing.T) {
			i := slices.IndexFunc(scripts, func(s *smtptest.Script) bool { return strings.TrimSuffix(s.Name, ".session") == p.recording })
			if i < 0 {
				t.Fatal("there is no such recording")
			}
			script := scripts[i]
			if p.offers != "" {
				script.Replace("250-*", "250-*\r\n250-"+strings.ReplaceAll(p.offers, " ", "\r\n250-"))
			}
			conn := script.Plays('S')
			c := &smtp.Client{Hostname: "client.example"}
			if p.client != "" {
				configure(t, c, p.client)
			}
			if err := c.Start(conn); err != nil {
				t.Fatal(err)
			}
			for _, m := range p.mails {
				tx := new(smtp.Transaction)
				transaction(t, tx, "from", m.from)
				transaction(t, tx, "to", m.to)
				transaction(t, tx, "message", m.message)
				checkOutcome(t, m.outcome, c.Send(tx))
			}
			c.Quit()
			io.Copy(io.Discard, conn) // the answer to QUIT, for which no client need wait
			if err := conn.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
