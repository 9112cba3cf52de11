package main

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/e2e/figures"
)

//go:embed nothing/nothing.c
var nothingC []byte

const (
	milterSessions = 60 // of one message each, in a round
	milterRounds   = 3
)

// A door is a port of Postfix with its milters.
type door struct {
	name, milters, rcpt string
	address             string
	rates               []float64 // messages in a second
	best                float64
	cpu                 []time.Duration
}

// milters compares a Postfix without a milter, with superlist-milter by spawn(8),
// and with a resident filter on Debian's libmilter that does nothing. Each message
// has a session of its own: that is what spawn costs most for.
func (b *bench) milters() error {
	const row = "milter: messages through Postfix"
	for _, need := range []string{"/usr/sbin/postfix", "/usr/include/libmilter/mfapi.h"} {
		if _, err := os.Stat(need); err != nil {
			b.skip(row, err)
			return nil
		}
	}
	if !private() {
		b.skip(row, "no mount namespace to run Postfix in")
		return nil
	}
	nothing, stop, err := b.startNothing()
	if err != nil {
		b.skip(row, err)
		return nil
	}
	defer stop()
	site, err := b.newSite("milter", siteOptions{log: "syslog", relay: "127.0.0.1:1", members: 1})
	if err != nil {
		return err
	}
	if out, err := exec.Command("chown", "-R", "nobody", site.dir).CombinedOutput(); err != nil {
		return fmt.Errorf("chown: %w: %s", err, out)
	}
	const stranger = "zoe@example.com"
	doors := []*door{
		{name: "no milter", rcpt: stranger},
		{name: "libmilter, resident, other mail", milters: "unix:" + nothing.at, rcpt: stranger},
		{name: "superlist-milter by spawn, other mail", milters: "unix:private/superlist-milter", rcpt: stranger},
		{name: "superlist-milter by spawn, posts", milters: "unix:private/superlist-milter", rcpt: list},
	}
	p, err := b.startPostfix(site, doors)
	if err != nil {
		b.skip(row, err)
		return nil
	}
	defer p.stop()
	for i := range milterRounds + 1 {
		for _, d := range doors {
			progress(fmt.Sprintf("%s %d/%d", d.name, i, milterRounds))
			before := p.cpu() + nothing.cpu()
			start := time.Now()
			for n := range milterSessions {
				if err := d.send(fmt.Sprintf("%d.%d.%d", os.Getpid(), i, n)); err != nil {
					return fmt.Errorf("%s: %w", d.name, err)
				}
			}
			took := time.Since(start)
			time.Sleep(200 * time.Millisecond) // sessions end, and their time is counted
			if i > 0 {                         // the first round warms up
				d.rates = append(d.rates, milterSessions/took.Seconds())
				d.cpu = append(d.cpu, (p.cpu()+nothing.cpu()-before)/milterSessions)
			}
		}
	}
	progress("")
	fmt.Printf("\n%s, one session each, one client, %d rounds of %d\n", row, milterRounds, milterSessions)
	fmt.Printf("  %-40s %12s %16s\n", "", "messages/s", "CPU/message")
	for _, d := range doors {
		best := 0.0
		for _, r := range d.rates {
			best = max(best, r)
		}
		fmt.Printf("  %-40s %12.0f %16s\n", d.name, best, ms(median(d.cpu)))
		d.best = best
	}
	b.postfix()
	for _, d := range doors[2:] {
		for _, peer := range doors[:2] {
			f := figures.Figure{What: d.name, Unit: "messages a second", Ours: d.best, Peer: peer.name, Theirs: peer.best, Ratio: d.best / peer.best, Want: 0.5, More: true}
			fmt.Printf("  %-58s %6.3f  %s\n", d.name+" / "+peer.name, f.Ratio, b.goal(f))
		}
	}
	found, _ := filepath.Glob(site.dir + "/spool/inbound/new/*")
	if want := (milterRounds + 1) * milterSessions; len(found) != want {
		return fmt.Errorf("%d posts in the spool, want %d", len(found), want)
	}
	return nil
}

// A resident is the filter that does nothing.
type resident struct {
	at  string
	pid int
}

func (r resident) cpu() time.Duration { return cpuOf(r.pid) }

func (b *bench) startNothing() (r resident, stop func(), err error) {
	source, program := filepath.Join(b.work, "nothing.c"), filepath.Join(b.work, "nothing")
	if err := os.WriteFile(source, nothingC, 0o644); err != nil {
		return r, nil, err
	}
	if out, err := exec.Command("gcc", "-O2", "-o", program, source, "-lmilter", "-lpthread").CombinedOutput(); err != nil {
		return r, nil, fmt.Errorf("gcc: %w: %s", err, tail(out))
	}
	// By TCP it would wait for delayed acknowledgements, and be a tenth as fast.
	r.at = filepath.Join(b.work, "nothing.sock")
	cmd := exec.Command("sh", "-c", `umask 0; exec "$0" "$@"`, program, "unix:"+r.at)
	cmd.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		return r, nil, err
	}
	r.pid = cmd.Process.Pid
	stop = func() { cmd.Process.Kill(); cmd.Wait() }
	if err := listens("unix", r.at); err != nil {
		stop()
		return r, nil, err
	}
	return r, stop, nil
}

