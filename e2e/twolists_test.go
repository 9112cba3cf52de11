package e2e

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// toTwo is lines for main.cf: Postfix's smtp(8) brings the mail for lists, and
// tries again what it was told to try again.
const toTwo = `
transport_maps = inline:{ lists.example.org=smtp:[127.0.0.1]:10025 }
smtp_line_length_limit = 0
queue_run_delay = 2s
minimal_backoff_time = 2s
`

// TestPostfixTwoLists is one message to two lists from Postfix's smtp(8), which
// hears 452 4.5.3 for the second, and sends it again by itself: each list has the
// message once, and one that refuses it loses nothing for the other.
func TestPostfixTwoLists(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	const strict = "strict@lists.example.org"
	newSite(t, postfixSettings, "127.0.0.1:10026")
	run(t, "superlist", "list", "create", strict, "--owner", "owner@example.com", "--set", "must_be_named=true")
	run(t, "superlist", append([]string{"member", "add", strict}, members...)...)
	log := startPostfix(t, "main.cf B")
	restart(t, "two", toTwo)

	post := func(subject, to string) {
		c := dial(t, "127.0.0.1:25").hello()
		c.want("250", "MAIL FROM:<%s>", member)
		for _, rcpt := range slices.Sorted(slices.Values([]string{list, strict})) {
			c.want("250", "RCPT TO:<%s>", rcpt)
		}
		c.want("354", "DATA")
		c.want("250", "From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@example.com>\r\n\r\nHello.\r\n.", member, to, subject, subject)
		c.quit()
	}
	t.Log("both take it")
	post("for-both", list+", "+strict)
	log.want(t, `postfix/smtp\[.* to=<`+strict+`>.* status=deferred .* 452 4.5.3 one list at a time`)
	for _, address := range members {
		wait(t, "both posts for "+address, func() bool { return len(about(inbox(t, address), "for-both")) == 2 })
	}

	t.Log("one refuses: the other has it, and the author hears why")
	post("for-one", list)
	wantSubject(t, "for-one")
	log.want(t, `postfix/smtp\[.* to=<`+strict+`>.* status=bounced .* 550 5.7.1 strict@lists.example.org must stand in To or Cc`)
	wait(t, "what Postfix writes to the author", func() bool {
		return slices.ContainsFunc(inbox(t, member), func(m string) bool {
			return strings.Contains(m, "must stand in To or Cc") && strings.Contains(m, "Final-Recipient: rfc822; "+strict)
		})
	})
	wantOnce(t, "for-one")
	if n := len(log.find(`accepted .*to=<` + list + `>`)); n != 2 {
		t.Errorf("%s has accepted %d messages, want 2", list, n)
	}
	stopPostfix(t)
}

// TestPostfixSubmission is the same from a person's mail program, which gives up at
// the first recipient that is not taken: at the front door the second list is not,
// and through the submission service as docs/postfix.md has it both are.
func TestPostfixSubmission(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	const other = "other@lists.example.org"
	newSite(t, postfixSettings, "127.0.0.1:10026")
	run(t, "superlist", "list", "create", other, "--owner", "owner@example.com")
	run(t, "superlist", append([]string{"member", "add", other}, members...)...)
	log := startPostfix(t, "main.cf A")
	master, err := os.OpenFile("/etc/postfix/master.cf", os.O_APPEND|os.O_WRONLY, 0)
	must(t, err)
	_, err = master.WriteString("127.0.0.1:587 inet n - n - - smtpd\n  -o smtpd_proxy_filter=\n")
	must(t, err)
	must(t, master.Close())
	restart(t, "submission", "")

	begin := func(port string) *client {
		c := dial(t, "127.0.0.1:"+port).hello()
		c.want("250", "MAIL FROM:<%s>", member)
		c.want("250", "RCPT TO:<%s>", list)
		return c
	}
	front := begin("25")
	front.want("452", "RCPT TO:<%s>", other)
	front.quit()

	c := begin("587")
	c.want("250", "RCPT TO:<%s>", other)
	c.want("354", "DATA")
	c.want("250", "From: %s\r\nTo: %s, %s\r\nSubject: handed-in\r\nMessage-ID: <handed-in@example.com>\r\n\r\nHello.\r\n.", member, list, other)
	c.quit()
	for _, address := range members {
		wait(t, "both posts for "+address, func() bool { return len(about(inbox(t, address), "handed-in")) == 2 })
	}
	log.want(t, `postfix/lmtp\[.* to=<`+other+`>.* status=sent `)
	stopPostfix(t)
}
