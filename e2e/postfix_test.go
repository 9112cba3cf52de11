package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	mailboxes = "/var/mailboxes"
	neighbour = "zoe@example.com" // of the lists: mail to her is none of theirs
)

// debian is what the postfix package writes on a fresh machine, besides its
// main.cf.debian, with the certificate left out that not every machine has.
const debian = `
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
myhostname = mx.example.org
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
mydestination = $myhostname, localhost.localdomain, localhost
relayhost =
mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128
mailbox_size_limit = 0
recipient_delimiter = +
inet_interfaces = all
inet_protocols = all
`

// world is what stands in for the rest of it: the members' domains are
// delivered here, into Maildirs, by a Postfix that asks no name server.
const world = `
virtual_mailbox_domains = example.com, example.net, example.org
virtual_mailbox_base = ` + mailboxes + `
virtual_mailbox_maps = texthash:/etc/postfix/mailboxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtp_dns_support_level = disabled
smtp_host_lookup = native
`

var postfixNeeds = []string{"postfix", "swaks", "systemd-sysusers", "systemd-tmpfiles", "runuser", stockMain, stockMaster}

// What Debian's package keeps of the files as it ships them.
const (
	stockMain   = "/usr/share/postfix/main.cf.debian"
	stockMaster = "/usr/share/postfix/master.cf.dist"
)

// startPostfix starts the machine's Postfix, stock but for the lines that our
// manual and our master.cf example add.
func startPostfix(t *testing.T, way string) *syslog {
	t.Helper()
	ours, err := os.ReadFile("../postfix-master.cf.example")
	must(t, err)
	return startPostfixWith(t, world+block(t, way), string(ours))
}

// startPostfixWith starts it with these lines in main.cf and master.cf.
func startPostfixWith(t *testing.T, mainLines, masterLines string) *syslog {
	t.Helper()
	log := newSyslog(t)
	stock, err := os.ReadFile(stockMain)
	must(t, err)
	mainCf := []byte(string(stock) + debian + mainLines)
	must(t, os.WriteFile("/etc/postfix/main.cf", mainCf, 0o644))

	stock, err = os.ReadFile(stockMaster)
	must(t, err)
	must(t, os.WriteFile("/etc/postfix/master.cf", append(stock, masterLines...), 0o644))

	var maps strings.Builder
	for _, address := range append(slices.Clone(members), append(people, "owner@example.com", stranger, neighbour)...) {
		fmt.Fprintf(&maps, "%s %s/\n", address, mailbox(address))
	}
	must(t, os.WriteFile("/etc/postfix/mailboxes", []byte(maps.String()), 0o644))
	must(t, os.MkdirAll(mailboxes, 0o777))
	must(t, os.Chmod(mailboxes, 0o777))
	must(t, os.WriteFile("/etc/aliases", []byte("postmaster: owner@example.com\n"), 0o644))
	run(t, "newaliases")
	run(t, "/usr/lib/postfix/configure-instance.sh", "-")
	if out := run(t, "postfix", "check"); out != "" {
		t.Errorf("postfix check: %s", out)
	}
	run(t, "postfix", "start")
	t.Cleanup(func() { exec.Command("postfix", "abort").Run() })
	return log
}

// inbox is what a member has got.
func inbox(t *testing.T, address string) []string {
	t.Helper()
	return maildir(t, filepath.Join(mailboxes, mailbox(address)))
}

func mailbox(address string) string {
	user, domain, _ := strings.Cut(address, "@")
	return filepath.Join(domain, user)
}

// wantDelivered waits until every member has the post, and says that each has
// it once, unchanged, and from a return path of his own.
func wantDelivered(t *testing.T, subject, sent string) {
	t.Helper()
	base := ""
	for _, address := range members {
		wait(t, subject+" in the mailbox of "+address, func() bool {
			return len(about(inbox(t, address), subject)) > 0
		})
		message := about(inbox(t, address), subject)[0]
		wantSame(t, message, sent)

		// <dev+bounces-TAG-MAC+user=domain@lists.example.org>
		path := header(t, message, "Return-Path")
		path = strings.TrimSuffix(strings.TrimPrefix(path, "<"), ">")
		prefix, ok := strings.CutSuffix(path, "+"+strings.ReplaceAll(address, "@", "=")+"@lists.example.org")
		if !ok || !strings.HasPrefix(prefix, "dev+bounces-") {
			t.Errorf("return path for %s: %s", address, path)
		}
		if base != "" && prefix != base {
			t.Errorf("return path for %s: %s, the others' begin with %s", address, path, base)
		}
		base = prefix
		if id := header(t, message, "List-Id"); !strings.Contains(id, "<dev.lists.example.org>") {
			t.Errorf("List-Id: %s", id)
		}
	}
}

