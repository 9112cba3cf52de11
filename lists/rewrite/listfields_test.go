package rewrite

import (
	"mime"
	"net/mail"
	"strings"
	"testing"
	"time"
	"unicode"
)

var example = List{
	ID: "dev.lists.example.org", Description: "People who build things",
	Post: "dev@lists.example.org", Help: "dev+help@lists.example.org",
	Subscribe: "dev+subscribe@lists.example.org", Unsubscribe: "dev+unsubscribe@lists.example.org",
	Owner: "dev+owner@lists.example.org", Sender: "dev@lists.example.org",
}

const ownFields = "Delivered-To: dev@lists.example.org\r\n" +
	"List-Id: \"People who build things\"\r\n <dev.lists.example.org>\r\n" +
	"List-Post: <mailto:dev@lists.example.org>\r\n" +
	"List-Help: <mailto:dev+help@lists.example.org>\r\n" +
	"List-Subscribe: <mailto:dev+subscribe@lists.example.org>\r\n" +
	"List-Unsubscribe: <mailto:dev+unsubscribe@lists.example.org>\r\n" +
	"List-Owner: <mailto:dev+owner@lists.example.org>\r\n" +
	"Precedence: list\r\n" +
	"Sender: dev@lists.example.org\r\n"

// TestApply: the list's own fields in front, then all others byte by byte and
// in their order, then the empty line.
func TestApply(t *testing.T) {
	odd := "Received: from a\r\n\tby b   ; \r\n" +
		"DKIM-Signature: v=1; h=From : To;\r\n  b=abc\r\n =\r\n" +
		"from:   Alice   <alice@example.com>  \r\n" +
		"Subject: =?utf-8?q?=C3=A4?=\r\n" +
		"Delivered-To: somebody@example.com\r\n" +
		"no colon at all\r\n" +
		"X-Latin: \xe4\xf6\xfc\r\n" +
		"X-Empty:\r\n" +
		"List-Something: stays\r\n" +
		"List-Archive: <https://all.example.com/>\r\n" +
		"Reply-To : bob@example.net\r\n"
	theirs := "Sender: other@example.com\r\nLIST-ID: <other.example.com>\r\n" +
		"List-Post: <mailto:o@example.com>\r\nList-Help: x\r\nList-Subscribe: x\r\nList-Unsubscribe: x\r\n" +
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Owner: x\r\n" +
		"precedence : bulk\r\n"
	for _, raw := range []string{odd, theirs + odd, odd + theirs} {
		if got, want := string(example.Apply(Parse([]byte(raw)))), ownFields+odd+"\r\n"; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	got := Parse(example.Apply(Parse([]byte(odd + theirs))))
	if twice := got.Double(); twice != "" {
		t.Errorf("two %s", twice)
	}
	for _, name := range []string{"List-Id", "List-Post", "List-Help", "List-Subscribe", "List-Unsubscribe", "List-Owner", "Precedence", "Sender"} {
		if n := len(got.All(name)); n != 1 {
			t.Errorf("%d %s", n, name)
		}
	}
	// Applied again, as when one list is a member of another, it is the same
	// but for the mark of having been here.
	again := string(example.Apply(got))
	if want := strings.Replace(ownFields, "\r\n", "\r\nDelivered-To: dev@lists.example.org\r\n", 1); len(again) != len(want+odd)+2 {
		t.Errorf("applied twice:\n%s", again)
	}
}

// TestSigned: what a signature covers, there or not, is neither written nor taken
// away, but for what is private.
func TestSigned(t *testing.T) {
	for _, test := range []struct{ header, precedence, sender string }{
		{"", "list", "dev@lists.example.org"},
		{"Sender: sec@author.example\r\nPrecedence: bulk\r\n", "list", "dev@lists.example.org"},
		{"DKIM-Signature: v=1; h=from:to; b=sender\r\nSender: sec@author.example\r\n", "list", "dev@lists.example.org"},
		{"DKIM-Signature: v=1; h=from:sender\r\nSender: sec@author.example\r\n", "list", "sec@author.example"},
		{"DKIM-Signature: v=1; h=from:sender; b=x\r\n", "list", ""},
		{"dkim-signature: v=1; d=a.example;\r\n\th = From :\r\n SENDER : Precedence;\r\n b=x\r\n", "", ""},
		{"DKIM-Signature: h=to\r\nDKIM-Signature: h=precedence\r\nPrecedence: bulk\r\n", "bulk", "dev@lists.example.org"},
		{"ARC-Message-Signature: i=1; h=from:sender\r\n", "list", ""},
		{"X-Signature: h=sender\r\n", "list", "dev@lists.example.org"},
		{"DKIM-Signature: h=x-sender:senders; bh=sender\r\n", "list", "dev@lists.example.org"},
	} {
		h := Parse(example.Apply(Parse([]byte("From: a@author.example\r\n" + test.header))))
		if h.Get("Delivered-To") != "dev@lists.example.org" {
			t.Errorf("%q: no mark against loops", test.header)
		}
		if h.Get("Precedence") != test.precedence || h.Get("Sender") != test.sender || len(h.All("Sender")) > 1 || len(h.All("Precedence")) > 1 {
			t.Errorf("%q: %q %q, want %q %q", test.header, h.Get("Precedence"), h.Get("Sender"), test.precedence, test.sender)
		}
	}
}

// TestSignedMark: the mark against loops has another name where that one is signed.
func TestSignedMark(t *testing.T) {
	h := Parse(example.Apply(Parse([]byte("DKIM-Signature: h=from:delivered-to\r\nDelivered-To: a@example.com\r\n"))))
	if h.Get("X-Loop") != "dev@lists.example.org" || h.Get("Delivered-To") != "a@example.com" || len(h.All("Delivered-To")) != 1 {
		t.Errorf("%q", h.Bytes(""))
	}
}

// TestPublic: receipts, passwords and hidden recipients go to nobody, in any
// spelling, signed or not; what only looks like them stays.
func TestPublic(t *testing.T) {
	stays := "From: a@author.example\r\nDelivered-To: x@example.com\r\nX-Loop: y\r\nOriginal-Message-ID: z\r\nX-Receipt: 12\r\nTo:\r\n b@example.com\r\n"
	goes := ""
	for _, name := range []string{"Disposition-Notification-To", "disposition-notification-options", "Return-Receipt-To", "X-Return-Receipt-To", "Read-Receipt-To", "X-Confirm-Reading-To",
		"Generate-Delivery-Report", "X-PMRQC", "Approved", "Approve", "X-Approved", "X-Approve", "URGENT", "Return-Path", "Bcc", "Resent-Bcc", "X-Envelope-To", "Envelope-To",
		"X-Original-To", "X-Rcpt-To", "Apparently-To", "X-Delivered-To", "Bcc ",
		"Errors-To", "X-Errors-To", "X-Chameleon-Return-To", "Register-Mail-Reply-Requested-By"} {
		goes += name + ": secret\r\n secret\r\n"
	}
	signature := "DKIM-Signature: h=bcc:approved:from\r\n"
	for _, raw := range []string{goes + stays + signature, stays + goes + signature, signature + stays + goes} {
		got := string(example.Apply(Parse([]byte(raw))))
		if strings.Contains(got, "secret") || !strings.Contains(got, stays) || !strings.Contains(got, signature) {
			t.Errorf("%s", got)
		}
	}
}

// TestComplete: what says nothing is given, once, and what is there stays, broken or
// not.
func TestComplete(t *testing.T) {
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.FixedZone("", 3600))
	for _, test := range []struct{ header, want string }{
		{"A: b\r\n", "Message-ID: <1.x@h>\r\nDate: Sat, 21 Nov 2026 09:00:00 +0000\r\nA: b\r\n"},
		{"message-id: <a@b@c>\r\nDate: soon\r\n", "message-id: <a@b@c>\r\nDate: soon\r\n"},
		{"Message-Id : without brackets\r\ndate:Sat\r\nA: b\r\n", "Message-Id : without brackets\r\ndate:Sat\r\nA: b\r\n"},
		{"Message-ID:\r\n  \r\nA: b\r\nDate: \r\n", "Message-ID: <1.x@h>\r\nDate: Sat, 21 Nov 2026 09:00:00 +0000\r\nA: b\r\n"},
		{"Message-ID: < >\r\nDate: x\r\n", "Message-ID: <1.x@h>\r\nDate: x\r\n"},
		{"Resent-Message-ID: <a@b>\r\nResent-Date: x\r\nDate: y\r\n", "Message-ID: <1.x@h>\r\nResent-Message-ID: <a@b>\r\nResent-Date: x\r\nDate: y\r\n"},
	} {
		h := Parse([]byte(test.header))
		if got := string(h.Complete("1.x@h", at).Bytes("")); got != test.want || string(h.Bytes("")) != test.header {
			t.Errorf("%q: %q, want %q", test.header, got, test.want)
		}
	}
}

