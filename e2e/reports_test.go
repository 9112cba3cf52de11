package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"superlist/e2e/unpack"
	"superlist/lists/deliver"
	"superlist/lists/ledger/files"
	"superlist/lists/maillog"
	"superlist/lists/site"
)

// The addresses of a scenario with reports: of the members' mail server that refuses, of
// the one that writes reports, and of superlist.
const (
	hostsAt    = "127.0.0.1:2600"
	reporterAt = "127.0.0.1:2500"
	listsAt    = "127.0.0.1:2400"
)

// Members of whom the other server says something.
const (
	goneMember  = "gone@example.com"
	fullMember  = "full@example.com"
	fussyMember = "fussy@example.com"
	greyMember  = "grey@example.com"
	deadMember  = "xyzzy@mx.example.org" // of the reporter's own domain
)

// A reporter is a mail server of Debian's that takes mail for the members from us, cannot
// deliver some, and reports it. It is unpacked and not installed: it would take Postfix's
// place.
type reporter struct {
	packages []string
	days     int // on which mail comes back until there is a probe
	// start starts it at reporterAt. It sends what is for example.com to hostsAt, and
	// for lists.example.org to listsAt.
	start func(t *testing.T, dirs []string)
	// again has it try again what waits, and report what waits long: a second.
	again func(t *testing.T, dirs []string)
}

// A run of superlist within the test, whose clock the test moves.
type clocked struct {
	t   *testing.T
	log lockedLog
	r   *deliver.Runner
	now time.Time
}

type lockedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// newClocked begins some days ago: reports come by sessions, whose clock is the machine's.
func newClocked(t *testing.T) *clocked {
	t.Helper()
	s, err := site.Load("/etc/superlist/superlist.toml")
	must(t, err)
	s.Ledger = files.On
	c := &clocked{t: t, now: time.Now().AddDate(0, 0, -20)}
	log, err := maillog.Open("none", "info", "superlist")
	must(t, err)
	log.Also(&c.log)
	c.r = &deliver.Runner{Site: s, Spool: s.Spool(), Log: log, Now: func() time.Time { return c.now }}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("superlist deliver says:\n%s", &c.log)
		}
	})
	return c
}

// until delivers until the log has a line.
func (c *clocked) until(expr string, again func()) {
	c.t.Helper()
	re := regexp.MustCompile(expr)
	wait(c.t, "a line "+expr, func() bool {
		if err := c.r.Run(context.Background()); err != nil {
			c.t.Fatal(err)
		}
		if re.MatchString(c.log.String()) {
			return true
		}
		if again != nil {
			again()
		}
		return false
	})
}

// days passes some.
func (c *clocked) days(n int) { c.now = c.now.AddDate(0, 0, n) }

// post sends one to the list by a session.
func (c *clocked) post(subject string) {
	c.t.Helper()
	cmd := exec.Command("/usr/local/bin/superlist-spawn")
	cmd.Stdin = strings.NewReader("EHLO client.example.com\r\nMAIL FROM:<" + member + ">\r\nRCPT TO:<" + list + ">\r\nDATA\r\n" +
		"From: " + member + "\r\nTo: " + list + "\r\nSubject: " + subject + "\r\nMessage-ID: <" + strings.ReplaceAll(subject, " ", "-") + "@example.com>\r\n\r\nHello.\r\n.\r\nQUIT\r\n")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "\n250 2.0.0 ") && !strings.Contains(string(out), "\n250 2.6.0 ") {
		c.t.Fatalf("the post: %v\n%s", err, out)
	}
}

