package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"superlist/e2e/unpack"
)

// mlmmjPart is the part of the messages that mlmmj-send is given: in its default
// mode it takes 44 ms for each, which would be the most of the whole bench.
const mlmmjPart = 20

// personal compares whole processes that hand Postfix a message for each member,
// with a return path of its own.
func (b *bench) personal() error {
	const row = "personal messages into Postfix"
	for _, need := range []string{"/usr/sbin/postfix", "/usr/sbin/smtp-source"} {
		if _, err := os.Stat(need); err != nil {
			b.skip(row, err)
			return nil
		}
	}
	b.postfix()
	p, err := b.newDiscarding()
	if err != nil {
		return err
	}
	defer p.stop()
	dialogue, err := b.dialogue()
	if err != nil {
		return err
	}
	s, err := b.newSite("personal", siteOptions{log: "none", members: b.mails, relay: p.at, verp: "self", streams: b.peers})
	if err != nil {
		return err
	}
	ours := &contender{
		name:    "superlist deliver, verp=self",
		argv:    []string{b.bin + "/superlist", "-c", s.config, "deliver"},
		prepare: func() error { return s.post(dialogue) },
		check: func(out string) error {
			return errors.Join(s.empty(out), exactly(p, b.mails), p.paths(b.mails))
		},
	}
	// It sends what was posted; what goes out to members has more headers.
	source := func(more ...string) *contender {
		argv := append([]string{"/usr/sbin/smtp-source", "-s", strconv.Itoa(b.peers), "-m", strconv.Itoa(b.mails),
			"-l", strconv.Itoa(len(crlf(message()))), "-f", poster, "-t", "somebody@members.example"}, more...)
		return &contender{
			name:  strings.Join(append([]string{"smtp-source -s", strconv.Itoa(b.peers)}, more...), " "),
			argv:  append(argv, p.at),
			check: func(string) error { return p.all(b.mails) },
		}
	}
	cs := []*contender{ours, source(), source("-d")}
	pkg, version, why := unpack.Debian("mlmmj")
	if why == nil {
		part := b.mails / mlmmjPart
		c, err := b.mlmmj(pkg, mlmmj{name: "personal", title: fmt.Sprintf("mlmmj-send, %d × %d", part, mlmmjPart), members: part, relay: p.at, to: p})
		if err != nil {
			return err
		}
		c.times = mlmmjPart
		cs = append(cs, c)
	}
	if err := race(b.posts, cs...); err != nil {
		return err
	}
	fmt.Printf("\n%d personal messages into a Postfix, every one counted there, %d sessions at a time, %d rounds\n", b.mails, b.peers, b.posts)
	table(cs...)
	what := fmt.Sprintf("%d personal messages into Postfix", b.mails)
	f, line := paired(what, ours, cs[1])
	fmt.Println(line, "", b.note(want(f, 1.10)))
	f, line = paired(what, ours, cs[2])
	fmt.Printf("%s  %s: no new session for each message\n", line, b.note(f))
	if why != nil {
		b.skip("personal messages / mlmmj-send", why)
		return nil
	}
	b.versions["mlmmj"] = version
	f, line = paired(what, ours, cs[3])
	fmt.Println(line, "", b.note(want(f, 0.05)))
	fmt.Printf("  mlmmj is Debian's %s, in its default mode: %d recipients are measured, and the time taken %d times\n", version, b.mails/mlmmjPart, mlmmjPart)
	return nil
}

// A discarding is a Postfix of its own that throws away what it gets, and counts
// it by its log.
type discarding struct {
	filtering
	at   string
	from map[string]bool // return paths, of what was counted last
}

func (b *bench) newDiscarding() (*discarding, error) {
	at, err := freeAddress()
	if err != nil {
		return nil, err
	}
	p := &discarding{filtering: filtering{dir: filepath.Join(b.work, "personal-postfix")}, at: at}
	main := fmt.Sprintf(benchMainCf, p.dir+"/queue", p.dir+"/data") +
		"maillog_file = " + p.log() + "\nmaillog_file_prefixes = " + p.dir + "\n"
	master, _, _ := strings.Cut(benchMasterCf, "superlist-milter unix")
	master += "postlog unix-dgram n - n - 1 postlogd\n" + at + " inet n - n - - smtpd\n"
	if err := p.start(map[string]string{"main.cf": main, "master.cf": master}); err != nil {
		return nil, err
	}
	if err := listens("tcp", at); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

func (p *discarding) log() string { return p.dir + "/log/maillog" }

func (p *discarding) address() string { return p.at }

// taken waits until all is delivered and the log says so: what is left of one
// contender's mail must not slow down the next.
func (p *discarding) taken() (total, distinct int, err error) {
	if err := p.drained(); err != nil {
		return 0, 0, err
	}
	var log []byte
	for range 100 {
		if log, err = os.ReadFile(p.log()); err != nil {
			return 0, 0, err
		}
		if bytes.Count(log, []byte(": client=")) == bytes.Count(log, []byte(": removed\n")) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	seen := make(map[string]bool)
	p.from = make(map[string]bool)
	for line := range strings.Lines(string(log)) {
		if _, to, ok := strings.Cut(line, ": to=<"); ok && strings.Contains(to, "status=sent") {
			to, _, _ = strings.Cut(to, ">")
			seen[to] = true
			total++
		}
		if _, from, ok := strings.Cut(line, ": from=<"); ok {
			from, _, _ = strings.Cut(from, ">")
			p.from[from] = true
		}
	}
	return total, len(seen), os.Truncate(p.log(), 0)
}

// all checks that so many messages came, for whomever.
func (p *discarding) all(n int) error {
	total, _, err := p.taken()
	if err == nil && total != n {
		err = fmt.Errorf("%d messages instead of %d", total, n)
	}
	return err
}

// paths checks that each of n messages had a return path of its own.
func (p *discarding) paths(n int) error {
	if len(p.from) != n {
		return fmt.Errorf("%d return paths for %d messages", len(p.from), n)
	}
	return nil
}
