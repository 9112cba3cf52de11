package smtp

import (
	"strings"
	"testing"
)

// dsnSession is a session that offers DSN, and says what its backend got.
func dsnSession(in string) (out string, got []stored) {
	var b strings.Builder
	backend := new(memory)
	s := &Session{Hostname: "lists.example.org", Backend: backend, Peer: Peer{Name: "stdin"}, DSN: true}
	s.Serve(rw{strings.NewReader(in), &b})
	return b.String(), backend.got
}

// TestDSNParameters stands on each side of every rule for RET, ENVID, NOTIFY and
// ORCPT: RFC 3461, 4.
func TestDSNParameters(t *testing.T) {
	for command, want := range map[string]string{
		"MAIL FROM:<a@x> RET=FULL":                                "250",
		"MAIL FROM:<a@x> RET=hdrs":                                "250",
		"MAIL FROM:<a@x> RET=BODY":                                "501",
		"MAIL FROM:<a@x> RET":                                     "501",
		"MAIL FROM:<a@x> RET=FULL RET=FULL":                       "501",
		"MAIL FROM:<a@x> ENVID=QQ314159":                          "250",
		"MAIL FROM:<a@x> ENVID=a+20b+3D+2B":                       "250",
		"MAIL FROM:<a@x> ENVID=a+0D+0ABcc:b@x":                    "501",
		"MAIL FROM:<a@x> ENVID=a+C3+A4":                           "501",
		"MAIL FROM:<a@x> ENVID=a+4":                               "501",
		"MAIL FROM:<a@x> ENVID=a+zz":                              "501",
		"MAIL FROM:<a@x> ENVID":                                   "501",
		"MAIL FROM:<a@x> ENVID=" + strings.Repeat("e", MaxEnvID):  "250",
		"MAIL FROM:<a@x> ENVID=e" + strings.Repeat("e", MaxEnvID): "501",
		"MAIL FROM:<a@x> NOTIFY=NEVER":                            "555",

		"RCPT TO:<a@x> NOTIFY=NEVER":                               "250",
		"RCPT TO:<a@x> NOTIFY=success":                             "250",
		"RCPT TO:<a@x> NOTIFY=DELAY,FAILURE,SUCCESS":               "250",
		"RCPT TO:<a@x> NOTIFY=NEVER,SUCCESS":                       "501",
		"RCPT TO:<a@x> NOTIFY=NEVER,NEVER":                         "501",
		"RCPT TO:<a@x> NOTIFY=SUCCESS,SUCCESS":                     "501",
		"RCPT TO:<a@x> NOTIFY=SUCCESS,":                            "501",
		"RCPT TO:<a@x> NOTIFY=ALWAYS":                              "501",
		"RCPT TO:<a@x> NOTIFY":                                     "501",
		"RCPT TO:<a@x> NOTIFY=NEVER NOTIFY=NEVER":                  "501",
		"RCPT TO:<a@x> ORCPT=rfc822;b@x":                           "250",
		"RCPT TO:<a@x> ORCPT=rfc822;b+2Bc@x NOTIFY=NEVER":          "250",
		"RCPT TO:<a@x> ORCPT=utf-8;j\\x{F6}rg@x":                   "250",
		"RCPT TO:<a@x> ORCPT=x400;/PN=x":                           "501", // "=" is no xtext
		"RCPT TO:<a@x> ORCPT=rfc822;b@x+0D+0ABcc:+20c@x":           "501",
		"RCPT TO:<a@x> ORCPT=rfc822;":                              "501",
		"RCPT TO:<a@x> ORCPT=;b@x":                                 "501",
		"RCPT TO:<a@x> ORCPT=b@x":                                  "501",
		"RCPT TO:<a@x> ORCPT=rfc_822;b@x":                          "501",
		"RCPT TO:<a@x> ORCPT":                                      "501",
		"RCPT TO:<a@x> ORCPT=rfc822;b@x ORCPT=rfc822;b@x":          "501",
		"RCPT TO:<a@x> ORCPT=a;" + strings.Repeat("o", MaxORcpt-2): "250",
		"RCPT TO:<a@x> ORCPT=a;" + strings.Repeat("o", MaxORcpt-1): "501",
		"RCPT TO:<a@x> RET=FULL":                                   "555",
	} {
		in := ehlo + command + "\r\n"
		before := "220 250 "
		if strings.HasPrefix(command, "RCPT") {
			in = begin + command + "\r\n"
			before += "250 "
		}
		out, _ := dsnSession(in)
		if got := codes(out); got != before+want {
			t.Errorf("%s: %s, want %s", command, out, want)
		}
	}
}

// TestDSNReachesTheBackend shows that what was asked for arrives as it was said,
// and with the recipient it was said of.
func TestDSNReachesTheBackend(t *testing.T) {
	_, got := dsnSession(ehlo + "MAIL FROM:<a@x> ret=full ENVID=e+2B1\r\n" +
		"RCPT TO:<b@x> NOTIFY=delay,success ORCPT=rfc822;B+2B@x\r\nRCPT TO:<nobody@x> NOTIFY=NEVER\r\nRCPT TO:<c@x>\r\nDATA\r\n.\r\n")
	if len(got) != 1 {
		t.Fatalf("%d messages", len(got))
	}
	env := got[0].env
	if env.Ret != "FULL" || env.EnvID != "e+2B1" || len(env.To) != 2 {
		t.Fatalf("%+v", env)
	}
	if line := env.To[0].Line(); line != "<b@x> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;B+2B@x" {
		t.Error(line)
	}
	if line := env.To[1].Line(); line != "<c@x>" {
		t.Error(line)
	}
}

// FuzzRcpt: what is taken for a recipient comes back the same when it is written
// and read again, and stands on one line.
func FuzzRcpt(f *testing.F) {
	for _, seed := range []string{"<a@x>", "<a@x> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a@x", "<a@x> NOTIFY=NEVER", "<a@x> ORCPT=a;+0A", "<a@x> NOTIFY=NEVER,DELAY", "a@x ORCPT=utf-8;\\x{F6}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, ok := ParseRcpt(line)
		if !ok {
			return
		}
		again, ok := ParseRcpt(r.Line())
		if !ok || again != r || strings.ContainsAny(r.Line(), "\r\n\x00") {
			t.Errorf("%q: %q comes back as %+v, %v", line, r.Line(), again, ok)
		}
		if _, address, ok := OriginalRecipient(r.ORcpt); r.ORcpt != "" && (!ok || strings.ContainsAny(address, "\r\n\x00")) {
			t.Errorf("%q: the original recipient %q, %v", line, address, ok)
		}
	})
}
