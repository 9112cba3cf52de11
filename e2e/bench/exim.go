package main

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
)

// eximHome is Debian's exim, unpacked, with a spool of its own.
type eximHome struct {
	binary, dir string
	version     string
}

// eximUser is compiled into Debian's package: without it exim does not start.
const eximUser = "Debian-exim"

func (b *bench) exim() (*eximHome, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("exim4 needs root")
	}
	pkg, version, err := debian("exim4-daemon-light")
	if err != nil {
		return nil, err
	}
	if err := addUser(b.work, eximUser, 64_999); err != nil {
		return nil, err
	}
	if err := addLibraries(b.work, libraries(pkg)); err != nil {
		return nil, err
	}
	return &eximHome{binary: filepath.Join(pkg, "usr/sbin/exim4"), dir: filepath.Join(b.work, "exim"), version: version}, nil
}

// contender makes a spool and the shortest configuration that takes the message
// and keeps it. What superlist-spawn does not do in this comparison (TLS, a log
// file per message) is switched off; exim cannot be told to log nothing, so
// where superlist-spawn does not log, exim logs to a plain file.
func (e *eximHome) contender(log, dialogue string) (*contender, error) {
	spool := filepath.Join(e.dir, log)
	if err := os.MkdirAll(spool, 0o755); err != nil {
		return nil, err
	}
	u, err := user.Lookup(eximUser)
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(spool, uid, gid); err != nil {
		return nil, err
	}
	logPath := spool + "/log-%slog"
	if log == "syslog" {
		logPath = "syslog"
	}
	config := fmt.Sprintf(`primary_hostname = lists.example.org
spool_directory = %s
log_file_path = %s
queue_only = true
message_logs = false
tls_advertise_hosts =
keep_environment =
acl_smtp_rcpt = accept
`, spool, logPath)
	path := filepath.Join(e.dir, log+".conf")
	return &contender{
		name:  "exim4 -bs",
		argv:  []string{e.binary, "-C", path, "-bs"},
		stdin: dialogue,
		check: accepted,
	}, os.WriteFile(path, []byte(config), 0o644)
}
