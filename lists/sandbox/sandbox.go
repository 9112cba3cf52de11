// Package sandbox takes from a process what serving one connection does not
// need, before the client can say anything: with resource limits, no_new_privs,
// Landlock, landlock(7), and a filter for system calls, seccomp(2).
//
// A session that is in it writes below queue_dir/tmp and queue_dir/inbound/new (a
// milter session below queue_dir/taken too) and nowhere else, reads lists, and
// opens no other file, starts no program, listens nowhere and connects to no port
// but those that the configuration names. If superlist-session may be needed it
// may become that, which may read the key and what else is configured for it.
// That goes for root as well. For what Landlock has no word the filter closes the
// call: modes, owners, times and locks of files, UDP and other protocols, other
// processes. What is left is in docs/security.md, and sandboxtest tries each of it.
//
// It takes what the kernel has: Landlock needs Linux 5.19, its ports 6.7, the
// filter amd64, arm64, loong64 or riscv64. But where a kernel has it and fails,
// there is no session.
package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"

	"superlist/lists/site"
)

// A Box is what a process is shut into.
type Box struct {
	Site    *site.Site
	Session string // where superlist-session is; empty: nowhere
	Milter  bool   // it is superlist-milter
	Web     bool   // it is superlist-web, which connects to less
	Policy  bool   // it is superlist-policy, which takes no message
}

// Enter shuts this process in, for good. After an error it must not serve
// anybody.
func (b Box) Enter() error {
	if err := b.limit(); err != nil {
		return err
	}
	if !b.Web { // what most of its clients do changes nothing
		b.makeSpool()
	}
	if err := b.noNewPrivs(); err != nil {
		return err
	}
	return restrict(b.grants())
}

// noNewPrivs sets no_new_privs and the filter, on every thread. The filter comes
// before Landlock, since the kernel sets no_new_privs wherever it sets a filter:
// having each thread set it by a call of its own costs a session 2 %.
//
// Between the first call and the second this goroutine may have moved to another
// thread. Then the kernel refuses the filter (seccomp(2), EACCES), but not to
// CAP_SYS_ADMIN, so a process that has that sets it on each thread first.
func (b Box) noNewPrivs() error {
	if !privileged() {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("sandbox: no_new_privs: %w", err)
		}
		if set, err := b.filter(); set || err != nil && !errors.Is(err, unix.EACCES) {
			return err
		}
	}
	if err := ll.AllThreadsPrctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("sandbox: no_new_privs: %w", err)
	}
	_, err := b.filter()
	return err
}

// privileged reports whether this process has CAP_SYS_ADMIN: root has, unless it
// was taken away.
func privileged() bool {
	var caps [2]unix.CapUserData
	err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &caps[0])
	return err != nil || caps[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}

// becomes says that this process may yet become superlist-session.
func (b Box) becomes() bool {
	return b.Session != "" && b.Site.HandsOver() && !b.Milter && !b.Web && !b.Policy
}

// looksUp says that it may ask the DNS whether there is a name that a client calls
// itself.
func (b Box) looksUp() bool { return b.becomes() && b.Site.HeloCheck }

// datagrams says that it needs UDP: to ask the DNS for that, or, by the resolver that the
// site names, what the domain of an author wants (dmarc = "reject").
func (b Box) datagrams() bool {
	return b.looksUp() || b.Site.DNS() != "" && !b.Policy && !b.Web
}

// makeSpool makes the spool before the first message ever, since only what is
// there can be granted. If it cannot be made, MAIL says why.
func (b Box) makeSpool() {
	if _, err := os.Lstat(b.Site.QueueDir + "/taken"); errors.Is(err, fs.ErrNotExist) {
		b.Site.Spool().Init()
	}
	if failures := b.Site.FailuresFile(); b.Site.Auth.Offered() != nil {
		if f, err := b.Site.Disk.Keep(failures); err == nil {
			f.Close()
		}
	}
}

// Landlock's words for what a session does to files.
const (
	read    landlock.AccessFSSet = ll.AccessFSReadFile
	list    landlock.AccessFSSet = ll.AccessFSReadDir // to sync a directory it must be opened
	write   landlock.AccessFSSet = ll.AccessFSWriteFile | ll.AccessFSMakeReg | ll.AccessFSRemoveFile | ll.AccessFSRefer
	addTo   landlock.AccessFSSet = ll.AccessFSWriteFile
	change  landlock.AccessFSSet = ll.AccessFSReadFile | ll.AccessFSWriteFile | ll.AccessFSTruncate
	run     landlock.AccessFSSet = ll.AccessFSReadFile | ll.AccessFSExecute
	connect landlock.AccessFSSet = ll.AccessFSResolveUnix // to a socket
)

// A grant is one thing that a session may do: something with the files below a
// path, or connecting to a TCP port.
type grant struct {
	what string
	at   string
	file landlock.AccessFSSet // 0: a port
	port uint16
	udp  bool // the port is UDP's too
}

