// Package sandbox takes from a process everything that serving one connection does not
// need, before the client can say anything. It uses resource limits, no_new_privs,
// Landlock (landlock(7)), and a filter for system calls (seccomp(2)).
//
// A confined session writes below queue_dir/tmp and queue_dir/inbound/new (a milter
// session below queue_dir/taken too) and nowhere else. It reads lists, opens no other
// file, starts no program, listens nowhere, and connects only to the ports that the
// configuration names. If it may need superlist-session it can become that program,
// which may read the key and the other files configured for it. All of this holds for
// root as well. For what Landlock does not control the filter closes the calls: modes,
// owners, times and locks of files, UDP and other protocols, other processes.
// docs/security.md says what is left, and sandboxtest tries each of it.
//
// It uses what the kernel has: Landlock needs Linux 5.19, its ports 6.7, and the filter
// amd64, arm64, loong64 or riscv64. But if the kernel has it and it fails, there is no
// session.
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

// A Box is what a process is confined to.
type Box struct {
	Site    *site.Site
	Session string // path of superlist-session; empty: none
	Milter  bool   // it is superlist-milter
	Web     bool   // it is superlist-web, which connects to less
	Policy  bool   // it is superlist-policy, which accepts no message
}

// Enter confines this process, for good. After an error it must not serve anybody.
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

// noNewPrivs sets no_new_privs and the filter, on every thread. The filter comes before
// Landlock, since the kernel sets no_new_privs together with the filter: setting it by
// a call on each thread costs a session 2 %.
//
// Between the first call and the second this goroutine may move to another thread. The
// kernel then refuses the filter (seccomp(2), EACCES), but not for CAP_SYS_ADMIN, so a
// process that has that sets it on each thread first.
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

// privileged reports whether this process has CAP_SYS_ADMIN: root has it, unless it was
// dropped.
func privileged() bool {
	var caps [2]unix.CapUserData
	err := unix.Capget(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &caps[0])
	return err != nil || caps[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}

// becomes reports whether this process may still become superlist-session.
func (b Box) becomes() bool {
	return b.Session != "" && b.Site.HandsOver() && !b.Milter && !b.Web && !b.Policy
}

// looksUp reports whether it may ask the DNS for a client's HELO name.
func (b Box) looksUp() bool { return b.becomes() && b.Site.HeloCheck }

// datagrams reports whether it needs UDP: to ask the DNS for HELO names, or for an
// author's domain policy (dmarc = "reject") at the resolver that the site names.
func (b Box) datagrams() bool {
	return b.looksUp() || b.Site.DNS() != "" && !b.Policy && !b.Web
}

// makeSpool makes the spool before the first message ever, since only existing paths
// can be granted. If that fails, MAIL says why.
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

// Landlock's rights for what a session does to files.
const (
	read    landlock.AccessFSSet = ll.AccessFSReadFile
	list    landlock.AccessFSSet = ll.AccessFSReadDir // syncing a directory requires opening it
	write   landlock.AccessFSSet = ll.AccessFSWriteFile | ll.AccessFSMakeReg | ll.AccessFSRemoveFile | ll.AccessFSRefer
	addTo   landlock.AccessFSSet = ll.AccessFSWriteFile
	change  landlock.AccessFSSet = ll.AccessFSReadFile | ll.AccessFSWriteFile | ll.AccessFSTruncate
	run     landlock.AccessFSSet = ll.AccessFSReadFile | ll.AccessFSExecute
	connect landlock.AccessFSSet = ll.AccessFSResolveUnix // to a socket
)

// A grant is one thing that a session may do: something with the files below a path, or
// connecting to a TCP port.
type grant struct {
	what string
	at   string
	file landlock.AccessFSSet // 0: a port
	port uint16
	udp  bool // also the UDP port
}

// grants returns what the site's sessions need.
func (b Box) grants() []grant {
	s := b.Site
	if b.Policy { // the mark of a full queue is a file in tmp
		gs := []grant{{what: "write", at: s.QueueDir + "/tmp", file: read | addTo | ll.AccessFSMakeReg | ll.AccessFSRemoveFile}}
		for _, dir := range []string{"/inbound", "/outbound"} {
			gs = append(gs, grant{what: "list", at: s.QueueDir + dir, file: list})
		}
		return append(append(gs, grant{what: "read", at: s.ListsDir, file: read}), b.log()...)
	}
	gs := []grant{
		// Moving a file must not gain rights to it, so tmp has the same rights as
		// inbound. What has arrived is not read again, and what deliver has begun with
		// is deliver's.
		{what: "write", at: s.QueueDir + "/tmp", file: write | read},
		{what: "write", at: s.QueueDir + "/inbound/new", file: write | list},
		{what: "list", at: s.QueueDir + "/inbound", file: list}, // water marks
		{what: "list", at: s.QueueDir + "/outbound", file: list},
	}
	lists := grant{what: "read", at: s.ListsDir, file: read}
	if b.Web { // a moderator sees all that waits
		lists.file |= list
	}
	gs = append(gs, lists)
	if b.Milter {
		gs = append(gs, grant{what: "write", at: s.QueueDir + "/taken", file: write | read | list})
	}
	if to, err := site.ParseTarget(s.Kick); err == nil { // else: ""
		gs = append(gs, service(to))
	}
	if b.Web {
		return append(gs, b.log()...)
	}
	for i := range s.Milters {
		gs = append(gs, service(s.Milters[i].Target()))
	}
	if to, err := site.ParseTarget(s.Proxy.NextHop); err == nil {
		gs = append(gs, service(to))
	}
	if resolver := (site.Target{Address: s.DNS()}); s.DNS() != "" { // over TCP if an answer is long
		gs = append(gs, grant{what: "connect", at: fmt.Sprintf("port %d", resolver.Port()), port: resolver.Port(), udp: true})
	}
	gs = append(gs, b.log()...)
	if b.becomes() {
		gs = append(gs, b.session()...)
	}
	return gs
}

// log returns what writing to the log needs. A restarted log daemon has a new socket in
// the same directory.
func (b Box) log() (gs []grant) {
	if b.Site.Log == "syslog" {
		gs = append(gs, grant{what: "connect", at: "/dev", file: connect})
	}
	if b.Site.Log == "syslog" || b.Site.Log == "journal" { // the target of systemd's /dev/log
		gs = append(gs, grant{what: "connect", at: "/run/systemd/journal", file: connect})
	}
	return gs
}

// service returns the grant to connect to a service.
func service(t site.Target) grant {
	if t.Network == "unix" {
		return grant{what: "connect", at: filepath.Dir(t.Address), file: connect}
	}
	return grant{what: "connect", at: t.Address, port: t.Port()}
}

// session returns what superlist-session needs, to start and to do its work. It
// confines itself again, and nothing is granted twice.
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

// Refused reports whether an error is the kernel's refusal: because a file belongs to
// somebody else, or because of the sandbox. EXDEV is Landlock's error for a move that
// gains rights.
func Refused(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EXDEV)
}

// Whose says who owns the file that an error is about, if that is somebody other than
// this process: then the sandbox need not be the reason. If it is empty, it may be. A
// confined process can still examine a file, but not look up a user's name.
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
