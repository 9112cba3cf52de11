package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"

	"superlist/lists/deliver"
	"superlist/lists/maillog"
	"superlist/lists/outbound"
	"superlist/lists/sandbox"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
	"superlist/smtp/mx"
)

// dnsTimeout is how long check waits for a resolver.
const dnsTimeout = 3 * time.Second

// domain checks that the world can find a list's domain.
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
	k.warn(domain, "the DNS has neither an MX record nor an address for it", "add an MX record if mail from outside is to arrive")
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

// sandbox reports how well this kernel can confine a session.
func (k *checker) sandbox() {
	landlock, filters := sandbox.Kernel(), sandbox.Filters()
	switch {
	case landlock == 0 && !filters:
		k.ok("sandbox", "limits only: this kernel has neither seccomp nor Landlock, which needs Linux 5.19 and landlock in /sys/kernel/security/lsm")
	case landlock == 0:
		k.ok("sandbox", "limits and seccomp only: this kernel has no Landlock, which needs Linux 5.19 and landlock in /sys/kernel/security/lsm")
	case !filters:
		k.ok("sandbox", "sessions are confined by Landlock %d, without seccomp, which this kernel lacks", landlock)
	default:
		k.ok("sandbox", "sessions are confined by Landlock %d and seccomp", landlock)
	}
}

// inReach reports whether a list's file is where a session can read it.
func (k *checker) inReach(file string) bool {
	dir, err := filepath.EvalSymlinks(k.site.ListsDir)
	if err != nil {
		return true // reported elsewhere
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

// dkim tests the resolver that looks up the keys of signatures.
func (k *checker) dkim() {
	if !k.site.VerifyDKIM {
		return
	}
	ctx, cancel := context.WithTimeout(k.ctx, dnsTimeout)
	defer cancel()
	resolver, err := mx.At(k.site.DNS())
	if err == nil { // a name that need not exist
		_, err = resolver.TXT(ctx, "_domainkey."+k.site.Hostname)
	}
	if err != nil {
		k.warn("verify_dkim", err.Error()+", so signatures prove nothing", "set resolver to one that answers, or fix /etc/resolv.conf")
	} else {
		k.ok("verify_dkim", "the resolver %s answers", resolver.Addr)
	}
}

// withoutMilter says what happens to mail without the filter, by Milter.DefaultAction.
var withoutMilter = map[string]string{
	site.MilterAccept:   "posts are taken unseen",
	site.MilterTempfail: "all mail is told to come again later",
	site.MilterReject:   "all mail is refused",
	site.MilterHold:     "all posts are held",
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
	var client *smtp.Client
	var hangUp func()
	relay, err := deliver.Relay(k.site)
	if err == nil {
		for _, limit := range []*time.Duration{&relay.Timeouts.Connect, &relay.Timeouts.Greeting, &relay.Timeouts.Command} {
			*limit = min(*limit, connectTimeout)
		}
		client, hangUp, err = outbound.Dial(k.ctx, relay)
	}
	if err != nil {
		mend := "have Postfix listen there: see postfix-master.cf.example, and the relay's log"
		if errors.Is(err, smtp.ErrRefused) {
			mend = "it answers, and has to let this host in: its log says why it does not; or set address, or user and password_file, in [relay]"
		}
		k.wrong(about, strings.TrimPrefix(err.Error(), about+": "), mend)
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

// kickTimeout is how long check waits for superlist deliver to start.
const kickTimeout = 5 * time.Second

// kick wakes deliver as a session does, and checks that it starts to work.
func (k *checker) kick() {
	if k.site.Kick == "" {
		k.ok("kick", "none: a path unit, a timer or cron starts superlist deliver")
		return
	}
	about := "kick " + k.site.Kick
	before := k.site.Spool().Stamp(queue.Began)
	target, _ := site.ParseTarget(k.site.Kick)
	conn, err := net.DialTimeout(target.Network, target.Address, connectTimeout)
	if err != nil {
		k.wrong(about, err.Error()+", so posts wait for the next timer", "have a launcher start superlist deliver there, or set kick = \"\" and run it from a timer")
		return
	}
	conn.Close()
	for end := time.Now().Add(kickTimeout); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if k.site.Spool().Stamp(queue.Began).After(before) {
			k.ok(about, "starts superlist deliver")
			return
		}
	}
	text := "something answers, and superlist deliver does not begin"
	if k.site.Spool().Busy(queue.Began) {
		k.warn(about, text+"; one has been at work since "+before.Format(time.DateTime), "check again when it is done, see superlist queue ls")
		return
	}
	k.wrong(about, text, "look at the service there: argv must be superlist deliver, user must be "+k.user())
}
