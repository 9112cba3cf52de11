package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A host has a Postfix, a superlist and a disk of its own, and its processes are in a
// process namespace: when the first one is killed, all are.
type host struct {
	t        testing.TB
	n        int
	bin, dir string
	cmd      *exec.Cmd
	mu       sync.Mutex
	away     []span // when it had no database, or could not be reached
	killed   []time.Time
}

// A span is from one time to another.
type span struct{ from, to time.Time }

const (
	hostMain = `compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
maillog_file = DIR/log/maillog
maillog_file_prefixes = DIR
myhostname = NAME.example.org
mydestination =
inet_interfaces = all
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
smtp_dns_support_level = disabled
smtp_host_lookup = native
relayhost = [WORLD]:25
relay_domains = lists.example.org
relay_transport = lmtp:[127.0.0.1]:10025
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_peername_lookup = no
in_flow_delay = 0
minimal_backoff_time = 1s
maximal_backoff_time = 5s
queue_run_delay = 1s
`
	hostMaster = `OUT
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
showq unix n - n - - showq
proxymap unix - - n - - proxymap
smtp unix - - n - 20 smtp
relay unix - - n - 20 smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`
	// doors are what a Postfix does besides sending what is in its queue.
	doors = `25 inet n - n - - smtpd
    -o smtpd_proxy_filter=127.0.0.1:10025
127.0.0.1:10025 inet n n n - - spawn
    -o { export_environment = TZ=DIR/zone GOMAXPROCS=1 }
    user=nobody argv=BIN/superlist-spawn -c DIR/superlist.toml
127.0.0.1:10027 inet n n n 60 1 spawn
    -o { export_environment = TZ=DIR/zone GOMAXPROCS=1 }
    user=nobody argv=BIN/superlist -c DIR/superlist.toml deliver
127.0.0.1:10026 inet n - n - - smtpd
    -o smtpd_authorized_verp_clients=127.0.0.0/8
    -o smtpd_recipient_limit=1000
`
	hostSite = `hostname = "lists.example.org"
queue_dir = "DIR/spool"
lists_dir = "DIR/lists"
user = ""
log = "DIR/log/superlist"
retry_min = "1s"
retry_max = "5s"
[cluster]
database = "postgres://superlist@DATABASE/postgres?connect_timeout=3"
host = "NAME"
`
)

// newHost makes the nth host. It is not started.
func newHost(t testing.TB, n int, dir, bin string, zone []byte) *host {
	h := &host{t: t, n: n, bin: bin, dir: filepath.Join(dir, hostName(n))}
	for _, d := range []string{"conf", "queue/public", "data", "log", "spool", "lists"} {
		must(t, os.MkdirAll(filepath.Join(h.dir, d), 0o755))
	}
	h.write("conf/main.cf", hostMain)
	h.write("conf/master.cf", strings.Replace(hostMaster, "OUT", doors, 1))
	h.write("superlist.toml", hostSite)
	must(t, os.WriteFile(h.dir+"/zone", zone, 0o644))
	for d, user := range map[string]string{"queue/public": "postfix:postdrop", "data": "postfix", "spool": "nobody", "lists": "nobody"} {
		run(t, "chown "+user+" "+filepath.Join(h.dir, d))
	}
	must(t, os.WriteFile(h.dir+"/log/superlist", nil, 0o644))
	run(t, "chown nobody "+h.dir+"/log/superlist")
	return h
}

func (h *host) write(name, text string) {
	text = strings.NewReplacer("DIR", h.dir, "BIN", h.bin, "NAME", hostName(h.n), "WORLD", worldIP, "DATABASE", databaseIP).Replace(text)
	must(h.t, os.WriteFile(filepath.Join(h.dir, name), []byte(text), 0o644))
}

