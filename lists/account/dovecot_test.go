package account

import (
	"bufio"
	"errors"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists/site"
	"superlist/smtp"
	"superlist/smtp/sasl"
)

const dovecotGreeting = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tSCRAM-SHA-256\tmutual-auth\nSPID\t1\nCUID\t1\nCOOKIE\tx\nDONE\n"

// fakeDovecot answers every connection with a greeting, and each line that
// begins an attempt or goes on with it with the next of answers. It gives what it
// heard.
func fakeDovecot(t *testing.T, greeting string, answers ...string) (of *site.Site, heard chan string) {
	t.Helper()
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, "auth-client"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	heard = make(chan string, 100)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn.Write([]byte(greeting))
				left := answers
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					heard <- lines.Text()
					if !strings.HasPrefix(lines.Text(), "AUTH\t") && !strings.HasPrefix(lines.Text(), "CONT\t") {
						continue
					}
					if len(left) == 0 {
						return
					}
					conn.Write([]byte(left[0]))
					left = left[1:]
				}
			}()
		}
	}()
	return &site.Site{Hostname: "lists.example.org", QueueDir: dir + "/spool",
		Auth: site.Auth{Mechanisms: sasl.Private, Dovecot: l.Addr().String()}}, heard
}

// TestDovecotWords is what Dovecot hears: nothing that the client could have
// written as it is.
func TestDovecotWords(t *testing.T) {
	site, heard := fakeDovecot(t, dovecotGreeting, "CONT\t1\t\n", "SOMETHING\tnew\nOK\t1\tuser=alice@example.com\tx\n")
	a := open(t, site)
	got, err := a.Mechanisms()
	if err != nil || strings.Join(got, " ") != "PLAIN SCRAM-SHA-256" {
		t.Errorf("%q, %v", got, err)
	}
	x, err := a.Begin(smtp.AuthRequest{Mechanism: "PLAIN", TLS: smtp.TLS{Version: "TLSv1.3"},
		Peer: smtp.Peer{Addr: netip.MustParseAddrPort("192.0.2.7:4711")}})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if challenge, done, err := x.Next(nil); len(challenge) > 0 || done || err != nil {
		t.Errorf("%q, %v, %v", challenge, done, err)
	}
	if _, done, err := x.Next([]byte("\x00alice\x00pen\n\tcil")); !done || err != nil || x.Login() != "alice@example.com" {
		t.Errorf("%v, %v, %q", done, err, x.Login())
	}
	for _, want := range []string{"VERSION\t1\t1", "CPID\t", "VERSION\t1\t1", "CPID\t",
		"AUTH\t1\tPLAIN\tservice=smtp\tnologin\trip=192.0.2.7\trport=4711\tsecured", "CONT\t1\tAGFsaWNlAHBlbgoJY2ls"} {
		if got := <-heard; !strings.HasPrefix(got, want) {
			t.Errorf("Dovecot hears %q, want %q", got, want)
		}
	}
}

// TestDovecotAnswers: what Dovecot says, and what the client hears of it.
func TestDovecotAnswers(t *testing.T) {
	later := smtp.ReplyLocal // which the session makes 454 of
	for answer, want := range map[string]smtp.Reply{
		"OK\t1\tuser=alice\n":                          {Code: 250},
		"OK\t1\n":                                      later,
		"OK\t2\tuser=eve\nFAIL\t1\tuser=alice\n":       smtp.ReplyAuthFailed,
		"FAIL\t1\n":                                    smtp.ReplyAuthFailed,
		"FAIL\t1\tuser=alice\treason=a\x01tb\n":        smtp.ReplyAuthFailed,
		"FAIL\t1\tuser=alice\ttemp\n":                  smtp.ReplyAuthLater,
		"FAIL\t1\tuser=alice\tcode=temp_fail\n":        smtp.ReplyAuthLater,
		"FAIL\t1\tuser=alice\tuser_disabled\n":         replyDisabled,
		"FAIL\t1\tuser=alice\tcode=user_disabled\n":    replyDisabled,
		"FAIL\t1\tuser=alice\tcode=pass_expired\n":     replyExpired,
		"CONT\t1\t!\n":                                 later,
		"":                                             later,
		strings.Repeat("x", maxDovecotLine+1) + "\n":   later,
		strings.Repeat("NEWS\tx\n", maxDovecotLines+1): later,
		strings.Repeat("NEWS\tx\n", maxDovecotLines-1) + "FAIL\t1\n": smtp.ReplyAuthFailed,
	} {
		answers := []string{answer}
		if answer == "" {
			answers = nil // it hangs up
		}
		site, _ := fakeDovecot(t, dovecotGreeting, answers...)
		_, err := login(open(t, site), sasl.Plain, "alice", "pencil", smtp.Peer{Name: "stdin"})
		if got := smtp.ReplyTo(err); got.Code != want.Code || want.Code != 250 && got != want {
			t.Errorf("%.60q: %v, want %v", answer, err, want)
		}
	}
}

// TestDovecotGreetings: who is not Dovecot is found out.
func TestDovecotGreetings(t *testing.T) {
	for greeting, ok := range map[string]bool{
		dovecotGreeting:                  true,
		"VERSION\t1\t99\nNEW\tx\nDONE\n": true,
		"DONE\n":                         false,
		"VERSION\t2\t0\nDONE\n":          false,
		"VERSION\nDONE\n":                false,
		strings.Repeat("x", maxDovecotLine+1) + "\n":                                  false,
		"VERSION\t1\t2\n" + strings.Repeat("MECH\tX\n", maxDovecotLines) + "DONE\n":   false,
		"VERSION\t1\t2\n" + strings.Repeat("MECH\tX\n", maxDovecotLines-2) + "DONE\n": true,
	} {
		site, _ := fakeDovecot(t, greeting)
		if _, err := open(t, site).Mechanisms(); (err == nil) != ok || err != nil && !errors.Is(err, errDovecot) {
			t.Errorf("%.60q: %v", greeting, err)
		}
	}
	nobody := &site.Site{QueueDir: t.TempDir(), Auth: site.Auth{Dovecot: t.TempDir() + "/nobody"}}
	if _, err := open(t, nobody).Mechanisms(); err == nil {
		t.Error("nobody is there, and has mechanisms")
	}
}
