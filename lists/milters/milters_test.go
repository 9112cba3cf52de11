package milters_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists/sitetest"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/intake"
	"superlist/lists/maillog"
	"superlist/lists/milters"
	"superlist/lists/site"
	"superlist/milter"
	"superlist/smtp"
)

// world is a site with filters that live in the test, by the port of their
// address.
type world struct {
	site    *site.Site
	in      *intake.Intake
	filters map[string]*milter.Filter
	log     []string
	head    string // of the last message in the spool
}

func newWorld(t *testing.T, tables string, filters map[string]*milter.Filter) *world {
	t.Helper()
	dir := t.TempDir()
	sitetest.Files(t, dir, map[string]string{
		"lists/example.org/dev/list.toml": "owners = [\"olga@example.org\"]\npost = \"anyone\"\n",
		"lists/example.org/dev/key":       strings.Repeat("5e", 32) + "\n",
	})
	site, err := site.Load(sitetest.Write(t, dir, tables))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{site: site, filters: filters}
	w.in = &intake.Intake{Site: site, Spool: site.Spool(), Filter: &milters.Filters{
		Site: site, Spool: site.Spool(), Dial: w.dial,
		Log: func(_ maillog.Level, text string) { w.log = append(w.log, text) },
	}}
	return w
}

var errDown = errors.New("connection refused")

func (w *world) dial(to site.Target, _ time.Time) (io.ReadWriteCloser, error) {
	f := w.filters[to.Address[strings.LastIndexByte(to.Address, ':')+1:]]
	if f == nil {
		return nil, errDown
	}
	ours, theirs := net.Pipe()
	go func() {
		f.Serve(theirs)
		theirs.Close()
	}()
	return ours, nil
}

const post = "Received: from laptop\r\nFrom: alice@example.com\r\nSubject:nospace\r\nX-Folded: a\r\n\tb\r\nX: 1\r\nX: 2\r\n\r\nbody\r\n.\r\n"

// post sends a message and gives what is in the spool, behind the head, and the
// outcome.
func (w *world) post(t *testing.T, message string) (string, error) {
	return w.send(t, "dev", message)
}

func (w *world) send(t *testing.T, local, message string) (string, error) {
	t.Helper()
	env := &smtp.Envelope{
		Peer: smtp.Peer{Addr: netip.MustParseAddrPort("192.0.2.7:4711")}, Helo: "client", Proto: smtp.ESMTP,
		From: smtp.Path{Local: "alice", Domain: "example.com"}, Body: "8BITMIME",
	}
	to := smtp.Rcpt{Path: smtp.Path{Local: local, Domain: "example.org"}}
	if err := errors.Join(w.in.Mail(env), w.in.Rcpt(env, to)); err != nil {
		t.Fatal(err)
	}
	env.To = append(env.To, to)
	m, err := w.in.Data(env)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(m, message); err != nil {
		t.Fatal(err)
	}
	id, outcomes := m.Commit()
	if left, _ := filepath.Glob(w.site.QueueDir + "/tmp/*"); len(left) > 0 {
		t.Errorf("left in tmp: %v", left)
	}
	text, _ := os.ReadFile(w.site.QueueDir + "/inbound/new/" + id)
	head, content, _ := strings.Cut(string(text), "\n\n")
	w.head = head
	if outcomes[0] == nil && id == "" {
		t.Error("accepted without an id")
	}
	return content, outcomes[0]
}

