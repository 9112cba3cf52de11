package author

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"superlist/lists/rewrite"
)

// sign is a message with a signature of a domain over some fields, and the zone that has
// its key.
func sign(t *testing.T, raw, domain, fields string, expires time.Time) (signed string, z zone) {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	var b bytes.Buffer
	err := dkim.Sign(&b, strings.NewReader(raw), &dkim.SignOptions{
		Domain: domain, Selector: "s", Signer: key, HeaderKeys: strings.Split(fields, ":"), Expiration: expires,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		t.Fatal(err)
	}
	public := base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	return b.String(), zone{"s._domainkey." + domain: {"v=DKIM1; k=ed25519; p=" + public}}
}

// TestHolds: what a signature is worth to those who get the message from us.
func TestHolds(t *testing.T) {
	const raw = "From: Alice <alice@author.example>\r\nTo: dev@lists.example.org\r\nSubject: hello\r\n\r\nHello.\r\n"
	now := time.Now()
	same := func(h rewrite.Header) rewrite.Header { return h }
	front := func(field string) func(rewrite.Header) rewrite.Header {
		return func(h rewrite.Header) rewrite.Header { return append(rewrite.Parse([]byte(field+"\r\n")), h...) }
	}
	for _, test := range []struct {
		name     string
		domain   string
		fields   string
		expires  time.Time
		strict   bool
		change   func(rewrite.Header) rewrite.Header
		body     bool
		spoil    string
		want     bool
		unsigned bool
	}{
		{name: "untouched", want: true},
		{name: "no signature", unsigned: true},
		{name: "another body", body: true},
		{name: "List-Id in front", change: front("List-Id: <x>"), want: true},
		{name: "List-Id in front, which may not be there", fields: "From:List-Id", change: front("List-Id: <x>")},
		{name: "a second Received", fields: "From:Received", change: front("Received: x"), want: false},
		{name: "Subject", change: func(h rewrite.Header) rewrite.Header {
			return append(rewrite.Parse([]byte("Subject: [dev] hello\r\n")), h[:len(h)-1]...)
		}, fields: "From:Subject"},
		{name: "Subject that is not signed", change: func(h rewrite.Header) rewrite.Header {
			return append(rewrite.Parse([]byte("Subject: [dev] hello\r\n")), h[:len(h)-1]...)
		}, fields: "From:To", want: true},
		{name: "oversigned From", fields: "From:From", want: true},
		{name: "oversigned Reply-To that comes", fields: "From:Reply-To", change: front("Reply-To: x@y")},
		{name: "a subdomain", domain: "mail.author.example", want: true},
		{name: "a subdomain, strict", domain: "mail.author.example", strict: true},
		{name: "the domain, strict", strict: true, want: true},
		{name: "somebody else's", domain: "other.example"},
		{name: "expired", expires: now.Add(-time.Hour)},
		{name: "soon expired", expires: now.Add(time.Hour)},
		{name: "good for a week", expires: now.Add(7 * 24 * time.Hour), want: true},
		{name: "broken before us", spoil: "Hullo."},
	} {
		if test.domain == "" {
			test.domain = "author.example"
		}
		if test.fields == "" {
			test.fields = "From:To:Subject"
		}
		if test.change == nil {
			test.change = same
		}
		text, z := sign(t, raw, test.domain, test.fields, test.expires)
		if test.unsigned {
			text = raw
		}
		if test.spoil != "" {
			text = strings.Replace(text, "Hello.", test.spoil, 1)
		}
		content := io.NewSectionReader(strings.NewReader(text), 0, int64(len(text)))
		header, _, err := rewrite.ReadHeader(io.NewSectionReader(content, 0, content.Size()))
		if err != nil {
			t.Fatal(err)
		}
		h := rewrite.Parse(header)
		s := NewSurvey(z, Message{Header: h, Content: content, Arrived: now})
		if got := s.Holds("author.example", test.strict, test.change(h), !test.body); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
		// A verifier that sees what comes out is of the same opinion, where we say yes.
		if test.want {
			_, body, _ := strings.Cut(text, "\r\n\r\n")
			after := string(test.change(h).Bytes("")) + "\r\n" + body
			found, err := dkim.VerifyWithOptions(strings.NewReader(after), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) { return z.TXT(t.Context(), name) }})
			if err != nil || len(found) != 1 || found[0].Err != nil {
				t.Errorf("%s: a verifier does not take it", test.name)
			}
		}
	}
}