// reports is the scenario: from a post to a suspension and back.
func (p reporter) reports(t *testing.T) {
	dirs := unpacked(t, p.packages...)
	if !enter(t, "socat", "useradd") {
		return
	}
	for i, dir := range dirs { // where other users find it
		dirs[i] = filepath.Join(scratch, filepath.Base(dir))
		must(t, os.Mkdir(dirs[i], 0o755))
		must(t, syscall.Mount(dir, dirs[i], "", syscall.MS_BIND, ""))
	}
	must(t, os.WriteFile("/etc/ld.so.conf.d/reporter.conf", []byte(strings.Join(unpack.Libraries(dirs[0]), "\n")+"\n"), 0o644))
	run(t, "ldconfig") // its children have no environment of ours
	hosts := startTaker(t, hostsAt)
	hosts.refuses(goneMember, "550 5.1.1 <gone@example.com>: Recipient address rejected: User unknown in virtual mailbox table")
	hosts.refuses(fullMember, "552 5.2.2 <full@example.com>: mailbox over quota")
	hosts.refuses(greyMember, "450 4.2.0 <grey@example.com>: Recipient address rejected: Greylisted, see http://postgrey.example.net/help/example.com.html")
	hosts.after[fussyMember] = "554 5.7.1 this message looks like spam"

	newHost(t, `user = ""`+"\nkick = \"\"\nlog = \"none\"", reporterAt)
	wanted := []string{goneMember, fullMember, fussyMember, greyMember, deadMember}
	run(t, "superlist", "list", "create", list, "--owner", "owner@example.com", "--set", "post=members", "--set", fmt.Sprintf("bounce_days=%d", p.days))
	run(t, "superlist", append([]string{"member", "add", list, member}, wanted...)...)
	launcher(t, "socat", "TCP-LISTEN:"+strings.TrimPrefix(listsAt, "127.0.0.1:")+",bind=127.0.0.1,fork,reuseaddr", "EXEC:/usr/local/bin/superlist-spawn")
	wait(t, "socat", func() bool { return listening(listsAt) })
	newSyslog(t)
	p.start(t, dirs)
	wait(t, "the server that reports", func() bool { return listening(reporterAt) })

	c := newClocked(t)
	again := func() { p.again(t, dirs) }
	days := strconv.Itoa(p.days)
	t.Log("the first day")
	c.post("first")
	c.until(`bounce .*member=<`+goneMember+`> kind=failure class=gone .*verdict="counted: score 1 of `+days+`"`, again)
	c.until(`bounce .*member=<`+fullMember+`> kind=failure class=full .*verdict="counted: score 0.5 of `+days+`"`, again)
	c.until(`bounce .*member=<`+fussyMember+`> kind=failure class=content .*verdict="not counted: the post was refused, not the member"`, again)
	c.until(`bounce .*member=<`+deadMember+`> kind=failure class=gone .*verdict="counted: score 1 of `+days+`"`, again)
	t.Log("what waits is reported, and counts nothing")
	c.until(`bounce .*member=<`+greyMember+`> kind=delay .*verdict="not counted: it says of nobody that mail failed"`, again)
	hosts.refuses(greyMember, "")
	wait(t, "the greylisted post", func() bool {
		again()
		return len(hosts.about(greyMember)) > 0
	})
	for day := 2; day <= p.days; day++ {
		t.Log("another day")
		c.days(1)
		c.post(fmt.Sprint("day ", day))
	}
	c.until(`bounces .*member=<`+goneMember+`> probed`, again)
	c.until(`bounce .*member=<`+goneMember+`> kind=failure class=gone .*verdict="the probe has come back"`, again)
	c.until(`bounces .*member=<`+goneMember+`> suspended`, again)
	if out := strings.Join(strings.Fields(run(t, "superlist", "member", "ls", list)), " "); !strings.Contains(out, goneMember+" bounced=") || strings.Contains(out, fullMember+" bounced=") {
		t.Errorf("the members are\n%s", out)
	}
	t.Log("a week later there is somebody again")
	hosts.refuses(goneMember, "")
	c.days(7)
	c.until(`(?s)member=<`+goneMember+`> suspended.*bounces list=\S+ member=<`+goneMember+`> probed`, again)
	wait(t, "the probe", func() bool {
		again()
		return len(hosts.about(goneMember)) > 0
	})
	c.days(2)
	c.until(`bounces .*member=<`+goneMember+`> reinstated`, again)
	wait(t, "the letter", func() bool {
		again()
		return len(hosts.about(goneMember)) > 1
	})
	if out := run(t, "superlist", "member", "ls", list); strings.Contains(out, goneMember+" bounced=") {
		t.Errorf("the members are\n%s", out)
	}
}