// hold is the line of the head that says why the message is to be held.
func (w *world) hold() string {
	_, rest, _ := strings.Cut(w.head, "\nhold: ")
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

func table(port, more string) string {
	return "[[milter]]\naddress = \"127.0.0.1:" + port + "\"\n" + more + "\n"
}

// TestHears: a filter hears what it would hear of Postfix.
func TestHears(t *testing.T) {
	var heard []string
	hear := func(words ...string) error {
		heard = append(heard, strings.Join(words, " "))
		return nil
	}
	f := &milter.Filter{
		Connect: func(_ *milter.Session, c milter.Connection) error {
			return hear("connect", c.Host, c.AddrPort().String())
		},
		Helo: func(_ *milter.Session, name string) error { return hear("helo", name) },
		Mail: func(s *milter.Session, from string, args []string) error {
			return hear("mail", from, strings.Join(args, " "), s.Macro("j"), s.Macro("mail_addr"))
		},
		Rcpt:   func(s *milter.Session, to string, _ []string) error { return hear("rcpt", to, s.Macro("rcpt_addr")) },
		Data:   func(*milter.Session) error { return hear("data") },
		Header: func(_ *milter.Session, name, value string) error { return hear("header", name+":"+value) },
		EOH:    func(*milter.Session) error { return hear("eoh") },
		Body:   func(_ *milter.Session, p []byte) error { return hear("body", string(p)) },
		EOM:    func(s *milter.Session) error { return hear("eom", s.Macro("{i}")[:2]) },
		Quit:   func(*milter.Session) { hear("quit") },
	}
	done := make(chan bool)
	quit := f.Quit
	f.Quit = func(s *milter.Session) { quit(s); close(done) }
	w := newWorld(t, table("1", ""), map[string]*milter.Filter{"1": f})
	content, err := w.post(t, post)
	if err != nil {
		t.Fatal(err)
	}
	<-done
	want := []string{
		"connect [192.0.2.7] 192.0.2.7:4711", "helo client", "mail <alice@example.com> BODY=8BITMIME lists.example.org alice@example.com",
		"rcpt <dev@example.org> dev@example.org", "data",
		"header Received: from laptop", "header From: alice@example.com", "header Subject:nospace", "header X-Folded: a\n\tb", "header X: 1", "header X: 2",
		"eoh", "body body\r\n.\r\n", "eom 17", "quit",
	}
	if got := strings.Join(heard, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("heard\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if !strings.HasSuffix(content, "\r\n"+post) || !strings.HasPrefix(content, "Received: from client") {
		t.Errorf("nothing was changed, and yet it is\n%s", content)
	}
}

// TestChanges are made in order, and each filter sees those of the one before.
func TestChanges(t *testing.T) {
	var saw []string
	w := newWorld(t, table("1", "")+table("2", ""), map[string]*milter.Filter{
		"1": {
			Actions: milter.AllActions,
			EOM: func(s *milter.Session) error {
				return errors.Join(
					s.InsertHeader(0, "X-Top", "1"), s.InsertHeader(2, "X-Below-Ours", "2"), s.InsertHeader(99, "X-End", "3"),
					s.ChangeHeader(1, "received", ""), s.ChangeHeader(2, "x", " two\n\tfolded"), s.ChangeHeader(0, "Subject", "new"),
					s.ChangeHeader(9, "X-New", "added"), s.ChangeHeader(9, "X-Gone", ""), s.AddHeader("X-Last", "4"),
					s.ReplaceBody(strings.NewReader("another body\r\n")),
					s.AddRcpt("<eve@example.com>"), s.DelRcpt("<dev@example.org>"), s.ChangeFrom("<eve@example.com>"),
				)
			},
		},
		"2": {
			Actions: milter.ActAddHeaders | milter.ActChangeBody,
			Header: func(_ *milter.Session, name, value string) error {
				saw = append(saw, name+":"+value)
				return nil
			},
			Body: func(_ *milter.Session, p []byte) error { saw = append(saw, string(p)); return nil },
			EOM: func(s *milter.Session) error {
				return errors.Join(s.AddHeader("X-Second", "5"), s.ReplaceBody(strings.NewReader("no end")))
			},
		},
	})
	content, err := w.post(t, post)
	if err != nil {
		t.Fatal(err)
	}
	top, rest, _ := strings.Cut(content, "Received: from client")
	_, rest, _ = strings.Cut(rest, "+0000\r\n")
	header := "X-Below-Ours: 2\r\nFrom: alice@example.com\r\nSubject: new\r\nX-Folded: a\r\n\tb\r\nX: 1\r\nx: two\r\n\tfolded\r\nX-End: 3\r\nX-New: added\r\nX-Last: 4\r\n"
	if top != "X-Top: 1\r\n" || rest != header+"X-Second: 5\r\n\r\nno end\r\n" {
		t.Errorf("in the spool:\n%s", content)
	}
	want := "X-Top: 1\n" + strings.ReplaceAll(header, "\r\n", "\n") + "another body\r\n"
	if got := strings.Join(saw, "\n"); got != want {
		t.Errorf("the second saw\n%s\nwant\n%s", got, want)
	}
	if log := strings.Join(w.log, "\n"); strings.Count(log, "which is not done for a list") != 3 {
		t.Errorf("log:\n%s", log)
	}
}

// quarantine is a filter that has a message held, and then says this.
func quarantine(reason string, err error) *milter.Filter {
	return &milter.Filter{Actions: milter.AllActions, EOM: func(s *milter.Session) error {
		return errors.Join(s.Quarantine(reason), err)
	}}
}

// TestHold: the filters behind the one that wants a message held are asked too, what
// they change is changed, and they may still refuse it. What is not a post is refused.
func TestHold(t *testing.T) {
	second := func(err error) *milter.Filter {
		return &milter.Filter{Actions: milter.AllActions, EOM: func(s *milter.Session) error {
			return errors.Join(s.AddHeader("X-Second", "yes"), s.Quarantine("odder"), err)
		}}
	}
	tables := table("1", "") + table("2", "") + table("3", `default_action = "hold"`)
	w := newWorld(t, tables, map[string]*milter.Filter{"1": quarantine("odd", nil), "2": second(nil)})
	content, err := w.post(t, post)
	if err != nil || !strings.Contains(content, "X-Second: yes") {
		t.Errorf("%v, in the spool: %q", err, content)
	}
	if got, want := w.hold(), "the mail filter 127.0.0.1:1 says: odd; the mail filter 127.0.0.1:2 says: odder; the mail filter 127.0.0.1:3 could not be asked"; got != want {
		t.Errorf("hold: %q, want %q", got, want)
	}
	for _, local := range []string{"dev+owner", "dev+help"} {
		if content, err = w.send(t, local, post); content != "" || !strings.HasPrefix(smtp.ReplyTo(err).String(), "550 5.7.1 a mail filter of this site wants a person") {
			t.Errorf("%s: %v, in the spool: %q", local, err, content)
		}
	}
	// One that is only away may be back when the sender tries again.
	w = newWorld(t, table("3", `default_action = "hold"`), nil)
	if content, err = w.send(t, "dev+owner", post); content != "" || !strings.HasPrefix(smtp.ReplyTo(err).String(), "451 4.7.1 a mail filter of this site could not check the message") {
		t.Errorf("a filter that is away: %v, in the spool: %q", err, content)
	}
	w = newWorld(t, tables, map[string]*milter.Filter{"1": quarantine("odd", nil), "2": second(milter.Reject)})
	if content, err = w.post(t, post); content != "" || err == nil {
		t.Errorf("refused by the second: %v, in the spool: %q", err, content)
	}
}

// edits is a filter that does one thing again and again.
func edits(do func(*milter.Session, int) error, n int) *milter.Filter {
	return &milter.Filter{Actions: milter.AllActions, EOM: func(s *milter.Session) error {
		for i := range n {
			if err := do(s, i); err != nil {
				return err
			}
		}
		return nil
	}}
}

// TestLongReason: a reason takes its 500 bytes, and no more.
func TestLongReason(t *testing.T) {
	const front = "the mail filter 127.0.0.1:1 says: "
	room := 500 - len(front)
	for _, more := range []int{-1, 0, 1} {
		w := newWorld(t, table("1", ""), map[string]*milter.Filter{"1": quarantine(strings.Repeat("x", room+more), nil)})
		if _, err := w.post(t, post); err != nil {
			t.Fatal(err)
		}
		if got, want := w.hold(), front+strings.Repeat("x", room+min(more, 0)); got != want {
			t.Errorf("%d: hold: %q", more, got)
		}
	}
}

// TestDecisions: what filters say, and what becomes of a message when they fail.
func TestDecisions(t *testing.T) {
	no := smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "spam"}
	eom := func(err error) *milter.Filter {
		return &milter.Filter{Actions: milter.AllActions, EOM: func(s *milter.Session) error { s.AddHeader("X-Seen", "yes"); return err }}
	}
	panics := &milter.Filter{Header: func(*milter.Session, string, string) error { panic("a mistake") }}
	for name, test := range map[string]struct {
		tables  string
		filter  *milter.Filter
		want    string // of the reply; empty: accepted
		content string // what is in the spool; empty: nothing
		log     string
		hold    string // why it is to be held
	}{
		"accept":   {filter: eom(milter.Accept), content: "X-Seen: yes", log: `says="accept"`},
		"reject":   {filter: eom(milter.Reject), want: "550 5.7.1 the message was refused by a mail filter", log: `says="reject"`},
		"tempfail": {filter: eom(milter.Tempfail), want: "451 4.7.1 a mail filter of this site asks"},
		"reply":    {filter: eom(no), want: "550 5.7.1 spam", log: `says="550 5.7.1 spam"`},
		"421":      {filter: eom(smtp.Reply{Code: 421, Enhanced: "4.3.2", Text: "not now"}), want: "451 4.3.2 not now"},
		"discard":  {filter: eom(milter.Discard), log: `says="discard"`},
		"body and accept": {filter: &milter.Filter{Actions: milter.AllActions, EOM: func(s *milter.Session) error {
			return errors.Join(s.ReplaceBody(strings.NewReader("another\r\n")), milter.Accept)
		}}, content: "\r\n\r\nanother\r\n"},
		"quarantine":           {filter: quarantine("odd\xe4", nil), content: "nospace", log: `quarantine="odd\xe4"`, hold: "the mail filter 127.0.0.1:1 says: odd?"},
		"quarantine, accept":   {filter: quarantine("odd", milter.Accept), content: "nospace", hold: "the mail filter 127.0.0.1:1 says: odd"},
		"quarantine, reject":   {filter: quarantine("odd", milter.Reject), want: "550 5.7.1 the message was refused"},
		"quarantine, no words": {filter: quarantine("", nil), content: "nospace", hold: "the mail filter 127.0.0.1:1 says: no reason given"},
		"down, hold":           {tables: `default_action = "hold"`, content: "nospace", log: `default_action=hold error="connection refused"`, hold: "the mail filter 127.0.0.1:1 could not be asked"},
		"at RCPT":              {filter: &milter.Filter{Rcpt: func(*milter.Session, string, []string) error { return no }}, want: "550 5.7.1 spam"},
		"at MAIL, accept":      {filter: &milter.Filter{Mail: func(*milter.Session, string, []string) error { return milter.Accept }}, content: "nospace"},
		"down":                 {want: "451 4.3.0 a mail filter of this site does not answer", log: `default_action=tempfail error="connection refused"`},
		"down, accept":         {tables: `default_action = "accept"`, content: "nospace", log: `default_action=accept error="connection refused"`},
		"down, reject":         {tables: `default_action = "reject"`, want: "550 5.7.1 a mail filter of this site does not answer, and nothing is taken without it"},
		"fails, tempfail":      {filter: panics, want: "451 4.7.1 a mail filter"},
		"silent":               {tables: "content_timeout = \"1s\"\ndefault_action = \"accept\"", filter: &milter.Filter{ProgressEvery: time.Hour, EOM: func(*milter.Session) error { time.Sleep(3 * time.Second); return nil }}, content: "nospace", log: "i/o timeout"},
		"half a change": {tables: `default_action = "accept"`, filter: &milter.Filter{Actions: milter.AllActions, EOM: func(s *milter.Session) error {
			s.AddHeader("X-Seen", "yes")
			return s.ReplaceBody(strings.NewReader("bare\nLF\r\n"))
		}}, content: "nospace", log: "its new body"},
		"header too large": {filter: &milter.Filter{Actions: milter.AllActions, EOM: func(s *milter.Session) error {
			for range 5 {
				s.AddHeader("X-Seen", strings.Repeat("y", 60000))
			}
			return nil
		}}, want: "451 4.3.0", log: "too large"},
		"fields that come and go": {filter: edits(func(s *milter.Session, i int) error {
			return s.ChangeHeader(1, "X-Seen", strings.Repeat("y", 60000*((i+1)%2)))
		}, 1000), content: "nospace"},
		"edits below": {filter: edits(func(s *milter.Session, _ int) error { return s.InsertHeader(0, "X-Seen", "yes") }, 1000), content: "X-Seen: yes"},
		"edits above": {filter: edits(func(s *milter.Session, _ int) error { return s.InsertHeader(0, "X-Seen", "yes") }, 1001), want: "451 4.3.0", log: "more than 1000 changes"},
		"other edits": {filter: edits(func(s *milter.Session, _ int) error { return s.AddRcpt("<eve@example.com>") }, 1001), want: "451 4.3.0", log: "more than 1000 changes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			filters := map[string]*milter.Filter{}
			if test.filter != nil {
				filters["1"] = test.filter
			}
			w := newWorld(t, table("1", test.tables), filters)
			content, err := w.post(t, post)
			got := ""
			if err != nil {
				got = smtp.ReplyTo(err).String()
			}
			if (test.want == "") != (err == nil) || !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if !strings.Contains(content, test.content) || (content == "") != (test.content == "") {
				t.Errorf("in the spool: %.2000q", content)
			}
			if test.content == "nospace" && !strings.HasSuffix(content, post) {
				t.Errorf("changed: %.2000q", content)
			}
			if log := strings.Join(w.log, "\n"); !strings.Contains(log, test.log) {
				t.Errorf("log: %s", log)
			}
			if got := w.hold(); got != test.hold {
				t.Errorf("hold: %q, want %q", got, test.hold)
			}
		})
	}
}