// wantOnce says that no member has two.
func wantOnce(t *testing.T, subjects ...string) {
	t.Helper()
	for _, address := range members {
		for _, subject := range subjects {
			if n := len(about(inbox(t, address), subject)); n != 1 {
				t.Errorf("%s has %q %d times", address, subject, n)
			}
		}
	}
}

func stopPostfix(t *testing.T) {
	t.Helper()
	wait(t, "an empty queue of Postfix", func() bool {
		return strings.Contains(run(t, "postqueue", "-p"), "is empty")
	})
	run(t, "postfix", "stop")
	wantNothingLeft(t)
}

const postfixSettings = `
kick = "127.0.0.1:10027"
log  = "syslog"
`

// TestPostfixListsOnly is way A: smtpd hands every command
// on, and all that is refused is refused on the line.
func TestPostfixListsOnly(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	newSite(t, postfixSettings, "127.0.0.1:10026")
	log := startPostfix(t, "main.cf A")
	wantWayIn(t)

	t.Log("a post that has everything a careless hop would change")
	c := dial(t, "127.0.0.1:25").hello()
	odd := oddPost("odd one")
	if reply := c.post(member, list, odd); !strings.HasPrefix(reply, "250 2.0.0 ") {
		t.Fatalf("the post: %q", reply)
	}

	log.want(t, `superlist-spawn.* accepted id=.* client=client.example.com\[192.0.2.7\]:\d+ via=\[127.0.0.1\]:\d+ helo=client.example.com proto=ESMTP`)

	t.Log("nothing is announced that superlist does not take; BDAT Postfix turns into DATA")
	for _, keyword := range c.keywords() {
		if !slices.Contains([]string{"PIPELINING", "SIZE", "8BITMIME", "ENHANCEDSTATUSCODES", "CHUNKING", "SMTPUTF8", "DSN", "STARTTLS", "VRFY", "ETRN"}, keyword) {
			t.Errorf("the front door announces %s", keyword)
		}
	}
	chunked := oddPost("in chunks")
	if reply := c.postChunked(member, list, chunked); !strings.HasPrefix(reply, "250 2.0.0 ") {
		t.Fatalf("the post by BDAT: %q", reply)
	}

	t.Log("refusals while the sender is on the line")
	if reply := c.post(member, "nosuch@lists.example.org", odd); !strings.HasPrefix(reply, "550 5.1.1 ") {
		t.Errorf("unknown list: %q, want 550 5.1.1", reply)
	}
	if reply := c.post(stranger, list, byStranger(odd)); !strings.HasPrefix(reply, "550 5.7.1 ") {
		t.Errorf("a stranger's post: %q, want 550 5.7.1", reply)
	}
	if reply := c.post(member, "somebody@elsewhere.example", odd); reply[0] == '2' {
		t.Errorf("somebody else's mail: %q, want a refusal", reply)
	}
	t.Log("one list at a time")
	c.want("250", "MAIL FROM:<%s>", member)
	c.want("250", "RCPT TO:<%s>", list)
	c.want("452 4.5.3", "RCPT TO:<dev+owner@lists.example.org>")
	c.want("250", "RSET")
	c.quit()
	wantDelivered(t, "odd one", odd)
	wantDelivered(t, "in chunks", chunked)

	t.Log("posts at once; the wake-ups alone deliver them")
	for _, subject := range burst(t, "127.0.0.1:25") {
		wantSubject(t, subject)
		wantOnce(t, subject)
	}

	t.Log("a post by swaks")
	swaks(t, "127.0.0.1:25", "by swaks")
	wantSubject(t, "by swaks")
	swaksRefused(t, "127.0.0.1:25", "550 5.1.1", member, "nosuch@lists.example.org")
	swaksRefused(t, "127.0.0.1:25", "550 5.7.1", stranger, list)

	asked(t)
	wantNoWarnings(t, log)
	deferred(t, log)
	bounced(t, log)

	wantConfigError(t, "127.0.0.1:10025")
	log.want(t, `superlist-spawn.*(from|sender)=<?`+member)
	log.want(t, `superlist-spawn.*(to|recipient)=<?nosuch@lists.example.org.*550`)
	log.want(t, `superlist-spawn.*superlist.toml`)
	wantOnce(t, "odd one", "by swaks", "put off")
	stopPostfix(t)
}

