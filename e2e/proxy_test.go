package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// startProxy starts what way D is: superlist between two smtpd.
// more is lines for superlist.toml.
func startProxy(t *testing.T, more string) *syslog {
	t.Helper()
	newSite(t, postfixSettings+more, "127.0.0.1:10026")
	addConfig(t, block(t, "superlist.toml D"))
	return startPostfix(t, "main.cf D")
}

func addConfig(t *testing.T, text string) {
	t.Helper()
	old, err := os.ReadFile("/etc/superlist/superlist.toml")
	must(t, err)
	writeConfig(t, string(old)+text)
}

// envelope says MAIL and each RCPT, and gives the replies to RCPT.
func (c *client) envelope(from string, rcpts ...string) (replies []string) {
	c.t.Helper()
	c.want("250", "MAIL FROM:<%s>", from)
	for _, rcpt := range rcpts {
		replies = append(replies, c.send("RCPT TO:%s", rcpt))
		if strings.HasPrefix(replies[len(replies)-1], "421") {
			break
		}
	}
	return replies
}

// message says DATA and the message, and gives the reply.
func (c *client) message(text string) string {
	c.t.Helper()
	if reply := c.send("DATA"); !strings.HasPrefix(reply, "354") {
		return reply
	}
	stuffed := strings.ReplaceAll("\r\n"+text, "\r\n.", "\r\n..")[2:]
	return c.send("%s.", stuffed)
}

// mixed sends a message to the list and to the neighbour, and gives the reply to
// the neighbour's RCPT, and the last one.
func mixed(t *testing.T, subject string) (rcpt, last string) {
	t.Helper()
	c := dial(t, "127.0.0.1:25").hello()
	defer c.conn.Close()
	replies := c.envelope(member, "<"+list+">", "<"+neighbour+">")
	if !strings.HasPrefix(replies[0], "250 ") {
		t.Fatalf("%s: the list's RCPT: %q", subject, replies[0])
	}
	rcpt = replies[1]
	if strings.HasPrefix(rcpt, "421") {
		return rcpt, rcpt
	}
	return rcpt, c.message(oddPost(subject))
}

// copiesOf is how often the message came to the neighbour, and to each member.
func copiesOf(t *testing.T, subject string) (other, list int) {
	t.Helper()
	other = len(about(inbox(t, neighbour), subject))
	for i, address := range members {
		n := len(about(inbox(t, address), subject))
		if i > 0 && n != list {
			t.Errorf("%s: %s has it %d times, another member %d times", subject, address, n, list)
		}
		list = n
	}
	return other, list
}

// wantCopies waits for a message, and says how often each side must have it.
func wantCopies(t *testing.T, subject string, other, list int) {
	t.Helper()
	if other > 0 {
		wait(t, subject+" for "+neighbour, func() bool { return len(about(inbox(t, neighbour), subject)) >= other })
	}
	if list > 0 {
		wantSubject(t, subject)
	}
	if gotOther, gotList := copiesOf(t, subject); gotOther != other || gotList != list {
		t.Errorf("%s: %s has it %d times, want %d; the members %d times, want %d", subject, neighbour, gotOther, other, gotList, list)
	}
}

// restart has Postfix read main.cf with more lines, and waits until the front door
// is one that has: its banner says so.
func restart(t *testing.T, name, lines string) (back func()) {
	t.Helper()
	greets := func(banner string) func() bool {
		return func() bool {
			c := dial(t, "127.0.0.1:25")
			defer c.conn.Close()
			return strings.Contains(c.reply(), banner)
		}
	}
	undo := reconfigure(t, lines+"smtpd_banner = mx.example.org ESMTP "+name+"\n")
	wait(t, "a Postfix with "+name, greets(name))
	return func() {
		t.Helper()
		undo()
		wait(t, "a Postfix without "+name, greets("ESMTP Postfix"))
	}
}