// about are the messages that came for somebody.
func (s *taker) about(rcpt string) (got []taken) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.got {
		if m.to == rcpt {
			got = append(got, m)
		}
	}
	return got
}

// does has a program do something.
func does(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
}

const eximReporter = `primary_hostname = mx.example.org
spool_directory = SPOOL
log_file_path = syslog
local_interfaces = 127.0.0.1
daemon_smtp_ports = 2500
exim_path = PROGRAM
keep_environment =
tls_advertise_hosts =
queue_only = true
deliver_drop_privilege = true
host_lookup =
rfc1413_hosts =
delay_warning = 1s
delay_warning_condition = yes
acl_smtp_rcpt = accept
begin routers
lists:
  driver = manualroute
  domains = lists.example.org
  transport = lists
  route_list = * 127.0.0.1
  self = send
hosts:
  driver = manualroute
  domains = example.com
  transport = hosts
  route_list = * 127.0.0.1
  self = send
begin transports
lists:
  driver = smtp
  port = 2400
  allow_localhost
hosts:
  driver = smtp
  port = 2600
  allow_localhost
begin retry
* * F,2h,1s
`

// TestEximReports: what Exim reports is understood.
func TestEximReports(t *testing.T) {
	reporter{
		packages: []string{"exim4-daemon-light"}, days: 2,
		start: func(t *testing.T, dirs []string) {
			spool := startEximHome(t)
			must(t, os.WriteFile("/etc/exim.conf", []byte(strings.NewReplacer("SPOOL", spool, "PROGRAM", dirs[0]+"/usr/sbin/exim4").Replace(eximReporter)), 0o644))
			does(t, command(dirs[0], "/usr/sbin/exim4", "-C", "/etc/exim.conf", "-bd"))
		},
		again: func(t *testing.T, dirs []string) {
			does(t, command(dirs[0], "/usr/sbin/exim4", "-C", "/etc/exim.conf", "-qff"))
		},
	}.reports(t)
}

// ^ stands for the quotation mark of m4 that Go has no room for.
const sendmailReporter = `OSTYPE(^linux')dnl
define(^confDOMAIN_NAME', ^mx.example.org')dnl
define(^confDELIVERY_MODE', ^background')dnl
define(^confTO_QUEUEWARN', ^1s')dnl
define(^confTO_QUEUEWARN_NORMAL', ^1s')dnl
define(^confTO_QUEUEWARN_NONURGENT', ^1s')dnl
define(^confPID_FILE', ^/var/sendmail.pid')dnl
define(^confTO_IDENT', ^0')dnl
define(^confQUEUE_LA', ^1000')dnl
define(^confREFUSE_LA', ^1000')dnl
define(^QUEUE_DIR', ^/var/spool/mqueue')dnl
define(^STATUS_FILE', ^/var/sendmail.st')dnl
define(^ALIAS_FILE', ^/etc/mail/aliases')dnl
FEATURE(^nocanonify')dnl
FEATURE(^accept_unresolvable_domains')dnl
FEATURE(^promiscuous_relay')dnl
DAEMON_OPTIONS(^Port=2500, Addr=127.0.0.1, Name=MTA')dnl
MAILER(^local')dnl
MAILER(^smtp')dnl
LOCAL_CONFIG
# Of mail from lists it reports no delay.
Plist=0
MAILER_DEFINITIONS
Mhosts, P=[IPC], F=mDFMuXa8k, S=EnvFromSMTP/HdrFromSMTP, R=MasqSMTP, E=\r\n, L=2040, T=DNS/RFC822/SMTP, A=TCP $h 2600
Mlists, P=[IPC], F=mDFMuXa8k, S=EnvFromSMTP/HdrFromSMTP, R=MasqSMTP, E=\r\n, L=2040, T=DNS/RFC822/SMTP, A=TCP $h 2400
LOCAL_RULE_0
R$* < @ example.com $* > $*	$#hosts $@ [127.0.0.1] $: $1 < @ example.com . > $3
R$* < @ lists.example.org $* > $*	$#lists $@ [127.0.0.1] $: $1 < @ lists.example.org . > $3
`

