package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	list   = "dev@lists.example.org"
	poster = "poster@example.com"
)

// site is one superlist installation with one list.
type site struct {
	bin, dir, config string
}

type siteOptions struct {
	bin     string // where its programs are; empty: the bench's
	more    string // lines of superlist.toml that not every version knows
	log     string // superlist.toml's log
	relay   string // host:port
	size    string // the largest message
	verp    string // "": auto
	streams int    // relay.connections; 0: as superlist has it
	members int
}

func (b *bench) newSite(name string, o siteOptions) (*site, error) {
	s := &site{bin: cmp.Or(o.bin, b.bin), dir: filepath.Join(b.work, name)}
	s.config = filepath.Join(s.dir, "superlist.toml")
	if err := os.Mkdir(s.dir, 0o755); err != nil {
		return nil, err
	}
	if o.size == "" {
		o.size = "25MiB"
	}
	if o.verp == "" {
		o.verp = "auto"
	}
	config := fmt.Sprintf(`hostname         = "lists.example.org"
queue_dir        = %q
lists_dir        = %q
max_message_size = %q
user             = ""
kick             = ""
log              = %q
%s
[relay]
address = %q
verp    = %q
batch   = 1000
`, s.dir+"/spool", s.dir+"/lists", o.size, o.log, o.more, o.relay, o.verp)
	if o.streams > 0 { // not every version knows it
		config += fmt.Sprintf("connections = %d\n", o.streams)
	}
	if err := os.WriteFile(s.config, []byte(config), 0o644); err != nil {
		return nil, err
	}
	create := []string{"list", "create", list, "--owner", "owner@example.org", "--set", "post=members"}
	if o.size != "25MiB" {
		create = append(create, "--set", "max_message_size="+o.size)
	}
	if err := s.superlist(nil, create...); err != nil {
		return nil, err
	}
	return s, s.superlist(members(o.members), "member", "import", list, "-")
}

// members makes n addresses, the poster among them.
func members(n int) []byte {
	var buf bytes.Buffer
	for i := range n - 1 {
		buf.WriteString(memberName(i) + "\n")
	}
	buf.WriteString(poster + "\n")
	return buf.Bytes()
}

func memberName(i int) string { return fmt.Sprintf("member%06d@members.example", i) }

// superlist runs one of the operator's commands.
func (s *site) superlist(stdin []byte, args ...string) error {
	cmd := exec.Command(s.bin+"/superlist", append([]string{"-c", s.config}, args...)...)
	cmd.Stdin = bytes.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("superlist %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// post puts a message into the spool by a session.
func (s *site) post(dialogue string) error {
	in, err := os.Open(dialogue)
	if err != nil {
		return err
	}
	defer in.Close()
	cmd := exec.Command(s.bin+"/superlist-spawn", "-c", s.config)
	cmd.Stdin = in
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("superlist-spawn: %w: %s", err, out)
	}
	return accepted(string(out))
}

// waiting lists the messages in the spool.
func (s *site) waiting() (files []string, err error) {
	for _, q := range []string{"inbound", "outbound", "failed"} {
		err := filepath.WalkDir(filepath.Join(s.dir, "spool", q), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() && strings.Contains(d.Name(), ".M") {
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

// empty complains when a delivery left something behind.
func (s *site) empty(string) error {
	files, err := s.waiting()
	if err == nil && len(files) > 0 {
		err = fmt.Errorf("%d messages left in the spool, such as %s", len(files), files[0])
	}
	return err
}

// message is the small post of all comparisons.
func message() string {
	return "From: Poster <" + poster + ">\n" +
		"To: " + list + "\n" +
		"Subject: The quick brown fox\n" +
		"Date: Sat, 21 Nov 2026 10:00:00 +0000\n" +
		"Message-ID: <fox.1@example.com>\n" +
		"MIME-Version: 1.0\n" +
		"Content-Type: text/plain; charset=us-ascii\n" +
		"\n" +
		strings.Repeat("The quick brown fox jumps over the lazy dog.\n", 10)
}

// dialogue records a session that posts the small message.
func (b *bench) dialogue() (string, error) {
	path := filepath.Join(b.work, "dialogue")
	return path, os.WriteFile(path, []byte(opening()+crlf(message())+closing), 0o644)
}

func opening() string {
	return "EHLO client.example.com\r\n" +
		"MAIL FROM:<" + poster + ">\r\n" +
		"RCPT TO:<" + list + ">\r\n" +
		"DATA\r\n"
}

const closing = ".\r\nQUIT\r\n"

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// accepted wants a dialogue's replies to end in a message taken and a goodbye.
func accepted(out string) error {
	_, after, ok := strings.Cut(out, "\r\n354 ")
	lines := strings.Split(strings.TrimSpace(after), "\r\n")
	if !ok || len(lines) != 3 || !strings.HasPrefix(lines[1], "250 ") || !strings.HasPrefix(lines[2], "221 ") {
		return fmt.Errorf("the message was not accepted:\n%s", out)
	}
	return nil
}