// TestPostfixProxy is way D: every recipient is answered by who
// knows, and a message goes to all of them or to none.
func TestPostfixProxy(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	log := startProxy(t, "")
	if out := run(t, "superlist", "check"); !regexp.MustCompile(`(?m)^ok +next_hop 127.0.0.1:10028 +answers$`).MatchString(out) {
		t.Errorf("superlist check:\n%s", out)
	}
	wantWayIn(t)

	t.Log("recipients of all kinds in one transaction, each answered by who knows")
	c := dial(t, "127.0.0.1:25").hello()
	for rcpt, want := range map[string]string{
		"<nobody@example.com>":               "550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown in virtual mailbox table",
		"<unknown@mx.example.org>":           "550 5.1.1 <unknown@mx.example.org>: Recipient address rejected: User unknown in local recipient table",
		"<nosuch@lists.example.org>":         "550 5.1.1 <nosuch@lists.example.org>: Recipient address rejected: User unknown in relay recipient table",
		`<"no such one"@example.com>`:        `550 5.1.1 <no such one@example.com>: Recipient address rejected: User unknown in virtual mailbox table`,
		"<dev+nosuch@lists.example.org>":     "550 5.1.1 the list has no such address",
		"<somebody@elsewhere.example>":       "454 4.7.1 <somebody@elsewhere.example>: Relay access denied",
		"<@hop1.example:nobody@example.com>": "550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown in virtual mailbox table",
	} {
		if got := c.envelope(member, rcpt)[0]; !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", rcpt, got, want)
		}
		c.want("250", "RSET")
	}
	odd := oddPost("of all kinds")
	for i, reply := range c.envelope(member, "<@hop1.example,@hop2.example:"+list+">", `<"zoe"@example.com>`,
		"<nobody@example.com>", "<postmaster@mx.example.org>", " "+stranger) {
		if want := []string{"250", "250", "550", "250", "250"}[i]; !strings.HasPrefix(reply, want) {
			t.Errorf("recipient %d: %q, want %s", i, reply, want)
		}
	}
	reply := c.message(odd)
	if !strings.HasPrefix(reply, "250 2.0.0 queued as ") {
		t.Fatalf("the message: %q", reply)
	}
	c.quit()
	wantDelivered(t, "of all kinds", odd)
	for _, address := range []string{neighbour, "owner@example.com", stranger} {
		wait(t, "the message for "+address, func() bool { return len(about(inbox(t, address), "of all kinds")) > 0 })
		got := about(inbox(t, address), "of all kinds")
		if len(got) != 1 {
			t.Errorf("%s has it %d times", address, len(got))
		}
		wantSame(t, got[0], odd)
	}
	own, theirs, _ := strings.Cut(strings.TrimPrefix(reply, "250 2.0.0 queued as "), ",")
	log.want(t, `superlist-spawn.* accepted id=`+regexp.QuoteMeta(own+","+theirs)+` .*to=<`+list+`>`)
	log.want(t, `postfix/behind/smtpd.* `+theirs+`: client=.*orig_client=client.example.com\[`+outsider+`\]`)
	if n := strings.Count(about(inbox(t, neighbour), "of all kinds")[0], "(superlist)"); n != 0 {
		t.Errorf("our trace stands %d times in what Postfix keeps the trace of", n)
	}

	t.Log("a post by BDAT, and one by swaks; other mail, and no connection behind for lists alone")
	before := len(log.find(`postfix/behind/smtpd.* connect from`))
	c = dial(t, "127.0.0.1:25").hello()
	for _, keyword := range c.keywords() {
		if slices.Contains([]string{"DSN", "SMTPUTF8"}, keyword) {
			t.Errorf("the front door announces %s", keyword)
		}
	}
	chunked := oddPost("in chunks")
	if reply := c.postChunked(member, list, chunked); !strings.HasPrefix(reply, "250 2.0.0 ") {
		t.Fatalf("the post by BDAT: %q", reply)
	}
	swaks(t, "127.0.0.1:25", "by swaks")
	swaksRefused(t, "127.0.0.1:25", "550 5.7.1", stranger, list)
	wantDelivered(t, "in chunks", chunked)
	wantSubject(t, "by swaks")
	if n := len(log.find(`postfix/behind/smtpd.* connect from`)) - before; n != 0 {
		t.Errorf("mail for lists made %d connections behind", n)
	}
	private := oddPost("private")
	if reply := c.post(stranger, neighbour, private); !strings.HasPrefix(reply, "250 2.0.0 queued as ") {
		t.Errorf("other mail: %q", reply)
	}
	c.quit()
	wantCopies(t, "private", 1, 0)
	wantSame(t, about(inbox(t, neighbour), "private")[0], private)

	t.Log("one side refuses the message at its end: nobody has it")
	c = dial(t, "127.0.0.1:25").hello()
	c.envelope(member, "<"+list+">", "<"+neighbour+">")
	if reply := c.message("From: " + member + "\r\nSubject: list says no\r\nSubject: twice\r\n\r\n"); !strings.HasPrefix(reply, "550-5.6.0 the message has more than one Subject") {
		t.Errorf("the list's refusal: %q", reply)
	}
	c.quit()
	must(t, os.WriteFile("/etc/postfix/checks", []byte("/^Subject: hop says no/ REJECT not this one\n"), 0o644))
	back := restart(t, "checks", "header_checks = regexp:/etc/postfix/checks\n")
	if _, last := mixed(t, "hop says no"); last != "550 5.7.1 not this one" {
		t.Errorf("the next hop's refusal: %q", last)
	}
	back()

	t.Log("a client that leaves, at each stage")
	commands := []string{"", "EHLO x\r\n", "MAIL FROM:<" + member + ">\r\n", "RCPT TO:<" + list + ">\r\n", "RCPT TO:<" + neighbour + ">\r\n",
		"DATA\r\n", "From: " + member + "\r\nSubject: gone\r\n\r\n" + strings.Repeat("line\r\n", 20000), "."}
	for n := range commands {
		c := dial(t, "127.0.0.1:25")
		c.reply()
		for i, command := range commands[:n+1] {
			_, err := io.WriteString(c.conn, command)
			must(t, err)
			if i > 0 && i < 6 {
				c.reply()
			}
		}
		c.conn.Close()
	}

	t.Log("and one that leaves without waiting for the answer")
	c = dial(t, "127.0.0.1:25").hello()
	c.envelope(member, "<"+list+">", "<"+neighbour+">")
	c.want("354", "DATA")
	_, err := fmt.Fprintf(c.conn, "From: %s\r\nSubject: gone after all\r\n\r\n.\r\n", member)
	must(t, err)
	c.conn.Close()
	wantCopies(t, "gone after all", 1, 1)

	for _, subject := range []string{"list says no", "hop says no", "gone"} {
		wantCopies(t, subject, 0, 0)
	}

	t.Log("Postfix's speed_adjust: the message is asked about when it is complete")
	back = restart(t, "speed", "smtpd_proxy_options = speed_adjust\n")
	if _, last := mixed(t, "at speed"); !strings.HasPrefix(last, "250 2.0.0 queued as ") {
		t.Errorf("at speed: %q", last)
	}
	c = dial(t, "127.0.0.1:25").hello()
	c.envelope(member, "<"+list+">", "<nobody@example.com>", "<"+neighbour+">")
	if reply := c.message(oddPost("one refused at speed")); !strings.HasPrefix(reply, "550 5.1.1 <nobody@example.com>: Recipient address rejected") {
		t.Errorf("one recipient is refused at speed: %q", reply)
	}
	c.quit()
	wantCopies(t, "at speed", 1, 1)
	wantCopies(t, "one refused at speed", 0, 0)
	back()

	t.Log("Postfix's own mail for a list, a bounce, and for no list")
	bounced(t, log)
	run(t, "sendmail", "-f", member, "nosuch@lists.example.org")
	log.want(t, `postfix/lmtp.*to=<nosuch@lists.example.org>.*status=bounced .*550 5.1.1 <nosuch@lists.example.org>`)
	wantOnce(t, "of all kinds", "in chunks", "by swaks")
	stopPostfix(t)
}