// TestConfig: mistakes in a table.
func TestConfig(t *testing.T) {
	for text, want := range map[string]string{
		"[[milter]]\naddress = \"localhost:1\"\n": "milter.address: must be ip:port or unix:/path",
		"[[milter]]\n": "2: milter.address: must be",
		"[[milter]]\naddress = \"unix:/x\"\ndefault_action = \"defer\"\n": "default_action: must be accept, tempfail, reject or hold",
		"[[milter]]\naddress = \"unix:/x\"\ndefalt_action = \"accept\"\n": "did you mean default_action?",
		"[[milter]]\naddress = \"unix:/x\"\ncommand_timeout = \"soon\"\n": "soon",
	} {
		file := filepath.Join(t.TempDir(), "superlist.toml")
		if err := os.WriteFile(file, []byte("hostname = \"a.example\"\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := site.Load(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestSize: what filters add does not make a post too large for a list, which holds
// what its author has sent against its limit.
func TestSize(t *testing.T) {
	adds := &milter.Filter{Actions: milter.AllActions, EOM: func(s *milter.Session) error {
		return s.AddHeader("X-Report", strings.Repeat("x", 900))
	}}
	for _, test := range []struct {
		more int
		ok   bool
	}{{0, true}, {1, false}} {
		w := newWorld(t, table("1", ""), map[string]*milter.Filter{"1": adds})
		l, err := lists.Of(w.site).Open(smtp.Path{Local: "dev", Domain: "example.org"})
		if err == nil {
			err = edit.Set(l, []string{"max_message_size=1024"})
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := w.post(t, post+strings.Repeat("x", 1024+test.more-len(post)-len("\r\n"))+"\r\n")
		if (err == nil) != test.ok || test.ok && !strings.Contains(content, "X-Report") {
			t.Errorf("%d bytes: %v, %q", 1024+test.more, err, content)
		}
	}
}

// TestOneRecipient: a filter that refuses a recipient refuses that one. In LMTP
// each hears for itself, in SMTP the one reply says whose it is; the next filter
// hears of those that are left.
func TestOneRecipient(t *testing.T) {
	for name, test := range map[string]struct {
		say   error
		proto string
		want  [2]string // the codes
		heard string
	}{
		"reject, LMTP":   {milter.Reject, smtp.LMTP, [2]string{"250", "550"}, "<dev@example.org>"},
		"tempfail, LMTP": {milter.Tempfail, smtp.LMTP, [2]string{"250", "451"}, "<dev@example.org>"},
		"reply, LMTP":    {smtp.Reply{Code: 550, Enhanced: "5.1.1", Text: "not for ops"}, smtp.LMTP, [2]string{"250", "550"}, "<dev@example.org>"},
		"reject, SMTP":   {milter.Reject, smtp.ESMTP, [2]string{"550", "550"}, "<dev@example.org>"},
		"discard":        {milter.Discard, smtp.LMTP, [2]string{"250", "250"}, ""},
		"accept":         {milter.Accept, smtp.LMTP, [2]string{"250", "250"}, "<dev@example.org> <ops@example.org>"},
	} {
		t.Run(name, func(t *testing.T) {
			var heard []string
			w := newWorld(t, table("1", "")+table("2", ""), map[string]*milter.Filter{
				"1": {Rcpt: func(_ *milter.Session, to string, _ []string) error {
					if to == "<ops@example.org>" {
						return test.say
					}
					return nil
				}},
				"2": {Rcpt: func(_ *milter.Session, to string, _ []string) error { heard = append(heard, to); return nil }},
			})
			env := &smtp.Envelope{Helo: "client", Proto: test.proto, From: smtp.Path{Local: "alice", Domain: "example.com"}, Login: "alice@example.com"}
			ops := filepath.Join(w.site.ListsDir, "example.org", "ops")
			if err := errors.Join(os.Mkdir(ops, 0o700), os.WriteFile(ops+"/list.toml", []byte("owners = [\"olga@example.org\"]\npost = \"anyone\"\n"), 0o600), w.in.Mail(env)); err != nil {
				t.Fatal(err)
			}
			for _, local := range []string{"dev", "ops"} {
				to := smtp.Rcpt{Path: smtp.Path{Local: local, Domain: "example.org"}}
				if err := w.in.Rcpt(env, to); err != nil {
					t.Fatal(err)
				}
				env.To = append(env.To, to)
			}
			m, err := w.in.Data(env)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(m, "From: alice@example.com\r\nMessage-ID: <1@example.com>\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\n\r\nx\r\n")
			_, outcomes := m.Commit()
			for i, err := range outcomes {
				code := "250"
				if err != nil {
					code = fmt.Sprint(smtp.ReplyTo(err).Code)
				}
				if code != test.want[i] {
					t.Errorf("recipient %d: %v, want %s", i, err, test.want[i])
				}
			}
			if got := strings.Join(heard, " "); got != test.heard {
				t.Errorf("the second filter has heard %s, want %s", got, test.heard)
			}
			posts, _ := filepath.Glob(w.site.QueueDir + "/inbound/new/*")
			if kept := test.heard != "" && test.proto == smtp.LMTP; (len(posts) == 1) != kept {
				t.Errorf("in the spool: %v", posts)
			} else if kept {
				text, _ := os.ReadFile(posts[0])
				if got := strings.Contains(string(text), "\nF <ops@example.org>"); got != (test.want[1] != "250") {
					t.Errorf("%s", text)
				}
			}
		})
	}
}
