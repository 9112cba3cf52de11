package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/deliver"
	"superlist/lists/letter"
	"superlist/lists/maillog"
	"superlist/lists/sandbox"
	"superlist/queue"
	"superlist/smtp"
)

// A finding is one thing that check looked at.
type finding struct {
	Level string `json:"level"` // ok, warning, error
	About string `json:"about"`
	Text  string `json:"text"`
	Mend  string `json:"mend,omitempty"`
}

// A checker collects findings.
type checker struct {
	ctx      context.Context
	site     *lists.Site
	findings []finding
}

func (k *checker) ok(about, format string, a ...any) {
	k.findings = append(k.findings, finding{"ok", about, fmt.Sprintf(format, a...), ""})
}

func (k *checker) warn(about, text, mend string) {
	k.findings = append(k.findings, finding{"warning", about, text, mend})
}

func (k *checker) wrong(about, text, mend string) {
	k.findings = append(k.findings, finding{"error", about, text, mend})
}

func (a *app) checkCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "check [LIST]", Short: "Find out what is wrong, and how to mend it",
		Long: `Look at the configuration, the permissions, the lists, the spool, the mail filters,
the relay and DNS, and say for everything that is wrong how to mend it. It changes no list and
no message, but tries the kick, and so starts superlist deliver. Exit code 78
when something is an error.`,
		Example: `  superlist check
  superlist check dev@lists.example.org`,
		Args:              args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			k := &checker{ctx: c.Context()}
			if err := k.run(a, arg); err != nil {
				return err
			}
			t := table{"", "", ""}.rows()
			bad := 0
			for _, f := range k.findings {
				text := f.Text
				if f.Mend != "" {
					text += "; " + f.Mend
				}
				t.add(f.Level, f.About, text)
				if f.Level == "error" {
					bad++
				}
			}
			if err := show(c, asJSON, k.findings, t); err != nil || bad == 0 {
				return err
			}
			return &exitError{exConfig, fmt.Errorf("errors found: %d", bad)}
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (k *checker) run(a *app, arg []string) error {
	var err error
	if k.site, err = a.site(); err != nil {
		var config *lists.ConfigError
		if !errors.As(err, &config) {
			return err
		}
		k.wrong("configuration", config.Error(), "mend that line, then check again")
		return nil
	}
	k.configuration()
	if len(arg) > 0 {
		l, err := openList(k.site, arg[0])
		var config *lists.ConfigError
		if errors.As(err, &config) {
			k.wrong(arg[0], config.Error(), "mend that line, then check again")
			return nil
		}
		if err != nil {
			return err
		}
		k.list(l)
		k.domain(l.Addr.Domain)
		return nil
	}
	k.spool()
	k.lists()
	k.log()
	k.sandbox()
	k.session()
	k.tls()
	k.auth()
	k.milters()
	k.dkim()
	k.relay()
	k.nextHop()
	k.kick()
	k.postfix()
	return nil
}

// configuration looks at what is right by itself and still not wise.
func (k *checker) configuration() {
	file := k.site.File()
	f, err := os.Open(file) // it was read before this process became the user
	if err != nil {
		k.wrong("configuration", err.Error(), fmt.Sprintf("sessions run as %s: chmod 0644 %s, and let them into its directory", k.user(), file))
		return
	}
	f.Close()
	k.ok("configuration", "%s", file)
	if !strings.Contains(k.site.Hostname, ".") {
		k.warn("hostname", k.site.Hostname+" is no full name", "set hostname in "+file+" to the name that other hosts know")
	}
}

// mend says what to do about a path that this process could not use.
func (k *checker) mend(err error, path string) string {
	switch {
	case errors.Is(err, unix.EROFS):
		return "the file system is mounted read-only"
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0 && k.site.User != "" && k.user() != currentUser():
		return "call this as root or as " + k.site.User
	case errors.Is(err, fs.ErrNotExist):
		return "put it there"
	}
	return fmt.Sprintf("chown -R %s %s", k.user(), path)
}

// user is whom the files have to belong to.
func (k *checker) user() string {
	if k.site.User != "" {
		return k.site.User
	}
	return currentUser()
}

func currentUser() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprint(os.Geteuid())
}

// install is the command that makes a directory as it should be.
func (k *checker) install(dir string) string {
	if k.site.User == "" {
		return "install -d -m 0700 " + dir
	}
	return fmt.Sprintf("install -d -o %s -m 0700 %s", k.site.User, dir)
}

