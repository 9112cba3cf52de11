package bounces

import (
	"strings"
	"testing"

	"superlist/lists/mail/bounce"
	"superlist/smtp"
)

func at(s string) smtp.Path {
	p, ok := smtp.ParseAddress(s)
	if !ok {
		panic(s)
	}
	return p
}

// TestFind: the key says who, and what a report says of others counts for nothing.
func TestFind(t *testing.T) {
	failed := func(address string, c bounce.Class) bounce.Recipient {
		return bounce.Recipient{Address: address, Action: "failed", Class: c, Diagnostic: "no\r\nsuch \x1b[1muser", Status: "5.1.1"}
	}
	but := func(r bounce.Recipient, change func(*bounce.Recipient)) bounce.Recipient { change(&r); return r }
	for name, test := range map[string]struct {
		kind       bounce.Kind
		recipients []bounce.Recipient
		class      bounce.Class
		final      string
		alive      bool
		delay      bool
	}{
		"the member":              {bounce.Failure, []bounce.Recipient{failed("anna@example.net", bounce.Gone)}, bounce.Gone, "", false, false},
		"in another spelling":     {bounce.Failure, []bounce.Recipient{failed("Anna@EXAMPLE.net", bounce.Gone)}, bounce.Gone, "", false, false},
		"another beside":          {bounce.Failure, []bounce.Recipient{failed("dora@example.org", bounce.Gone), failed("anna@example.net", bounce.Full)}, bounce.Full, "", false, false},
		"another alone":           {bounce.Failure, []bounce.Recipient{failed("dora@example.org", bounce.Gone)}, bounce.Gone, "dora@example.org", false, false},
		"a group":                 {bounce.Failure, []bounce.Recipient{failed("dora@example.org", bounce.Gone), failed("bert@example.org", bounce.Policy)}, bounce.Policy, "bert@example.org", false, false},
		"a group, some got it":    {bounce.Failure, []bounce.Recipient{failed("dora@example.org", bounce.Gone), {Address: "bert@example.org", Action: "delivered"}}, "", "", true, false},
		"a group, some may yet":   {bounce.Failure, []bounce.Recipient{failed("dora@example.org", bounce.Gone), {Address: "bert@example.org", Action: "delayed", Class: bounce.Full}}, "", "", false, true},
		"delayed":                 {bounce.Delay, []bounce.Recipient{{Address: "anna@example.net", Action: "delayed", Class: bounce.Full}}, "", "", false, true},
		"forwarded":               {bounce.Failure, []bounce.Recipient{but(failed("anna@example.net", bounce.Gone), func(r *bounce.Recipient) { r.Final = "anna.b@mail.example.com" })}, bounce.Gone, "anna.b@mail.example.com", false, false},
		"relayed":                 {bounce.Relayed, []bounce.Recipient{{Address: "anna@example.net", Action: "relayed"}}, "", "", true, false},
		"vacation":                {bounce.Vacation, nil, "", "", true, false},
		"a question":              {bounce.Challenge, nil, "", "", true, false},
		"no report":               {bounce.Other, nil, "", "", false, false},
		"a complaint":             {bounce.Complaint, []bounce.Recipient{{Address: "anna@example.net", Action: "abuse"}}, "", "", false, false},
		"a failure that is empty": {bounce.Failure, nil, "", "", false, false},
	} {
		f := Find(bounce.Report{Kind: test.kind, Recipients: test.recipients}, at("anna@example.net"))
		if f.Reason.Class != test.class || f.Final != test.final || f.Alive != test.alive || f.Delay != test.delay || f.Failed != (test.class != "") {
			t.Errorf("%s: %+v", name, f)
		}
		if strings.ContainsAny(f.Reason.Words, "\r\n\x1b") {
			t.Errorf("%s: %q", name, f.Reason.Words)
		}
	}
	long := failed("anna@example.net", bounce.Gone)
	long.Diagnostic = strings.Repeat("ü", 1000)
	if f := Find(bounce.Report{Kind: bounce.Failure, Recipients: []bounce.Recipient{long}}, at("anna@example.net")); len(f.Reason.Words) > maxWords {
		t.Errorf("%d bytes of words", len(f.Reason.Words))
	}
}

// TestFindReply: the relay's words count as those of a report.
func TestFindReply(t *testing.T) {
	for text, want := range map[string]bounce.Class{
		"550 5.1.1 User unknown":                      bounce.Gone,
		"552 5.2.2 Mailbox full":                      bounce.Full,
		"452 4.2.2 The mailbox is over its quota":     bounce.Full,
		"550 5.7.1 Message looks like spam":           bounce.Content,
		"554 5.7.1 192.0.2.1 is on a blocklist":       bounce.Policy,
		"451 4.7.1 Greylisted, try again later":       bounce.Temporary,
		"550 5.1.1 access from 192.0.2.10 is blocked": bounce.Policy,
	} {
		code, rest, _ := strings.Cut(text, " ")
		enhanced, words, _ := strings.Cut(rest, " ")
		f := FindReply(nil, smtp.Reply{Code: int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0'), Enhanced: enhanced, Text: words})
		if f.Reason.Class != want || !f.Failed {
			t.Errorf("%s: %+v", text, f)
		}
	}
}

// TestReturnPaths finds the key in what somebody complains of.
func TestReturnPaths(t *testing.T) {
	key := "dev+bounces-t0abcd-0123456789abcdef+anna=example.net@lists.example.org"
	for _, text := range []string{
		"Return-Path: <" + key + ">\r\n",
		"Return-Path: <dev+bounces-t0abcd-0123456789abcdef+ann=\r\na=3Dexample.net@lists.example.org>\r\n",
		"Original-Mail-From: " + strings.ToUpper(key) + "\r\n",
		"envelope-from=" + key + ";",
	} {
		got := ReturnPaths([]byte("Received: x\r\n"+text+"Subject: y\r\n"), "+")
		if len(got) == 0 || !strings.EqualFold(got[0].Address(), key) {
			t.Errorf("%q: %v", text, got)
		}
	}
	if got := ReturnPaths([]byte(strings.Repeat("+bounces-", 1<<16)), "+"); len(got) != 0 {
		t.Errorf("%d paths", len(got))
	}
	var many strings.Builder
	for i := range 1000 {
		many.WriteString("<a+bounces-" + strings.Repeat("x", i%50) + "@example.org> ")
	}
	if got := ReturnPaths([]byte(many.String()), "+"); len(got) > maxReturnPaths {
		t.Errorf("%d paths", len(got))
	}
}
