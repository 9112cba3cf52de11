package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// alone has members' mail delivered without taking mail for their domains from others.
const alone = `
transport_maps = inline:{ {example.com=virtual:}, {example.net=virtual:} }
virtual_mailbox_domains =
virtual_mailbox_base = ` + mailboxes + `
virtual_mailbox_maps = texthash:/etc/postfix/mailboxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtp_dns_support_level = disabled
smtp_host_lookup = native
`

// postfixFiles are main.cf and master.cf as they are.
func postfixFiles(t *testing.T) string {
	t.Helper()
	main, err := os.ReadFile("/etc/postfix/main.cf")
	must(t, err)
	master, err := os.ReadFile("/etc/postfix/master.cf")
	must(t, err)
	return string(main) + "\f" + string(master)
}

// wantUndone wants setup postfix to take back what it has done, to the byte.
func wantUndone(t *testing.T, before string) {
	t.Helper()
	run(t, "superlist", "setup", "postfix", "--undo", "--yes")
	if postfixFiles(t) != before {
		t.Errorf("main.cf and master.cf are not what they were:\n%s", postfixFiles(t))
	}
	if left, _ := filepath.Glob("/etc/postfix/*superlist*"); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

// TestSetupPostfix makes each way that a Postfix with other mail can have, posts, and
// takes it back.
func TestSetupPostfix(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	newSite(t, postfixSettings, "127.0.0.1:10026")
	log := startPostfixWith(t, world, "")
	before := postfixFiles(t)

	refused := func(want string, args ...string) {
		t.Helper()
		out, err := exec.Command("superlist", append([]string{"setup", "postfix", "--apply", "--yes"}, args...)...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) || postfixFiles(t) != before {
			t.Errorf("%v: %v\n%s\nwant %s", args, err, out, want)
		}
	}
	t.Log("what would break other mail is refused")
	refused("way A refuses all mail that is not for a list, and other mail comes here: virtual_mailbox_domains has example.com, example.net, example.org; take C", "--way", "A")
	refused("next_hop = \"127.0.0.1:10028\"", "--way", "D")
	refused("example.com is in virtual_mailbox_domains, so it has other addresses, whose mail would go to superlist", "--domain", "example.com")

	t.Log("shown, and not done")
	out := run(t, "superlist", "setup", "postfix")
	for _, want := range []string{"way C, as a milter: other mail comes here too (virtual_mailbox_domains has example.com", "\n+relay_domains = lists.example.org\n",
		"\n+smtpd_milters = unix:private/superlist-milter\n", "\n+superlist-milter unix ", "superlist setup postfix --way C --apply\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if postfixFiles(t) != before {
		t.Error("showing it has changed it")
	}
	if out, err := exec.Command("superlist", "setup", "postfix", "--apply").CombinedOutput(); err == nil || postfixFiles(t) != before {
		t.Errorf("it was not asked whether it may: %s", out)
	}

	for _, way := range []string{"C", "B", "D"} {
		t.Log("way", way)
		if way == "D" {
			addConfig(t, block(t, "superlist.toml D"))
		}
		run(t, "superlist", "setup", "postfix", "--way", way, "--apply", "--yes")
		wantWayIn(t)
		post := oddPost("by way " + way)
		wantPosted(t, "127.0.0.1:25", post)
		wantDelivered(t, "by way "+way, post)
		c := dial(t, "127.0.0.1:25").hello()
		if reply := c.post(stranger, neighbour, oddPost("private "+way)); reply[0] != '2' {
			t.Errorf("other mail: %q", reply)
		}
		if reply := c.post(member, "nosuch@lists.example.org", post); !strings.HasPrefix(reply, "550 5.1.1 ") {
			t.Errorf("no such list: %q", reply)
		}
		c.quit()
		if out := run(t, "superlist", "setup", "postfix", "--way", way, "--apply"); !strings.Contains(out, "nothing is to be changed") {
			t.Errorf("again: %s", out)
		}
		wantUndone(t, before)
	}

	t.Log("a second domain, and then an edit: what was added is taken away, and the edit stays")
	run(t, "superlist", "setup", "postfix", "--way", "C", "--apply", "--yes")
	run(t, "superlist", "list", "create", "dev@lists.example.net", "--owner", "owner@example.com")
	out = run(t, "superlist", "setup", "postfix", "--way", "C", "--apply", "--yes")
	if !strings.Contains(out, "\n+relay_domains = lists.example.org, lists.example.net\n") && !strings.Contains(out, "\n+relay_domains = lists.example.net, lists.example.org\n") {
		t.Errorf("a second domain:\n%s", out)
	}
	if out := run(t, "postconf", "-h", "transport_maps"); !regexp.MustCompile(`^inline:\{ lists\.example\.\w+=lmtp:\[127\.0\.0\.1\]:10025, lists\.example\.\w+=lmtp:\[127\.0\.0\.1\]:10025 \}\n$`).MatchString(out) {
		t.Errorf("transport_maps = %s", out)
	}
	run(t, "postconf", "-e", "mail_name = Edited")
	run(t, "superlist", "setup", "postfix", "--undo", "--yes")
	if got := strings.Replace(postfixFiles(t), "mail_name = Edited\n", "", 1); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(before), " ") {
		t.Errorf("after an edit:\n%s", got)
	}
	wantNoWarnings(t, log)
	run(t, "postfix", "stop")
}

// TestSetupPostfixListsOnly is way A, which a Postfix without other mail gets.
func TestSetupPostfixListsOnly(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	newSite(t, postfixSettings, "127.0.0.1:10026")
	log := startPostfixWith(t, alone, "")
	before := postfixFiles(t)
	if out := run(t, "superlist", "setup", "postfix"); !strings.HasPrefix(out, "way A, lists only: nothing but lists gets mail here") {
		t.Errorf("it fits a Postfix with lists alone:\n%s", out)
	}
	run(t, "superlist", "setup", "postfix", "--apply", "--yes")
	wantWayIn(t)
	post := oddPost("by way A")
	wantPosted(t, "127.0.0.1:25", post)
	wantDelivered(t, "by way A", post)
	after := postfixFiles(t)
	wantUndone(t, before)

	t.Log("somebody has died between the two files: Postfix works as before, and check says what to do")
	run(t, "superlist", "setup", "postfix", "--apply", "--yes")
	main, _, _ := strings.Cut(before, "\f")
	must(t, os.WriteFile("/etc/postfix/main.cf", []byte(main), 0o644))
	checked, _ := exec.Command("superlist", "check").CombinedOutput()
	if want := "was interrupted; Postfix works as before it; superlist setup postfix --apply makes the change whole, --undo takes it back"; !strings.Contains(string(checked), want) {
		t.Errorf("check says nothing of it:\n%s", checked)
	}
	run(t, "superlist", "setup", "postfix", "--apply", "--yes")
	if postfixFiles(t) != after {
		t.Errorf("applied again:\n%s", postfixFiles(t))
	}
	wantUndone(t, before)
	wantNoWarnings(t, log)
	run(t, "postfix", "stop")
}