// spool looks at the queue directory and at what waits in it.
func (k *checker) spool() {
	dir := k.site.QueueDir
	s := k.site.Spool()
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		k.wrong("queue_dir", dir+" is not there", k.install(dir))
		return
	}
	if err := s.Init(); err != nil {
		k.wrong("queue_dir", err.Error(), k.mend(err, dir))
		return
	}
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o007 != 0 {
		k.warn("queue_dir", fmt.Sprintf("%s is open to everybody (%v)", dir, info.Mode().Perm()), "chmod 0700 "+dir)
	}
	for _, sub := range []string{"tmp", "inbound/new", "inbound/cur", "outbound/new", "outbound/cur", "failed"} {
		if err := unix.Access(dir+"/"+sub, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
			k.wrong("queue_dir", fmt.Sprintf("%s/%s: %v", dir, sub, err), k.mend(err, dir))
			return
		}
	}
	if err := s.Admit(0); err != nil {
		k.wrong("queue_dir", err.Error(), "make room, or see superlist queue ls")
	}
	in, err := s.List(queue.Inbound)
	if err != nil {
		k.wrong("queue", err.Error(), "")
		return
	}
	out, _ := s.List(queue.Outbound)
	failed, _ := s.List(queue.Failed)
	text := fmt.Sprintf("%d inbound, %d outbound, %d failed", len(in), len(out), len(failed))
	switch late := 10 * time.Minute; {
	case len(in) > 0 && time.Since(in[0].Due) > late || len(out) > 0 && time.Since(out[0].Due) > late:
		k.wrong("queue", text+"; some have been due for more than ten minutes", "nothing starts superlist deliver: see README on the kick service, the path unit and cron")
	case len(failed) > 0:
		k.warn("queue", text, "see superlist queue ls, then retry or rm")
	default:
		k.ok("queue", "%s", text)
	}
}

