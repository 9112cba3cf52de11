package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/e2e/figures"
	"superlist/lists"
	"superlist/lists/copies"
	"superlist/queue"
	"superlist/smtp"

	sites "superlist/lists/site"
)

// largeMail is the size of the message that is changed.
const largeMail = 25 << 20

// rewriting looks at what the changes of a list cost: a prefix, a footer in front of a
// large attachment, and copies of their own.
func (b *bench) rewriting() error {
	large := filepath.Join(b.work, "large-message")
	if err := os.WriteFile(large, largeMessage(), 0o644); err != nil {
		return err
	}
	if err := b.prefixed(large); err != nil {
		return err
	}
	if err := b.footers(large); err != nil {
		return err
	}
	return b.ownCopies()
}

// largeMessage is a text with an attachment.
func largeMessage() []byte {
	const head = "From: Poster <" + poster + ">\nTo: " + list + "\nSubject: large\nDate: Sat, 21 Nov 2026 10:00:00 +0000\nMessage-ID: <large.1@example.com>\nMIME-Version: 1.0\n" +
		"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\nHello.\n\n--b\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n"
	raw := make([]byte, 57)
	rnd := rand.NewChaCha8([32]byte{})
	var s strings.Builder
	s.WriteString(crlf(head))
	for s.Len() < largeMail {
		rnd.Read(raw)
		s.WriteString(base64.StdEncoding.EncodeToString(raw) + "\r\n")
	}
	s.WriteString("--b--\r\n")
	return []byte(s.String())
}

// prefixed measures this process, which makes what members get and writes it into the
// spool: with a prefix, and with a footer. A plain copy through a buffer is beside them.
func (b *bench) prefixed(large string) error {
	if _, err := b.newSite("prefix", siteOptions{log: "none", members: 2, relay: "127.0.0.1:9"}); err != nil {
		return err
	}
	site, err := sites.Load(filepath.Join(b.work, "prefix", "superlist.toml"))
	if err == nil {
		err = site.Spool().Init()
	}
	if err != nil {
		return err
	}
	in, err := os.Open(large)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	const plain, prefix, footer = "", "subject_prefix = \"[dev]\"\n", "footer = \"The list {list}\"\n"
	took := make(map[string][]time.Duration)
	for range b.posts {
		for _, settings := range []string{plain, prefix, footer} {
			content := io.NewSectionReader(in, 0, info.Size())
			begin := cpuTime()
			if settings == plain {
				err = copyOf(content, filepath.Join(b.work, "copied"))
			} else {
				err = rewritten(site, settings, content)
			}
			took[settings] = append(took[settings], cpuTime()-begin)
			if err != nil {
				return err
			}
		}
	}
	fmt.Printf("\nWhat a list makes of a message of 25 MiB, whose attachment is in base64, %d rounds\n", b.posts)
	speed := float64(info.Size()) / 1e6 / median(took[prefix]).Seconds()
	fmt.Printf("  %-58s %6.0f MB/s  %s\n", "a prefix", speed, b.note(figures.Figure{What: "a prefix", Unit: "MB/s", Ours: speed, Want: 300, More: true}))
	with, without := inMS(median(took[footer])), inMS(median(took[plain]))
	fmt.Printf("  %-58s %6.3f  %s\n", "CPU, a footer / a copy", with/without, b.note(figures.Figure{
		What: "a footer in a message of 25 MiB", Unit: "ms of CPU", Ours: with, Peer: "a plain copy", Theirs: without, Ratio: with / without, Want: 1.3}))
	return nil
}

