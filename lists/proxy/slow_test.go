package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/intake"
	"superlist/lists/ledger/files"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/smtp"
)

// before gives a Proxy before a next hop that serve plays.
func before(t *testing.T, timeout time.Duration, serve func(net.Conn, *bufio.Reader)) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn, bufio.NewReader(conn))
			}()
		}
	}()
	dir := t.TempDir()
	if err := os.Mkdir(dir+"/lists", 0o700); err != nil {
		t.Fatal(err)
	}
	site, err := site.Load(sitetest.Write(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	site.Ledger = files.On
	p := &Proxy{
		Lists:    &intake.Intake{Site: site, Spool: site.Spool(), Late: true},
		Hostname: "lists.example.org",
		Timeout:  timeout,
		Dial: func(by time.Time) (io.ReadWriteCloser, error) {
			return (&net.Dialer{Deadline: by}).Dial("tcp", l.Addr().String())
		},
	}
	t.Cleanup(p.Reset)
	return p
}

// drip says a line, a byte now and then, for ever.
func drip(conn net.Conn) {
	for {
		if _, err := io.WriteString(conn, "2"); err != nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// answer says 250 to lines until one begins as said, and gives false when there
// are no more.
func answer(conn net.Conn, br *bufio.Reader, until string) bool {
	for {
		line, err := br.ReadString('\n')
		if err != nil || strings.HasPrefix(line, until) {
			return err == nil
		}
		io.WriteString(conn, "250 ok\r\n")
	}
}

// TestSlowHop: whatever the next hop takes its time with, the client hears of it
// when the time for that is over, and not for each step anew.
func TestSlowHop(t *testing.T) {
	const timeout = 300 * time.Millisecond
	slow := map[string]struct {
		serve func(net.Conn, *bufio.Reader)
		at    string
	}{
		"silent from the start": {func(_ net.Conn, br *bufio.Reader) { io.Copy(io.Discard, br) }, "RCPT"},
		"drips its greeting":    {func(c net.Conn, _ *bufio.Reader) { drip(c) }, "RCPT"},
		"slow at each step": {func(c net.Conn, br *bufio.Reader) {
			for line, err := "", error(nil); err == nil; line, err = br.ReadString('\n') {
				time.Sleep(timeout / 2)
				fmt.Fprintf(c, "%d ok\r\n", 220+30*min(len(line), 1))
			}
		}, "RCPT"},
		"silent at DATA": {func(c net.Conn, br *bufio.Reader) {
			io.WriteString(c, "220 x\r\n")
			answer(c, br, "DATA")
			io.Copy(io.Discard, br)
		}, "DATA"},
		"reads no message": {func(c net.Conn, br *bufio.Reader) {
			io.WriteString(c, "220 x\r\n")
			answer(c, br, "DATA")
			io.WriteString(c, "354 go\r\n")
			time.Sleep(20 * timeout)
		}, "message"},
		"silent after the dot": {func(c net.Conn, br *bufio.Reader) {
			io.WriteString(c, "220 x\r\n")
			answer(c, br, "DATA")
			io.WriteString(c, "354 go\r\n")
			io.Copy(io.Discard, br)
		}, "END"},
		"drips after the dot": {func(c net.Conn, br *bufio.Reader) {
			io.WriteString(c, "220 x\r\n")
			answer(c, br, "DATA")
			io.WriteString(c, "354 go\r\n")
			for line := ""; line != ".\r\n"; line, _ = br.ReadString('\n') {
			}
			drip(c)
		}, "END"},
	}
	for name, test := range slow {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := before(t, timeout, test.serve)
			size := 10
			if test.at == "message" {
				size = 16 << 20
			}
			begin := time.Now()
			step := func(at string, err error) bool {
				took := time.Since(begin)
				begin = time.Now()
				if at != test.at {
					if err != nil {
						t.Errorf("%s: %v", at, err)
					}
					return err == nil
				}
				var r smtp.Reply
				if !errors.As(err, &r) || r != replyDown || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%s: %v", at, err)
				}
				if took < timeout/2 || took > 10*timeout {
					t.Errorf("%s took %v", at, took)
				}
				return false
			}
			env := &smtp.Envelope{Proto: smtp.ESMTP, Helo: "x", Line: "MAIL FROM:<a@example.com>"}
			if !step("MAIL", p.Mail(env)) {
				return
			}
			to := smtp.Rcpt{Path: smtp.Path{Local: "zoe", Domain: "example.com"}}
			env.Line = "RCPT TO:<zoe@example.com>"
			if !step("RCPT", p.Rcpt(env, to)) {
				return
			}
			env.To = append(env.To, to)
			m, err := p.Data(env)
			if !step("DATA", err) {
				return
			}
			piece := []byte(strings.Repeat("line of a message\r\n", 50))
			for n := 0; n < size && err == nil; n += len(piece) {
				_, err = m.Write(piece)
			}
			if !step("message", err) {
				m.Abort()
				return
			}
			_, outcomes := m.Commit()
			if step("END", outcomes[0]) || len(outcomes) != 1 {
				t.Error("nothing was slow")
			}
		})
	}
}

// TestManyLists stands on each side of how many lists one message may have.
func TestManyLists(t *testing.T) {
	p := before(t, time.Second, func(net.Conn, *bufio.Reader) { t.Error("the next hop is asked") })
	path := smtp.Path{Local: "dev", Domain: "lists.example.org"}
	if _, err := edit.Create(lists.Of(p.Lists.Site), path, nil, []string{"post=anyone"}); err != nil {
		t.Fatal(err)
	}
	env := &smtp.Envelope{Proto: smtp.ESMTP, From: smtp.Path{Local: "a", Domain: "example.com"}, Line: "MAIL FROM:<a@example.com>"}
	if err := p.Mail(env); err != nil {
		t.Fatal(err)
	}
	env.Line = "RCPT TO:<dev@lists.example.org>"
	for n := range maxLists + 1 {
		err := p.Rcpt(env, smtp.Rcpt{Path: path})
		if want := n == maxLists; (err != nil) != want || want && smtp.ReplyTo(err) != replyLists {
			t.Fatalf("list %d: %v", n+1, err)
		}
	}
	m, err := p.Data(env)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(m, "From: a@example.com\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if id, outcomes := m.Commit(); id == "" || len(outcomes) != maxLists || outcomes[0] != nil {
		t.Errorf("%q, %v", id, outcomes)
	}
}