// TestSendmailReports: what Sendmail reports is understood.
func TestSendmailReports(t *testing.T) {
	sendmail := func(dirs []string, args ...string) *exec.Cmd {
		return command(dirs[0], "/usr/libexec/sendmail/sendmail", append([]string{"-C", "/etc/mail/sendmail.cf"}, args...)...)
	}
	reporter{
		packages: []string{"sendmail-bin", "sendmail-cf", "m4"}, days: 2,
		start: func(t *testing.T, dirs []string) {
			for _, dir := range []string{"/etc/mail", "/var/spool/mqueue"} {
				must(t, os.MkdirAll(dir, 0o755))
			}
			for file, text := range map[string]string{
				"mx.mc": strings.ReplaceAll(sendmailReporter, "^", "`"), "aliases": "", "local-host-names": "mx.example.org\n", "trusted-users": "root\n",
			} {
				must(t, os.WriteFile("/etc/mail/"+file, []byte(text), 0o644))
			}
			cf := dirs[1] + "/usr/share/sendmail/cf/"
			made, err := command(dirs[2], "/usr/bin/m4", "-D_CF_DIR_="+cf, cf+"m4/cf.m4", "/etc/mail/mx.mc").Output()
			must(t, err)
			must(t, os.WriteFile("/etc/mail/sendmail.cf", made, 0o644))
			does(t, sendmail(dirs, "-bi"))
			does(t, sendmail(dirs, "-bd"))
		},
		again: func(t *testing.T, dirs []string) { does(t, sendmail(dirs, "-q")) },
	}.reports(t)
}

const smtpdReporter = `listen on 127.0.0.1 port 2500 hostname mx.example.org
bounce warn-interval 1s
table aliases { postmaster = root }
action "lists" relay host "smtp://127.0.0.1:2400"
action "hosts" relay host "smtp://127.0.0.1:2600"
action "local" maildir "/var/maildir" alias <aliases>
match from any for domain "lists.example.org" action "lists"
match from any for domain "example.com" action "hosts"
match from any for domain "mx.example.org" action "local"
`

// smtpctl works if it is of a group of its own.
const smtpctl = "/usr/local/smtpctl"

// TestOpenSMTPDReports: what OpenSMTPD reports is understood.
func TestOpenSMTPDReports(t *testing.T) {
	reporter{
		packages: []string{"opensmtpd"}, days: 1, // it waits four seconds before it reports
		start: func(t *testing.T, dirs []string) {
			for _, user := range []string{"opensmtpd", "opensmtpq"} {
				run(t, "useradd", "--system", "--no-create-home", "--user-group", "--home-dir", "/var/empty", user)
			}
			must(t, os.MkdirAll("/var/lib/opensmtpd/empty", 0o755))
			copyFile(t, dirs[0]+"/usr/sbin/smtpctl", smtpctl, 0o755)
			run(t, "chgrp", "opensmtpq", smtpctl)
			run(t, "chmod", "2755", smtpctl)
			must(t, os.WriteFile("/etc/smtpd.conf", []byte(smtpdReporter), 0o644))
			does(t, command(dirs[0], "/usr/sbin/smtpd", "-f", "/etc/smtpd.conf"))
		},
		again: func(t *testing.T, dirs []string) {
			exec.Command(smtpctl, "schedule", "all").Run() // an error where nothing waits
		},
	}.reports(t)
}
