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

// contender makes a spool and the shortest configuration that decides what a
// list decides (is there such a list, is the sender a member, is the author)
// and keeps the message; all else is as exim has it by itself. Where
// superlist-spawn does not log, exim logs to a plain file, since it cannot be
// told to log nothing.
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
	// lsearch wants a colon, or nothing, behind the key.
	if err := os.WriteFile(spool+"/members", members(sessionMembers), 0o644); err != nil {
		return nil, err
	}
	if err := os.WriteFile(spool+"/lists", []byte(list+"\n"), 0o644); err != nil {
		return nil, err
	}
	config := fmt.Sprintf(`primary_hostname = lists.example.org
spool_directory = %[1]s
log_file_path = %[2]s
queue_only = true
keep_environment =
message_size_limit = 25M
acl_smtp_rcpt = rcpt
acl_smtp_data = data

begin acl
rcpt:
  deny  message = there is no such list here
        !recipients = lsearch;%[1]s/lists
  deny  message = only members may post
        !senders = lsearch;%[1]s/members
  accept
data:
  deny  message = only members may post
        condition = ${lookup{${lc:${address:$h_From:}}}lsearch{%[1]s/members}{no}{yes}}
  accept
`, spool, logPath)
	path := filepath.Join(e.dir, log+".conf")
	return &contender{
		name:  "exim4 -bs",
		argv:  []string{e.binary, "-C", path, "-bs"},
		stdin: dialogue,
		check: accepted,
	}, os.WriteFile(path, []byte(config), 0o644)
}