// TestPostfixWithOtherMail is way B: the lists are one
// domain among others, and smtpd asks at RCPT whether a list exists.
func TestPostfixWithOtherMail(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	newSite(t, postfixSettings, "127.0.0.1:10026")
	log := startPostfix(t, "main.cf B")
	wantWayIn(t)

	c := dial(t, "127.0.0.1:25").hello()
	odd := oddPost("odd one")
	if reply := c.post(member, list, odd); !strings.HasPrefix(reply, "250 2.0.0 ") {
		t.Fatalf("the post: %q", reply)
	}

	log.want(t, `superlist-spawn.* accepted id=.* client=client.example.com\[192.0.2.7\]:\d+ via=\[127.0.0.1\]:\d+ ident=\w+ helo=client.example.com proto=ESMTP`)

	t.Log("an unknown list is refused at RCPT, in our words")
	if reply := c.post(member, "nosuch@lists.example.org", odd); !strings.HasPrefix(reply, "550 5.1.1 ") {
		t.Errorf("unknown list: %q, want 550 5.1.1", reply)
	}
	swaksRefused(t, "127.0.0.1:25", "550 5.1.1", member, "nosuch@lists.example.org")

	t.Log("so is what else no message could mend, from the moment on that it is so")
	run(t, "superlist", "list", "create", "new@lists.example.org", "--owner", "owner@example.com")
	c.want("250", "MAIL FROM:<%s>", stranger)
	c.want("250", "RCPT TO:<new@lists.example.org>")
	run(t, "superlist", "list", "set", "new@lists.example.org", "post=nobody")
	c.want("550 5.7.1", "RCPT TO:<new@lists.example.org>")
	c.want("250", "RCPT TO:<%s>", neighbour)
	c.want("250", "RSET")
	c.want("250", "MAIL FROM:<%s> SIZE=2000000", member)
	c.want("552 5.3.4", "RCPT TO:<%s>", list)
	c.want("250", "RSET")
	swaksRefused(t, "127.0.0.1:25", "550 5.7.1", member, "new@lists.example.org")
	log.want(t, `superlist-policy.*refused client=\S*\[192.0.2.7\]:\d+ (?:ident=\w+ )?helo=client.example.com proto=ESMTP from=<`+stranger+`> to=<new@lists.example.org> at=RCPT reply="550 5.7.1 new@lists.example.org is closed`)
	run(t, "superlist", "list", "rm", "new@lists.example.org", "--yes")

	t.Log("a stranger's post comes back to him")
	if reply := c.post(stranger, list, byStranger(oddPost("from a stranger"))); !strings.HasPrefix(reply, "250 2.0.0 ") {
		t.Fatalf("a stranger's post: %q", reply)
	}
	wait(t, "the bounce", func() bool { return len(inbox(t, stranger)) > 0 })
	if bounce := inbox(t, stranger)[0]; !strings.Contains(bounce, "550 5.7.1 ") {
		t.Errorf("the bounce says nothing of 550 5.7.1:\n%s", bounce)
	}

	t.Log("other mail goes its way")
	if reply := c.post(stranger, neighbour, oddPost("private")); !strings.HasPrefix(reply, "250 2.0.0 ") {
		t.Fatalf("private mail: %q", reply)
	}
	c.quit()
	wait(t, "private mail", func() bool { return len(inbox(t, neighbour)) == 1 })
	wantDelivered(t, "odd one", odd)

	swaks(t, "127.0.0.1:25", "by swaks")
	wantSubject(t, "by swaks")

	asked(t)
	wantNoWarnings(t, log)
	deferred(t, log)
	bounced(t, log)

	log.want(t, `superlist-policy.*to=<nosuch@lists.example.org> at=RCPT reply="550 5.1.1 there is no such list here`)
	wantOnce(t, "odd one", "by swaks", "put off")

	t.Log("a superlist-policy that ends is started again")
	c = dial(t, "127.0.0.1:25").hello()
	for range 2 {
		c.want("250", "MAIL FROM:<%s>", stranger)
		c.want("550 5.1.1", "RCPT TO:<nosuch@lists.example.org>")
		c.want("250", "RSET")
		for _, process := range running(t) {
			var pid int
			if _, err := fmt.Sscanf(process, "/proc/%d/exe -> /usr/local/bin/superlist-policy", &pid); err == nil {
				must(t, syscall.Kill(pid, syscall.SIGKILL))
			}
		}
	}
	c.quit()

	t.Log("lists get an action of their own: they are let through where others are not")
	text, err := os.ReadFile("/etc/postfix/master.cf")
	must(t, err)
	must(t, os.WriteFile("/etc/postfix/master.cf", []byte(strings.Replace(string(text), "superlist-policy\n", "superlist-policy -list lists\n", 1)), 0o644))
	reconfigure(t, `
smtpd_restriction_classes = superlist, lists
lists = permit
smtpd_recipient_restrictions = check_recipient_access inline:{ lists.example.org=superlist }, reject
`)
	wait(t, "smtpd to ask another superlist-policy", func() bool {
		c := dial(t, "127.0.0.1:25").hello()
		defer c.quit()
		c.want("250", "MAIL FROM:<%s>", stranger)
		return c.send("RCPT TO:<%s>", list)[:3] == "250" && c.send("RCPT TO:<%s>", neighbour)[:3] == "554" && c.send("RCPT TO:<nosuch@lists.example.org>")[:3] == "550"
	})
	stopPostfix(t)
}