// start starts the host, as init of a process namespace.
func (h *host) start() {
	h.t.Helper()
	out, err := os.OpenFile(h.dir+"/log/console", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	must(h.t, err)
	defer out.Close()
	must(h.t, within(hostName(h.n), func() error {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		h.cmd = exec.Command(self)
		h.cmd.Env = append(os.Environ(), roleEnv+"=init", "HOST_DIR="+h.dir, "HOST_BIN="+h.bin, "TZ="+h.dir+"/zone")
		h.cmd.Stdout, h.cmd.Stderr = out, out
		h.cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS}
		return h.cmd.Start()
	}))
}

// kill is SIGKILL for all processes of the host.
func (h *host) kill() {
	h.mu.Lock()
	h.killed = append(h.killed, time.Now())
	h.mu.Unlock()
	h.stop()
}

func (h *host) stop() {
	if h.cmd != nil {
		h.cmd.Process.Kill()
		h.cmd.Wait()
		h.cmd = nil
	}
}

// superlist runs one of the operator's commands there.
func (h *host) superlist(args ...string) (out string, err error) {
	werr := within(hostName(h.n), func() error {
		cmd := exec.Command("setpriv", append([]string{"--reuid=65534", "--regid=65534", "--clear-groups", h.bin + "/superlist", "-c", h.dir + "/superlist.toml"}, args...)...)
		cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C", "TZ=" + h.dir + "/zone"}
		cmd.WaitDelay = time.Minute
		text, err := cmd.CombinedOutput()
		out = string(text)
		return err
	})
	return out, werr
}

func (h *host) try(args ...string) string {
	h.t.Helper()
	out, err := h.superlist(args...)
	if err != nil {
		h.t.Fatalf("%s: superlist %q: %v: %s", hostName(h.n), args, err, out)
	}
	return out
}

// left is what waits on the host: in its spool, or in the queue of its Postfix.
func (h *host) left() (all []string) {
	for _, pattern := range []string{"spool/inbound/*/*", "spool/outbound/*/*", "queue/maildrop/*", "queue/incoming/*", "queue/active/*", "queue/deferred/*/*"} {
		found, _ := filepath.Glob(filepath.Join(h.dir, pattern))
		for _, file := range found {
			// cleanup(8) was killed while it wrote: nobody was told that it is there.
			info, err := os.Stat(file)
			if err == nil && (strings.Contains(pattern, "spool") || info.Mode()&0o100 != 0) {
				all = append(all, file)
			}
		}
	}
	return all
}

// without notes that the host has no database while do runs, and a moment longer: what it
// has begun goes on from the copy.
func (h *host) without(do func()) {
	from := time.Now()
	do()
	h.mu.Lock()
	h.away = append(h.away, span{from, time.Now().Add(20 * time.Second)})
	h.mu.Unlock()
}

// fromCopy reports whether the host may have had no database in a span.
func (h *host) fromCopy(s span) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.away {
		if a.from.Before(s.to) && s.from.Before(a.to) {
			return true
		}
	}
	return false
}

// killedWithin reports whether the host was killed between two times.
func (h *host) killedWithin(s span) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, at := range h.killed {
		if !at.Before(s.from) && !at.After(s.to) {
			return true
		}
	}
	return false
}

// adrift is a zone with midnight at a time.
func adrift(midnight time.Time) []byte {
	off := -(midnight.Unix() % 86400)
	if off <= -43200 {
		off += 86400
	}
	be := func(n int64) string { return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) }
	return []byte(fmt.Sprintf("TZif%s%s%s%s%s%s%s%s\x00\x00TST\x00", strings.Repeat("\x00", 16), be(0), be(0), be(0), be(0), be(1), be(4), be(off)))
}

// alone runs a command as before the host was one of several.
func (h *host) alone(t testing.TB, args ...string) {
	t.Helper()
	text, err := os.ReadFile(h.dir + "/superlist.toml")
	must(t, err)
	own, _, _ := strings.Cut(string(text), "[cluster]")
	must(t, os.WriteFile(h.dir+"/superlist.toml", []byte(own), 0o644))
	h.try(args...)
	must(t, os.WriteFile(h.dir+"/superlist.toml", text, 0o644))
}
