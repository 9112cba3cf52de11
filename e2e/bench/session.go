package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// sessionMembers is how many members the list of the session comparison has.
const sessionMembers = 1000

// sessions compares whole processes that take one small message each.
func (b *bench) sessions() error {
	dialogue, err := b.dialogue()
	if err != nil {
		return err
	}
	exim, why := b.exim()
	if why != nil {
		exim = nil
	}
	old, whyNot := b.before()
	if whyNot != nil {
		old = ""
	}
	for _, log := range []string{"none", "syslog"} {
		if log == "syslog" && !private() {
			continue
		}
		if err := b.session(log, dialogue, old, exim); err != nil {
			return err
		}
	}
	if whyNot != nil {
		b.skip("superlist-spawn / superlist-spawn of "+beforeCommit, whyNot)
	}
	if why != nil {
		b.skip("superlist-spawn / exim4 -bs", why)
	}
	return nil
}

// trusting has a site take a dialogue that is there before it has said anything,
// as it does from hosts it trusts: from others that is a refusal.
const trusting = "trusted = [\"" + peerAddress + "\"]\n"

// spawn is a contender: the superlist-spawn of a site.
func (s *site) spawn(name, dialogue string) *contender {
	return &contender{
		name:  name,
		argv:  []string{s.bin + "/superlist-spawn", "-c", s.config},
		stdin: dialogue,
		check: accepted,
	}
}

// giveTo gives a directory to a user, and has the contenders run as that: spawn(8)
// and inetd start sessions as a user without rights.
func giveTo(name string, dir string, cs ...*contender) error {
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if out, err := exec.Command("chown", "-R", name+":", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("chown: %w: %s", err, out)
	}
	for _, c := range cs {
		c.user = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	return nil
}

// session races whoever there is. old are the programs as they once were, and
// empty where they cannot be had, as exim is nil then.
func (b *bench) session(log, dialogue, old string, exim *eximHome) error {
	s, err := b.newSite("session-"+log, siteOptions{log: log, more: trusting, members: sessionMembers, relay: "127.0.0.1:9"})
	if err != nil {
		return err
	}
	ours := s.spawn("superlist-spawn", dialogue)
	floor, err := b.floor(s, dialogue)
	if err != nil {
		return err
	}
	if err := giveTo("nobody", s.dir, ours, floor); err != nil {
		return err
	}
	cs := []*contender{ours, floor}
	var before, debian, shortest *contender
	if old != "" {
		// A site of its own: each version reads what it has written.
		then, err := b.newSite("before-"+log, siteOptions{bin: old, log: log, members: sessionMembers, relay: "127.0.0.1:9"})
		if err != nil {
			return err
		}
		before = then.spawn("superlist-spawn of "+beforeCommit, dialogue)
		if err := giveTo("nobody", then.dir, before); err != nil {
			return err
		}
		cs = append(cs, before)
	}
	if exim != nil {
		if debian, shortest, err = exim.contenders(log, dialogue); err != nil {
			return err
		}
		cs = append(cs, debian, shortest)
	}
	if err := race(b.rounds, cs...); err != nil {
		return err
	}
	fmt.Printf("\nOne SMTP session: one small message, durable, accepted; dialogue on stdin, log %s, %d rounds\n", log, b.rounds)
	table(cs...)
	if before != nil {
		f, line := paired("a session, log "+log, ours, before)
		fmt.Println(line, "", b.note(want(f, 1.10)))
	}
	if exim != nil {
		f, line := paired("a session, log "+log, ours, debian)
		fmt.Println(line, "", b.note(want(f, 0.40)))
		_, line = ratio(ours, shortest)
		fmt.Printf("%s  for information\n", line)
		_, line = ratio(floor, debian)
		fmt.Println(line)
	}
	f, line := paired("a session, log "+log, ours, floor)
	fmt.Println(line, "", b.goal(want(f, 1.25)))
	b.note(used("a session, log "+log, ours, floor))
	if exim != nil {
		fmt.Printf("  exim4 is Debian's %s, with Debian's configuration where nothing else is said\n", exim.version)
	}
	return syncs(cs...)
}

// floor writes the file that superlist-spawn writes, and does nothing else.
func (b *bench) floor(s *site, dialogue string) (*contender, error) {
	if err := s.post(dialogue); err != nil {
		return nil, err
	}
	files, err := s.waiting()
	if err != nil || len(files) != 1 {
		return nil, fmt.Errorf("%d messages in the spool after one session: %w", len(files), err)
	}
	for _, d := range []string{"tmp", "new"} {
		if err := os.MkdirAll(filepath.Join(s.dir, "floor", d), 0o755); err != nil {
			return nil, err
		}
	}
	return &contender{
		name:  "floor (only the durable file)",
		argv:  []string{b.bin + "/floor", s.dir + "/floor"},
		stdin: files[0],
	}, nil
}

// syncs shows that every contender really asks the disk: a server that does
// not wait for it would win every comparison.
func syncs(cs ...*contender) error {
	strace, err := exec.LookPath("strace")
	if err != nil {
		fmt.Println("  syncs per message: not counted, there is no strace here")
		return nil
	}
	var counts []string
	for _, c := range cs {
		n, err := countSyncs(strace, *c)
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("%s never syncs: this is not a comparison", c.name)
		}
		counts = append(counts, fmt.Sprintf("%s %d", c.name, n))
	}
	fmt.Println("  syncs per message:", strings.Join(counts, ", "))
	return nil
}

func countSyncs(strace string, c contender) (int, error) {
	out, err := os.CreateTemp(filepath.Dir(c.stdin), "syncs-")
	if err != nil {
		return 0, err
	}
	defer os.Remove(out.Name())
	defer out.Close()
	c.user = nil // strace writes as root
	c.argv = append([]string{strace, "-f", "-q", "-e", "trace=fsync,fdatasync,sync_file_range,syncfs", "-e", "signal=none", "-o", out.Name()}, c.argv...)
	if _, _, err := c.once(); err != nil {
		return 0, err
	}
	n := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "sync") && strings.Contains(lines.Text(), "= 0") {
			n++
		}
	}
	return n, nil
}
