// Package sandboxtest tries what a session may and may not do, in a process of
// its own: nobody leaves a sandbox again. For tests only.
package sandboxtest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/ledger/files"
	"superlist/lists/members"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/queue"
	"superlist/smtp"
)

// How the world around a site is told to the process that tries. A test binary
// that finds configEnv calls Try from its TestMain.
const (
	configEnv    = "SUPERLIST_SANDBOX_CONFIG"
	elsewhereEnv = "SUPERLIST_SANDBOX_ELSEWHERE" // a port that no session needs
)

// Config is the configuration to use in a process that tries; empty elsewhere.
func Config() string { return os.Getenv(configEnv) }

var (
	list   = smtp.Path{Local: "dev", Domain: "lists.example.org"}
	member = smtp.Path{Local: "alice", Domain: "example.com"}
)

// A World is a site, and what is around it that a session must leave alone.
type World struct {
	Dir  string
	Site *site.Site
	env  []string
}

// New makes a World whose sessions run as the user, with lines of their own in
// superlist.toml.
func New(t *testing.T, user, settings string) *World {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755)) // the user must be able to pass
	kick, elsewhere := listen(t, "tcp", "127.0.0.1:0"), listen(t, "tcp", "127.0.0.1:0")
	listen(t, "unix", abstract(os.Getpid()))
	config := dir + "/superlist.toml"
	text := sitetest.Config(dir, fmt.Sprintf("user = %q\nkick = %q\nmax_message_size = \"1MiB\"", user, kick), settings)
	must(t, os.WriteFile(config, []byte(text), 0o644), os.WriteFile(dir+"/secret", nil, 0o666))
	site, err := site.Load(config)
	must(t, err)
	site.Ledger = files.On
	l, err := edit.Create(lists.Of(site), list, []smtp.Path{member}, nil)
	must(t, err)
	_, err = l.BounceAddress(time.Now()) // which makes the key
	must(t, err, edit.Members(l, func(set members.Set) error { set.Add(members.Member{Path: member}); return nil }), site.Spool().Init(), os.WriteFile(dir+"/spool/inbound/new/other", nil, 0o666),
		os.WriteFile(dir+"/spool/inbound/new/another", nil, 0o600), os.WriteFile(dir+"/spool/outbound/new/waits", nil, 0o600), os.WriteFile(dir+"/spool/inbound/cur/begun", nil, 0o600),
		os.Mkdir(l.Dir+"/held", 0o700), os.WriteFile(l.Dir+"/held/post", nil, 0o600))
	if user != "" {
		must(t, exec.Command("chown", "-R", user, dir).Run())
	}
	_, port, _ := net.SplitHostPort(elsewhere)
	return &World{dir, site, append(os.Environ(), configEnv+"="+config, elsewhereEnv+"="+port)}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// listen listens until the test ends.
func listen(t *testing.T, network, address string) string {
	t.Helper()
	l, err := net.Listen(network, address)
	must(t, err)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// abstract is the name of a socket that is not a file.
func abstract(pid int) string { return fmt.Sprintf("@superlist-sandbox-%d", pid) }

// Run starts this test binary again, to try, and gives what came of it: "ok" or
// an error, by what was tried.
func (w *World) Run(t *testing.T, env ...string) map[string]string {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^$")
	cmd.Env = append(w.env, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr.Bytes())
	}
	got := map[string]string{}
	for line := range strings.Lines(string(out)) {
		what, outcome, _ := strings.Cut(strings.TrimSpace(line), ": ")
		got[what] = outcome
	}
	return got
}

// A trial is something to try.
type trial struct {
	what string
	do   func(w World) error
}

