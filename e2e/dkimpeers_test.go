package e2e

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"

	"superlist/e2e/unpack"
	"superlist/lists"
	"superlist/lists/author"
	"superlist/lists/copies"
	"superlist/lists/rewrite/edit/edittest"
	"superlist/lists/signature"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/smtp"
	"superlist/smtp/mx/mxtest"
)

// unpacked gets Debian packages before a test goes where there is no network. Inside it
// only finds them.
func unpacked(t *testing.T, packages ...string) (dirs []string) {
	t.Helper()
	if os.Geteuid() != 0 || testing.Short() {
		return nil // enter says so
	}
	for _, name := range packages {
		dir, _, err := unpack.Debian(name)
		if err != nil {
			t.Skip("end to end: ", err)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// command is a program of an unpacked package, or one of the machine that uses what is
// in it.
func command(dir, program string, args ...string) *exec.Cmd {
	if _, err := os.Stat(dir + program); err == nil {
		program = dir + program
	}
	c := exec.Command(program, args...)
	c.Env = []string{"PATH=" + systemPath, "HOME=/root", "LANG=C.UTF-8", "LD_LIBRARY_PATH=" + strings.Join(unpack.Libraries(dir), ":"), "PYTHONPATH=" + dir + "/usr/lib/python3/dist-packages"}
	return c
}

// rejecting is the DNS of a world in which each domain has p=reject, and nothing else.
type rejecting struct{}

func (rejecting) TXT(_ context.Context, name string) ([]string, error) {
	if strings.HasPrefix(name, "_dmarc.") {
		return []string{"v=DMARC1; p=reject"}, nil
	}
	return nil, nil
}

// asMembersGet is a message as a list's members get it, in a world where each domain has
// p=reject.
func asMembersGet(t *testing.T, l *lists.List, raw string) string {
	t.Helper()
	_, text := madeOf(t, l, raw, rejecting{})
	return text
}

// madeOf is what a list makes of a message, and what its members get.
func madeOf(t *testing.T, l *lists.List, raw string, dns author.Resolver) (*copies.Copies, string) {
	t.Helper()
	maker := copies.Maker{Host: "lists.example.org", List: l, Keys: dns}
	made, err := maker.Make(copies.Post{ID: "1.x", Content: io.NewSectionReader(strings.NewReader(raw), 0, int64(len(raw))), Arrived: time.Now()})
	must(t, err)
	m, err := made.For(copies.Variant{}, 1)
	must(t, err)
	text, err := io.ReadAll(m.Reader())
	must(t, err)
	return made, string(text)
}

// listWith is the list dev with some settings.
func listWith(t *testing.T, settings string) *lists.List {
	t.Helper()
	dir := t.TempDir()
	file := sitetest.Write(t, dir)
	sitetest.Files(t, dir, map[string]string{
		"lists/lists.example.org/dev/list.toml": "owners = [\"owner@example.org\"]\n" + settings,
		"lists/lists.example.org/dev/members":   "",
		"lists/lists.example.org/dev/key":       strings.Repeat("5a", 32) + "\n",
	})
	s, err := site.Load(file)
	must(t, err)
	addr, _ := smtp.ParseAddress("dev@lists.example.org")
	d, err := lists.Of(s).Resolve(addr)
	must(t, err)
	return d.List
}

// verifier is dkimpy, which gets a message on each line and says on one whether its
// signature is good.
const verifier = `
import base64, dkim, json, sys
record = sys.argv[1].encode()
for line in sys.stdin:
    try:
        print(dkim.verify(base64.b64decode(json.loads(line)), dnsfunc=lambda *a, **k: record))
    except Exception as e:
        print(repr(e).replace('\n', ' '))
`

// TestDKIMPeers: a signature that was good is good in what a list sends that asks for no
// change, as dkimpy and opendkim see it, whatever the message is like.
func TestDKIMPeers(t *testing.T) {
	dirs := unpacked(t, "python3-dkim", "opendkim-tools")
	if !enter(t, "/usr/bin/python3") {
		return
	}
	l := listWith(t, "dmarc = \"none\"\n")
	text, err := signature.Generate(signature.RSA)
	must(t, err)
	must(t, os.WriteFile("/etc/test.pem", text, 0o600))
	signer, err := signature.Open("author.example", "s", "/etc/test.pem")
	must(t, err)
	record, err := signer.Record()
	must(t, err)
	line, err := signer.ZoneLine()
	must(t, err)
	mxtest.ServeAt(t, "127.0.0.1:53", true, mxtest.New(t, "author.example.", false, strings.Replace(line, "s._domainkey.author.example.", "s._domainkey.author.example. 3600", 1)))
	must(t, os.WriteFile("/etc/resolv.conf", []byte("nameserver 127.0.0.1\n"), 0o644))

	key := privateKey(t, text)
	var names, after []string
	var in bytes.Buffer
	out := json.NewEncoder(&in)
	for i, s := range edittest.Corpus() {
		if !strings.HasPrefix(s.Raw, "From:") {
			continue // it gets a Date and a Message-ID, which a signature was to keep away
		}
		if !strings.Contains(s.Raw, "\r\n\r\n") {
			s.Raw += "\r\n" // which ends the header
		}
		var kind dkim.Canonicalization = dkim.CanonicalizationRelaxed
		if i%2 == 0 {
			kind = dkim.CanonicalizationSimple
		}
		var b bytes.Buffer
		if err := dkim.Sign(&b, strings.NewReader(s.Raw), &dkim.SignOptions{
			Domain: "author.example", Selector: "s", Signer: key, HeaderCanonicalization: kind, BodyCanonicalization: kind,
			HeaderKeys: []string{"From", "From", "To", "Cc", "Subject", "Subject", "Date", "Message-ID", "Reply-To", "References", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"},
		}); err != nil {
			t.Fatal(err)
		}
		sent := asMembersGet(t, l, b.String())
		if !strings.HasSuffix(sent, b.String()) && !strings.HasSuffix(sent, b.String()+"\r\n") {
			t.Errorf("%s is not as it was: %q", s.Name, sent)
		}
		must(t, out.Encode(b.Bytes()))
		must(t, out.Encode([]byte(sent)))
		names, after = append(names, s.Name), append(after, sent)
	}
	c := command(dirs[0], "/usr/bin/python3", "-c", verifier, record)
	c.Stdin, c.Stderr = &in, os.Stderr
	said, err := c.Output()
	must(t, err)
	answers := strings.Fields(string(said))
	if len(names) < 250 || len(answers) != 2*len(names) {
		t.Fatalf("%d answers about %d messages: %s", len(answers), len(names), said)
	}
	good := 0
	for i, name := range names {
		before, now := answers[2*i], answers[2*i+1]
		if before != "True" { // a last line without an end, which SMTP gives it
			continue
		}
		if good++; now != "True" {
			t.Errorf("%s: dkimpy says %s", name, now)
		}
		if name == "two From" {
			continue // opendkim reads no such message: RFC 5322, 3.6
		}
		c := command(dirs[1], "/usr/sbin/opendkim-testmsg")
		c.Stdin = strings.NewReader(after[i])
		if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: opendkim-testmsg says %v: %s", name, err, out)
		}
	}
	if good < len(names)-1 {
		t.Errorf("of %d messages %d were signed as dkimpy signs", len(names), good)
	}
	t.Logf("%d messages", good)
	broken := strings.Replace(after[0], "Hello", "Hallo", 1)
	c = command(dirs[1], "/usr/sbin/opendkim-testmsg")
	c.Stdin = strings.NewReader(broken)
	if out, err := c.CombinedOutput(); err == nil && len(out) == 0 {
		t.Error("opendkim-testmsg takes what is not as it was signed")
	}
}

func privateKey(t *testing.T, text []byte) crypto.Signer {
	t.Helper()
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	must(t, err)
	return key.(crypto.Signer)
}
