package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"

	"superlist/e2e/unpack"
)

// eximHome is Debian's exim, unpacked, with a spool for each contender.
type eximHome struct {
	binary, dir string
	update      string // Debian's update-exim4.conf
	version     string
}

// eximUser is compiled into Debian's package: without it exim does not start.
const eximUser = "Debian-exim"

// updateConf is what Debian's installer writes for an "internet site";
// localMacros is what we add: a spool, a log, no delivery, and the host name,
// for which exim would ask the DNS at each start. On a pipe Debian's ACL takes
// every recipient without a look at it; the alias makes ours a real one.
const (
	updateConf = `dc_eximconfig_configtype='internet'
dc_other_hostnames='lists.example.org'
dc_local_interfaces='127.0.0.1 ; ::1'
dc_readhost=''
dc_relay_domains=''
dc_minimaldns='false'
dc_relay_nets=''
dc_smarthost=''
CFILEMODE='644'
dc_use_split_config='false'
dc_hide_mailname=''
dc_mailname_in_oh='true'
dc_localdelivery='mail_spool'
`
	localMacros = `MAIN_HARDCODE_PRIMARY_HOSTNAME = lists.example.org
SPOOLDIR = %s
log_file_path = %s
queue_only = true
DC_minimaldns = 1
`
	aliases = "postmaster: root\ndev: :blackhole:\n"
)

// peerAddress is the client that every contender has. Without one, which a pipe
// does not give, Debian's configuration trusts whoever calls, takes any
// recipient and decides nothing.
const peerAddress = "192.0.2.1"

// exim unpacks it once: its files in /etc are there until the run ends.
func (b *bench) exim() (*eximHome, error) {
	if b.eximHome == nil && b.eximMissing == nil {
		b.eximHome, b.eximMissing = b.newExim()
	}
	if b.eximHome != nil {
		b.versions["exim"] = b.eximHome.version
	}
	return b.eximHome, b.eximMissing
}

func (b *bench) newExim() (*eximHome, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("exim4 needs root")
	}
	pkg, version, err := unpack.Debian("exim4-daemon-light")
	if err != nil {
		return nil, err
	}
	conf, _, err := unpack.Debian("exim4-config")
	if err != nil {
		return nil, err
	}
	e := &eximHome{
		binary:  filepath.Join(pkg, "usr/sbin/exim4"),
		dir:     filepath.Join(b.work, "exim"),
		update:  filepath.Join(conf, "usr/sbin/update-exim4.conf"),
		version: version,
	}
	return e, privateEtc(b.work, func(etc string) error {
		if err := addUser(etc, eximUser, 64_999); err != nil {
			return err
		}
		if err := addLibraries(etc, unpack.Libraries(pkg)); err != nil {
			return err
		}
		if out, err := exec.Command("cp", "-a", conf+"/etc/exim4", etc).CombinedOutput(); err != nil {
			return fmt.Errorf("copy of exim4-config: %w: %s", err, tail(out))
		}
		for name, data := range map[string]string{
			"mailname":                     "lists.example.org\n",
			"aliases":                      aliases,
			"exim4/update-exim4.conf.conf": updateConf,
		} {
			if err := os.WriteFile(filepath.Join(etc, name), []byte(data), 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

// contenders makes exim twice: as Debian configures it, and with the shortest
// configuration that does.
func (e *eximHome) contenders(log, dialogue string) (debian, shortest *contender, err error) {
	if debian, err = e.contender("exim4 -bs", "debian", log, dialogue, e.debian); err != nil {
		return nil, nil, err
	}
	shortest, err = e.contender("exim4 -bs, shortest configuration", "shortest", log, dialogue, e.shortest)
	return debian, shortest, err
}

// contender makes a spool and lets configure write the configuration for it.
// Where superlist-spawn does not log, exim logs to a plain file, since it
// cannot be told to log nothing.
func (e *eximHome) contender(name, dir, log, dialogue string, configure func(path, spool, log string) error) (*contender, error) {
	spool := filepath.Join(e.dir, dir+"-"+log)
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
	path := spool + ".conf"
	return &contender{
		name:  name,
		argv:  []string{e.binary, "-C", path, "-oMa", peerAddress, "-bs"},
		stdin: dialogue,
		check: accepted,
	}, configure(path, spool, logPath)
}

// debian has Debian's script make the configuration, in the private /etc.
func (e *eximHome) debian(path, spool, log string) error {
	macros := fmt.Sprintf(localMacros, spool, log)
	if err := os.WriteFile("/etc/exim4/exim4.conf.localmacros", []byte(macros), 0o644); err != nil {
		return err
	}
	if out, err := exec.Command(e.update, "-o", path).CombinedOutput(); err != nil {
		return fmt.Errorf("update-exim4.conf: %w: %s", err, tail(out))
	}
	return nil
}

// shortest decides what a list decides (is there such a list, is the sender a
// member, is the author) and keeps the message; all else is as exim has it by
// itself.
func (e *eximHome) shortest(path, spool, log string) error {
	// lsearch wants a colon, or nothing, behind the key.
	if err := os.WriteFile(spool+"/members", members(sessionMembers), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(spool+"/lists", []byte(list+"\n"), 0o644); err != nil {
		return err
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
  accept
data:
  deny  message = only members may post
        condition = ${lookup{${lc:${address:$h_From:}}}lsearch{%[1]s/members}{no}{yes}}
  accept
`, spool, log)
	return os.WriteFile(path, []byte(config), 0o644)
}
