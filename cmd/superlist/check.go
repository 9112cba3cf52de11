package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/user"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/config"
	"superlist/lists/copies"
	"superlist/lists/letter"
	"superlist/lists/members"
	"superlist/lists/policy"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// A finding is one thing that check looked at.
type finding struct {
	Level string `json:"level"` // ok, warning, error
	About string `json:"about"`
	Text  string `json:"text"`
	Mend  string `json:"mend,omitempty"`
}

// A checker collects findings.
type checker struct {
	ctx      context.Context
	site     *site.Site
	findings []finding
	found    []smtp.Path // the lists that there are
}

func (k *checker) ok(about, format string, a ...any) {
	k.findings = append(k.findings, finding{"ok", about, fmt.Sprintf(format, a...), ""})
}

func (k *checker) warn(about, text, mend string) {
	k.findings = append(k.findings, finding{"warning", about, text, mend})
}

func (k *checker) wrong(about, text, mend string) {
	k.findings = append(k.findings, finding{"error", about, text, mend})
}

func (a *app) checkCommand() *cobra.Command {
	var asJSON, quiet bool
	c := &cobra.Command{
		Use: "check [LIST]", Short: "Find out what is wrong, and how to fix it",
		Long: `Check the configuration, permissions, lists, spool, mail filters, relay and DNS,
and how mail comes in through Postfix. Whatever is wrong is named, with how to
fix it. No list and no message is changed. The kick is tried, which starts
superlist deliver, and Postfix is asked whether it accepts mail for a list of
each domain. The exit code is 78 if anything is an error.`,
		Example: `  superlist check
  superlist check dev@lists.example.org
  superlist check --quiet     # only what is wrong: for cron`,
		Args:              args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: a.completeList,
		RunE: func(c *cobra.Command, arg []string) error {
			k := &checker{ctx: c.Context()}
			if err := k.run(a, arg); err != nil {
				return err
			}
			bad := 0
			if quiet {
				k.findings = slices.DeleteFunc(k.findings, func(f finding) bool { return f.Level == "ok" })
			}
			t := table{"", "", ""}.rows()
			for _, f := range k.findings {
				text := f.Text
				if f.Mend != "" {
					text += "; " + f.Mend
				}
				t.add(f.Level, f.About, text)
				if f.Level == "error" {
					bad++
				}
			}
			if err := show(c, asJSON, k.findings, t); err != nil || bad == 0 {
				return err
			}
			return &exitError{exConfig, fmt.Errorf("errors found: %d", bad)}
		},
	}
	jsonFlag(c, &asJSON)
	c.Flags().BoolVarP(&quiet, "quiet", "q", false, "show only what is wrong")
	return c
}

func (k *checker) run(a *app, arg []string) error {
	k.setup()
	var err error
	if k.site, err = a.site(); err != nil {
		var config *config.Error
		if !errors.As(err, &config) {
			return err
		}
		k.wrong("configuration", config.Error(), fix(config))
		return nil
	}
	k.configuration()
	if len(arg) > 0 {
		l, err := openList(k.site, arg[0])
		var config *config.Error
		if errors.As(err, &config) {
			k.wrong(arg[0], config.Error(), fix(config))
			return nil
		}
		if err != nil {
			return err
		}
		k.list(l)
		k.domain(l.Addr.Domain)
		k.postfix([]smtp.Path{l.Addr})
		return nil
	}
	k.spool()
	k.lists()
	k.log()
	k.sandbox()
	k.session()
	k.tls()
	k.auth()
	k.milters()
	k.dkim()
	k.signing()
	k.relay()
	k.nextHop()
	k.kick()
	k.postfix(k.found)
	return nil
}

// configuration looks at what is right by itself and still not wise.
func (k *checker) configuration() {
	file := k.site.File()
	f, err := os.Open(file) // it was read before this process became the user
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

// mend says what to do about a path that this process could not use. path is
// what stands below a directory of ours, err may name a part of it.
func (k *checker) mend(err error, path string) string {
	switch {
	case errors.Is(err, unix.EROFS):
		return "the file system is mounted read-only"
	case errors.Is(err, fs.ErrPermission) && !k.isUser():
		return "call this as root or as " + k.site.User
	case errors.Is(err, fs.ErrNotExist):
		return "put it there"
	}
	var in *fs.PathError
	if errors.As(err, &in) && strings.HasPrefix(in.Path, path) {
		path = in.Path
	}
	return whose(path) + fmt.Sprintf("chown -R %s %s", k.user(), path)
}

// whose says who owns a file and what may be done with it: "owner root, mode
// -rw-------; ". It says nothing where that cannot be seen.
func whose(path string) string {
	info, err := os.Lstat(path)
	if err != nil {
		return ""
	}
	owner := "?"
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		owner = fmt.Sprint(st.Uid)
		if u, err := user.LookupId(owner); err == nil {
			owner = u.Username
		}
	}
	return fmt.Sprintf("owner %s, mode %v; ", owner, info.Mode())
}

