package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists/sitetest"

	"superlist/lists/site"
	"superlist/milter/miltertest"
	"superlist/smtp"
	"superlist/smtp/smtptest/recording"
)

// siteOf makes the site that a recorded connection talks to.
func siteOf(t testing.TB, script *miltertest.Script) *site.Site {
	t.Helper()
	s, err := site.Load(sitetest.Recorded(t, t.TempDir(), script, nil, []string{"non-smtpd", "error"}))
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
				site := siteOf(t, script)
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
				sitetest.CheckSpool(t, site.QueueDir, script, log)
				sitetest.CheckLog(t, script, log)
			})
		}
	}
}

// TestExact: what is in the spool is, to the byte, what the server was sent.
func TestExact(t *testing.T) {
	script := &miltertest.Script{Name: "exact"}
	site := siteOf(t, script)
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
