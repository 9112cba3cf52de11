package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists/sitetest"

	"superlist/milter"
	"superlist/smtp"
)

// miltertest runs a script of testdata against a filter, and says how it went.
func miltertest(t *testing.T, script, filter string) {
	t.Helper()
	if _, err := exec.LookPath("miltertest"); err != nil {
		t.Skip("miltertest is not installed")
	}
	host, port, err := net.SplitHostPort(filter)
	must(t, err)
	out, err := exec.Command("miltertest", "-D", "filter=inet:"+port+"@"+host, "-s", "testdata/"+script).CombinedOutput()
	if err != nil || strings.Contains(string(out), "error") {
		t.Errorf("%s: %v\n%s", script, err, out)
	}
}

// inetd starts a program for every connection, with the connection as its
// standard input, output and error, as spawn(8) does, and gives the address.
func inetd(t *testing.T, program string, args ...string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			f, err := conn.(*net.TCPConn).File()
			conn.Close()
			if err != nil {
				continue
			}
			cmd := exec.Command(program, args...)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = f, f, f
			if cmd.Start() == nil {
				go cmd.Wait()
			}
			f.Close()
		}
	}()
	return l.Addr().String()
}

// named does at a stage what the sender says: header.reject.
func named() *milter.Filter {
	sender := ""
	said := func(s string) error {
		switch s {
		case "accept":
			return milter.Accept
		case "reject":
			return milter.Reject
		case "tempfail":
			return milter.Tempfail
		case "discard":
			return milter.Discard
		case "reply":
			return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "100% no"}
		}
		return nil
	}
	at := func(stage string) error {
		if where, what, _ := strings.Cut(sender, "."); where == stage {
			return said(what)
		}
		return nil
	}
	return &milter.Filter{
		Actions: milter.AllActions,
		Connect: func(_ *milter.Session, c milter.Connection) error {
			return said(strings.TrimPrefix(c.Host, "connect."))
		},
		Helo: func(_ *milter.Session, name string) error { return said(strings.TrimPrefix(name, "helo.")) },
		Mail: func(_ *milter.Session, from string, _ []string) error {
			sender, _, _ = strings.Cut(strings.Trim(from, "<>"), "@")
			return at("mail")
		},
		Rcpt:   func(*milter.Session, string, []string) error { return at("rcpt") },
		Data:   func(*milter.Session) error { return at("data") },
		Header: func(*milter.Session, string, string) error { return at("header") },
		EOH:    func(*milter.Session) error { return at("eoh") },
		Body: func(*milter.Session, []byte) error {
			if sender == "skip" {
				return milter.Skip
			}
			return at("body")
		},
		Unknown: func(*milter.Session, string) error { return nil },
		EOM: func(s *milter.Session) error {
			if sender != "changes" {
				return at("eom")
			}
			return errors.Join(
				s.AddHeader("X-Added", "added"),
				s.InsertHeader(0, "X-Macros", s.Macro("j")+" "+s.Macro("i")),
				s.ChangeHeader(1, "Subject", "changed"), s.ChangeHeader(1, "Received", ""),
				s.AddRcpt("<new@example.org>"), s.DelRcpt("<rcpt@example.org>"),
				s.ReplaceBody(strings.NewReader("new body\r\n")), s.Quarantine("for a look"),
			)
		},
	}
}

// TestMiltertestReplies is miltertest against a filter that gives every reply.
func TestMiltertestReplies(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				f := named()
				f.Log = func(text string) {
					if !strings.Contains(text, "reset by peer") {
						t.Log(text)
					}
				}
				f.Serve(conn)
			}()
		}
	}()
	miltertest(t, "replies.lua", l.Addr().String())
}

// TestMiltertestLists is miltertest against superlist-milter as a launcher starts
// it.
func TestMiltertestLists(t *testing.T) {
	bin, err := programs()
	must(t, err)
	dir := t.TempDir()
	config := sitetest.Write(t, dir, fmt.Sprintf("log = %q", dir+"/log"))
	superlist := func(args ...string) {
		t.Helper()
		run(t, bin+"/superlist", append([]string{"-c", config}, args...)...)
	}
	superlist("list", "create", list, "--owner", "owner@example.com", "--set", "post=members")
	superlist("member", "add", list, member)

	miltertest(t, "lists.lua", inetd(t, bin+"/superlist-milter", "-c", config))

	files, err := filepath.Glob(dir + "/spool/inbound/new/*")
	must(t, err)
	if len(files) != 2 {
		t.Errorf("in the spool: %v", files)
	}
	for i, file := range files {
		text, err := os.ReadFile(file)
		must(t, err)
		if len(text) < 200000 || !strings.Contains(string(text), fmt.Sprintf("\r\nSubject: post %d\r\n", i+1)) {
			t.Errorf("%s: %d bytes, %.500q", file, len(text), text)
		}
	}
	if t.Failed() {
		text, _ := os.ReadFile(dir + "/log")
		t.Logf("log:\n%s", text)
	}
}
