package copies

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"superlist/lists"
	"superlist/lists/author"
	"superlist/lists/ledger/files"
	"superlist/lists/rewrite"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/smtp"
)

// A zone has text records by name; "!" is a failure.
type zone map[string]string

func (z zone) TXT(_ context.Context, name string) ([]string, error) {
	switch text, there := z[strings.TrimSuffix(name, ".")]; {
	case text == "!":
		return nil, errors.New("SERVFAIL")
	case there:
		return strings.Split(text, "|"), nil
	}
	return nil, nil
}

func (z zone) Exists(_ context.Context, name string) (bool, error) { return true, nil }

var key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// world has authors of several kinds.
var world = zone{
	"_dmarc.reject.example":               "v=DMARC1; p=reject",
	"_dmarc.quarantine.example":           "v=DMARC1; p=quarantine",
	"_dmarc.none.example":                 "v=DMARC1; p=none",
	"_dmarc.strict.example":               "v=DMARC1; p=reject; adkim=s; aspf=s",
	"_dmarc.broken.example":               "!",
	"_dmarc.two.example":                  "v=DMARC1; p=reject|v=DMARC1; p=reject",
	"_dmarc.example.org":                  "v=DMARC1; p=reject",
	"s._domainkey.reject.example":         keyRecord(),
	"s._domainkey.quarantine.example":     keyRecord(),
	"s._domainkey.strict.example":         keyRecord(),
	"s._domainkey.mail.strict.example":    keyRecord(),
	"s._domainkey.broken.example":         keyRecord(),
	"s._domainkey.lists.example.org":      keyRecord(),
	"s._domainkey.testing.reject.example": "v=DKIM1; t=y; k=ed25519; p=" + public(),
}

func public() string {
	return base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
}

func keyRecord() string { return "v=DKIM1; k=ed25519; p=" + public() }

