package author

import (
	"fmt"
	"strings"
	"testing"

	"superlist/lists/rewrite"
	"superlist/smtp"
)

func mailbox(address string) smtp.Path {
	p, _ := smtp.ParseAddress(address)
	return p
}

// TestAuthenticated: only the top field of the one who is trusted counts, and
// only what is about the author's domain.
func TestAuthenticated(t *testing.T) {
	author := mailbox("alice@sub.example.com")
	for value, want := range map[string]string{
		"mx.example.org; dmarc=pass header.from=sub.example.com":                                       "dmarc",
		"MX.example.org 1; dmarc=fail header.from=sub.example.com; dkim=pass header.d=example.com":     "dkim",
		"mx.example.org; spf=pass smtp.mailfrom=bounce@sub.example.com":                                "spf",
		"mx.example.org; spf = pass smtp.mailfrom = sub.example.com":                                   "spf",
		"mx.example.org; spf=pass (dmarc=pass header.from=sub.example.com) smtp.mailfrom=evil.example": "",
		"mx.example.org; dkim=pass header.d=evil.example":                                              "",
		"mx.example.org; dkim=pass header.d=com":                                                       "",
		"mx.example.org; dkim=pass header.d=ple.com":                                                   "",
		"mx.example.org; dmarc=pass reason=\"x; dkim=pass header.d=example.com\"":                      "",
		"mx.example.org; dkim=pass header.d=evil.example header.d=example.com":                         "",
		"mx.example.org; dkim=fail header.d=example.com":                                               "",
		"mx.example.org; iprev=pass policy.iprev=sub.example.com":                                      "",
		"mx.example.org; none": "",
		"mx.evil.example; dmarc=pass header.from=sub.example.com": "",
		"": "",
	} {
		h := headerOf("Authentication-Results: "+value, "From: alice@sub.example.com")
		if got := authenticated(h, "mx.example.org", author, true); got != want {
			t.Errorf("%s: %q, want %q", value, got, want)
		}
		if got := authenticated(h, "", author, true); got != "" {
			t.Errorf("nobody is trusted, and %s counts", value)
		}
	}
	h := headerOf("Authentication-Results: mx.example.org; dmarc=fail header.from=sub.example.com",
		"Authentication-Results: mx.example.org; dmarc=pass header.from=sub.example.com")
	if got := authenticated(h, "mx.example.org", author, true); got != "" {
		t.Errorf("an older field counts: %s", got)
	}
}

// headerOf makes a header of lines.
func headerOf(lines ...string) rewrite.Header {
	return rewrite.Parse([]byte(strings.Join(lines, "\r\n") + "\r\n"))
}

// TestFrontResults: the field counts in the form that a mail system writes, and DKIM
// and DMARC only in mail that is addressed to the list.
func TestFrontResults(t *testing.T) {
	const pass = "; dkim=pass header.d=example.com"
	for field, want := range map[string]string{
		"Authentication-Results: mx.example.org" + pass:                                                     "dkim",
		"AUTHENTICATION-RESULTS: MX.EXAMPLE.ORG" + pass:                                                     "dkim",
		"Authentication-Results:mx.example.org" + pass:                                                      "dkim",
		"Authentication-Results: mx.example.org 1" + pass:                                                   "dkim",
		"Authentication-Results: mx.example.org\t1 " + pass:                                                 "dkim",
		"Authentication-Results: mx.example.org (amavisd-new)" + pass:                                       "dkim",
		"Authentication-Results: mx.example.org;\r\n\tdkim=pass (2048-bit key) header.d=example.com":        "dkim",
		"Authentication-Results: mx.example.org; dkim=pass header.i=@example.com":                           "dkim",
		"Authentication-Results: mx.example.org; dkim=pass header.i=@mail.example.com header.d=Example.COM": "dkim",
		"Authentication-Results: mx.example.org; dkim=pass header.d=mail.example.com":                       "dkim",
		"Authentication-Results : mx.example.org" + pass:                                                    "",
		"Authentication-Results\t: mx.example.org" + pass:                                                   "",
		"Authentication-Results: (x) mx.example.org" + pass:                                                 "",
		"Authentication-Results:\r\n (x) mx.example.org" + pass:                                             "",
		"Authentication-Results: mx.example.org 99" + pass:                                                  "",
		"Authentication-Results: mx.example.org 2" + pass:                                                   "",
		"Authentication-Results: mx.example.org 1 1" + pass:                                                 "",
		"Authentication-Results: mx.example.org/x" + pass:                                                   "",
		"Authentication-Results: \"mx.example.org\"" + pass:                                                 "",
		"Authentication-Results: mx.example.org; dkim=pass header.i=@example.com header.d=evil.example":     "",
		"Authentication-Results: mx.example.org; dkim=pass header.d=example.net":                            "",
		"Authentication-Results: mx.example.org; dkim=pass header.d=co.uk":                                  "",
		"Authentication-Results: ":                                                                          "",
		"Authentication-Results: ;":                                                                         "",
	} {
		h := headerOf(field, "From: mod@example.com")
		if got := authenticated(h, "mx.example.org", mailbox("mod@example.com"), true); got != want {
			t.Errorf("%q: %q, want %q", field, got, want)
		}
		if got := authenticated(h, "mx.example.org", mailbox("mod@example.com"), false); got != "" {
			t.Errorf("%q, addressed to somebody else: %q", field, got)
		}
	}
	h := headerOf("Authentication-Results: mx.example.org; dkim=pass header.d=example.com; spf=pass smtp.mailfrom=mod@example.com")
	if got := authenticated(h, "mx.example.org", mailbox("mod@example.com"), false); got != "spf" {
		t.Errorf("the host is right, wherever To goes: %q", got)
	}
}

// FuzzResults: whatever stands in a field, nothing panics, and a comment or a quoted
// string proves nothing.
func FuzzResults(f *testing.F) {
	f.Add("mx.example.org; dmarc=pass header.from=example.com")
	f.Add("(((")
	f.Add("\"\\")
	f.Fuzz(func(t *testing.T, value string) {
		splitResults(value)
		if id, _ := splitResults(fmt.Sprintf("(%s) x", strings.NewReplacer("(", "", ")", "", "\\", "").Replace(value))); id != "x" {
			t.Errorf("a comment speaks: %q", id)
		}
	})
}
