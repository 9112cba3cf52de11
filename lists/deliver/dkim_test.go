package deliver

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"superlist/lists/author"
	"superlist/lists/edit"
	"superlist/smtp/mx/mxtest"
)

// signed is a post of bob's with a signature of a domain's.
func signed(t *testing.T, key ed25519.PrivateKey, domain, selector string, expires time.Duration) string {
	t.Helper()
	return signedTo(t, key, domain, selector, expires, "dev@lists.example.org")
}

// signedTo is signed for a post that names these in To. Of fields only those are
// signed that are given.
func signedTo(t *testing.T, key ed25519.PrivateKey, domain, selector string, expires time.Duration, to string, fields ...string) string {
	t.Helper()
	const post = "From: Bob <bob@example.net>\r\nTo: dev@lists.example.org\r\nSubject: Hello\r\nMessage-ID: <p@x>\r\n\r\nThe  body.\r\n"
	o := &dkim.SignOptions{Domain: domain, Selector: selector, Signer: key, HeaderKeys: fields}
	if expires != 0 {
		o.Expiration = time.Now().Add(expires)
	}
	var b bytes.Buffer
	if err := dkim.Sign(&b, strings.NewReader(strings.Replace(post, "dev@lists.example.org", to, 1)), o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestDKIM: a post of a member who is not believed without proof is taken when his
// domain has signed it, and held when nobody, or somebody else has.
func TestDKIM(t *testing.T) {
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, wrong, _ := ed25519.GenerateKey(nil)
	record := func(name, flags string) string {
		return fmt.Sprintf("%s. 3600 IN TXT \"v=DKIM1; k=ed25519; %sp=\" %q", name, flags, base64.StdEncoding.EncodeToString(pub))
	}
	for name, test := range map[string]struct {
		settings string
		message  string
		off      bool // verify_dkim is
		late     time.Duration
		fail     string // a question
		held     string // why; empty: it goes to the members
		asked    int    // questions
	}{
		"his domain":               {message: signed(t, key, "example.net", "s", 0), asked: 1},
		"one of his organisation":  {message: signed(t, key, "mail.example.net", "s", 0), asked: 1},
		"not his organisation":     {message: signed(t, key, "example.com", "s", 0), held: "hold: nothing proves"},
		"the registry":             {message: signed(t, key, "net", "s", 0), held: "hold: nothing proves"},
		"not yet expired":          {message: signed(t, key, "example.net", "s", time.Hour), asked: 1},
		"expired":                  {message: signed(t, key, "example.net", "s", -time.Hour), held: "hold: nothing proves"},
		"another key":              {message: signed(t, wrong, "example.net", "s", 0), held: "hold: nothing proves", asked: 1},
		"another body":             {message: signed(t, key, "example.net", "s", 0) + "And more.\r\n", held: "hold: nothing proves", asked: 1},
		"another author":           {message: strings.Replace(signed(t, key, "example.net", "s", 0), "From: Bob <bob@", "From: Carl <carl@", 1), settings: "allow=carl@example.net", held: "hold: nothing proves", asked: 1},
		"a length":                 {message: strings.Replace(signed(t, key, "example.net", "s", 0), "; d=", "; l=5; d=", 1), held: "hold: nothing proves", asked: 1},
		"written to others":        {message: signedTo(t, key, "example.net", "s", 0, "x@example.com"), held: "hold: nothing proves"},
		"to others too":            {message: signedTo(t, key, "example.net", "s", 0, "x@example.com, dev@Lists.example.org"), asked: 1},
		"To is not signed":         {message: signedTo(t, key, "example.net", "s", 0, "dev@lists.example.org", "From", "Subject"), held: "hold: nothing proves", asked: 1},
		"To and From are signed":   {message: signedTo(t, key, "example.net", "s", 0, "dev@lists.example.org", "from", "to"), asked: 1},
		"a key on trial":           {message: signed(t, key, "example.net", "trial", 0), held: "hold: nothing proves", asked: 1},
		"no key":                   {message: signed(t, key, "example.net", "none", 0), held: "hold: nothing proves", asked: 1},
		"nobody knows":             {message: signed(t, key, "example.net", "s", 0), fail: "s._domainkey.example.net. TXT", held: "hold: nothing proves", asked: 1},
		"no signature":             {message: strings.ReplaceAll(strangersPost, "eve@", "bob@"), held: "hold: nothing proves"},
		"just young enough":        {message: signed(t, key, "example.net", "s", 0), late: author.SignatureLife - time.Hour, asked: 1},
		"too old":                  {message: signed(t, key, "example.net", "s", 0), late: author.SignatureLife + time.Hour, held: "hold: nothing proves", asked: 1},
		"not wanted":               {message: signed(t, key, "example.net", "s", 0), off: true, held: "hold: nothing proves"},
		"asked himself":            {settings: "unverified=confirm", message: signed(t, wrong, "example.net", "s", 0), held: "confirm: nothing proves", asked: 1},
		"nothing depends on it":    {settings: "unverified=accept", message: signed(t, wrong, "example.net", "s", 0)},
		"a moderator":              {settings: "moderators=bob@example.net", message: signed(t, key, "example.net", "s", 0), asked: 1},
		"no moderator":             {settings: "moderators=bob@example.net", message: signed(t, wrong, "example.net", "s", 0), held: "hold: nothing proves", asked: 1},
		"as many as are looked at": {message: strings.Repeat(bogus, author.MaxSignatures-1) + signed(t, key, "example.net", "s", 0), asked: 1},
		"one too many":             {message: strings.Repeat(bogus, author.MaxSignatures) + signed(t, key, "example.net", "s", 0), held: "hold: nothing proves"},
	} {
		t.Run(name, func(t *testing.T) {
			w, l, person := newPeople(t, "unverified=hold")
			if test.settings != "" {
				if err := edit.Set(l, []string{test.settings}); err != nil {
					t.Fatal(err)
				}
			}
			server := mxtest.Serve(t, true,
				mxtest.New(t, "example.net.", false, record("s._domainkey.example.net", ""), record("s._domainkey.mail.example.net", ""), record("trial._domainkey.example.net", "t=s:y; ")),
				mxtest.New(t, "example.com.", false, record("s._domainkey.example.com", "")),
				mxtest.New(t, "net.", false, record("s._domainkey.net", "")))
			if test.fail != "" {
				server.Fail(test.fail)
			}
			w.site.VerifyDKIM, w.site.Relay.Resolver = !test.off, server.Addr
			bob := person("bob@example.net")
			w.later = test.late
			w.message(bob.addr, test.message, "dev@lists.example.org")
			w.deliver()
			why := w.held(l)
			if test.held == "" && len(why) != 0 || test.held != "" && (len(why) != 1 || !strings.HasPrefix(why[0], test.held)) {
				t.Errorf("held: %q, want %q", why, test.held)
			}
			if got := bob.letters(); test.held == "" && (len(got) != 1 || !strings.HasSuffix(got[0].Message, test.message)) {
				t.Errorf("bob got %+v", got)
			}
			asked := slices.DeleteFunc(server.Asked(), func(q string) bool { return strings.HasPrefix(q, "_dmarc.") })
			if len(asked) != test.asked {
				t.Errorf("asked %q, want %d questions", asked, test.asked)
			}
		})
	}
}

// bogus is a signature that costs no question.
const bogus = "DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=s; h=to; bh=AA==; b=AA==\r\n"
