package deliver

import (
	"crypto/ed25519"
	"encoding/base64"
	"io"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"superlist/lists/confirmation"
	"superlist/lists/rewrite"
	"superlist/queue"
)

// mailHeader is the header of a message.
func mailHeader(t testing.TB, message string) mail.Header {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(message))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header
}

// TestGivenOnce: a post without Message-ID and Date gets them once: all members, the
// archive and the digest have the same, in whatever batches they go, also where a
// moderator has sent it on.
func TestGivenOnce(t *testing.T) {
	for name, settings := range map[string][]string{"at once": nil, "moderated": {"moderated=true", "moderators=mona@example.org"}} {
		t.Run(name, func(t *testing.T) {
			w, f, l := digestWorld(t, settings, "a@example.com", "b@example.com", "c@example.com", "d@example.com digest")
			w.message("alice@example.com", "From: alice@example.com\r\nSubject: disk full\r\nMessage-ID: \r\n\r\nx\r\n", dev)
			w.deliver()
			if settings != nil {
				mona := &somebody{w: w, f: f, addr: "mona@example.org"}
				mona.says(addressOf(t, readAll(t, mona.letter("To decide: disk full (dev@lists.example.org)")), confirmation.Publish), "")
			}
			w.later += 25 * time.Hour
			w.deliver()
			var posts []string
			for _, who := range five[:3] {
				_, got := issues(t, f, who)
				posts = append(posts, got...)
			}
			digests, _ := issues(t, f, "d@example.com")
			if len(posts) != 3 || len(digests) != 1 || len(digests[0].posts) != 1 {
				t.Fatalf("%d posts, %d digests", len(posts), len(digests))
			}
			file, _, err := l.Posts().Open(1)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			kept, err := io.ReadAll(file)
			if err != nil {
				t.Fatal(err)
			}
			first := mailHeader(t, posts[0])
			id, date := first.Get("Message-ID"), first.Get("Date")
			if _, err := mail.ParseDate(date); err != nil || !strings.HasPrefix(id, "<") || !strings.HasSuffix(id, "@"+w.site.Hostname+">") {
				t.Errorf("Message-ID %q, Date %q", id, date)
			}
			for _, message := range append(posts, string(kept), digests[0].posts[0]) {
				if h := mailHeader(t, message); len(h["Message-Id"]) != 1 || h.Get("Message-ID") != id || len(h["Date"]) != 1 || h.Get("Date") != date {
					t.Errorf("%q and %q, want %q and %q", h["Message-Id"], h["Date"], id, date)
				}
			}
			if !strings.Contains(w.log.String(), "message-id="+id) {
				t.Errorf("the log does not know %s:\n%s", id, &w.log)
			}
		})
	}
}

// TestPrivateFields: what asks for receipts, and what names hidden recipients, comes
// to no member, no archive, no digest and no owner.
func TestPrivateFields(t *testing.T) {
	w, f, l := digestWorld(t, nil, "a@example.com", "d@example.com digest")
	post := "Return-Path: <secret@example.com>\r\nFrom: alice@example.com\r\nDisposition-Notification-To: secret@example.com\r\nBcc: secret@example.com\r\n" +
		"Approved: secret\r\nX-Original-To: secret@example.com\r\nDKIM-Signature: v=1; h=from:bcc:approved\r\nSubject: x\r\n\r\nx\r\n"
	w.message("alice@example.com", post, dev)
	w.message("alice@example.com", post, "dev+owner@lists.example.org")
	w.deliver()
	w.later += 25 * time.Hour
	w.deliver()
	all := f.Taken()
	if len(all) != 4 { // a, the digest, two owners
		t.Errorf("%d messages", len(all))
	}
	for _, d := range all {
		if strings.Contains(d.Message, "secret") {
			t.Errorf("%s got\n%s", d.To, d.Message)
		}
	}
	file, _, err := l.Posts().Open(1)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if kept, err := io.ReadAll(file); err != nil || strings.Contains(string(kept), "secret") {
		t.Errorf("the archive has\n%s\n%v", kept, err)
	}
}

