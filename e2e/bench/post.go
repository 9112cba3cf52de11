package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"superlist/e2e/unpack"
)

const recipients = 10_000

// deliveries compares whole processes that hand one post to the relay for
// 10,000 members.
func (b *bench) deliveries() error {
	dialogue, err := b.dialogue()
	if err != nil {
		return err
	}
	if ss, err := b.smtpSink(); err != nil {
		b.skip("delivery to smtp-sink", err)
	} else {
		// mlmmj-send does not look at the answer to EHLO and need not pay for
		// the front.
		err := b.delivery("smtp-sink", "Postfix's smtp-sink; for superlist behind a front that adds 250-XVERP to its answer to EHLO", dialogue, ss, ss.sink.address())
		ss.stop()
		if err != nil {
			return err
		}
	}
	own, err := newVerpSink()
	if err != nil {
		return err
	}
	defer own.stop()
	return b.delivery("own-sink", "this bench's own, which offers XVERP as Postfix does", dialogue, own, own.address())
}

func (b *bench) delivery(name, title, dialogue string, to sink, direct string) error {
	s, err := b.newSite("deliver-"+name, siteOptions{log: "none", members: recipients, relay: to.address()})
	if err != nil {
		return err
	}
	ours := &contender{
		name:    "superlist deliver",
		argv:    []string{b.bin + "/superlist", "-c", s.config, "deliver"},
		prepare: func() error { return s.post(dialogue) },
		check: func(out string) error {
			if err := s.empty(out); err != nil {
				return err
			}
			return exactly(to, recipients)
		},
	}
	cs := []*contender{ours}
	pkg, version, why := unpack.Debian("mlmmj")
	if why == nil {
		for _, per := range []int{0, 1000} {
			list := mlmmj{
				name: fmt.Sprintf("%s-%d", name, per), title: "mlmmj-send verp=postfix",
				members: recipients, relay: direct, to: to, control: map[string]string{"verp": "postfix"},
			}
			if per > 0 {
				list.control["maxverprecips"] = fmt.Sprint(per)
				list.title += fmt.Sprintf(", %d a batch", per)
			}
			c, err := b.mlmmj(pkg, list)
			if err != nil {
				return err
			}
			cs = append(cs, c)
		}
	}
	if err := race(b.posts, cs...); err != nil {
		return err
	}
	fmt.Printf("\nOne post to %d members, every one counted at the sink, %d rounds\n  sink: %s\n", recipients, b.posts, title)
	table(cs...)
	if why != nil {
		b.skip("superlist deliver / mlmmj-send", why)
		return nil
	}
	b.versions["mlmmj"] = version
	what := fmt.Sprintf("a post to %d members, %s", recipients, name)
	f, line := paired(what, ours, cs[1])
	fmt.Println(line, "", b.note(want(f, 0.10)))
	f, line = paired(what, ours, cs[2])
	fmt.Println(line, "", b.note(f))
	fmt.Printf("  mlmmj is Debian's %s\n", version)
	return nil
}

// mlmmj is one list directory of mlmmj's. Its default of maxverprecips is 100;
// 1000 is superlist's own batch.
type mlmmj struct {
	name, title string
	members     int
	relay       string
	control     map[string]string // what stands in the files of this name
	to          sink
}

// mlmmj makes the directory, with the same members that ours has. pkg is the
// unpacked package.
func (b *bench) mlmmj(pkg string, m mlmmj) (*contender, error) {
	dir := filepath.Join(b.work, "mlmmj-"+m.name)
	for _, d := range strings.Fields("incoming queue/discarded archive text subconf unsubconf bounce control moderation subscribers.d digesters.d nomailsubs.d requeue") {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	host, port, err := net.SplitHostPort(m.relay)
	if err != nil {
		return nil, err
	}
	files := map[string]string{
		"index":               "0\n",
		"control/listaddress": list + "\n",
		"control/relayhost":   host + "\n",
		"control/smtpport":    port + "\n",
	}
	for name, text := range m.control {
		files["control/"+name] = text + "\n"
	}
	for member := range strings.Lines(string(members(m.members))) {
		files["subscribers.d/"+member[:1]] += member
	}
	for f, data := range files {
		if err := os.WriteFile(filepath.Join(dir, f), []byte(data), 0o644); err != nil {
			return nil, err
		}
	}
	queued := filepath.Join(dir, "queue", "post")
	return &contender{
		name:    m.title,
		argv:    []string{filepath.Join(pkg, "usr/bin/mlmmj-send"), "-L", dir, "-m", queued},
		prepare: func() error { return os.WriteFile(queued, []byte(message()), 0o644) },
		check:   func(string) error { return exactly(m.to, m.members) },
	}, nil
}
