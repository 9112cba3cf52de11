package milter_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"superlist/milter"
	"superlist/milter/miltertest"
	"superlist/smtp"
)

// connect has a client talk to a filter over a connection in memory, and gives
// the client, open, and what Serve will return.
func connect(t *testing.T, c *milter.Client, f *milter.Filter) <-chan error {
	t.Helper()
	a, b := net.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- f.Serve(b)
		b.Close()
	}()
	t.Cleanup(func() { a.Close() })
	if err := c.Open(a); err != nil {
		t.Fatal(err)
	}
	return done
}

// TestProgress: a callback may take its time, though the MTA waits no longer than
// a few seconds.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		filter := &milter.Filter{
			Mail: func(*milter.Session, string, []string) error { time.Sleep(20 * time.Second); return nil },
			EOM:  func(*milter.Session) error { time.Sleep(time.Minute); return milter.Reject },
		}
		c := &milter.Client{CommandTimeout: 2 * time.Second, ContentTimeout: 2 * time.Second,
			Macro: func(name string) string { return map[string]string{"v": "Postfix 3.7.11"}[name] }}
		done := connect(t, c, filter)
		if err := errors.Join(c.Connect(milter.Connection{Host: "a", Family: 'U'}), c.Mail("<a@b>")); err != nil {
			t.Fatal(err)
		}
		if err := c.EOM(); err != milter.Reject {
			t.Errorf("at the end of the message: %v", err)
		}
		c.Quit()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestProgressElsewhere: sendmail takes no report of progress but at the end of
// the message, and none may come where no answer is waited for.
func TestProgressElsewhere(t *testing.T) {
	for name, f := range map[string]*milter.Filter{
		"sendmail": {},
		"silent":   {Protocol: milter.NoReplyMail},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f.Mail = func(*milter.Session, string, []string) error { time.Sleep(10 * time.Second); return nil }
				version := "8.17.1"
				if name == "silent" {
					version = "Postfix"
				}
				a, b := net.Pipe()
				done := make(chan error, 1)
				go func() { done <- f.Serve(b); b.Close() }()
				var said []byte
				for _, p := range []string{"O 6 0x1ff 0x1fffff", "D C v " + version, "M <a@b>", "Q"} {
					wire, err := miltertest.Packet(p)
					if err != nil {
						t.Fatal(err)
					}
					said = append(said, wire...)
				}
				go a.Write(said)
				heard, _ := io.ReadAll(a)
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				if len(heard) > 17+5 { // OPTNEG and at most one answer
					t.Errorf("heard %q", heard)
				}
				a.Close()
			})
		})
	}
}

// TestTimeouts: a filter that reports progress for ever is given up, and so is
// one that says nothing.
func TestTimeouts(t *testing.T) {
	for name, test := range map[string]struct {
		client milter.Client
		eom    time.Duration
		every  time.Duration
		want   time.Duration
	}{
		"silent":         {milter.Client{ContentTimeout: time.Minute}, time.Hour, 2 * time.Hour, time.Minute},
		"silent, usual":  {milter.Client{}, time.Hour, 2 * time.Hour, milter.ContentTimeout},
		"progress":       {milter.Client{TotalTimeout: 3 * time.Minute}, time.Hour, time.Second, 3 * time.Minute},
		"progress usual": {milter.Client{}, time.Hour, time.Second, milter.TotalTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stop := make(chan bool)
				c := &test.client
				connect(t, c, &milter.Filter{
					ProgressEvery: test.every,
					EOM:           func(*milter.Session) error { <-stop; return nil },
				})
				start := time.Now()
				err := errors.Join(c.Mail("<a@b>"), c.EOM())
				if took := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || took != test.want {
					t.Errorf("%v after %v, want %v", err, took, test.want)
				}
				if again := c.Mail("<a@b>"); !errors.Is(again, os.ErrDeadlineExceeded) {
					t.Errorf("the client goes on: %v", again)
				}
				close(stop)
			})
		})
	}
}

// TestIdle: an MTA that is silent for longer than libmilter waits is left.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		aborted := false
		start := time.Now()
		c := &milter.Client{}
		done := connect(t, c, &milter.Filter{
			Mail:  func(*milter.Session, string, []string) error { return nil },
			Abort: func(*milter.Session) { aborted = true },
		})
		if err := c.Mail("<a@b>"); err != nil {
			t.Fatal(err)
		}
		err := <-done
		if took := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || took != milter.IdleTimeout || !aborted {
			t.Errorf("%v after %v, aborted: %v", err, took, aborted)
		}
	})
}