// asked shows that SMTPUTF8 and what DSN asks for come through Postfix to us, that
// a header beyond ASCII arrives as it was, and that one report answers: ours.
func asked(t *testing.T) {
	t.Helper()
	t.Log("a post beyond ASCII, whose sender asks to hear of it")
	c := dial(t, "127.0.0.1:25").hello()
	c.want("250", "MAIL FROM:<%s> SMTPUTF8 RET=HDRS ENVID=QQ314159", member)
	c.want("250", "RCPT TO:<%s> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;builders@old.example", list)
	c.want("354", "DATA")
	c.want("250 2.0.0 ", "From: Ása <%s>\r\nSubject: grüezi\r\nMessage-ID: <utf8@example.com>\r\n\r\nä\r\n.", member)
	c.quit()
	wantSubject(t, "grüezi")
	reports := func() []string {
		return slices.DeleteFunc(inbox(t, member), func(m string) bool { return !strings.Contains(m, "report-type=") })
	}
	wait(t, "the report", func() bool { return len(reports()) > 0 })
	report := reports()[0]
	for _, want := range []string{"Original-Envelope-Id: QQ314159\n", "Original-Recipient: rfc822; builders@old.example\n", "Final-Recipient: rfc822; " + list + "\n", "Action: delivered\n", "Reporting-MTA: dns; lists.example.org\n", "\nSubject: grüezi\n"} {
		if !strings.Contains(report, want) {
			t.Errorf("no %q in the report\n%s", want, report)
		}
	}
	if path := header(t, report, "Return-Path"); path != "<>" {
		t.Errorf("the report is from %s", path)
	}
	if n := len(reports()); n != 1 {
		t.Errorf("%d reports", n)
	}
	wantOnce(t, "grüezi")
}

// deferred shows that a post which the relay puts off is tried again: first
// the re-entry is closed, then it answers 452, then it takes the post, and the
// attempts after the first are the cron job's.
func deferred(t *testing.T, log *syslog) {
	t.Helper()
	t.Log("a post that Postfix puts off is tried again")
	sent := oddPost("put off")
	back := reconfigure(t, "master_service_disable = 127.0.0.1:10026.inet\n")
	wait(t, "the re-entry to close", func() bool { return !listening("127.0.0.1:10026") })
	wantPosted(t, "127.0.0.1:25", sent)
	log.want(t, `superlist\[.*(refused|deferred|retry)`)

	// No room, says the queue manager's own check of the file system: 452 4.3.1. It
	// says so from when the re-entry opens, since a Postfix that reads its
	// configuration anew wakes deliver, which may be the first to be there.
	reconfigure(t, "master_service_disable =\nqueue_minfree = 1000000000000000\n")
	wait(t, "the re-entry to open", func() bool { return listening("127.0.0.1:10026") })
	wait(t, "an attempt that is answered 452", func() bool {
		cron(t)
		return len(log.find(`superlist\[.*452`)) > 0
	})
	for _, address := range members {
		if n := len(about(inbox(t, address), "put off")); n != 0 {
			t.Fatalf("%s has the post already", address)
		}
	}

	back()
	wait(t, "the post to arrive", func() bool {
		cron(t)
		return len(about(inbox(t, members[len(members)-1]), "put off")) > 0
	})
	wantDelivered(t, "put off", sent)
}