// lists looks at every list, and at their domains.
func (k *checker) lists() {
	domains := map[string]bool{}
	n := 0
	err := k.site.All(func(addr smtp.Path, l *lists.List, err error) bool {
		n++
		domains[addr.Domain] = true
		if err != nil {
			mend := "posts to it are deferred until this is mended"
			if errors.Is(err, fs.ErrPermission) {
				mend += ": " + k.mend(err, k.site.ListsDir)
			}
			k.wrong(addr.Address(), err.Error(), mend)
			return true
		}
		k.list(l)
		return true
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.wrong("lists_dir", k.site.ListsDir+" is not there, so all posts are deferred", "mount its disk, or if there never was one: "+k.install(k.site.ListsDir))
	case err != nil:
		k.wrong("lists_dir", err.Error(), k.mend(err, k.site.ListsDir))
	case n == 0:
		k.warn("lists", "there are none yet", "superlist list create NAME@DOMAIN --owner YOU")
	}
	for domain := range domains {
		k.domain(domain)
	}
}

func (k *checker) list(l *lists.List) {
	about := l.Addr.Address()
	if len(l.Owners) == 0 {
		k.wrong(about, "has no owners, so mail to "+l.Verb("owner").Address()+" fails", "superlist list set "+about+" owners=YOU")
	}
	m, err := l.Members()
	if err != nil {
		k.wrong(about, err.Error(), k.mend(err, l.Dir))
		return
	}
	defer m.Close()
	if err := unix.Access(l.Dir, unix.W_OK); err != nil {
		k.wrong(about, fmt.Sprintf("%s: %v", l.Dir, err), k.mend(err, l.Dir))
	}
	if _, err := letter.Own(l.Dir); err != nil {
		k.warn(about, err.Error(), "the letters' own words are sent instead")
	}
	k.archive(l)
	if l.MaxMessageSize > k.site.MaxMessageSize {
		k.warn(about, fmt.Sprintf("max_message_size is %s, and the site takes %s", l.MaxMessageSize, k.site.MaxMessageSize), "raise the site's or lower the list's")
	}
	wrong, inOrder, err := m.Lint()
	if err != nil {
		k.wrong(about, err.Error(), "check again")
		return
	}
	for i, line := range wrong {
		if i == maxBadLines {
			k.warn(about, fmt.Sprintf("%d more lines like that", len(wrong)-i), "")
			break
		}
		k.warn(about, line, "mend the line by hand")
	}
	if !inOrder {
		k.warn(about, "members is not in order, so each look-up reads it through", "any superlist member add or rm puts it in order")
	}
	if l.Digest == lists.DigestOff {
		if n := inDigests(m); n > 0 {
			k.warn(about, fmt.Sprintf("%d of its members want digests, and it sends none", n), "they get each post; superlist list set "+l.Addr.Address()+" digest=daily")
		}
	}
	if _, err := os.Stat(l.Dir + "/key"); err == nil { // or one would be made
		if _, err := l.BounceAddress(time.Now()); err != nil {
			k.wrong(about, err.Error(), "posts to it are deferred until this is mended")
		}
	}
	for _, file := range []string{"list.toml", "members", "key"} {
		if !k.inReach(l.Dir + "/" + file) {
			k.wrong(about, l.Dir+"/"+file+" leads out of "+k.site.ListsDir+", so sessions cannot read it", "move it there, or mount it there with mount --bind")
		}
		if info, err := os.Stat(l.Dir + "/" + file); err == nil && info.Mode().Perm()&0o007 != 0 {
			k.warn(about, fmt.Sprintf("%s/%s is open to everybody (%v)", l.Dir, file, info.Mode().Perm()), "chmod o= it")
		}
	}
	if n, err := countMembers(l); err == nil && n == 0 {
		k.warn(about, "has no members, so nobody gets its posts", "superlist member add "+about+" ADDRESS")
	} else if err == nil {
		k.ok(about, "%d members, post = %s", n, l.Post)
	}
}

// inDigests is how many members want digests.
func inDigests(m *lists.Members) (n int) {
	for member, err := range m.All() {
		if err == nil && member.Delivery() == lists.InDigests {
			n++
		}
	}
	return n
}

// archive looks whether a list's posts and their index agree.
func (k *checker) archive(l *lists.List) {
	about := l.Addr.Address()
	faults, err := l.Posts().Check(maxBadLines + 1)
	if err != nil {
		k.wrong(about, err.Error(), k.mend(err, l.Dir))
		return
	}
	for i, f := range faults {
		if i == maxBadLines {
			k.wrong(about, "archive: and more like that", "")
			break
		}
		text := "archive: " + f.Text
		if f.Number > 0 {
			text = fmt.Sprintf("archive: post %d: %s", f.Number, f.Text)
		}
		k.wrong(about, text, "superlist archive rebuild "+about)
	}
}

// dnsTimeout is how long check waits for a resolver.
const dnsTimeout = 3 * time.Second

// domain looks whether the world can find a list's domain.
func (k *checker) domain(domain string) {
	ctx, cancel := context.WithTimeout(k.ctx, dnsTimeout)
	defer cancel()
	if mx, err := net.DefaultResolver.LookupMX(ctx, domain); err == nil && len(mx) > 0 {
		k.ok(domain, "mail goes to %s", strings.TrimSuffix(mx[0].Host, "."))
		return
	}
	if hosts, err := net.DefaultResolver.LookupHost(ctx, domain); err == nil && len(hosts) > 0 {
		k.ok(domain, "mail goes to %s", hosts[0])
		return
	}
	k.warn(domain, "the DNS here knows no MX and no address for it", "add an MX record if mail from outside is to arrive")
}

func (k *checker) log() {
	log, err := maillog.Open(k.site.Log, k.site.LogLevel, "superlist")
	if err != nil {
		k.wrong("log", err.Error(), "set log to syslog, journal, or a file that "+k.user()+" may write")
		return
	}
	log.Close()
	k.ok("log", "%s, level %s", k.site.Log, k.site.LogLevel)
}

// sandbox says how far this kernel can shut a session in.
func (k *checker) sandbox() {
	version := sandbox.Kernel()
	if version == 0 {
		k.ok("sandbox", "limits only: this kernel has no Landlock, which needs Linux 5.19 and landlock in /sys/kernel/security/lsm")
		return
	}
	k.ok("sandbox", "sessions shut themselves in, Landlock %d", version)
}

// inReach says that a list's file is where a session may read it.
func (k *checker) inReach(file string) bool {
	dir, err := filepath.EvalSymlinks(k.site.ListsDir)
	if err != nil {
		return true // said elsewhere
	}
	path, err := filepath.EvalSymlinks(file)
	return err != nil || strings.HasPrefix(path, dir+"/")
}

// connectTimeout is how long check waits for a service on this host.
const connectTimeout = 5 * time.Second

// milters connects to each mail filter.
func (k *checker) milters() {
	for i := range k.site.Milters {
		m := &k.site.Milters[i]
		about := "milter " + m.Address
		target := m.Target()
		conn, err := net.DialTimeout(target.Network, target.Address, time.Duration(m.ConnectTimeout))
		if err != nil {
			k.warn(about, err.Error()+", and without it "+withoutMilter[m.DefaultAction],
				fmt.Sprintf("start the filter, have it listen there and let %s connect, or take its table out of %s", k.user(), k.site.File()))
			continue
		}
		conn.Close()
		k.ok(about, "answers")
	}
}

// dkim asks the resolver that finds the keys of signatures.
func (k *checker) dkim() {
	if !k.site.VerifyDKIM {
		return
	}
	ctx, cancel := context.WithTimeout(k.ctx, dnsTimeout)
	defer cancel()
	if resolver, err := deliver.AskResolver(ctx, k.site); err != nil {
		k.warn("verify_dkim", err.Error()+", so signatures prove nothing", "set resolver in [relay] to one that answers, or mend /etc/resolv.conf")
	} else {
		k.ok("verify_dkim", "the resolver %s answers", resolver)
	}
}

// withoutMilter is what becomes of mail, by Milter.DefaultAction.
var withoutMilter = map[string]string{
	lists.MilterAccept:   "posts are taken unseen",
	lists.MilterTempfail: "all mail is told to come again later",
	lists.MilterReject:   "all mail is refused",
	lists.MilterHold:     "all posts are held",
}

// relay says hello to the relay.
func (k *checker) relay() {
	about := "relay " + k.site.Relay.Address
	target, _ := k.site.Relay.Target()
	if target.Network == "maildir" {
		k.ok(about, "mail is put into Maildirs, nothing leaves this host")
		return
	}
	if target.Network == "mx" {
		k.ok(about, "each message goes to the servers of its members' domains")
		return
	}
	site := *k.site
	for _, limit := range []*lists.Duration{&site.Relay.ConnectTimeout, &site.Relay.GreetingTimeout, &site.Relay.CommandTimeout} {
		*limit = min(*limit, lists.Duration(connectTimeout))
	}
	client, hangUp, err := deliver.Dial(k.ctx, &site)
	if err != nil {
		k.wrong(about, err.Error(), "have Postfix listen there: see postfix-master.cf.example, and the relay's log")
		return
	}
	defer hangUp()
	if _, xverp := client.Extension("XVERP"); !xverp && k.site.Relay.Verp != "self" {
		k.warn(about, "does not offer XVERP, so each member costs a transaction of its own",
			"set smtpd_authorized_verp_clients there, see postfix-master.cf.example")
		return
	}
	k.ok(about, "answers")
}

func (k *checker) kick() {
	if k.site.Kick == "" {
		k.ok("kick", "none: a path unit, a timer or cron starts superlist deliver")
		return
	}
	target, _ := lists.KickAddress(k.site.Kick)
	conn, err := net.DialTimeout(target.Network, target.Address, connectTimeout)
	if err != nil {
		k.wrong("kick "+k.site.Kick, err.Error(), "have a launcher start superlist deliver there, or set kick = \"\" and run it from a timer")
		return
	}
	conn.Close()
	k.ok("kick "+k.site.Kick, "answers")
}

// listHeaders is about what a list's own header fields add to a post.
const listHeaders = 16 << 10

// postfix looks at the Postfix of this host, if there is one.
func (k *checker) postfix() {
	ctx, cancel := context.WithTimeout(k.ctx, connectTimeout)
	defer cancel()
	out, err := exec.CommandContext(ctx, "postconf", "-h", "message_size_limit").Output()
	if err != nil {
		return // no Postfix here, or not for our eyes
	}
	limit := lists.Size(0)
	if err := limit.UnmarshalText(bytes.TrimSpace(out)); err == nil && limit > 0 && limit < k.site.MaxMessageSize+listHeaders {
		k.warn("postfix", fmt.Sprintf("message_size_limit is %s and max_message_size %s, so the largest posts are accepted and cannot be sent", limit, k.site.MaxMessageSize),
			fmt.Sprintf("postconf message_size_limit=%d, or a lower max_message_size", k.site.MaxMessageSize+1<<20))
	}
}