// TestDecisions: what a filter has decided on a message or a client it is not
// asked again.
func TestDecisions(t *testing.T) {
	asked := ""
	answers := map[string]error{}
	say := func(what string) error { asked += what + " "; return answers[what] }
	filter := &milter.Filter{
		Connect: func(*milter.Session, milter.Connection) error { return say("connect") },
		Helo:    func(*milter.Session, string) error { return say("helo") },
		Mail:    func(*milter.Session, string, []string) error { return say("mail") },
		Rcpt:    func(_ *milter.Session, to string, _ []string) error { return say(to) },
		Data:    func(*milter.Session) error { return say("data") },
		EOM:     func(*milter.Session) error { return say("eom") },
	}
	no := smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "no"}
	for _, test := range []struct {
		name    string
		answers map[string]error
		asked   string
		got     []error // of connect, helo, mail, one, two, data, eom
	}{
		{"nothing", nil, "connect helo mail one two data eom", make([]error, 7)},
		{"the client", map[string]error{"connect": milter.Accept}, "connect",
			[]error{milter.Accept, milter.Accept, milter.Accept, milter.Accept, milter.Accept, milter.Accept, milter.Accept}},
		{"its name", map[string]error{"helo": no}, "connect helo", []error{nil, no, no, no, no, no, no}},
		{"the sender", map[string]error{"mail": no}, "connect helo mail", []error{nil, nil, no, no, no, no, no}},
		{"a recipient", map[string]error{"one": no}, "connect helo mail one two data eom", []error{nil, nil, nil, no, nil, nil, nil}},
		{"a recipient, all", map[string]error{"one": milter.Discard}, "connect helo mail one",
			[]error{nil, nil, nil, milter.Discard, milter.Discard, milter.Discard, milter.Discard}},
		{"a recipient, for now", map[string]error{"two": milter.Tempfail}, "connect helo mail one two data eom",
			[]error{nil, nil, nil, nil, milter.Tempfail, nil, nil}},
		{"the message", map[string]error{"data": milter.Accept}, "connect helo mail one two data",
			[]error{nil, nil, nil, nil, nil, milter.Accept, milter.Accept}},
		{"its end", map[string]error{"eom": no}, "connect helo mail one two data eom", []error{nil, nil, nil, nil, nil, nil, no}},
	} {
		t.Run(test.name, func(t *testing.T) {
			asked, answers = "", test.answers
			c := &milter.Client{}
			done := connect(t, c, filter)
			got := []error{
				c.Connect(milter.Connection{Host: "a", Family: 'U'}), c.Helo("a"), c.Mail("<a@b>"),
				c.Rcpt("one"), c.Rcpt("two"), c.Data(), c.EOM(),
			}
			for i := range got {
				if got[i] != test.got[i] {
					t.Errorf("answer %d: %v, want %v", i, got[i], test.got[i])
				}
			}
			if err := c.Abort(); err != nil {
				t.Error(err)
			}
			c.Quit()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if strings.TrimSpace(asked) != test.asked {
				t.Errorf("asked %s, want %s", asked, test.asked)
			}
		})
	}
}

// TestClientBody: the body goes in pieces of 65535 bytes, up to where the filter
// has seen enough.
func TestClientBody(t *testing.T) {
	for _, test := range []struct{ size, enough, pieces, read int }{
		{0, 9, 0, 0},
		{milter.MaxSend, 9, 1, milter.MaxSend},
		{milter.MaxSend + 1, 9, 2, milter.MaxSend + 1},
		{5 * milter.MaxSend, 2, 2, 2 * milter.MaxSend},
	} {
		pieces := 0
		c := &milter.Client{}
		done := connect(t, c, &milter.Filter{Body: func(_ *milter.Session, p []byte) error {
			if pieces++; pieces == test.enough {
				return milter.Skip
			}
			return nil
		}})
		body := bytes.NewReader(make([]byte, test.size))
		if err := errors.Join(c.Mail("<a@b>"), c.Body(body), c.EOM(), c.Quit(), <-done); err != nil {
			t.Error(err)
		}
		if read := test.size - body.Len(); pieces != test.pieces || read != test.read {
			t.Errorf("%d bytes: %d pieces, %d bytes read; want %d, %d", test.size, pieces, read, test.pieces, test.read)
		}
	}
}