// TestPostfixProxyLarge sends 50 MiB through: nothing of it is kept on the way, in
// memory or on the disk, and a list that finds it too large keeps it from everybody.
func TestPostfixProxyLarge(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	startProxy(t, "max_message_size = \"64MiB\"\n")
	back := restart(t, "large", "message_size_limit = 70000000\nvirtual_mailbox_limit = 0\n")
	const size = 50 << 20
	large := func(subject string) string {
		const line = "0123456789012345678901234567890123456789012345678901234567890123456789.\r\n"
		return "From: " + member + "\r\nSubject: " + subject + "\r\n\r\n" + strings.Repeat(line, size/len(line))
	}
	for subject, rcpts := range map[string][]string{
		"large":              {"<" + neighbour + ">"},
		"large for the list": {"<" + neighbour + ">", "<" + list + ">"},
	} {
		c := dial(t, "127.0.0.1:25").hello()
		must(t, c.conn.SetDeadline(time.Now().Add(time.Minute)))
		for _, reply := range c.envelope(member, rcpts...) {
			if !strings.HasPrefix(reply, "250") {
				t.Fatal(reply)
			}
		}
		done := make(chan string)
		go func() { done <- c.message(large(subject)) }()
		memory, reply := 0, ""
		for reply == "" {
			select {
			case reply = <-done:
			case <-time.After(20 * time.Millisecond):
				memory = max(memory, peakMemory())
				files, _ := filepath.Glob("/var/spool/superlist/tmp/*")
				if len(rcpts) == 1 && len(files) > 0 {
					t.Errorf("a copy of other mail on the disk: %q", files)
				}
			}
		}
		t.Logf("%s: %q, superlist-spawn had %d KiB", subject, reply, memory)
		if memory == 0 || memory > 32<<10 {
			t.Errorf("superlist-spawn had %d KiB", memory)
		}
		want := "250 2.0.0 queued as "
		if len(rcpts) == 2 {
			want = "552-5.3.4 the message has "
		}
		if !strings.HasPrefix(reply, want) {
			t.Errorf("%s: %q, want %s", subject, reply, want)
		}
		c.quit()
	}
	wait(t, "the large message", func() bool { return len(about(inbox(t, neighbour), "large")) > 0 })
	wantSame(t, about(inbox(t, neighbour), "large")[0], large("large"))
	wantCopies(t, "large for the list", 0, 0)
	back()
	stopPostfix(t)
}