func TestApplyClosed(t *testing.T) {
	l := example
	l.Closed, l.Description = true, ""
	h := Parse(l.Apply(nil))
	if h.Get("List-Post") != "NO (posting not allowed)" || h.Get("List-Id") != "<dev.lists.example.org>" {
		t.Errorf("%q %q", h.Get("List-Post"), h.Get("List-Id"))
	}
}

// TestDescription: any description comes out as a phrase that says the same,
// in lines that are not too long, and makes no field of its own.
func TestDescription(t *testing.T) {
	var words []string
	for range 100 {
		words = append(words, "word")
	}
	for _, description := range []string{
		"plain", "two words", `He said "no"`, `back\slash`, `"`, `\`, `\"`, "a, b; c: d <e@f> (g) [h]",
		"Käse", `Käse "und" Brot`, "Ünï <x@y>, (z)", "日本語のメーリングリスト", "=?utf-8?q?x?=", "ä =?utf-8?q?x?=",
		strings.Join(words, " "),               // 499 characters
		strings.Repeat("x", 500),               // without a place to fold
		strings.Repeat("ä", 500),               // encoded
		strings.Repeat("long word and ü ", 31), // encoded, with spaces
		strings.Repeat("x", 80) + " " + strings.Repeat("y", 80),
	} {
		l := example
		l.Description = description
		out := string(l.Apply(nil))
		for line := range strings.SplitSeq(out, "\r\n") {
			if len(line) > 998 || len(line) > 100 && !strings.Contains(description, strings.Repeat("x", 500)) {
				t.Errorf("%q: a line of %d", description, len(line))
			}
			if line != "" && strings.TrimSpace(line) == "" {
				t.Errorf("%q: a line of spaces alone", description)
			}
			if i := strings.IndexFunc(line, func(c rune) bool { return c > unicode.MaxASCII || c < ' ' }); i >= 0 {
				t.Errorf("%q: %q", description, line)
			}
		}
		h := Parse([]byte(out))
		if len(h) != 9 {
			t.Errorf("%q: %d fields", description, len(h))
		}
		// A List-Id reads like a mailbox; its identifier needs an @ to be one.
		value := strings.Replace(h.Get("List-Id"), "<dev.", "<dev@", 1)
		a, err := mail.ParseAddress(value)
		if err != nil || a.Address != "dev@lists.example.org" {
			t.Errorf("%q: %q: %v", description, value, err)
			continue
		}
		want := strings.TrimSpace(description)
		if description == "=?utf-8?q?x?=" { // net/mail decodes inside quotes too
			continue
		}
		if a.Name != want {
			t.Errorf("%q comes out as %q", description, a.Name)
		}
	}
}