// TestClientBodyFails: what cannot be read is no matter of the filter's.
func TestClientBodyFails(t *testing.T) {
	c := &milter.Client{}
	connect(t, c, &milter.Filter{Body: func(*milter.Session, []byte) error { return nil }})
	if err := errors.Join(c.Mail("<a@b>"), c.Body(badReader{})); err == nil || !strings.Contains(err.Error(), "on fire") {
		t.Error(err)
	}
	if err := errors.Join(c.Abort(), c.Mail("<c@d>"), c.EOM()); err != nil {
		t.Error(err)
	}
}

// TestMaxChanges holds the limit on changes, on each side.
func TestMaxChanges(t *testing.T) {
	for _, n := range []int{milter.MaxChanges, milter.MaxChanges + 1} {
		got := 0
		c := &milter.Client{Change: func(milter.Change) error { got++; return nil }}
		connect(t, c, &milter.Filter{
			Actions: milter.ActAddRcpt,
			EOM: func(s *milter.Session) error {
				for range n {
					if err := s.AddRcpt("<a@b>"); err != nil {
						return err
					}
				}
				return nil
			},
		})
		err := errors.Join(c.Mail("<a@b>"), c.EOM())
		if (err == nil) != (n <= milter.MaxChanges) || got != milter.MaxChanges {
			t.Errorf("%d changes: %v, got %d", n, err, got)
		}
	}
}

// TestMaxText holds the limit on what fits into a packet, on each side.
func TestMaxText(t *testing.T) {
	room := milter.MaxSend - len("0123X\x00 \x00")
	for _, n := range []int{room, room + 1} {
		c := &milter.Client{Change: func(milter.Change) error { return nil }}
		connect(t, c, &milter.Filter{
			Actions: milter.ActAddHeaders,
			EOM:     func(s *milter.Session) error { return s.InsertHeader(0, "X", strings.Repeat("v", n)) },
		})
		if err := errors.Join(c.Mail("<a@b>"), c.EOM()); (err == nil) != (n == room) {
			t.Errorf("%d: %v", n, err)
		}
	}
}

// TestReplyLimits: what is longer than libmilter allows is left out, and what
// remains is a whole reply.
func TestReplyLimits(t *testing.T) {
	for name, text := range map[string]string{
		"lines":   strings.Repeat("line\n", 40) + "last",
		"percent": strings.Repeat("%", 500) + "\n" + strings.Repeat("%%", 490),
		"empty":   "",
	} {
		c := &milter.Client{}
		connect(t, c, &milter.Filter{EOM: func(*milter.Session) error {
			return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: text}
		}})
		err := errors.Join(c.Mail("<a@b>"))
		if err != nil {
			t.Fatal(err)
		}
		var r smtp.Reply
		if err := c.EOM(); !errors.As(err, &r) || r.Code != 550 || r.Enhanced != "5.7.1" {
			t.Errorf("%s: %v", name, err)
		}
		if n := strings.Count(r.Text, "\n") + 1; n > milter.MaxReplyLines {
			t.Errorf("%s: %d lines", name, n)
		}
		if want := strings.SplitN(text, "\n", 2)[0]; !strings.HasPrefix(strings.ReplaceAll(r.Text, "\n", ""), want[:min(len(want), 400)]) {
			t.Errorf("%s: %q", name, r.Text)
		}
	}
}

// TestNoChanges: a client that has no use for changes offers none.
func TestNoChanges(t *testing.T) {
	var offered milter.Options
	c := &milter.Client{}
	connect(t, c, &milter.Filter{Actions: milter.AllActions, Negotiate: func(_ *milter.Session, o milter.Options) error {
		offered = o
		return nil
	}})
	if offered.Actions != milter.ActSetSymList || c.Options().Actions != 0 {
		t.Errorf("offered %#x, agreed on %#x", offered.Actions, c.Options().Actions)
	}
}

// TestClientVersions: an offer that there is not is a mistake of the caller's.
func TestClientVersions(t *testing.T) {
	for _, v := range []uint32{1, 7} {
		if err := (&milter.Client{Version: v}).Open(nil); err == nil {
			t.Errorf("version %d is offered", v)
		}
	}
}

// TestLyingLength: a length that nothing follows costs no memory.
func TestLyingLength(t *testing.T) {
	var f milter.Filter
	serve := func(start string) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := f.Serve(&conn{Reader: strings.NewReader(start)}); err == nil {
			t.Errorf("%q passes", start)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	few := serve("\x00\x00\x00\x0fO\x00")
	if many := serve("\x00\x0f\xff\xffO\x00"); many > few+256<<10 {
		t.Errorf("a length of a megabyte costs %d bytes, of 15 bytes %d", many, few)
	}
}
