package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/queue"
	"superlist/smtp"
)

// configuration warns about settings that are valid but unwise.
func (k *checker) configuration() {
	file := k.site.File()
	f, err := os.Open(file) // this process read it before it became the user
	if err != nil {
		k.wrong("configuration", err.Error(), fmt.Sprintf("sessions run as %s: chmod 0644 %s, and let them into its directory", k.user(), file))
		return
	}
	f.Close()
	k.ok("configuration", "%s", file)
	_, notAddress := netip.ParseAddr(k.site.Hostname)
	switch mend := "set hostname in " + file + " to the name that other hosts know"; {
	case notAddress == nil:
		k.wrong("hostname", k.site.Hostname+" is an IP address, not a name", mend)
	case !strings.Contains(k.site.Hostname, "."):
		k.warn("hostname", k.site.Hostname+" is not a full host name", mend)
	}
}

// spool checks the queue directory and what waits in it.
func (k *checker) spool() {
	dir := k.site.QueueDir
	s := k.site.Spool()
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		k.wrong("queue_dir", dir+" is not there", k.install(dir))
		return
	}
	if err := s.Init(); err != nil {
		k.wrong("queue_dir", err.Error(), k.mend(err, dir))
		return
	}
	if info, err := os.Stat(dir); err == nil && info.Mode().Perm()&0o007 != 0 {
		k.warn("queue_dir", fmt.Sprintf("%s is open to everybody (%v)", dir, info.Mode().Perm()), "chmod 0700 "+dir)
	}
	for _, sub := range []string{"tmp", "inbound/new", "inbound/cur", "outbound/new", "outbound/cur", "failed"} {
		if err := unix.Access(dir+"/"+sub, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
			k.wrong("queue_dir", fmt.Sprintf("%s/%s: %v", dir, sub, err), k.mend(err, dir+"/"+sub))
			return
		}
	}
	k.reach("queue_dir", dir, true)
	k.room("queue_dir", dir)
	if err := s.Admit(0, ""); err != nil && !errors.Is(err, smtp.ReplyNoSpace) {
		k.wrong("queue_dir", err.Error(), "see superlist queue ls")
	}
	if dirs, err := s.Unfinished(); err != nil || len(dirs) > 0 {
		k.wrong("queue", fmt.Sprintf("the spool of another host was taken over only in part: %s", strings.Join(dirs, ", ")), "call superlist queue adopt with it again")
	}
	in, err := s.List(queue.Inbound)
	if err != nil {
		k.wrong("queue", err.Error(), "")
		return
	}
	out, _ := s.List(queue.Outbound)
	failed, _ := s.List(queue.Failed)
	text := fmt.Sprintf("%d inbound, %d outbound, %d failed", len(in), len(out), len(failed))
	switch late := 10 * time.Minute; {
	case len(in) > 0 && time.Since(in[0].Due) > late || len(out) > 0 && time.Since(out[0].Due) > late:
		k.wrong("queue", text+"; some have been due for more than ten minutes", "nothing starts superlist deliver: see docs/launchers.md")
	case len(failed) > 0:
		k.warn("queue", text, "see superlist queue ls, then retry or rm")
	default:
		k.ok("queue", "%s", text)
	}
}