// A phrase has no specials in its encoded words: RFC 2047, 5 (3).
func TestPhraseEncodedWords(t *testing.T) {
	for _, s := range []string{`ä "b" (c) <d>, e; f: g@h [i] \j`, "Käse & Brot", "ü's"} {
		p := Phrase(s)
		for word := range strings.FieldsSeq(p) {
			text, ok := strings.CutPrefix(word, "=?utf-8?")
			text, end := strings.CutSuffix(text, "?=")
			if !ok || !end || strings.ContainsAny(text[2:], phraseSpecials) || len(word) > 75 {
				t.Errorf("%q: %q", s, word)
			}
		}
		if got, err := new(mime.WordDecoder).DecodeHeader(strings.ReplaceAll(p, "\r\n", "")); err != nil || got != s {
			t.Errorf("%q comes back as %q, %v", s, got, err)
		}
	}
}

// TestNoInjection: whatever the configuration holds, no field comes out that is
// not one of ours.
func TestNoInjection(t *testing.T) {
	for _, evil := range []string{"a\r\nBcc: x@example.com", "a\nBcc: x@example.com", "a\rBcc: x@example.com", "a\r\n\r\nbody", "\x00\x1b[2J", "ä\r\nBcc: x@example.com",
		"a  \r\n  b " + strings.Repeat("y", 90), "\r\n", " \t "} {
		l := List{ID: "dev.lists.example.org", Description: evil, Post: evil, Help: evil, Subscribe: evil, Unsubscribe: evil, Owner: evil, Sender: evil}
		out := l.Apply(nil)
		h := Parse(out)
		if len(h) != 9 || len(h.All("Bcc")) > 0 {
			t.Errorf("%q:\n%s", evil, out)
		}
		if i := strings.IndexFunc(strings.ReplaceAll(string(out), "\r\n", ""), unicode.IsControl); i >= 0 {
			t.Errorf("%q: a control character:\n%q", evil, out)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(string(out), "\r\n\r\n"), "\r\n") {
			if strings.TrimSpace(line) == "" {
				t.Errorf("%q: an empty line:\n%q", evil, out)
			}
		}
	}
}
