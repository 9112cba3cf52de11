package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A host is a Postfix with a configuration and a queue of its own, and the lists behind it
// as in way A of docs/postfix.md. Mail for the members ends in Maildirs.
type host struct {
	dir    string
	client client // of its port
	site   *place
	log    *mailLog
	end    time.Time // nothing is waited for after it
}

// hostMain has Postfix log to a mailLog.
const hostMain = `compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
maillog_file = DIR/log/maillog
maillog_file_prefixes = DIR
postlog_service_name = maillog
myhostname = mx.example.org
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
smtp_dns_support_level = disabled
smtp_host_lookup = native
relay_domains = lists.example.org
virtual_mailbox_domains = example.com, example.net, example.org
virtual_mailbox_base = DIR/boxes
virtual_mailbox_maps = texthash:DIR/conf/boxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_minimum_uid = 1
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
default_process_limit = 1100
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
in_flow_delay = 0
minimal_backoff_time = 1s
queue_run_delay = 1s
`

const hostMaster = `FRONT inet n - n - - smtpd
    -o smtpd_proxy_filter=SPAWN
SPAWN inet n n n - - spawn
    -o { export_environment = TZ=UTC GOMAXPROCS=1 }
    user=nobody argv=BIN/superlist-spawn -c SITE/superlist.toml
KICK inet n n n 60 1 spawn
    user=nobody argv=BIN/superlist -c SITE/superlist.toml deliver
ENTRY inet n - n - - smtpd
    -o smtpd_authorized_verp_clients=127.0.0.0/8
    -o smtpd_recipient_limit=1000
    -o smtpd_client_connection_count_limit=0
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
showq unix n - n - - showq
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
`

// errNoPostfix is why a part is skipped.
var errNoPostfix = errors.New("it needs root and a Postfix")

// newHost makes one, to be over at end.
func (t *torture) newHost(end time.Time) (*host, error) {
	if _, err := os.Stat("/usr/sbin/postfix"); err != nil || os.Geteuid() != 0 {
		return nil, errNoPostfix
	}
	h := &host{dir: t.dir(), end: end}
	var ports [4]string
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports[i] = l.Addr().String()
	}
	h.client.server = ports[0]
	site, err := newPlace(t.bin, t.dir(), &act{name: "host"})
	if err != nil {
		return nil, err
	}
	h.site = site
	// A relay that was slow is left alone for five minutes, so messages wait as long, or deliver
	// would put them off again and again. drain has another one try them at once.
	toml := strings.NewReplacer(`kick = ""`, fmt.Sprintf("kick = %q", ports[2]), "maildir:"+site.dir+"/out", ports[3], "batch = 2", "", `retry_min = "1s"`, "").Replace(configOf(site.dir, ""))
	boxes := ""
	for _, m := range append(members, owner) {
		boxes += m + " " + box(m) + "/\n"
	}
	replace := strings.NewReplacer("DIR", h.dir, "FRONT", ports[0], "SPAWN", ports[1], "KICK", ports[2], "ENTRY", ports[3],
		"BIN", t.bin, "SITE", site.dir)
	for name, text := range map[string]string{
		h.dir + "/conf/main.cf": replace.Replace(hostMain), h.dir + "/conf/master.cf": replace.Replace(hostMaster),
		h.dir + "/conf/boxes": boxes, site.dir + "/superlist.toml": toml,
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	for _, dir := range []string{"queue", "queue/public", "data", "boxes"} {
		if err := os.MkdirAll(filepath.Join(h.dir, dir), 0o755); err != nil {
			return nil, err
		}
	}
	if h.log, err = newMailLog(h.dir+"/queue/public/maillog", h.dir+"/log/maillog"); err != nil {
		return nil, err
	}
	for dir, user := range map[string]string{"queue/public": "postfix:postdrop", "data": "postfix", "boxes": "nobody"} {
		if out, err := exec.Command("chown", user, filepath.Join(h.dir, dir)).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("chown: %w: %s", err, out)
		}
	}
	if out, err := exec.Command("chown", "-R", "nobody:", site.dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("chown: %w: %s", err, out)
	}
	return h, nil
}

func box(address string) string {
	user, domain, _ := strings.Cut(address, "@")
	return filepath.Join(domain, user)
}

const (
	// verbTime bounds one run of postfix(1): its stop waits six seconds itself.
	verbTime = 30 * time.Second
	// abortTime is what its last run has, when the time is over.
	abortTime = 10 * time.Second
	// startTime is as long as the programs of a Postfix that was may be in the way of a
	// new one.
	startTime = 30 * time.Second
)