// Allowed is what a session does all day.
var Allowed = []trial{
	{"put a post into the spool", func(w World) error {
		m, err := w.Site.Spool().Create(queue.Head{From: member})
		if err != nil {
			return err
		}
		if err := m.Rcpt(smtp.Rcpt{Path: list}); err != nil {
			return err
		}
		m.Write([]byte("Subject: x\r\n\r\n"))
		return m.Commit(queue.Inbound)
	}},
	{"give a post up", func(w World) error {
		m, err := w.Site.Spool().Create(queue.Head{From: member})
		if err == nil {
			m.Abort()
			_, err = os.Lstat(w.Dir + "/spool/tmp/" + m.ID())
			if errors.Is(err, os.ErrNotExist) {
				return nil
			}
			err = fmt.Errorf("it is still there: %v", err)
		}
		return err
	}},
	{"hold the water marks", func(w World) error {
		s := w.Site.Spool()
		s.MaxMessages, s.MinMessages = 1, 1
		var r smtp.Reply
		if err := s.Admit(1, ""); !errors.As(err, &r) || r.Code != 452 {
			return fmt.Errorf("not over the high one: %v", err)
		}
		_, err := os.Lstat(w.Dir + "/spool/tmp/full")
		s.MaxMessages, s.MinMessages = 1000, 900
		return errors.Join(err, s.Admit(1, ""))
	}},
	{"look a member up", func(w World) error {
		l, err := lists.Of(w.Site).Open(list)
		if err != nil {
			return err
		}
		m, err := l.Members()
		if err != nil {
			return err
		}
		defer m.Close()
		if _, ok, err := m.Find(member); !ok {
			return fmt.Errorf("not there: %v", err)
		}
		return nil
	}},
	{"kick", func(w World) error { return dial(w.Site.Kick) }},
}

// Files is what no session does to files, with any Landlock.
var Files = []trial{
	{"write beside the spool", func(w World) error { return os.WriteFile(w.Dir+"/made", nil, 0o600) }},
	{"write to what is there", func(w World) error { return touch(w.Dir + "/secret") }},
	{"write to the outbound queue", func(w World) error { return os.WriteFile(w.Dir+"/spool/outbound/new/made", nil, 0o600) }},
	{"write to what deliver has begun with", func(w World) error { return touch(w.Dir + "/spool/inbound/cur/begun") }},
	{"remove what deliver has begun with", func(w World) error { return os.Remove(w.Dir + "/spool/inbound/cur/begun") }},
	{"add to what deliver has begun with", func(w World) error { return os.WriteFile(w.Dir+"/spool/inbound/cur/made", nil, 0o600) }},
	{"write to failed", func(w World) error { return os.WriteFile(w.Dir+"/spool/failed/made", nil, 0o600) }},
	{"write to a list", func(w World) error { return touch(w.list() + "/members") }},
	{"make a list", func(w World) error { return os.Mkdir(w.Dir+"/lists/example.net", 0o700) }},
	{"remove a list's file", func(w World) error { return os.Remove(w.list() + "/list.toml") }},
	{"move a post out", func(w World) error { return os.Rename(w.Dir+"/spool/inbound/new/other", w.Dir+"/moved") }},
	{"move something in", func(w World) error { return os.Rename(w.Dir+"/secret", w.Dir+"/spool/inbound/new/moved") }},
	{"link something into the spool", func(w World) error { return os.Link(w.Dir+"/secret", w.Dir+"/spool/tmp/linked") }},
	{"link with a symlink", func(w World) error {
		if err := os.Symlink(w.Dir+"/secret", w.Dir+"/spool/tmp/link"); err != nil {
			return err
		}
		return touch(w.Dir + "/spool/tmp/link")
	}},
	{"read another's post", func(w World) error { return readable(w.Dir + "/spool/inbound/new/other") }},
	{"read the configuration", func(w World) error { return readable(w.Site.File()) }},
	{"read /etc/shadow", func(World) error { return readable("/etc/shadow") }},
	{"read /etc/passwd", func(World) error { return readable("/etc/passwd") }},
	{"read the memory of another", func(World) error { return readable(fmt.Sprintf("/proc/%d/environ", os.Getppid())) }},
	{"see which lists there are", func(w World) error { _, err := os.ReadDir(w.Dir + "/lists"); return err }},
	{"see the root", func(World) error { _, err := os.ReadDir("/"); return err }},
	{"start a shell", func(World) error { return exec.Command("/bin/sh", "-c", "exit").Run() }},
	{"start itself", func(World) error { return unix.Exec("/proc/self/exe", []string{"x", "-test.run=^$"}, nil) }},
	{"trace another", func(World) error { return unix.PtraceAttach(os.Getppid()) }},
}