// TestOwnersWithoutFrom: what comes without a From has one for the owners, or a
// relay would write the keyed return path there.
func TestOwnersWithoutFrom(t *testing.T) {
	for sender, want := range map[string]string{"eve@example.net": "<eve@example.net>", "": "<MAILER-DAEMON@lists.example.org>"} {
		f := &fakeRelay{Extensions: "PIPELINING"}
		w := newWorld(t, f.Start(t), "")
		w.list("dev", five...)
		w.inbound(queue.Head{}, sender, "Subject: x\r\n\r\nx\r\n", "dev+owner@lists.example.org")
		w.deliver()
		w.wantTaken(f, "olga@example.org", "otto@example.org")
		for _, d := range f.Taken() {
			if h := mailHeader(t, d.Message); len(h["From"]) != 1 || h.Get("From") != want || h.Get("Message-ID") == "" || h.Get("Date") == "" {
				t.Errorf("%q: %s got\n%s", sender, d.To, d.Message)
			}
		}
	}
}

// TestSignatureStays: an author's signature that was good is good for the members,
// whatever of the fields that a list writes by habit it covers, there or not; privacy
// comes before it.
func TestSignatureStays(t *testing.T) {
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	record := "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub)
	good := func(message string) bool {
		found, err := dkim.VerifyWithOptions(strings.NewReader(message), &dkim.VerifyOptions{LookupTXT: func(string) ([]string, error) { return []string{record}, nil }})
		return err == nil && len(found) == 1 && found[0].Err == nil
	}
	long := "References:" + strings.Repeat(" <0123456789@example.com>", 100) + "\r\n"
	for name, test := range map[string]struct {
		fields string
		signed []string
		want   bool
	}{
		"nothing of the list's":  {"", nil, true},
		"Sender":                 {"Sender: sec@example.com\r\n", []string{"Sender"}, true},
		"Sender, absent":         {"", []string{"Sender"}, true},
		"Sender and one more":    {"Sender: sec@example.com\r\n", []string{"Sender", "Sender"}, true},
		"Sender, not signed":     {"Sender: sec@example.com\r\n", nil, true},
		"Precedence":             {"Precedence: bulk\r\n", []string{"precedence"}, true},
		"Precedence, absent":     {"", []string{"Precedence"}, true},
		"Delivered-To, absent":   {"", []string{"Delivered-To"}, true},
		"List-Archive of before": {"List-Archive: <https://example.com/>\r\n", []string{"List-Archive"}, true},
		"a line that is folded":  {long, []string{"References"}, true},
		"a receipt":              {"Disposition-Notification-To: alice@example.com\r\n", []string{"Disposition-Notification-To"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeRelay{Extensions: "PIPELINING"}
			w := newWorld(t, f.Start(t), "")
			w.list("dev", "a@example.com")
			post := test.fields + "From: Alice <alice@example.com>\r\nTo: dev@lists.example.org\r\nSubject: x\r\nMessage-ID: <1@example.com>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\nx\r\n"
			var b strings.Builder
			err := dkim.Sign(&b, strings.NewReader(post), &dkim.SignOptions{
				Domain: "example.com", Selector: "s", Signer: key, HeaderCanonicalization: dkim.CanonicalizationRelaxed,
				HeaderKeys: append([]string{"From", "To", "Subject", "Message-ID", "Date"}, test.signed...),
			})
			if err != nil {
				t.Fatal(err)
			}
			if !good(b.String()) {
				t.Fatal("it was bad before")
			}
			w.wantWire("250", "alice@example.com", dev, b.String())
			w.deliver()
			got := f.Taken()
			if len(got) != 1 {
				t.Fatalf("%d messages", len(got))
			}
			if good(got[0].Message) != test.want {
				t.Errorf("good is %t in\n%s", !test.want, got[0].Message)
			}
			for line := range strings.SplitSeq(got[0].Message, "\r\n") {
				if len(line) > rewrite.MaxLine {
					t.Errorf("a line of %d octets", len(line))
				}
			}
		})
	}
}
