package policy

import (
	"os"
	"testing"

	"superlist/lists"
	"superlist/smtp"
)

// What a rule passes the settings decide, and no later rule.
func TestPass(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "alice@example.com\n")
	os.WriteFile(l.RulesFile(), []byte("pass Subject: a*\nreject Subject: *\n"), 0o600)
	for _, c := range []struct{ from, subject, want string }{
		{"alice@example.com", "apple", "accept"}, {"alice@example.com", "pear", "reject"}, {"eve@example.com", "apple", "reject"},
	} {
		d, err := Of(l).Judge(&Posting{From: addr(c.from), Header: header("From: "+c.from, "Subject: "+c.subject)})
		if err != nil || d.Verdict.String() != c.want {
			t.Errorf("%+v: %v, %v", c, d, err)
		}
	}
	// At RCPT a refusal is final: a rule that passes takes nothing.
	l.Post = lists.PostNobody
	if err := Of(l).MayPost(addr("eve@example.com"), nil); smtp.ReplyTo(err).Code != 550 {
		t.Errorf("at RCPT: %v", err)
	}
}
