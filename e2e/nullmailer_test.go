package e2e

import (
	"fmt"
	"strings"
	"testing"

	"superlist/lists/mail/bounce"
)

// TestNullmailerReports: what nullmailer reports is understood. It takes mail from
// programs of its own host only, so its reporter is asked directly.
func TestNullmailerReports(t *testing.T) {
	dirs := unpacked(t, "nullmailer")
	if dirs == nil {
		t.Skip("end to end: only root can have Debian's packages")
	}
	for _, test := range []struct{ status, said, want string }{
		{"5.1.1", "550 5.1.1 User unknown", "failure failed gone"},
		{"5.0.0", "550 no such user here", "failure failed gone"},
		{"5.2.2", "552 5.2.2 Mailbox full", "failure failed full"},
		{"5.0.0", "554 5.7.1 this looks like spam", "failure failed content"},
		{"4.0.0", "450 4.2.0 Greylisted, try again later", "delay delayed temporary"},
	} {
		cmd := command(dirs[0], "/usr/bin/nullmailer-dsn", "--remote=mx.example.com", "--diagnostic-code="+test.said, test.status)
		cmd.Stdin = strings.NewReader("dev-bounces@lists.example.org\nanna@example.net\n\nFrom: carol@example.com\nSubject: minutes\n\nhello dora@example.org\n")
		out, err := cmd.Output()
		must(t, err)
		_, mail, ok := strings.Cut(string(out), "\n\n") // behind its envelope
		r := bounce.Parse([]byte(mail))
		if !ok || len(r.Recipients) != 1 || r.Recipients[0].Address != "anna@example.net" {
			t.Fatalf("%s: %+v\n%s", test.said, r, out)
		}
		if got := fmt.Sprint(r.Kind, " ", r.Recipients[0].Action, " ", r.Recipients[0].Class); got != test.want {
			t.Errorf("%s: %s, want %s", test.said, got, test.want)
		}
	}
}