// bounced shows that Postfix's reports find their way to the list and are understood, of a
// member who is gone, of a full mailbox and of a post that is refused for what it is; and
// that of these the one who is gone, and whose probe comes back too, is suspended.
func bounced(t *testing.T, log *syslog) {
	t.Helper()
	t.Log("reports come to the list, and a member who is gone is suspended")
	const gone, full, fussy = "gone@example.com", "full@example.com", "fussy@example.com"
	others := strings.TrimSpace(run(t, "postconf", "-h", "transport_maps")) // by which the list may be reached
	back := reconfigure(t, "transport_maps = inline:{ { "+full+" = error:5.2.2 the mailbox is full } { "+fussy+" = error:5.7.1 this looks like spam } } "+others+"\n")
	run(t, "superlist", "list", "set", list, "bounce_days=1")
	run(t, "superlist", "member", "add", list, gone, full, fussy)
	wantPosted(t, "127.0.0.1:25", oddPost("one is gone"))
	log.want(t, `superlist\[.* bounce .*member=<`+full+`> kind=failure class=full .*verdict="counted: score 0.5 of 1"`)
	log.want(t, `superlist\[.* bounce .*member=<`+fussy+`> kind=failure class=content .*verdict="not counted: the post was refused, not the member"`)
	log.want(t, `superlist\[.* bounce .*member=<`+gone+`> kind=failure class=gone .*verdict="counted: score 1 of 1"`)
	log.want(t, `superlist\[.* bounces .*member=<`+gone+`> probed`)
	log.want(t, `superlist\[.* bounce .*member=<`+gone+`> kind=failure class=gone .*verdict="the probe has come back"`)
	log.want(t, `superlist\[.* bounces .*member=<`+gone+`> suspended`)
	if out := run(t, "superlist", "member", "ls", list); !strings.Contains(out, gone+" bounced=") && !strings.Contains(strings.Join(strings.Fields(out), " "), gone+" bounced=") {
		t.Errorf("the members are\n%s", out)
	}
	if out := run(t, "superlist", "member", "show", list, gone); !strings.Contains(out, "suspended, because mail came back") {
		t.Errorf("why does nobody get anything?\n%s", out)
	}
	run(t, "superlist", "list", "set", list, "bounce_days=5")
	run(t, "superlist", "member", "rm", list, gone, full, fussy)
	back()
}

// reconfigure adds lines to main.cf; the function it returns takes them back.
// postconf -e and postfix reload would do the same and take two seconds each.
func reconfigure(t *testing.T, lines string) (back func()) {
	t.Helper()
	const file = "/etc/postfix/main.cf"
	old, err := os.ReadFile(file)
	must(t, err)
	set := func(text []byte) {
		t.Helper()
		must(t, os.WriteFile(file, text, 0o644))
		// Who knows the old lines answers once more if he is asked too soon.
		knew := strings.Fields(run(t, "sh", "-c", "pgrep -x trivial-rewrite; pgrep -x qmgr; true"))
		run(t, "sh", "-c", "kill -HUP $(cat /var/spool/postfix/pid/master.pid)")
		asked := time.Now()
		wait(t, "the old processes of Postfix to go", func() bool {
			if time.Since(asked) > 3*time.Second { // one that was just starting may never hear of it
				asked = time.Now()
				run(t, "sh", "-c", "kill "+strings.Join(knew, " ")+" || true")
			}
			return !slices.ContainsFunc(knew, func(pid string) bool {
				_, err := os.Stat("/proc/" + pid + "/exe")
				return err == nil
			})
		})
	}
	set(append(slices.Clone(old), lines...))
	return func() { t.Helper(); set(old) }
}

func wantSubject(t *testing.T, subject string) {
	t.Helper()
	for _, address := range members {
		wait(t, subject+" in the mailbox of "+address, func() bool {
			return len(about(inbox(t, address), subject)) > 0
		})
	}
}

// wantNoWarnings says that Postfix had nothing to complain of in our files. Ask
// before a reload, which ends processes that others are just talking to.
func wantNoWarnings(t *testing.T, log *syslog) {
	t.Helper()
	for _, line := range log.find(`postfix.*(warning|error|fatal|panic):`) {
		if !strings.Contains(line, " rejected ") { // what it calls a refused recipient
			t.Errorf("Postfix complains: %s", line)
		}
	}
}
