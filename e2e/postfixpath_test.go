package e2e

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"superlist/smtp"
)

// What paths are made of below. No domain is one that Postfix takes mail for, since only a
// refusal says what it has understood.
var (
	pathLocals  = []string{"a", "dev", "Dev+subscribe", "o'neil", "a.b", ".", "..", "\"", "\"a b\"", "\"a\\\"b\"", "\"a@b\"", "\\a", "\\", " ", ",", "(c)", "-", "=", "!", "%", "/", "postmaster"}
	pathDomains = []string{"a.example", "EXAMPLE.edu", "lists.example.org", "[192.0.2.1]", "[IPv6:2001:db8::7]", "x_y.example", "a", ".", "-", "@", " "}
	pathRoutes  = []string{"", "", "", "", "@a.example:", "@a.example,@b.example:", "@:", ":", ","}
)

// plainPath is what nobody reads in two ways: a dot-string and a domain.
var plainPath = regexp.MustCompile(`^<[a-z0-9+'=/][a-z0-9+'=/-]*(\.[a-z0-9+'=/-]+)*@[a-z0-9]+(\.[a-z0-9]+)+>$`)

// TestPathsAsPostfix: what a real smtpd takes for a recipient is the same one here, and what
// it refuses is refused. What only one of them takes is not plain, and RFC 5321, 4.1.2
// decides: Postfix also takes an empty local part, one that ends in a backslash, commas and
// comments around a path, and blanks in it, which that does not know; it refuses one that
// begins with a dash, for the sake of programs that it starts, and a quoted @ beside other
// text, which must be quoted as a whole.
func TestPathsAsPostfix(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	startPostfixWith(t, world+`
smtpd_reject_unlisted_recipient = no
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 100000
smtpd_hard_error_limit = 100000
smtpd_junk_command_limit = 100000
`, "")
	c := dial(t, "127.0.0.1:25").hello()
	c.want("250", "MAIL FROM:<a@example.com>")
	random := rand.New(rand.NewPCG(1, 2)) // the same paths each time
	pick := func(from []string, most int) (text string) {
		for range 1 + random.IntN(most) {
			text += from[random.IntN(len(from))]
		}
		return text
	}
	taken, refused, here, there := 0, 0, 0, 0
	for range 1000 {
		path := "<" + pick(pathRoutes, 1) + pick(pathLocals, 3) + "@" + pick(pathDomains, 2) + ">"
		reply := c.send("%s", "RCPT TO:"+path)
		_, rest, _ := strings.Cut(reply, "<")
		heard, _, theirs := strings.Cut(rest, ">: Relay access denied")
		p, rest, ours := smtp.ParsePath(path)
		ours = ours && rest == ""
		switch {
		case ours && theirs:
			taken++
			// Postfix shows a local part without the quotes that it needs.
			if local, domain := heard[:strings.LastIndexByte(heard, '@')], heard[strings.LastIndexByte(heard, '@')+1:]; local != p.Local || !strings.EqualFold(strings.TrimSuffix(domain, "."), p.Domain) {
				t.Errorf("%q is <%s> for Postfix, and %s here", path, heard, p)
			}
		case !ours && !theirs:
			refused++
		case plainPath.MatchString(path):
			t.Errorf("%q: here %v, %q; Postfix: %s", path, ours, p, reply)
		case ours:
			here++
			t.Logf("only here: %q as %s; Postfix: %s", path, p, reply)
		default:
			there++
			t.Logf("only Postfix: %q: %s", path, reply)
		}
	}
	c.quit()
	t.Logf("%d taken and %d refused by both, %d only here, %d only by Postfix", taken, refused, here, there)
	if taken < 100 || refused < 100 {
		t.Error("that says little")
	}
}