// grants are what the site's sessions need.
func (b Box) grants() []grant {
	s := b.Site
	if b.Policy { // that the queue is full is a file in tmp
		gs := []grant{{what: "write", at: s.QueueDir + "/tmp", file: read | addTo | ll.AccessFSMakeReg | ll.AccessFSRemoveFile}}
		for _, dir := range []string{"/inbound", "/outbound"} {
			gs = append(gs, grant{what: "list", at: s.QueueDir + dir, file: list})
		}
		return append(append(gs, grant{what: "read", at: s.ListsDir, file: read}), b.log()...)
	}
	gs := []grant{
		// Who moves a file must not gain rights to it: tmp has what inbound has.
		// What has come in is not read again, and what deliver has begun with is
		// deliver's.
		{what: "write", at: s.QueueDir + "/tmp", file: write | read},
		{what: "write", at: s.QueueDir + "/inbound/new", file: write | list},
		{what: "list", at: s.QueueDir + "/inbound", file: list}, // water marks
		{what: "list", at: s.QueueDir + "/outbound", file: list},
		{what: "read", at: s.ListsDir, file: read},
	}
	if b.Milter {
		gs = append(gs, grant{what: "write", at: s.QueueDir + "/taken", file: write | read | list})
	}
	if to, err := site.ParseTarget(s.Kick); err == nil { // else: ""
		gs = append(gs, service(to))
	}
	if b.Web { // a moderator sees all that waits
		return append(append(gs, grant{what: "list", at: s.ListsDir, file: list}), b.log()...)
	}
	for i := range s.Milters {
		gs = append(gs, service(s.Milters[i].Target()))
	}
	if to, err := site.ParseTarget(s.Proxy.NextHop); err == nil {
		gs = append(gs, service(to))
	}
	if resolver := (site.Target{Address: s.DNS()}); s.DNS() != "" { // over TCP where an answer is long
		gs = append(gs, grant{what: "connect", at: fmt.Sprintf("port %d", resolver.Port()), port: resolver.Port(), udp: true})
	}
	gs = append(gs, b.log()...)
	if b.becomes() {
		gs = append(gs, b.session()...)
	}
	return gs
}

// log is what it takes to write to the log. A log daemon that is started anew has a new
// socket in the same directory.
func (b Box) log() (gs []grant) {
	if b.Site.Log == "syslog" {
		gs = append(gs, grant{what: "connect", at: "/dev", file: connect})
	}
	if b.Site.Log == "syslog" || b.Site.Log == "journal" { // where systemd has /dev/log lead
		gs = append(gs, grant{what: "connect", at: "/run/systemd/journal", file: connect})
	}
	return gs
}

// service is the grant to connect to a service.
func service(t site.Target) grant {
	if t.Network == "unix" {
		return grant{what: "connect", at: filepath.Dir(t.Address), file: connect}
	}
	return grant{what: "connect", at: t.Address, port: t.Port()}
}

// session is what superlist-session needs, to start and for what it is started
// for. It shuts itself in again, and nothing is granted twice.
func (b Box) session() []grant {
	s := b.Site
	gs := []grant{
		{what: "become", at: b.Session, file: run},
		{what: "read", at: s.File(), file: read},
		{what: "read", at: "/etc/localtime", file: read},
		{what: "write", at: os.DevNull, file: addTo | read},
	}
	for _, library := range libraries {
		gs = append(gs, grant{what: "run", at: library, file: run})
	}
	if filepath.IsAbs(s.Log) {
		gs = append(gs, grant{what: "write", at: s.Log, file: addTo})
	}
	if s.Auth.Offered() != nil {
		gs = append(gs, grant{what: "write", at: s.FailuresFile(), file: change})
	}
	if s.Auth.PasswdFile != "" {
		gs = append(gs, grant{what: "read", at: s.Auth.PasswdFile, file: read})
	}
	if s.Auth.Dovecot != "" {
		gs = append(gs, grant{what: "connect", at: filepath.Dir(s.Auth.Dovecot), file: connect})
	}
	if b.looksUp() {
		gs = append(gs, grant{what: "connect", at: "port 53", port: 53, udp: true})
		for _, file := range []string{"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"} {
			gs = append(gs, grant{what: "read", at: file, file: read})
		}
	}
	if s.TLS {
		for _, file := range []string{s.SSLServerCrt, s.SSLServerKey, s.SSLCAFile} {
			if file != "" {
				gs = append(gs, grant{what: "read", at: file, file: read})
			}
		}
	}
	return gs
}

// String says what a session may do, in one line.
func (b Box) String() string {
	var whats []string
	at := map[string]string{}
	for _, g := range b.grants() {
		if !slices.Contains(whats, g.what) {
			whats = append(whats, g.what)
		}
		at[g.what] += " " + g.at
	}
	for i, what := range whats {
		whats[i] += at[what]
	}
	return strings.Join(whats, "; ")
}

// Refused says that an error is the kernel's no: to a file of somebody else's,
// or the sandbox's. EXDEV is Landlock's word for a move that gains rights.
func Refused(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EXDEV)
}

// Whose says who owns the file that an error is about, where that is somebody else
// than this process: then the sandbox need not be the reason. Empty: it may be. In
// a sandbox a file can still be looked at, and no user's name be looked up.
func Whose(err error) string {
	var in *fs.PathError
	if !errors.As(err, &in) {
		return ""
	}
	var st unix.Stat_t
	if unix.Stat(in.Path, &st) != nil || int(st.Uid) == os.Geteuid() {
		return ""
	}
	return fmt.Sprintf("its owner is user %d, mode %04o, and sessions are user %d", st.Uid, st.Mode&0o7777, os.Geteuid())
}
