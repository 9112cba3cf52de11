package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"superlist/e2e/figures"
)

const (
	proxyMessages = 500 // in one round
	proxyClients  = 4
	proxySize     = 4096 // bytes
)

// proxied compares mail for no list through smtpd, superlist-spawn and another
// smtpd with the same chain without superlist: smtpd_proxy_filter is then the
// smtpd behind. For information: nobody else is there to be beaten.
func (b *bench) proxied() error {
	if _, err := os.Stat("/usr/sbin/postfix"); err != nil {
		b.skip("before-queue proxy", "no Postfix is installed")
		return nil
	}
	p, err := b.newPostfix()
	if err != nil {
		return err
	}
	defer p.stop()
	chains := []*chain{{name: "smtpd → smtpd", front: p.plain}, {name: "smtpd → superlist-spawn → smtpd", front: p.ours}}
	for i := range b.posts + 1 {
		for _, c := range chains {
			progress(fmt.Sprintf("%s %d/%d", c.name, i, b.posts))
			if err := c.run(p, i > 0); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	progress("")
	fmt.Printf("\nMail for no list, %d messages of %d bytes from %d clients at once, each in a session of its own, %d rounds\n",
		proxyMessages, proxySize, proxyClients, b.posts)
	fmt.Printf("  %-34s %12s %16s %16s\n", "", "messages/s", "CPU a message", "of it by spawn")
	for _, c := range chains {
		fmt.Printf("  %-34s %12.0f %16s %16s\n", c.name, proxyMessages/median(c.took).Seconds(),
			ms(median(c.cpu)/proxyMessages), ms(median(c.spawn)/proxyMessages))
	}
	b.postfix()
	with, without := proxyMessages/median(chains[1].took).Seconds(), proxyMessages/median(chains[0].took).Seconds()
	f := figures.Figure{What: "other mail, as a before-queue filter", Unit: "messages a second", Ours: with, Peer: "no filter", Theirs: without, Ratio: with / without, Want: 0.5, More: true}
	fmt.Printf("  %-58s %6.3f  %s\n", "messages a second, with superlist / without", f.Ratio, b.goal(f))
	b.note(figures.Figure{What: "a message through a before-queue filter, all of Postfix with it", Unit: "ms of CPU", Ours: inMS(median(chains[1].cpu)) / proxyMessages,
		Peer: "no filter", Theirs: inMS(median(chains[0].cpu)) / proxyMessages, Ratio: float64(median(chains[1].cpu)) / float64(median(chains[0].cpu))})
	fmt.Println("  CPU is that of all of Postfix, and of superlist-spawn, until the last message is delivered (and discarded)")
	return nil
}

// chain is one way for the mail to go.
type chain struct {
	name, front      string
	took, cpu, spawn []time.Duration
}

func (c *chain) run(p *filtering, counts bool) error {
	cpu, spawn, err := p.cpu()
	if err != nil {
		return err
	}
	start := time.Now()
	out, err := exec.Command("/usr/sbin/smtp-source", "-s", strconv.Itoa(proxyClients), "-m", strconv.Itoa(proxyMessages),
		"-l", strconv.Itoa(proxySize), "-f", poster, "-t", "somebody@example.com", c.front).CombinedOutput()
	took := time.Since(start)
	if err != nil || len(out) > 0 {
		return fmt.Errorf("smtp-source: %w: %s", err, tail(out))
	}
	if err := p.drained(); err != nil {
		return err
	}
	cpuAfter, spawnAfter, err := p.cpu()
	if err == nil && counts {
		c.took, c.cpu, c.spawn = append(c.took, took), append(c.cpu, cpuAfter-cpu), append(c.spawn, spawnAfter-spawn)
	}
	return err
}

// filtering is a Postfix of its own that discards what it gets.
type filtering struct {
	dir         string
	plain, ours string // the two front doors
	master      string // its pid
}

func (b *bench) newPostfix() (*filtering, error) {
	p := &filtering{dir: filepath.Join(b.work, "postfix")}
	var ports [4]string
	for i := range ports {
		address, err := freeAddress()
		if err != nil {
			return nil, err
		}
		ports[i] = address
	}
	var spawn, behind string
	p.plain, p.ours, spawn, behind = ports[0], ports[1], ports[2], ports[3]
	s, err := b.newSite("proxy", siteOptions{log: "none", members: 10, relay: behind})
	if err != nil {
		return nil, err
	}
	config, err := os.OpenFile(s.config, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(config, "\n[proxy]\nnext_hop = %q\n", behind)
	if err := config.Close(); err != nil {
		return nil, err
	}
	if out, err := exec.Command("chown", "-R", "nobody:", s.dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("chown: %w: %s", err, out)
	}
	files := map[string]string{"main.cf": `compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = DIR/log/maillog
maillog_file_prefixes = DIR
myhostname = mx.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
relay_domains = example.com, lists.example.org
relay_transport = discard:
smtp_dns_support_level = disabled
smtp_host_lookup = native
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_discard_ehlo_keywords = dsn, smtputf8, silent-discard
smtpd_client_connection_count_limit = 0
`, "master.cf": `PLAIN inet n - n - - smtpd
    -o smtpd_proxy_filter=BEHIND
OURS inet n - n - - smtpd
    -o smtpd_proxy_filter=SPAWN
SPAWN inet n n n - - spawn
    -o max_use=1000000
    -o { export_environment = TZ=UTC GOMAXPROCS=1 }
    user=nobody argv=PROGRAM -c CONFIG
BEHIND inet n - n - - smtpd
    -o smtpd_authorized_xforward_hosts=127.0.0.0/8
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
`}
	replace := strings.NewReplacer("DIR", p.dir, "PLAIN", p.plain, "OURS", p.ours, "SPAWN", spawn, "BEHIND", behind,
		"PROGRAM", b.bin+"/superlist-spawn", "CONFIG", s.config)
	for name, text := range files {
		files[name] = replace.Replace(text)
	}
	return p, p.start(files)
}

// start makes the directories, and runs Postfix with these files in conf.
func (p *filtering) start(files map[string]string) error {
	for _, sub := range []string{"conf", "queue", "data", "log"} {
		if err := os.MkdirAll(filepath.Join(p.dir, sub), 0o755); err != nil {
			return err
		}
	}
	if out, err := exec.Command("chown", "postfix", filepath.Join(p.dir, "data")).CombinedOutput(); err != nil {
		return fmt.Errorf("chown: %w: %s", err, out)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(p.dir, "conf", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if out, err := exec.Command("/usr/sbin/postfix", "-c", p.dir+"/conf", "start").CombinedOutput(); err != nil {
		return fmt.Errorf("postfix start: %w: %s", err, tail(out))
	}
	for range 100 {
		pid, err := os.ReadFile(p.dir + "/queue/pid/master.pid")
		if p.master = strings.TrimSpace(string(pid)); err == nil && p.master != "" {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	p.stop()
	return errors.New("the private Postfix does not start")
}

func (p *filtering) stop() {
	exec.Command("/usr/sbin/postfix", "-c", p.dir+"/conf", "abort").Run()
}

// drained waits until all mail is delivered.
func (p *filtering) drained() error {
	for range 600 {
		left := 0
		for _, q := range []string{"incoming", "active", "deferred", "maildrop"} {
			filepath.WalkDir(filepath.Join(p.dir, "queue", q), func(_ string, d fs.DirEntry, err error) error {
				if err == nil && d.Type().IsRegular() {
					left++
				}
				return nil
			})
		}
		if left == 0 {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("mail is left in the queue")
}

// tick is how /proc counts: USER_HZ, which is 100 everywhere.
const tick = 10 * time.Millisecond

// cpu is what Postfix has used in all, its dead children's too, and of that what
// spawn(8) and its sessions have.
func (p *filtering) cpu() (all, spawn time.Duration, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, 0, err
	}
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended, and its time is its parent's now
		}
		name, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		pid, _, _ := strings.Cut(name, " ")
		if len(fields) < 15 || pid != p.master && fields[1] != p.master {
			continue
		}
		var used time.Duration
		for _, f := range fields[11:15] { // utime, stime, cutime, cstime
			n, _ := strconv.Atoi(f)
			used += time.Duration(n) * tick
		}
		all += used
		if strings.HasSuffix(name, "(spawn") {
			spawn += used
		}
	}
	return all, spawn, nil
}