// listens waits until somebody listens there.
func listens(network, at string) error {
	for range 250 {
		if c, err := net.Dial(network, at); err == nil {
			c.Close()
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("nobody listens at %s", at)
}

// A milterPostfix is an instance of the machine's Postfix with a configuration and a
// queue of its own, which throws all mail away.
type milterPostfix struct{ config, queue string }

const benchMainCf = `compatibility_level = 3.6
queue_directory = %s
data_directory = %s
myhostname = mx.example.org
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
relay_domains = lists.example.org
default_transport = discard
relay_transport = discard
smtpd_recipient_restrictions = permit_mynetworks,reject
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
alias_maps =
alias_database =
in_flow_delay = 0
`

const benchMasterCf = `cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
superlist-milter unix - n n - 0 spawn
    -o { export_environment = TZ=UTC MAIL_CONFIG LANG GOMAXPROCS=1 }
    user=nobody argv=%s -c %s
`

func (b *bench) startPostfix(s *site, doors []*door) (*milterPostfix, error) {
	p := &milterPostfix{config: filepath.Join(b.work, "milter-postfix"), queue: filepath.Join(b.work, "milter-queue")}
	data := filepath.Join(b.work, "milter-data")
	for _, dir := range []string{p.config, p.queue, data} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if out, err := exec.Command("chown", "postfix", data).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("chown: %w: %s", err, tail(out))
	}
	master := fmt.Sprintf(benchMasterCf, b.bin+"/superlist-milter", s.config)
	for _, d := range doors {
		var err error
		if d.address, err = freeAddress(); err != nil {
			return nil, err
		}
		master += fmt.Sprintf("%s inet n - n - - smtpd -o { smtpd_milters = %s }\n", d.address, d.milters)
	}
	for name, text := range map[string]string{"main.cf": fmt.Sprintf(benchMainCf, p.queue, data), "master.cf": master} {
		if err := os.WriteFile(filepath.Join(p.config, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	if out, err := exec.Command("postfix", "-c", p.config, "start").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("postfix start: %w: %s", err, tail(out))
	}
	for _, d := range doors {
		if err := listens("tcp", d.address); err != nil {
			p.stop()
			return nil, err
		}
	}
	return p, nil
}

func (p *milterPostfix) stop() { exec.Command("postfix", "-c", p.config, "abort").Run() }

// cpu is the time of the master, of what it has started, and of all that those
// have buried.
func (p *milterPostfix) cpu() time.Duration {
	text, err := os.ReadFile(filepath.Join(p.queue, "pid/master.pid"))
	if err != nil {
		return 0
	}
	master, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	sum := cpuOf(master)
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && parentOf(pid) == master {
			sum += cpuOf(pid)
		}
	}
	return sum
}

// stat is /proc/PID/stat behind the name: proc(5).
func stat(pid int) []string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	return strings.Fields(rest)
}

func parentOf(pid int) int {
	if f := stat(pid); len(f) > 1 {
		n, _ := strconv.Atoi(f[1])
		return n
	}
	return 0
}

// cpuOf is the time of a process and of its children that have ended.
func cpuOf(pid int) (sum time.Duration) {
	f := stat(pid)
	if len(f) < 15 {
		return 0
	}
	for _, field := range f[11:15] { // utime, stime, cutime, cstime, in hundredths
		n, _ := strconv.ParseInt(field, 10, 64)
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum
}

// send is one session with one message of two kilobytes.
func (d *door) send(id string) error {
	conn, err := net.Dial("tcp", d.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	r := bufio.NewReader(conn)
	say := func(text, want string) error {
		if _, err := io.WriteString(conn, text); err != nil {
			return err
		}
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return err
			}
			if !strings.HasPrefix(line, want) {
				return errors.New(line)
			}
			if len(line) > 3 && line[3] == ' ' {
				return nil
			}
		}
	}
	message := "From: " + poster + "\r\nTo: " + d.rcpt + "\r\nSubject: bench\r\nMessage-ID: <" + id + "@example.com>\r\n\r\n" +
		strings.Repeat(strings.Repeat("x", 70)+"\r\n", 28)
	return errors.Join(say("", "220"), say("EHLO client.example.com\r\n", "250"), say("MAIL FROM:<"+poster+">\r\n", "250"),
		say("RCPT TO:<"+d.rcpt+">\r\n", "250"), say("DATA\r\n", "354"), say(message+".\r\n", "250"), say("QUIT\r\n", "221"))
}