// isUser reports whether this process is the one that the files belong to.
// user.Current does not tell: it remembers who called, who may have been root.
func (k *checker) isUser() bool {
	if k.site.User == "" || os.Geteuid() == 0 {
		return true
	}
	u, err := user.Lookup(k.site.User)
	return err != nil || u.Uid == fmt.Sprint(os.Geteuid())
}

// user is whom the files have to belong to.
func (k *checker) user() string {
	if k.site.User != "" {
		return k.site.User
	}
	if u, err := user.LookupId(fmt.Sprint(os.Geteuid())); err == nil {
		return u.Username
	}
	return fmt.Sprint(os.Geteuid())
}

// install is the command that makes a directory as it should be.
func (k *checker) install(dir string) string {
	if k.site.User == "" {
		return "install -d -m 0700 " + dir
	}
	return fmt.Sprintf("install -d -o %s -m 0700 %s", k.site.User, dir)
}

// spool looks at the queue directory and at what waits in it.
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
			k.wrong("queue_dir", fmt.Sprintf("%s/%s: %v", dir, sub, err), k.mend(err, dir))
			return
		}
	}
	k.room("queue_dir", dir)
	if err := s.Admit(0, ""); err != nil && !errors.Is(err, smtp.ReplyNoSpace) {
		k.wrong("queue_dir", err.Error(), "see superlist queue ls")
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

// lists looks at every list, and at their domains.
func (k *checker) lists() {
	domains := map[string]bool{}
	n := 0
	err := lists.Of(k.site).All(func(addr smtp.Path, l *lists.List, err error) bool {
		n++
		domains[addr.Domain] = true
		k.found = append(k.found, addr)
		if err != nil {
			mend := "posts to it are deferred until this is fixed"
			if errors.Is(err, fs.ErrPermission) {
				mend += ": " + k.mend(err, k.site.ListsDir)
			}
			if wrong := new(config.Error); errors.As(err, &wrong) && wrong.Key != "" {
				mend = fix(wrong) + "; " + mend
			}
			k.wrong(addr.Address(), err.Error(), mend)
			return true
		}
		k.list(l)
		return true
	})
	if strays, err := lists.Of(k.site).Strays(); err == nil {
		for _, dir := range strays {
			k.wrong("lists_dir", dir+" is not a list: its name is not a valid list address",
				fmt.Sprintf("give it a name of small letters, digits and ._- without %q, and its domain as the DNS has it", k.site.RecipientDelimiter))
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.wrong("lists_dir", k.site.ListsDir+" is not there, so all posts are deferred", "mount its disk, or if there never was one: "+k.install(k.site.ListsDir))
	case err != nil:
		k.wrong("lists_dir", err.Error(), k.mend(err, k.site.ListsDir))
	case n == 0:
		k.warn("lists", "there are none yet", "superlist list create NAME@DOMAIN --owner YOU")
	}
	for domain := range domains {
		k.domain(domain)
	}
	k.room("lists_dir", k.site.ListsDir)
}

// room looks whether the disk of a directory has room for what is written there.
func (k *checker) room(about, dir string) {
	free, err := queue.Room(dir)
	switch {
	case err != nil:
		return // said elsewhere
	case free.Bytes < queue.MinFreeBytes:
		k.wrong(about, fmt.Sprintf("%s: %d MiB free, %d MiB are needed", dir, free.Bytes>>20, queue.MinFreeBytes>>20), "free some space on its disk")
	case free.Counted && free.Inodes < queue.MinFreeInodes:
		k.wrong(about, fmt.Sprintf("%s: %d inodes free, and %d are needed", dir, free.Inodes, queue.MinFreeInodes), "remove files from its disk")
	}
}

func (k *checker) list(l *lists.List) {
	about := l.Addr.Address()
	if len(l.Owners) == 0 {
		k.wrong(about, "has no owners, so mail to "+l.Verb("owner").Address()+" fails", "superlist list set "+about+" owners=YOU")
	}
	if err := l.CheckOwners(); err != nil {
		k.wrong(about, err.Error(), "superlist list set "+about+" owners=YOU")
	}
	for _, alias := range l.Dangling() {
		k.wrong(about, alias.Address()+" is in aliases but does not lead here, as after an edit by hand", "superlist list set "+about+" aliases="+strings.Join(l.Aliases, ","))
	}
	if l.NeedsQuotes() {
		k.warn(about, "has a name that needs quotes, which most mail programs cannot write", "superlist list mv "+about+" ANOTHER")
	}
	m, err := l.Members()
	if err != nil {
		k.wrong(about, err.Error(), k.mend(err, l.Dir))
		return
	}
	defer m.Close()
	if err := unix.Access(l.Dir, unix.W_OK); err != nil {
		k.wrong(about, fmt.Sprintf("%s: %v", l.Dir, err), k.mend(err, l.Dir))
	}
	if err := copies.CheckFooter(l); err != nil {
		k.wrong(about, err.Error(), "fix footer_file; posts are deferred until then")
	}
	if l.OneClick != lists.OneClickOff && k.site.UnsubscribeURL == "" {
		k.warn(about, "one_click does nothing without unsubscribe_url in "+k.site.File(), "set it, or superlist list set "+about+" one_click=off")
	}
	if l.DMARC == lists.DMARCReject && k.site.DNS() == "" {
		k.warn(about, "dmarc is reject, and without a resolver in "+k.site.File()+" a session asks nobody: such posts wait for a moderator", "set resolver to ip:port")
	}
	if _, err := letter.Own(l.Dir); err != nil {
		k.warn(about, err.Error(), "the built-in texts are sent instead")
	}
	if err := policy.Of(l).CheckRules(); err != nil {
		k.wrong(about, err.Error(), "fix that line; posts are deferred until then")
	}
	k.archive(l)
	k.pages(l)
	k.bounces(l)
	if l.MaxMessageSize > k.site.MaxMessageSize {
		k.warn(about, fmt.Sprintf("max_message_size is %s, and the site takes %s", l.MaxMessageSize, k.site.MaxMessageSize), "raise the site's or lower the list's")
	}
	wrong, inOrder, err := m.Lint()
	if err != nil {
		k.wrong(about, err.Error(), "check again")
		return
	}
	for i, line := range wrong {
		if i == maxBadLines {
			k.warn(about, fmt.Sprintf("%d more lines like that", len(wrong)-i), "")
			break
		}
		k.warn(about, line, "fix the line by hand")
	}
	if !inOrder {
		k.warn(about, "members is not in order, so each look-up reads it through", "any superlist member add or rm puts it in order")
	}
	if l.Digest == lists.DigestOff {
		if n := inDigests(m); n > 0 {
			k.warn(about, fmt.Sprintf("%d of its members want digests, and it sends none", n), "they get each post; superlist list set "+l.Addr.Address()+" digest=daily")
		}
	}
	if _, err := os.Stat(l.Dir + "/key"); err == nil { // or one would be made
		if _, err := l.BounceAddress(time.Now()); err != nil {
			k.wrong(about, err.Error(), "posts to it are deferred until this is fixed")
		}
	}
	for _, file := range []string{"list.toml", "members", "key"} {
		if !k.inReach(l.Dir + "/" + file) {
			k.wrong(about, l.Dir+"/"+file+" leads out of "+k.site.ListsDir+", so sessions cannot read it", "move it there, or mount it there with mount --bind")
		}
		if info, err := os.Stat(l.Dir + "/" + file); err == nil && info.Mode().Perm()&0o007 != 0 {
			k.warn(about, fmt.Sprintf("%s/%s is open to everybody (%v)", l.Dir, file, info.Mode().Perm()), "chmod o= it")
		}
	}
	if n, err := countMembers(l); err == nil && n == 0 {
		k.warn(about, "has no members, so nobody gets its posts", "superlist member add "+about+" ADDRESS")
	} else if err == nil {
		k.ok(about, "%s, post = %s", plural(n, "member"), l.Post)
	}
}

// inDigests is how many members want digests.
func inDigests(m *members.File) (n int) {
	for member, err := range m.All() {
		if err == nil && member.Delivery() == members.InDigests {
			n++
		}
	}
	return n
}

// archive looks whether a list's posts and their index agree.
func (k *checker) archive(l *lists.List) {
	about := l.Addr.Address()
	faults, err := l.Posts().Check(maxBadLines + 1)
	if err != nil {
		k.wrong(about, err.Error(), k.mend(err, l.Dir))
		return
	}
	for i, f := range faults {
		if i == maxBadLines {
			k.wrong(about, "archive: and more like that", "")
			break
		}
		text := "archive: " + f.Text
		if f.Number > 0 {
			text = fmt.Sprintf("archive: post %d: %s", f.Number, f.Text)
		}
		k.wrong(about, text, "superlist archive rebuild "+about)
	}
}
