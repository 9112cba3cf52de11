package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"superlist/lists"
	"superlist/milter/miltertest"
	"superlist/smtp"
	"superlist/smtp/smtptest/recording"
)

// site makes the site that the recorded connections talk to:
// lists.example.org with the lists dev (members alice and bob, owner olga), open
// (anyone) and closed (nobody). A recording's files replace or add to it.
func site(t testing.TB, script *miltertest.Script) *lists.Site {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"superlist.toml": fmt.Sprintf("hostname = \"lists.example.org\"\nqueue_dir = %q\nlists_dir = %q\nuser = \"\"\nkick = \"\"\nlog = \"none\"\n",
			dir+"/spool", dir+"/lists"),
		"lists/lists.example.org/dev/list.toml":    "owners = [\"olga@example.org\"]\nmax_message_size = \"2KiB\"\n",
		"lists/lists.example.org/dev/members":      "alice@example.com\nbob@example.net\n",
		"lists/lists.example.org/dev/key":          strings.Repeat("5e", 32) + "\n",
		"lists/lists.example.org/open/list.toml":   "owners = [\"olga@example.org\"]\npost = \"anyone\"\n",
		"lists/lists.example.org/closed/list.toml": "owners = [\"olga@example.org\"]\npost = \"nobody\"\n",
	}
	for _, f := range script.Files {
		switch {
		case f.Name == "superlist.toml":
			files[f.Name] += string(f.Data)
		case strings.HasPrefix(f.Name, "lists/"), strings.HasPrefix(f.Name, "spool/"):
			files[f.Name] = string(f.Data)
		case f.Name != "inbound" && f.Name != "log" && f.Name != "non-smtpd" && f.Name != "error":
			t.Fatalf("%s: no use for a file %s", script.Name, f.Name)
		}
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := lists.Load(filepath.Join(dir, "superlist.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSessions plays every recording to the gate, whole and one byte at a time.
// Below the session may stand superlist.toml (lines to add),
// lists/<domain>/<name>/<file> and spool/<box>/<file>, which are there before;
// inbound, a message that must be in the spool afterwards, once for each; log,
// lines that the log must have; error, how the connection ended; and non-smtpd,
// which stands for the flag.
func TestSessions(t *testing.T) {
	scripts, err := miltertest.ReadAll("../../testdata/*.milter")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		for _, mode := range []string{"whole", "bytewise"} {
			t.Run(script.Name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				site := site(t, script)
				conn := script.Plays('M')
				conn.OneByte = mode == "bytewise"
				var log []string
				g := newGate(site, func(e smtp.Event) { log = append(log, e.String()) })
				_, g.local = script.File("non-smtpd")
				f := g.filter()
				f.Log = func(text string) { t.Log(text) }
				served := f.Serve(conn)
				if err := conn.Close(); err != nil {
					t.Errorf("%v\nlog:\n%s", err, strings.Join(log, "\n"))
				}
				want, _ := script.File("error")
				if got := fmt.Sprint(served); !recording.Match(strings.TrimSuffix(want, "\n"), got) && (served != nil || want != "") {
					t.Errorf("the end: %s, want %s", got, want)
				}
				if mode == "whole" && conn.Writes > 1 {
					t.Errorf("the answer to one piece went out in %d pieces", conn.Writes)
				}
				checkSpool(t, site, script, log)
				checkLog(t, script, log)
			})
		}
	}
}

func checkSpool(t *testing.T, site *lists.Site, script *miltertest.Script, log []string) {
	t.Helper()
	acknowledged := make(map[string]bool)
	for _, line := range log {
		if rest, ok := strings.CutPrefix(line, "accepted id="); ok {
			id, _, _ := strings.Cut(rest, " ")
			acknowledged[id] = true
		}
	}
	names, _ := filepath.Glob(site.QueueDir + "/inbound/new/*")
	if len(names) != len(acknowledged) {
		t.Errorf("%d messages were acknowledged, %d are in the spool", len(acknowledged), len(names))
	}
	if left, _ := filepath.Glob(site.QueueDir + "/tmp/*.*"); len(left) > 0 { // without the mark that the queue is full
		t.Errorf("left in tmp: %v", left)
	}
	i := 0
	for _, f := range script.Files {
		if f.Name != "inbound" {
			continue
		}
		if i == len(names) {
			t.Fatalf("the spool has %d messages, and one more is wanted", len(names))
		}
		got, err := os.ReadFile(names[i])
		if err != nil {
			t.Fatal(err)
		}
		got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n"))
		if !recording.Match(string(f.Data), string(got)) {
			t.Errorf("in the spool:\n%s\nwant:\n%s", got, f.Data)
		}
		i++
	}
	if _, some := script.File("inbound"); some && i != len(names) {
		t.Errorf("the spool has %d messages, want %d", len(names), i)
	}
}

func checkLog(t *testing.T, script *miltertest.Script, log []string) {
	t.Helper()
	text, ok := script.File("log")
	if !ok {
		return
	}
	rest := log
	for want := range strings.Lines(text) {
		want = strings.TrimSuffix(want, "\n")
		i := slices.IndexFunc(rest, func(line string) bool { return recording.Match(want, line) })
		if i < 0 {
			t.Fatalf("the log has no line\n%s\nin\n%s", want, strings.Join(log, "\n"))
		}
		rest = rest[i+1:]
	}
}

// TestExact: what is in the spool is, to the byte, what the server was sent.
func TestExact(t *testing.T) {
	script := &miltertest.Script{Name: "exact"}
	site := site(t, script)
	header := "Subject:nospace\r\nX:  two\r\nFrom: alice@example.com\r\nFolded: a\r\n\tb\r\n  c\r\nEmpty:\r\nSpace: \r\nLatin: caf\xe9\xff\r\n"
	body := "..\r\n.\r\n caf\xc3\xa9 \t \r\n\r\n" + strings.Repeat(strings.Repeat("long ", 199)+"\r\n", 150)
	var wire []byte
	say := func(text string) {
		p, err := miltertest.Packet(text)
		if err != nil {
			t.Fatal(err)
		}
		wire = append(wire, p...)
	}
	for _, p := range []string{"O 6 0x1ff 0x1fffff", "C c 4 1 192.0.2.7", "H c", "M <alice@example.com>", "R <open@lists.example.org>", "T",
		`L Subject "nospace"`, `L X "  two"`, `L From " alice@example.com"`, `L Folded " a\n\tb\n  c"`, `L Empty ""`, `L Space " "`, `L Latin " caf\xe9\xff"`, "N"} {
		say(p)
	}
	for rest := body; rest != ""; {
		n := min(len(rest), 65535)
		say(fmt.Sprintf("B %q", rest[:n]))
		rest = rest[n:]
	}
	say("E")
	conn := &pipe{in: bytes.NewReader(wire)}
	if err := newGate(site, func(smtp.Event) {}).filter().Serve(conn); err != nil {
		t.Fatal(err)
	}
	names, _ := filepath.Glob(site.QueueDir + "/inbound/new/*")
	if len(names) != 1 {
		t.Fatalf("in the spool: %v", names)
	}
	got, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasSuffix(got, []byte(" +0000\r\n"+header+"\r\n"+body)) {
		t.Errorf("in the spool: %.2000q", got)
	}
}

type pipe struct {
	in *bytes.Reader
	bytes.Buffer
}

func (p *pipe) Read(b []byte) (int, error) { return p.in.Read(b) }