// postfix has it start, stop, abort (which is stop without mercy) or reload. A Postfix
// that does not do so in time is killed.
func (h *host) postfix(verb string) error {
	old := h.master()
	patience := max(abortTime, min(verbTime, time.Until(h.end)))
	out, err := output(exec.Command("/usr/sbin/postfix", "-c", h.dir+"/conf", verb), patience)
	if errors.Is(err, errStuck) {
		h.kill()
	}
	if err != nil {
		return fmt.Errorf("postfix %s: %w: %s", verb, err, out)
	}
	if verb != "stop" && verb != "abort" {
		return nil
	}
	// It has said to master that it is to end. Until then status says that it is running.
	for end := time.Now().Add(patience); old > 0 && h.master() == old; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			h.kill()
			return fmt.Errorf("postfix %s: master: %w, after %v", verb, errStuck, patience.Round(time.Second))
		}
	}
	return nil
}

// kill ends master(8) and its children, which are its process group.
func (h *host) kill() {
	if pid := h.master(); pid > 0 {
		syscall.Kill(-pid, syscall.SIGKILL)
	}
}

// master is the process id of master(8); 0: it is not running.
func (h *host) master() int {
	text, err := os.ReadFile(h.dir + "/queue/pid/master.pid")
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return 0
	}
	// The number may be another program's by now.
	environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if !bytes.Contains(environ, []byte("="+h.dir+"/conf\x00")) {
		return 0
	}
	return pid
}

// up starts Postfix, as often as it takes: a master that was stopped may not be gone yet.
func (h *host) up() error {
	var err error
	for end := earlier(time.Now().Add(startTime), h.end); ; time.Sleep(300 * time.Millisecond) {
		// Who still answers may be a child of the master that was.
		if err = h.postfix("status"); err != nil {
			err = h.postfix("start")
		} else if conn, derr := net.DialTimeout("tcp", h.client.server, 5*time.Second); derr == nil {
			return conn.Close()
		} else {
			err = derr
		}
		if time.Now().After(end) {
			return fmt.Errorf("the Postfix does not come up: %w", cmp.Or(err, errors.New("it was started again and again")))
		}
	}
}

func earlier(one, other time.Time) time.Time {
	if other.Before(one) {
		return other
	}
	return one
}

// complaint is the last line of Postfix's log that says that a program has given up.
func (h *host) complaint() string {
	text, _ := os.ReadFile(h.dir + "/log/maillog")
	for _, line := range slices.Backward(strings.Split(string(text), "\n")) {
		if strings.Contains(line, " fatal: ") || strings.Contains(line, " panic: ") {
			return strings.ToValidUTF8(line, "?")
		}
	}
	return ""
}

// drain waits until all mail has come, or the time is over.
func (h *host) drain() error {
	for {
		h.site.retryNow()
		cmd := exec.Command("setpriv", "--reuid=65534", "--clear-groups", h.site.bin+"/superlist", "-c", h.site.dir+"/superlist.toml", "deliver")
		if out, err := output(cmd, max(abortTime, time.Until(h.end))); err != nil {
			return fmt.Errorf("deliver: %w: %s", err, out)
		}
		output(exec.Command("/usr/sbin/postqueue", "-c", h.dir+"/conf", "-f"), abortTime)
		var left []string
		for _, pattern := range []string{h.site.dir + "/spool/inbound/*/*", h.site.dir + "/spool/outbound/*/*",
			h.dir + "/queue/maildrop/*", h.dir + "/queue/incoming/*", h.dir + "/queue/active/*", h.dir + "/queue/deferred/*/*"} {
			found, _ := filepath.Glob(pattern)
			left = append(left, slices.DeleteFunc(found, unfinished)...)
		}
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(h.end) {
			return fmt.Errorf("%d messages are left, such as %s", len(left), left[0])
		}
		time.Sleep(time.Second)
	}
}

// unfinished reports whether a file of Postfix's queue is one that cleanup(8) was writing
// when it was killed. Nobody was told that it is there, qmgr(8) passes over it, and postsuper
// removes it a day and a half later.
func unfinished(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode()&0o100 == 0 && strings.Contains(file, "/queue/")
}

// down ends it.
func (h *host) down() {
	h.postfix("abort")
	h.log.close()
}
