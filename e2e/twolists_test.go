package e2e

import (
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