// peakMemory is the most that a superlist-spawn which now runs has ever had, in
// KiB.
func peakMemory() (most int) {
	files, _ := filepath.Glob("/proc/[0-9]*/status")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || !strings.HasPrefix(string(text), "Name:\tsuperlist-spawn\n") {
			continue
		}
		_, rest, _ := strings.Cut(string(text), "VmHWM:")
		if fields := strings.Fields(rest); len(fields) > 0 {
			kib, _ := strconv.Atoi(fields[0])
			most = max(most, kib)
		}
	}
	return most
}

// TestPostfixProxyTrouble has smtp-sink, Postfix's own, misbehave in the place of
// the next hop, in every way at every stage.
func TestPostfixProxyTrouble(t *testing.T) {
	if !enter(t, append(postfixNeeds, "smtp-sink")...) {
		return
	}
	log := startProxy(t, "")
	config, err := os.ReadFile("/etc/superlist/superlist.toml")
	must(t, err)
	writeConfig(t, strings.ReplaceAll(string(config), "127.0.0.1:10028", "127.0.0.1:10029"))

	const (
		down  = "451 4.3.0 the mail server behind the mailing lists"
		hard  = "500 5.3.0 Error: command failed"
		soft  = "450 4.3.0 Error: command failed"
		leave = "421 "
		ok    = "250 "
	)
	type outcome struct{ rcpt, last string }
	tests := map[string]outcome{ // what the neighbour's RCPT hears, and what the message
		"":            {ok, ok},
		"-f EHLO":     {ok, ok}, // HELO does it
		"-f CONNECT":  {down, ok},
		"-r CONNECT":  {down, ok},
		"-q CONNECT":  {down, ok},
		"-Q CONNECT":  {down, ok},
		"-q EHLO":     {down, ok},
		"-Q EHLO":     {down, ok},
		"-f XFORWARD": {down, ok},
		"-f MAIL":     {hard, ok},
		"-r MAIL":     {soft, ok},
		"-q MAIL":     {down, ok},
		"-Q MAIL":     {leave, leave},
		"-f RCPT":     {hard, ok},
		"-r RCPT":     {soft, ok},
		"-q RCPT":     {down, ok},
		"-Q RCPT":     {leave, leave},
		"-f DATA":     {ok, hard},
		"-r DATA":     {ok, soft},
		"-q DATA":     {ok, down},
		"-Q DATA":     {ok, leave},
		"-f .":        {ok, hard},
		"-r .":        {ok, soft},
		"-q .":        {ok, down},
		"-Q .":        {ok, leave},
		"-A 1":        {ok, "550 "}, // before it has the final dot
	}
	for option, want := range tests {
		args := append(strings.Fields(option), "-u", "nobody", "127.0.0.1:10029", "10")
		sink := exec.Command("smtp-sink", args...)
		must(t, sink.Start())
		wait(t, "smtp-sink", func() bool { return listening("127.0.0.1:10029") })
		rcpt, last := mixed(t, "sink"+option)
		if !strings.HasPrefix(rcpt, want.rcpt) || !strings.HasPrefix(last, want.last) {
			t.Errorf("smtp-sink %s: %q and %q, want %+v", option, rcpt, last, want)
		}
		sink.Process.Kill()
		sink.Wait()
	}
	if rcpt, last := mixed(t, "nobody there"); !strings.HasPrefix(rcpt, down) || !strings.HasPrefix(last, ok) {
		t.Errorf("nobody there: %q and %q", rcpt, last)
	}
	log.want(t, `superlist-spawn.* refused .*to=<`+neighbour+`> at=RCPT reply="451 4.3.0 .*error=".*next hop at connecting: connect: connection refused"`)
	wantSubject(t, "nobody there")
	for option, want := range tests {
		n := 0
		if want.last == ok {
			n = 1
		}
		wantCopies(t, "sink"+option, 0, n)
	}
	stopPostfix(t)
}