// Ports is what Landlock knows from its fourth version on.
var Ports = []trial{
	{"connect elsewhere", func(World) error { return dial("127.0.0.1:" + os.Getenv(elsewhereEnv)) }},
}

// Others is what it knows from its sixth on.
var Others = []trial{
	{"connect to an abstract socket", func(World) error {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Connect(fd, &unix.SockaddrUnix{Name: abstract(os.Getppid())})
	}},
}

// Limits are the resources.
var Limits = []trial{
	{"write a file larger than any message", func(w World) error {
		defer os.Remove(w.Dir + "/spool/tmp/large")
		return os.WriteFile(w.Dir+"/spool/tmp/large", make([]byte, 4<<20), 0o600)
	}},
	{"open a hundred files", func(w World) error {
		for range 100 {
			fd, err := unix.Open(w.Dir+"/spool/inbound", unix.O_RDONLY, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
		}
		return nil
	}},
	{"leave a core", func(World) error {
		var r unix.Rlimit
		if err := unix.Getrlimit(unix.RLIMIT_CORE, &r); err != nil || r.Max > 0 {
			return err
		}
		return unix.EFBIG
	}},
	{"take a gigabyte", func(World) error {
		m, err := unix.Mmap(-1, 0, 1<<30, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err == nil {
			unix.Munmap(m)
		}
		return err
	}},
	{"gain privileges", func(World) error {
		if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || set != 1 {
			return err
		}
		return unix.EPERM
	}},
}

func (w World) list() string { return w.Dir + "/lists/lists.example.org/dev" }

func touch(file string) error {
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err == nil {
		f.Close()
	}
	return err
}

func readable(file string) error {
	f, err := os.Open(file)
	if err == nil {
		f.Close()
	}
	return err
}

// dial connects by TCP. A net.Dialer would go on without what is forbidden.
func dial(address string) error {
	to, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())})
}

// Try enters the sandbox and tries everything, and prints what comes of it. What
// it must not do it tries on every thread: on those that were there before too.
func Try(enter func(config string) (*site.Site, error)) {
	var old crew
	for range 4 {
		old = append(old, newThread())
	}
	site, err := enter(Config())
	if err != nil {
		fmt.Fprintln(os.Stderr, "no sandbox:", err)
		os.Exit(1)
	}
	w := World{Dir: filepath.Dir(Config()), Site: site}
	for _, trials := range [][]trial{Allowed, Limits, Left, Datagrams} {
		for _, t := range trials {
			fmt.Printf("%s: %s\n", t.what, said(t.do(w)))
		}
	}
	for _, trials := range [][]trial{Rights, Calls, Ports, Others, Files} { // Files last: without a sandbox they end this program
		for _, t := range trials {
			fresh := newThread()
			fmt.Printf("%s: %s\n", t.what, append(old, fresh).try(func() error { return t.do(w) }))
			close(fresh)
		}
	}
}

// A crew is threads that do what they are told.
type crew []chan func()

func newThread() chan func() {
	orders := make(chan func())
	go func() {
		runtime.LockOSThread()
		for do := range orders {
			do()
		}
	}()
	return orders
}

// try has every thread do something. If only one can, so can the process.
func (c crew) try(do func() error) string {
	outcome := ""
	for _, thread := range c {
		done := make(chan error)
		thread <- func() { done <- do() }
		if outcome = said(<-done); outcome == "ok" {
			return outcome
		}
	}
	return outcome
}

func said(err error) string {
	if err == nil {
		return "ok"
	}
	return strings.ReplaceAll(err.Error(), "\n", " ")
}

// Want says that all trials were allowed, or none.
func Want(t *testing.T, got map[string]string, allowed bool, trials ...[]trial) {
	t.Helper()
	for _, group := range trials {
		for _, trial := range group {
			outcome, tried := got[trial.what]
			if !tried || (outcome == "ok") != allowed {
				t.Errorf("%s: %q, want allowed: %v", trial.what, outcome, allowed)
			}
		}
	}
}