// cpuTime is what this process has used, which a busy machine changes little.
func cpuTime() time.Duration {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// copyOf makes a plain copy; the kernel would copy a file by itself.
func copyOf(from io.Reader, name string) error {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(struct{ io.Writer }{out}, from)
	return errors.Join(err, out.Close())
}

// rewritten writes a message as members of a list with these settings get it, like
// deliver. It does not stay.
func rewritten(site *sites.Site, settings string, content *io.SectionReader) error {
	addr, _ := smtp.ParseAddress(list)
	d, err := lists.Of(site).Resolve(addr)
	if err != nil {
		return err
	}
	l, err := d.List.WithConfig("owners = [\"owner@example.org\"]\ndmarc = \"none\"\n" + settings)
	if err != nil {
		return err
	}
	maker := copies.Maker{Host: "lists.example.org", List: l}
	made, err := maker.Make(copies.Post{ID: "1.x", Content: content, Arrived: time.Now()})
	if err != nil {
		return err
	}
	m, err := made.For(copies.Variant{}, 1)
	if err != nil {
		return err
	}
	out, err := site.Spool().Create(queue.Head{})
	if err != nil {
		return err
	}
	defer out.Abort()
	_, err = io.Copy(out, m.Reader())
	return err
}

// footers compares deliver with a footer in a large message and without, and looks at the
// memory for it.
func (b *bench) footers(large string) error {
	to, err := newVerpSink()
	if err != nil {
		return err
	}
	defer to.stop()
	text, err := os.ReadFile(large)
	if err != nil {
		return err
	}
	dialogue := filepath.Join(b.work, "large-dialogue")
	if err := os.WriteFile(dialogue, []byte(opening()+string(text)+closing), 0o644); err != nil {
		return err
	}
	var cs []*contender
	for _, c := range []struct{ name, footer string }{{"footer", "The list {list}"}, {"no footer", ""}} {
		s, err := b.newSite(c.name, siteOptions{log: "none", members: 3, relay: to.address(), size: "50MiB"})
		if err != nil {
			return err
		}
		if err := s.superlist(nil, "list", "set", list, "dmarc=none", "footer="+c.footer); err != nil {
			return err
		}
		cs = append(cs, &contender{
			name: "deliver, " + c.name, argv: []string{b.bin + "/superlist", "-c", s.config, "deliver"},
			prepare: func() error { return s.post(dialogue) },
			check:   func(out string) error { return errors.Join(s.empty(out), exactly(to, 3)) },
		})
	}
	if err := race(b.posts, cs...); err != nil {
		return err
	}
	table(cs...)
	share := used("a post of 25 MiB with a footer", cs[0], cs[1])
	fmt.Printf("  %-58s %6.3f  %s\n", "CPU, footer / no footer", share.Ratio, b.note(want(share, 1.3)))
	for i, limit := range []float64{16, 16} {
		if err := cs[i].prepare(); err != nil {
			return err
		}
		if err := b.peak("memory: "+cs[i].name, limit, "/dev/null", cs[i].argv...); err != nil {
			return err
		}
	}
	return nil
}

// ownCopies compares copies of their own with messages that only have return paths of
// their own.
func (b *bench) ownCopies() error {
	to, err := newVerpSink()
	if err != nil {
		return err
	}
	defer to.stop()
	dialogue, err := b.dialogue()
	if err != nil {
		return err
	}
	n := b.mails
	var cs []*contender
	for _, c := range []struct {
		name, more string
		settings   []string
	}{
		{"personal = true", "unsubscribe_url = \"https://lists.example.org/u\"\n", []string{"personal=true", "footer=Leave: {unsubscribe}"}},
		{"verp = self", "", nil},
	} {
		s, err := b.newSite(strings.ReplaceAll(c.name, " ", ""), siteOptions{log: "none", members: n, relay: to.address(), verp: "self", streams: b.peers, more: c.more})
		if err != nil {
			return err
		}
		if err := s.superlist(nil, append([]string{"list", "set", list, "dmarc=none"}, c.settings...)...); err != nil {
			return err
		}
		cs = append(cs, &contender{
			name: "deliver, " + c.name, argv: []string{b.bin + "/superlist", "-c", s.config, "deliver"},
			prepare: func() error { return s.post(dialogue) },
			check:   func(out string) error { return errors.Join(s.empty(out), exactly(to, n)) },
		})
	}
	if err := race(b.posts, cs...); err != nil {
		return err
	}
	fmt.Printf("\nCopies of their own for %d members, every one counted at the sink, %d rounds\n", n, b.posts)
	table(cs...)
	share := used(fmt.Sprintf("copies of their own for %d members", n), cs[0], cs[1])
	fmt.Printf("  %-58s %6.3f  %s\n", "CPU, personal = true / verp = self", share.Ratio, b.note(want(share, 1.2)))
	return nil
}