// strace is put in the place of superlist-spawn, and kills it where the file kill
// says; it then says how that went in the file done.
const strace = `#!/bin/sh
read call n </var/tmp/kill/kill
if [ -z "$call" ]; then exec /usr/local/bin/superlist-killed "$@"; fi
strace -f -q -o /var/tmp/kill/trace -e trace=$call -e inject=$call:signal=KILL:when=$n /usr/local/bin/superlist-killed "$@" 2>/dev/null
grep -c "killed by SIGKILL" /var/tmp/kill/trace >/var/tmp/kill/status # its own status is that of the first thread
mv /var/tmp/kill/status /var/tmp/kill/done
`

// TestPostfixProxyKill kills superlist-spawn between two smtpd at each call that it
// makes, in a message for both sides. A client that hears no sends it again. Then
// everybody has it; the next hop perhaps twice, and the list only where it had it
// in the first place.
func TestPostfixProxyKill(t *testing.T) {
	if !enter(t, append(postfixNeeds, "strace")...) {
		return
	}
	startProxy(t, "")
	must(t, os.Mkdir("/var/tmp/kill", 0o777))
	must(t, os.Chmod("/var/tmp/kill", 0o777))
	plan := func(text string) { must(t, os.WriteFile("/var/tmp/kill/kill", []byte(text+"\n"), 0o644)) }
	plan("")
	must(t, os.Rename("/usr/local/bin/superlist-spawn", "/usr/local/bin/superlist-killed"))
	must(t, os.WriteFile("/usr/local/bin/superlist-spawn", []byte(strace), 0o755))

	sent := map[string]bool{} // whether the first attempt was acknowledged
	for _, call := range []string{"connect", "sendmsg", "read", "openat", "pwrite64", "fsync", "renameat"} {
		for n, hit := 1, true; hit; n++ {
			subject := fmt.Sprintf("killed at %s %d", call, n)
			plan(fmt.Sprintf("%s %d", call, n))
			_, last := attempt(t, subject)
			var status []byte
			wait(t, "strace", func() bool { status, _ = os.ReadFile("/var/tmp/kill/done"); return len(status) > 0 })
			must(t, os.Remove("/var/tmp/kill/done"))
			hit = !bytes.Equal(status, []byte("0\n"))
			acknowledged := strings.HasPrefix(last, "250 2.0.0 queued as ")
			if !hit && !acknowledged || hit && !acknowledged && !strings.HasPrefix(last, "451 4.3.0 ") && !strings.HasPrefix(last, "421 ") {
				t.Errorf("%s: hit %t, and the client hears %q", subject, hit, last)
			}
			sent[subject] = acknowledged
			plan("")
			if !acknowledged {
				if _, last := mixed(t, subject); !strings.HasPrefix(last, "250 2.0.0 queued as ") {
					t.Errorf("%s: sent again, and the client hears %q", subject, last)
				}
			}
		}
	}
	t.Logf("killed at %d calls", len(sent)-7)
	if len(sent) < 30 {
		t.Errorf("only %d calls", len(sent))
	}
	run(t, "runuser", "-u", "superlist", "--", "superlist", "deliver")
	twice := [2]int{}
	for subject, acknowledged := range sent {
		wantSubject(t, subject)
		wait(t, subject+" for "+neighbour, func() bool { return len(about(inbox(t, neighbour), subject)) > 0 })
		other, list := copiesOf(t, subject)
		most := 2
		if acknowledged {
			most = 1
		}
		if other > most || list > other {
			t.Errorf("%s: acknowledged at once %t; %s has it %d times, the list %d times", subject, acknowledged, neighbour, other, list)
		}
		twice[0] += other - 1
		twice[1] += list - 1
	}
	t.Logf("the next hop has %d messages twice, the list %d", twice[0], twice[1])
	must(t, os.Rename("/usr/local/bin/superlist-killed", "/usr/local/bin/superlist-spawn"))

	// What was killed before its rename is left in tmp, until it is old enough.
	left, err := filepath.Glob("/var/spool/superlist/tmp/*")
	must(t, err)
	for _, file := range left {
		must(t, os.Chtimes(file, time.Time{}, time.Now().Add(-48*time.Hour)))
	}
	run(t, "runuser", "-u", "superlist", "--", "superlist", "deliver")
	stopPostfix(t)
}

// attempt is mixed, of which every step may fail.
func attempt(t *testing.T, subject string) (rcpt, last string) {
	t.Helper()
	c := dial(t, "127.0.0.1:25").hello()
	defer c.conn.Close()
	replies := c.envelope(member, "<"+list+">", "<"+neighbour+">")
	// The refusal need not be the last reply: Postfix may take the neighbour after
	// it has refused the list.
	if i := slices.IndexFunc(replies, func(r string) bool { return r[0] != '2' }); i >= 0 {
		return "", replies[i]
	}
	return "", c.message(oddPost(subject))
}