// signed is a message with a signature.
func signed(t *testing.T, raw, domain, fields string) string {
	t.Helper()
	var b bytes.Buffer
	if err := dkim.Sign(&b, strings.NewReader(raw), &dkim.SignOptions{
		Domain: domain, Selector: "s", Signer: key, HeaderKeys: strings.Split(fields, ":"),
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// listOf is a list of these settings.
func listOf(t *testing.T, settings ...string) *lists.List {
	t.Helper()
	dir := t.TempDir()
	file := sitetest.Write(t, dir)
	s, err := site.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	s.Ledger = files.On
	sitetest.Files(t, dir, map[string]string{
		"lists/lists.example.org/dev/list.toml": "owners = [\"owner@example.org\"]\n" + strings.Join(settings, "\n") + "\n",
		"lists/lists.example.org/dev/members":   "alice@reject.example\n",
		"lists/lists.example.org/dev/foot.txt":  "From a file: {list}\n",
	})
	p, _ := smtp.ParseAddress("dev@lists.example.org")
	d, err := lists.Of(s).Resolve(p)
	if err != nil {
		t.Fatal(err)
	}
	return d.List
}

func makeOf(t *testing.T, l *lists.List, raw string, keys author.Resolver) *Copies {
	t.Helper()
	m := Maker{Host: "lists.example.org", List: l, Keys: keys}
	c, err := m.Make(Post{ID: "1.x", Content: io.NewSectionReader(strings.NewReader(raw), 0, int64(len(raw))), Arrived: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sent is what members and the archive get.
func sent(t *testing.T, c *Copies, number int) (members, archive string) {
	t.Helper()
	m, err := c.For(Variant{}, number)
	if err != nil {
		t.Fatal(err)
	}
	a, err := io.ReadAll(m.Reader())
	b, err2 := io.ReadAll(c.ForArchive(0).Reader())
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	return string(a), string(b)
}

func headerOf(t *testing.T, raw string) rewrite.Header {
	t.Helper()
	h, _, err := rewrite.ReadHeader(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return rewrite.Parse(h)
}

const post = "From: Alice <alice@reject.example>\r\nTo: dev@lists.example.org\r\nSubject: hello\r\nDate: Mon, 30 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@reject.example>\r\n\r\nHello.\r\n"

// passes is a receiver who checks DMARC, and has no SPF to go by.
func passes(t *testing.T, message string) (ok bool) {
	t.Helper()
	h := headerOf(t, message)
	authors, _ := rewrite.Addresses(h.Get("From"))
	found, err := dkim.VerifyWithOptions(strings.NewReader(message), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) { return world.TXT(t.Context(), name) }})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range authors {
		p, err := author.PolicyOf(t.Context(), world, a.Domain)
		if err != nil {
			return false
		}
		good := !p.Enforced()
		for _, f := range found {
			good = good || f.Err == nil && author.AlignedWith(f.Domain, a.Domain, p.StrictDKIM)
		}
		if !good {
			return false
		}
	}
	return true
}

// TestAuto: members get a post under its author's name wherever they would take it, and
// under the list's where they would not.
func TestAuto(t *testing.T) {
	reject, quarantine, none, strict := post, strings.ReplaceAll(post, "reject.example", "quarantine.example"), strings.ReplaceAll(post, "reject.example", "none.example"), strings.ReplaceAll(post, "reject.example", "strict.example")
	const covered = "From:To:Subject:Date:Message-ID"
	own := strings.ReplaceAll(post, "alice@reject.example", "alice@example.org")
	for _, test := range []struct {
		name     string
		settings string
		raw      string
		want     Done
	}{
		{"signed, untouched", "", signed(t, reject, "reject.example", covered), Kept},
		{"not signed", "", reject, Munged},
		{"not signed, quarantine", "", quarantine, Munged},
		{"signed, quarantine", "", signed(t, quarantine, "quarantine.example", covered), Kept},
		{"asks for nothing", "", none, Kept},
		{"asks for nothing, and everything changes", "subject_prefix = '[dev]'\nfooter = 'x'\nreply_to = 'list'", none, Kept},
		{"no record", "footer = 'x'", strings.ReplaceAll(post, "reject.example", "other.example"), Kept},
		{"two records", "footer = 'x'", strings.ReplaceAll(post, "reject.example", "two.example"), Kept},
		{"nobody can say", "", strings.ReplaceAll(post, "reject.example", "broken.example"), Munged},
		{"nobody can say, signed", "", signed(t, strings.ReplaceAll(post, "reject.example", "broken.example"), "broken.example", covered), Kept},
		{"prefix", "subject_prefix = '[dev]'", signed(t, reject, "reject.example", covered), Munged},
		{"prefix that is there", "subject_prefix = '[dev]'", signed(t, strings.Replace(reject, "hello", "Re: [dev] hello", 1), "reject.example", covered), Kept},
		{"prefix, Subject is not signed", "subject_prefix = '[dev]'", signed(t, reject, "reject.example", "From:To"), Kept},
		{"footer", "footer = 'x'", signed(t, reject, "reject.example", covered), Munged},
		{"a footer that goes nowhere", "footer = 'x'", signed(t, strings.Replace(reject, "\r\n\r\nHello.", "\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime\r\n\r\nHello.", 1), "reject.example", covered), Kept},
		{"Reply-To", "reply_to = 'list'", signed(t, reject, "reject.example", covered), Kept},
		{"Reply-To, which may not be there", "reply_to = 'list'", signed(t, reject, "reject.example", covered+":Reply-To"), Munged},
		{"Sender and List-Id, which may not be there", "", signed(t, reject, "reject.example", covered+":Sender:List-Id"), Munged},
		{"Sender and Precedence, which may not be there", "", signed(t, reject, "reject.example", covered+":Sender:Precedence"), Kept},
		{"signed by a key on trial", "", signed(t, reject, "testing.reject.example", covered), Munged},
		{"signed by a stranger", "", signed(t, reject, "lists.example.org", covered), Munged},
		{"strict", "", signed(t, strict, "strict.example", covered), Kept},
		{"strict, a subdomain", "", signed(t, strict, "mail.strict.example", covered), Munged},
		{"a broken signature", "", strings.Replace(signed(t, reject, "reject.example", covered), "Hello.", "Hullo.", 1), Munged},
		{"a field is removed", "headers_remove = ['X-Secret']", signed(t, strings.Replace(reject, "To:", "X-Secret: y\r\nTo:", 1), "reject.example", covered+":X-Secret"), Munged},
		{"a receipt is asked for", "", signed(t, strings.Replace(reject, "To:", "Return-Receipt-To: y@x.example\r\nTo:", 1), "reject.example", covered+":Return-Receipt-To"), Munged},
		{"no Date, which is signed", "", signed(t, strings.Replace(reject, "Date: Mon, 30 Nov 2026 10:00:00 +0100\r\n", "", 1), "reject.example", covered), Munged},
		{"of the list's own domain", "", own, Kept},
		{"two authors, one signed", "", signed(t, strings.Replace(reject, "Alice <alice@reject.example>", "alice@reject.example, bob@quarantine.example", 1), "reject.example", covered), Munged},
		{"two authors, one asks for nothing", "", signed(t, strings.Replace(reject, "Alice <alice@reject.example>", "alice@reject.example, bob@none.example", 1), "reject.example", covered), Kept},
		{"none", "dmarc = 'none'", reject, Kept},
		{"munge, though it holds", "dmarc = 'munge'", signed(t, reject, "reject.example", covered), Munged},
		{"munge, asks for nothing", "dmarc = 'munge'", none, Kept},
		{"wrap", "dmarc = 'wrap'", reject, Wrapped},
		{"wrap, asks for nothing", "dmarc = 'wrap'", none, Kept},
		{"anonymous", "anonymous = true", reject, Kept},
	} {
		l := listOf(t, test.settings)
		c := makeOf(t, l, test.raw, world)
		if c.From.Done != test.want {
			t.Errorf("%s: %s", test.name, c.From)
			continue
		}
		members, archive := sent(t, c, 1)
		h := headerOf(t, members)
		if twice := h.Double(); twice != "" {
			t.Errorf("%s: two %s", test.name, twice)
		}
		if l.DMARC == lists.DMARCAuto && test.want == Kept && test.name != "of the list's own domain" && !l.Anonymous && !strings.HasPrefix(test.name, "nobody can") && !passes(t, members) {
			t.Errorf("%s: nobody takes it:\n%s", test.name, members)
		}
		from, _ := rewrite.Addresses(h.Get("From"))
		if len(from) == 0 || (from[0] == l.Addr) != (test.want != Kept || l.Anonymous) {
			t.Errorf("%s: From: %s", test.name, h.Get("From"))
		}
		if !l.Anonymous && headerOf(t, archive).Get("From") != headerOf(t, test.raw).Get("From") {
			t.Errorf("%s: the archive has From: %s", test.name, headerOf(t, archive).Get("From"))
		}
	}
}

// TestMunged: one From, of the list, with the author's name; the author is to be
// reached; nobody else is named.
func TestMunged(t *testing.T) {
	for _, test := range []struct{ fields, settings, from, replyTo, cc string }{
		{"From: Alice <alice@reject.example>", "", `"Alice via dev" <dev@lists.example.org>`, `"Alice" <alice@reject.example>`, ""},
		{"From: alice@reject.example", "", `"alice via dev" <dev@lists.example.org>`, "alice@reject.example", ""},
		{`From: "Doe, \"Al\" (x)" <alice@reject.example>`, "", `"Doe, \"Al\" (x) via dev" <dev@lists.example.org>`, `"Doe, \"Al\" (x)" <alice@reject.example>`, ""},
		{"From: =?utf-8?q?J=C3=BCrgen=2C_M?= <j@reject.example>", "", "=?utf-8?b?SsO8cmdlbiwgTSB2aWEgZGV2?= <dev@lists.example.org>", "=?utf-8?b?SsO8cmdlbiwgTQ==?= <j@reject.example>", ""},
		{"From: =?koi8-r?B?8NLJ18XU?= <p@reject.example>", "", "=?utf-8?q?=D0=9F=D1=80=D0=B8=D0=B2=D0=B5=D1=82_via_dev?= <dev@lists.example.org>", "=?utf-8?q?=D0=9F=D1=80=D0=B8=D0=B2=D0=B5=D1=82?= <p@reject.example>", ""},
		{"From: =?utf-8?q?a=0D=0ABcc:_x=40y.example?= <p@reject.example>", "", `"p via dev" <dev@lists.example.org>`, "", ""},
		{"From: \"a@evil.example\" <alice@reject.example>", "", `"alice via dev" <dev@lists.example.org>`, "", ""},
		{"From: Alice <alice@reject.example>, Bob <bob@reject.example>", "", `"Alice, Bob via dev" <dev@lists.example.org>`, `"Alice" <alice@reject.example>, "Bob" <bob@reject.example>`, ""},
		{"From: The team: Alice <alice@reject.example>;", "", `"Alice via dev" <dev@lists.example.org>`, `"Alice" <alice@reject.example>`, ""},
		{"From: Alice via ops <alice@reject.example>", "", `"Alice via dev" <dev@lists.example.org>`, "", ""},
		{"From: Alice <alice@reject.example>\r\nReply-To: carol@x.example", "", `"Alice via dev" <dev@lists.example.org>`, "carol@x.example", `"Alice" <alice@reject.example>`},
		{"From: Alice <alice@reject.example>\r\nReply-To: Alice@reject.example", "", "", "Alice@reject.example", ""},
		{"From: Alice <alice@reject.example>", "reply_to = 'list'", "", "dev@lists.example.org", `"Alice" <alice@reject.example>`},
		{"From: Alice <alice@reject.example>\r\nCc: bob@x.example", "reply_to = 'list'", "", "dev@lists.example.org", `bob@x.example, "Alice" <alice@reject.example>`},
		{"From: Alice <alice@reject.example>\r\nCc: alice@reject.example", "reply_to = 'list'", "", "dev@lists.example.org", "alice@reject.example"},
		{"From: Alice <alice@reject.example>\r\nReply-To: carol@x.example", "reply_to = 'list'", "", "dev@lists.example.org", `carol@x.example, "Alice" <alice@reject.example>`},
		{"From: Alice <alice@reject.example>", "reply_to = 'both'", "", `"Alice" <alice@reject.example>, dev@lists.example.org`, ""},
		{"From: Alice <alice@reject.example>", "reply_to = 'talk@x.example'", "", "talk@x.example", `"Alice" <alice@reject.example>`},
		{"FROM : Alice <alice@reject.example>\r\nsender: sec@reject.example\r\nDKIM-Signature: h=from:sender; d=x.example; b=y", "", `"Alice via dev" <dev@lists.example.org>`, `"Alice" <alice@reject.example>`, ""},
	} {
		l := listOf(t, "dmarc = 'munge'", test.settings)
		raw := test.fields + "\r\nTo: dev@lists.example.org\r\nSubject: x\r\nDate: Mon, 30 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@x>\r\n\r\nHello.\r\n"
		members, _ := sent(t, makeOf(t, l, raw, world), 1)
		h := headerOf(t, members)
		for name, want := range map[string]string{"From": test.from, "Reply-To": test.replyTo, "Cc": test.cc} {
			if got := h.Get(name); (want != "" || name == "Cc") && got != want {
				t.Errorf("%q %s: %s: %q, want %q", test.fields, test.settings, name, got, want)
			}
		}
		if twice := h.Double(); twice != "" {
			t.Errorf("%q: two %s", test.fields, twice)
		}
		if s := h.Get("Sender"); s != "" && s != l.Addr.Address() {
			t.Errorf("%q: Sender: %s", test.fields, s)
		}
		if got, was := h.Get("X-Original-From"), headerOf(t, raw).Get("From"); got != was {
			t.Errorf("%q: X-Original-From: %q", test.fields, got)
		}
		if len(h.All("Bcc")) > 0 {
			t.Errorf("%q: a field has come in", test.fields)
		}
		// A list that gets it from here does not munge it once more.
		if err := readable(h); err != nil {
			t.Errorf("%q: another list does not take it: %v", test.fields, err)
		}
	}
}

func readable(h rewrite.Header) error {
	_, err := rewrite.Authors(h.Get("From"))
	return err
}

// TestReplyTo: there is one Reply-To, and whom the author wanted answers to go to is
// still named.
func TestReplyTo(t *testing.T) {
	for _, test := range []struct{ setting, has, want, cc string }{
		{"author", "", "", ""},
		{"author", "Reply-To: x@y.example", "x@y.example", ""},
		{"list", "", "dev@lists.example.org", ""},
		{"list", "Reply-To: x@y.example", "dev@lists.example.org", "x@y.example"},
		{"list", "reply-to : X <x@y.example>, dev@lists.example.org", "dev@lists.example.org", `"X" <x@y.example>`},
		{"list", "Reply-To: The list <dev@lists.example.org>", "The list <dev@lists.example.org>", ""},
		{"both", "", `"Alice" <alice@none.example>, dev@lists.example.org`, ""},
		{"both", "Reply-To: x@y.example", "x@y.example, dev@lists.example.org", ""},
		{"both", "Reply-To: dev@lists.example.org", `"Alice" <alice@none.example>, dev@lists.example.org`, ""},
		{"talk@z.example", "", "talk@z.example", ""},
		{"talk@z.example", "Reply-To: x@y.example", "talk@z.example", "x@y.example"},
		{"list", "Reply-To: nonsense <", "dev@lists.example.org", ""},
	} {
		raw := "From: Alice <alice@none.example>\r\n" + test.has + "\r\nTo: dev@lists.example.org\r\nSubject: x\r\n\r\nHello.\r\n"
		raw = strings.Replace(raw, "\r\n\r\nTo:", "\r\nTo:", 1)
		members, archive := sent(t, makeOf(t, listOf(t, fmt.Sprintf("reply_to = %q", test.setting)), raw, world), 1)
		h := headerOf(t, members)
		if h.Get("Reply-To") != test.want || h.Get("Cc") != test.cc || len(h.All("Reply-To")) > 1 {
			t.Errorf("%s, %q: %q and Cc %q, want %q and %q", test.setting, test.has, h.Get("Reply-To"), h.Get("Cc"), test.want, test.cc)
		}
		if a := headerOf(t, archive); a.Get("Reply-To") != headerOf(t, raw).Get("Reply-To") {
			t.Errorf("the archive has Reply-To: %s", a.Get("Reply-To"))
		}
	}
}

// TestUntouched: a list that asks for nothing changes no byte of what the author wrote.
func TestUntouched(t *testing.T) {
	raw := "Received: from x\r\nFROM:Alice  <alice@none.example>\r\nTo:\r\n dev@lists.example.org\r\nsubject:  odd \t folding\r\n\t here\r\nDate: Mon, 30 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@x>\r\n\r\nHello \t\r\n\r\n\r\nno end"
	members, archive := sent(t, makeOf(t, listOf(t), raw, world), 1)
	if !strings.HasSuffix(members, raw) || members != archive {
		t.Errorf("%q", members)
	}
}

// TestFields: headers_add and headers_remove.
func TestFields(t *testing.T) {
	l := listOf(t, `headers_add = ["X-Team: blue", "X-Team: red", "Organization: Grüße"]`, `headers_remove = ["X-Mailer", "x-spam-*"]`)
	raw := strings.Replace(post, "To:", "X-Mailer: secret\r\n one\r\nX-Spam-Score: 3\r\nX-Spam: stays\r\nx-team: theirs\r\nTo:", 1)
	members, archive := sent(t, makeOf(t, l, strings.ReplaceAll(raw, "reject.example", "none.example"), world), 1)
	for _, text := range []string{members, archive} {
		h := headerOf(t, text)
		if strings.Contains(text, "secret") || h.Get("X-Spam-Score") != "" || h.Get("X-Spam") != "stays" {
			t.Errorf("%s", text)
		}
		if team := h.All("X-Team"); len(team) != 2 || team[0].Value() != "blue" || team[1].Value() != "red" || h.Get("Organization") != "=?utf-8?b?R3LDvMOfZQ==?=" {
			t.Errorf("%s", text)
		}
	}
}

// TestAnonymous: nothing of the author is left, and threads hold together.
func TestAnonymous(t *testing.T) {
	l := listOf(t, "anonymous = true", "description = 'Talk'", "footer = 'x'", "reply_to = 'list'")
	raw := "Received: from secret.host\r\nX-Originating-IP: secret\r\nReturn-Path: <secret@x>\r\nFrom: Secret <secret@reject.example>\r\nSender: secret@x\r\nReply-To: secret@x\r\nTo: dev@lists.example.org, secret@friend.example\r\nCc: secret@y\r\nSubject: hello\r\nDate: Mon, 30 Nov 2026 10:00:00 -0330\r\nMessage-ID: <secret@reject.example>\r\nReferences: <a@b> <c@d>\r\nIn-Reply-To: <c@d>\r\nUser-Agent: secret\r\nX-Anything: secret\r\nDKIM-Signature: d=secret\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-ID: <secret@host>\r\n\r\nHello.\r\n"
	members, archive := sent(t, makeOf(t, l, raw, world), 1)
	for _, text := range []string{members, archive} {
		h := headerOf(t, text)
		if strings.Contains(strings.ToLower(text), "secret") || strings.Contains(text, "0330") {
			t.Errorf("%s", text)
		}
		if h.Get("From") != `"Talk" <dev@lists.example.org>` || h.Get("To") != "dev@lists.example.org" || h.Get("Date") != "Mon, 30 Nov 2026 13:30:00 +0000" || h.Get("Subject") != "hello" {
			t.Errorf("%s", text)
		}
		if h.Double() != "" {
			t.Errorf("two %s", h.Double())
		}
	}
	// Who answers by the copy that the list sent, and the author by their own, are in
	// one thread.
	id := headerOf(t, members).Get("Message-ID")
	for _, to := range []string{id, "<secret@reject.example>"} {
		answer, _ := sent(t, makeOf(t, l, "From: b@reject.example\r\nMessage-ID: <2@x>\r\nIn-Reply-To: "+to+"\r\n\r\nYes.\r\n", world), 2)
		if got := headerOf(t, answer).Get("In-Reply-To"); got != id {
			t.Errorf("an answer to %s is one to %s, want %s", to, got, id)
		}
	}
}

// TestWrapped: the post is in it to the byte, its signature still good; what the list
// adds stands around it.
func TestWrapped(t *testing.T) {
	l := listOf(t, "dmarc = 'wrap'", "subject_prefix = '[dev]'", "footer = 'The footer.'")
	raw := signed(t, post, "reject.example", "From:To:Subject:Date:Message-ID")
	members, archive := sent(t, makeOf(t, l, raw, world), 1)
	h := headerOf(t, members)
	if !strings.Contains(members, raw) || h.Get("Subject") != "[dev] hello" || h.Get("From") != `"Alice via dev" <dev@lists.example.org>` || h.Get("Message-ID") != "<1@reject.example>" {
		t.Errorf("%s", members)
	}
	if !strings.Contains(h.Get("Content-Type"), "multipart/mixed") || !strings.Contains(members, "The footer.") || len(h.All("DKIM-Signature")) > 0 {
		t.Errorf("%s", members)
	}
	if !strings.HasSuffix(archive, raw) {
		t.Errorf("the archive has\n%s", archive)
	}
}

// TestTexts: footers are on members' copies, and not in the archive; from a file, too.
func TestTexts(t *testing.T) {
	l := listOf(t, "footer_file = 'foot.txt'", "header_text = 'On top of {description} {unknown}'", "description = '{list}'", "subject_prefix = '[dev {number}]'")
	members, archive := sent(t, makeOf(t, l, strings.ReplaceAll(post, "reject.example", "none.example"), world), 42)
	if !strings.HasSuffix(members, "\r\n\r\nOn top of {list} {unknown}\r\nHello.\r\nFrom a file: dev@lists.example.org\r\n") || !strings.Contains(members, "Subject: [dev 42] hello\r\n") {
		t.Errorf("%s", members)
	}
	if !strings.HasSuffix(archive, "\r\n\r\nHello.\r\n") || !strings.Contains(archive, "Subject: hello\r\n") {
		t.Errorf("%s", archive)
	}
}

// TestTaken: attachments are taken from all copies, and HTML.
func TestTaken(t *testing.T) {
	l := listOf(t, "attachments_remove = ['*.exe']", "html = 'to-text'", "language = 'de'", "footer = 'Fuß'")
	raw := strings.Replace(strings.ReplaceAll(post, "reject.example", "none.example"), "\r\n\r\nHello.\r\n", "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n--b\r\nContent-Type: x/y; name=\"v.EXE\"\r\n\r\nMZ\r\n--b--\r\n", 1)
	c := makeOf(t, l, raw, world)
	members, archive := sent(t, c, 1)
	for _, text := range []string{members, archive} {
		if strings.Contains(text, "MZ") || strings.Contains(text, "text/html") || !strings.Contains(text, "[Die Liste hat einen Anhang entfernt: v.EXE, x/y, 2 B]") {
			t.Errorf("%s", text)
		}
	}
	if c.Taken != 2 || strings.Contains(archive, "Fu") || !strings.Contains(members, "Hello\r\n\r\nFuß\r\n--b") && !strings.Contains(members, "Hello\r\nFuß\r\n") {
		t.Errorf("%d\n%s", c.Taken, members)
	}
}
