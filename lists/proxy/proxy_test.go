package proxy

import (
	"strings"
	"testing"

	"superlist/smtp"
)

func TestSmaller(t *testing.T) {
	for _, test := range []struct{ a, b, want string }{
		{"100", "99", "99"},
		{"99", "100", "99"},
		{"100", "100", "100"},
		{"100", "0100", "100"},
		{"100", "", "100"},
		{"100", "0", "100"},
		{"0", "100", "100"},
		{"0", "0", "0"},
		{"0", "", "0"},
		{"100", "99 and more", "100"},
		{"100", "-1", "100"},
		{"99999999999999999999", "100000000000000000000", "99999999999999999999"},
	} {
		if got := smaller(test.a, test.b); got != test.want {
			t.Errorf("%q and %q: %q, want %q", test.a, test.b, got, test.want)
		}
	}
}

func TestQueueID(t *testing.T) {
	long := strings.Repeat("x", maxQueueID)
	for text, want := range map[string]string{
		"2.0.0 Ok: queued as 4XYZ":     "4XYZ",
		"2.0.0 queued as A.b_c-1":      "A.b_c-1",
		"OK id=1abc-2-3 more":          "1abc-2-3",
		"queued as " + long:            long,
		"queued as " + long + "x":      "next-hop",
		"queued as <4XYZ>":             "next-hop",
		"queued as 4XYZ,5XYZ":          "next-hop",
		"queued as 4XYZ\n2.0.0 thanks": "next-hop",
		"queued as ":                   "next-hop",
		"thanks":                       "next-hop",
		"":                             "next-hop",
	} {
		if got := queueID(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestMailLine: the next hop hears what the client said, but not in whose name it
// has logged in.
func TestMailLine(t *testing.T) {
	for said, want := range map[string]string{
		"MAIL FROM:<a@example.com>":                               "MAIL FROM:<a@example.com>",
		"mail from: <a@example.com> \t":                           "mail from: <a@example.com>",
		"MAIL FROM:<a@example.com> AUTH=<>":                       "MAIL FROM:<a@example.com>",
		"MAIL FROM:<> SIZE=1 auth=b+40c BODY=8BITMIME":            "MAIL FROM:<> SIZE=1 BODY=8BITMIME",
		"MAIL FROM:<\"a> AUTH=<>\"@example.com> RET=HDRS AUTH=<>": "MAIL FROM:<\"a> AUTH=<>\"@example.com> RET=HDRS",
		"MAIL FROM:<a@example.com> ENVID=AUTH=":                   "MAIL FROM:<a@example.com> ENVID=AUTH=",
		"MAIL FROM:<é@example.com>  SMTPUTF8 AUTH=<>":             "MAIL FROM:<é@example.com>  SMTPUTF8",
	} {
		if got := mailLine(&smtp.Envelope{Line: said}); got != want {
			t.Errorf("%q: %q, want %q", said, got, want)
		}
	}
}
