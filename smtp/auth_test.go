package smtp

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// asker is an Authenticator. ASK wants to hear "alice" and then "pencil"; LOOP
// asks for ever.
type asker struct {
	mechanisms []string
	mechErr    error
	beginErr   error
	open       int // exchanges that are not closed
	asked      []AuthRequest
}

func (a *asker) Mechanisms() ([]string, error) { return a.mechanisms, a.mechErr }

func (a *asker) Begin(r AuthRequest) (Exchange, error) {
	if a.beginErr != nil {
		return nil, a.beginErr
	}
	a.open++
	a.asked = append(a.asked, r)
	return &asking{asker: a, loop: r.Mechanism == "LOOP"}, nil
}

type asking struct {
	asker *asker
	loop  bool
	user  string
	over  bool
}

func (x *asking) Next(response []byte) ([]byte, bool, error) {
	if x.over {
		panic("called after the end")
	}
	switch {
	case x.loop:
		return []byte("and?"), false, nil
	case x.user == "" && len(response) == 0:
		if response == nil {
			return nil, false, nil // 334 and nothing
		}
		return []byte("user"), false, nil
	case x.user == "":
		x.user = string(response)
		return []byte("password"), false, nil
	case string(response) == "broken":
		x.over = true
		return nil, false, errors.New("the disk of secrets burns")
	case x.user != "alice" || string(response) != "pencil":
		x.over = true
		return nil, false, fmt.Errorf("a closer look: %w", ReplyAuthFailed)
	}
	x.over = true
	return nil, true, nil
}

func (x *asking) Login() string { return x.user }

func (x *asking) Close() error { x.asker.open--; return nil }

// authTalk is talk with a session that offers AUTH.
func authTalk(in io.Reader, change func(*Session)) (out string, got []stored, log []string) {
	var b strings.Builder
	backend := new(memory)
	a := &asker{mechanisms: []string{"ASK", "LOOP", "OTHER"}}
	s := &Session{
		Hostname: "lists.example.org", Backend: backend, Peer: Peer{Name: "stdin"}, MaxMessageSize: 10000,
		Auth: Auth{Mechanisms: []string{"LOOP", "ASK", "NOT-SERVED"}, Insecure: true, Server: a, Wait: func(time.Duration) {}},
		Log:  func(e Event) { log = append(log, e.String()) },
	}
	if change != nil {
		change(s)
	}
	s.Serve(rw{in, &b})
	if a.open != 0 {
		panic("an exchange was not closed")
	}
	return b.String(), backend.got, log
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// loginAs is a whole exchange.
func loginAs(user, password string) string {
	return "AUTH ASK " + b64(user) + "\r\n" + b64(password) + "\r\n"
}

const mailCmd = "MAIL FROM:<a@example.com>"

func TestAuth(t *testing.T) {
	insecure := func(s *Session) { s.Auth.Insecure = false }
	tls := func(s *Session) { s.Auth.Insecure = false; s.TLS = TLS{Version: "TLSv1.3", Cipher: "x"} }
	none := func(s *Session) { s.Auth = Auth{} }
	required := func(s *Session) { s.Auth.Required = true }
	for name, test := range map[string]struct {
		change func(*Session)
		in     string
		want   string // the replies after that to EHLO
	}{
		"right":                 {nil, loginAs("alice", "pencil"), "334 cGFzc3dvcmQ=|235 2.7.0 logged in"},
		"lower case":            {nil, "auth ask\r\nYWxpY2U=\r\ncGVuY2ls\r\n", "334 |334 cGFzc3dvcmQ=|235 2.7.0 logged in"},
		"inside TLS":            {tls, loginAs("alice", "pencil"), "334 cGFzc3dvcmQ=|235 2.7.0 logged in"},
		"wrong":                 {nil, loginAs("alice", "crayon") + loginAs("alice", "pencil"), "334 cGFzc3dvcmQ=|535 5.7.8 no such user, or the wrong password|334 cGFzc3dvcmQ=|235 2.7.0 logged in"},
		"empty first response":  {nil, "AUTH ASK =\r\n*\r\n", "334 dXNlcg==|501 5.7.0 authentication cancelled"},
		"empty later response":  {nil, "AUTH ASK\r\n\r\n*\r\n", "334 |334 dXNlcg==|501 5.7.0 authentication cancelled"},
		"= as a later response": {nil, "AUTH ASK\r\n=\r\nNOOP\r\n", "334 |501 5.5.2 that is not base64|250 2.0.0 ok"},
		"cancelled":             {nil, "AUTH ASK\r\n*\r\nNOOP\r\n", "334 |501 5.7.0 authentication cancelled|250 2.0.0 ok"},
		"no base64":             {nil, "AUTH ASK !\r\nAUTH ASK\r\nYWxpY2U\r\nAUTH ASK\r\nYWxpY2V=\r\n", "501 5.5.2 that is not base64|334 |501 5.5.2 that is not base64|334 |501 5.5.2 that is not base64"},
		"a command within":      {nil, "AUTH ASK\r\n" + mailCmd + "\r\nNOOP\r\n", "334 |501 5.5.2 that is not base64|250 2.0.0 ok"},
		"NUL":                   {nil, "AUTH ASK\r\nYW\x00xp\r\nNOOP\r\n", "334 |501 5.5.2 that is not base64|250 2.0.0 ok"},
		"bare LF":               {nil, "AUTH ASK\r\nYWxp\nNOOP\r\n", "334 |550 5.5.2 command line ended by LF alone; lines must end with CRLF"},
		"twice":                 {nil, loginAs("alice", "pencil") + "AUTH ASK\r\n", "334 cGFzc3dvcmQ=|235 2.7.0 logged in|503 5.5.1 you have logged in already"},
		"in a transaction":      {nil, mailCmd + "\r\nAUTH ASK\r\n", "250 2.1.0 sender ok|503 5.5.1 a mail transaction is open; say AUTH before MAIL"},
		"no mechanism":          {nil, "AUTH\r\nAUTH  \r\n", "501 5.5.4 AUTH needs a mechanism, and may have an initial response|501 5.5.4 *"},
		"too many words":        {nil, "AUTH ASK YQ== YQ==\r\n", "501 5.5.4 *"},
		"unknown mechanism":     {nil, "AUTH GSSAPI\r\n", "504 5.5.4 this mechanism is not offered; EHLO lists those that are"},
		"not served":            {nil, "AUTH NOT-SERVED\r\n", "504 5.5.4 *"},
		"not configured":        {nil, "AUTH OTHER\r\n", "504 5.5.4 *"},
		"outside TLS":           {insecure, "AUTH ASK\r\n" + mailCmd + " AUTH=<>\r\n", "538 5.7.11 say STARTTLS first: nobody should read your password|555 5.5.4 parameter AUTH is not known here"},
		"no AUTH here":          {none, "AUTH ASK\r\n" + mailCmd + " AUTH=<>\r\n", "502 5.5.1 AUTH is not offered here|555 5.5.4 *"},
		"required":              {required, mailCmd + "\r\n" + loginAs("alice", "pencil") + mailCmd + "\r\n", "530 5.7.0 log in first, with AUTH|334 cGFzc3dvcmQ=|235 2.7.0 logged in|250 2.1.0 sender ok"},
		"a fault": {nil, strings.Repeat(loginAs("alice", "broken"), MaxAuthFailures+1) + loginAs("alice", "pencil"),
			strings.Repeat("334 cGFzc3dvcmQ=|454 4.7.0 logging in is not possible now; please try again later|", MaxAuthFailures+1) + "334 cGFzc3dvcmQ=|235 2.7.0 logged in"},
		"failures below": {nil, strings.Repeat(loginAs("eve", "x"), MaxAuthFailures-1) + loginAs("alice", "pencil"),
			strings.Repeat("334 cGFzc3dvcmQ=|535 5.7.8 *|", MaxAuthFailures-1) + "334 cGFzc3dvcmQ=|235 2.7.0 logged in"},
		"failures above": {nil, strings.Repeat(loginAs("eve", "x"), MaxAuthFailures) + loginAs("alice", "pencil"),
			strings.Repeat("334 cGFzc3dvcmQ=|535 5.7.8 *|", MaxAuthFailures) + "421 4.7.0 too many failed attempts to log in; closing"},
		"steps": {nil, "AUTH LOOP\r\n" + strings.Repeat("YQ==\r\n", MaxAuthSteps) + "NOOP\r\n",
			strings.Repeat("334 YW5kPw==|", MaxAuthSteps) + "535 5.7.8 this exchange does not end; use another mechanism|250 2.0.0 ok"},
		"steps below": {nil, "AUTH LOOP\r\n" + strings.Repeat("YQ==\r\n", MaxAuthSteps-1) + "*\r\n",
			strings.Repeat("334 YW5kPw==|", MaxAuthSteps) + "501 5.7.0 authentication cancelled"},
		"line below":      {nil, "AUTH ASK  " + strings.Repeat("YWFh", 3069) + "\r\n*\r\n", "334 cGFzc3dvcmQ=|501 5.7.0 *"}, // 12288
		"line above":      {nil, "AUTH ASK   " + strings.Repeat("YWFh", 3069) + "\r\nNOOP\r\n", "500 5.5.6 authentication line longer than 12288 bytes|250 2.0.0 ok"},
		"response below":  {nil, "AUTH LOOP\r\n" + strings.Repeat("YWFh", 3071) + "\r\n*\r\n", "334 *|334 *|501 5.7.0 *"},
		"response at":     {nil, "AUTH LOOP\r\n" + strings.Repeat("x", MaxAuthLine-2) + "\r\nNOOP\r\n", "334 *|501 5.5.2 *|250 2.0.0 ok"},
		"response above":  {nil, "AUTH LOOP\r\n" + strings.Repeat("x", MaxAuthLine-1) + "\r\nNOOP\r\n", "334 *|500 5.5.6 *|250 2.0.0 ok"},
		"far too long":    {nil, "AUTH LOOP\r\n" + strings.Repeat("YWFh", wireBuffer) + "\r\n" + "NOOP\r\n", "334 *|500 5.5.6 *|250 2.0.0 ok"},
		"MAIL AUTH":       {nil, mailCmd + " AUTH=<>\r\nRSET\r\n" + mailCmd + " AUTH=a+2Bb@x\r\n", "250 2.1.0 *|250 2.0.0 *|250 2.1.0 *"},
		"MAIL AUTH, bad":  {nil, mailCmd + " AUTH=+\r\n" + mailCmd + " AUTH=a\r\n" + mailCmd + " AUTH\r\n" + mailCmd + " AUTH=a@x+0D\r\n" + mailCmd + " AUTH=+3Ea@x\r\n", strings.Repeat("501 5.5.4 AUTH must be an address in xtext, or <>|", 4) + "501 *"},
		"MAIL AUTH below": {nil, mailCmd + " AUTH=" + strings.Repeat("a", MaxAuthParam-2) + "@x\r\n", "250 *"},
		"MAIL AUTH above": {nil, mailCmd + " AUTH=" + strings.Repeat("a", MaxAuthParam-1) + "@x\r\n", "501 5.5.4 *"},
	} {
		out, _, log := authTalk(strings.NewReader("EHLO c\r\n"+test.in), test.change)
		_, out, _ = strings.Cut(out, "250 ") // the last line of EHLO's
		_, out, _ = strings.Cut(out, "\r\n")
		got := strings.Split(strings.TrimSuffix(out, "\r\n"), "\r\n")
		want := strings.Split(test.want, "|")
		same := len(got) == len(want)
		for i := range min(len(got), len(want)) {
			prefix, any := strings.CutSuffix(want[i], "*")
			same = same && (got[i] == want[i] || any && strings.HasPrefix(got[i], prefix))
		}
		if !same {
			t.Errorf("%s:\ngot  %q\nwant %q\n%s", name, got, want, strings.Join(log, "\n"))
		}
		if strings.Contains(out, "burns") || strings.Contains(strings.Join(log, "\n"), "pencil") {
			t.Errorf("%s: a secret is told:\n%s\n%s", name, out, strings.Join(log, "\n"))
		}
	}
}

// TestAuthAnnounced is what EHLO says of AUTH, and when.
func TestAuthAnnounced(t *testing.T) {
	for name, test := range map[string]struct {
		in     string
		change func(*Session)
		want   string
	}{
		"in order":         {"EHLO c\r\n", nil, "AUTH LOOP ASK"},
		"LHLO":             {"LHLO c\r\n", nil, "AUTH LOOP ASK"},
		"HELO":             {"HELO c\r\n", nil, ""},
		"outside TLS":      {"EHLO c\r\n", func(s *Session) { s.Auth.Insecure = false }, ""},
		"none served":      {"EHLO c\r\n", func(s *Session) { s.Auth.Server.(*asker).mechanisms = nil }, ""},
		"broken":           {"EHLO c\r\n", func(s *Session) { s.Auth.Server.(*asker).mechErr = errors.New("no file") }, ""},
		"by another":       {"EHLO c\r\n", func(s *Session) { s.Auth.Server = nil }, "AUTH LOOP ASK NOT-SERVED"},
		"not configured":   {"EHLO c\r\n", func(s *Session) { s.Auth.Mechanisms = nil }, ""},
		"TLS, not in TLS":  {"EHLO c\r\n", func(s *Session) { s.Auth.Insecure, s.TLS = false, TLS{Version: "TLSv1.2"} }, "AUTH LOOP ASK"},
		"after the log-in": {"EHLO c\r\n" + loginAs("alice", "pencil") + "EHLO c\r\n", nil, "AUTH LOOP ASK"},
	} {
		out, _, _ := authTalk(strings.NewReader(test.in), test.change)
		got := ""
		for line := range strings.Lines(out) {
			if i := strings.Index(line, "AUTH "); i == 4 {
				got = strings.TrimSpace(line[i:])
			}
		}
		if got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestAuthOnlyAfterEHLO: who says HELO has not heard what is offered.
func TestAuthOnlyAfterEHLO(t *testing.T) {
	out, _, _ := authTalk(strings.NewReader("AUTH ASK\r\nHELO c\r\nAUTH ASK\r\n"), nil)
	if strings.Count(out, "503 5.5.1 say EHLO first\r\n") != 2 {
		t.Error(out)
	}
}

// TestAuthFaults: what is wrong on our side is in the log, and the client may
// try again.
func TestAuthFaults(t *testing.T) {
	busy := Reply{454, "4.7.0", "too many failures from your network"}
	for name, test := range map[string]struct {
		change    func(*Session)
		want, log string
	}{
		"mechanisms": {func(s *Session) { s.Auth.Server.(*asker).mechErr = errors.New("no file") }, ReplyAuthLater.String(), `error="454 4.7.0 logging in is not possible now; please try again later: no file"`},
		"begin":      {func(s *Session) { s.Auth.Server.(*asker).beginErr = errors.New("no file") }, ReplyAuthLater.String(), `: no file"`},
		"busy":       {func(s *Session) { s.Auth.Server.(*asker).beginErr = busy }, busy.String(), `reply="454 4.7.0 too many failures from your network"`},
		"nobody":     {func(s *Session) { s.Auth.Server = nil }, ReplyAuthLater.String(), `there is no program to continue the session"`},
	} {
		out, _, log := authTalk(strings.NewReader("EHLO c\r\nAUTH ASK\r\n"), test.change)
		if !strings.HasSuffix(out, test.want+"\r\n") || !strings.Contains(strings.Join(log, "\n"), test.log) {
			t.Errorf("%s:\n%s\n%s", name, out, strings.Join(log, "\n"))
		}
	}
}

// TestAuthWait: each failure takes twice as long to be told as the one before,
// and only a failure does.
func TestAuthWait(t *testing.T) {
	var waits []time.Duration
	in := "EHLO c\r\n" + "AUTH ASK\r\n*\r\n" + loginAs("alice", "broken") + strings.Repeat(loginAs("eve", "x"), MaxAuthFailures)
	authTalk(strings.NewReader(in), func(s *Session) { s.Auth.Wait = func(d time.Duration) { waits = append(waits, d) } })
	if got, want := fmt.Sprint(waits), fmt.Sprint([]time.Duration{AuthDelay, 2 * AuthDelay, 4 * AuthDelay}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestAuthEnvelope: who has logged in stands in the envelope, in the trace and
// in the log, for the rest of the session; who only tried does not.
func TestAuthEnvelope(t *testing.T) {
	_, got, log := authTalk(strings.NewReader("EHLO c\r\n"+loginAs("eve reply=250\r", "x")+post+loginAs("alice", "pencil")+post+"EHLO d\r\n"+post), nil)
	if len(got) != 3 || got[0].env.Login != "" || got[1].env.Login != "alice" || got[2].env.Login != "alice" {
		t.Fatal(got)
	}
	if r := string(got[1].env.Received("h", "ID", time.Time{})); !strings.Contains(r, "with ESMTPA id ID") {
		t.Error(r)
	}
	all := strings.Join(log, "\n")
	for _, want := range []string{
		`refused client=stdin helo=c proto=ESMTP login=eve?reply=250? at=AUTH reply="535 5.7.8 no such user, or the wrong password"`,
		`auth client=stdin helo=c proto=ESMTP login=alice mechanism=ASK`,
		`accepted id=M2 client=stdin helo=c proto=ESMTP login=alice from=<a@example.com>`,
		`accepted id=M1 client=stdin helo=c proto=ESMTP from=<a@example.com>`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the log has no\n%s\nin\n%s", want, all)
		}
	}
}

// TestAuthRequest is what the Authenticator is told.
func TestAuthRequest(t *testing.T) {
	var a *asker
	authTalk(strings.NewReader("EHLO c\r\n"+loginAs("alice", "pencil")), func(s *Session) {
		a = s.Auth.Server.(*asker)
		s.TLS = TLS{Version: "TLSv1.3"}
	})
	want := AuthRequest{Mechanism: "ASK", Peer: Peer{Name: "stdin"}, Helo: "c", TLS: TLS{Version: "TLSv1.3"}}
	if len(a.asked) != 1 || a.asked[0] != want {
		t.Errorf("%+v", a.asked)
	}
}

// TestAuthHandOver: a program that has no Authenticator gives the session to one
// that has, with the command and all that was sent behind it.
func TestAuthHandOver(t *testing.T) {
	in := "EHLO c\r\n" + loginAs("alice", "pencil") + post
	var state *State
	out, got, _ := authTalk(strings.NewReader(in), func(s *Session) {
		s.Auth.Server = nil
		s.HandOver = func(st *State) error { state = st; return nil }
	})
	if state == nil || len(got) > 0 || !strings.HasSuffix(out, "250 AUTH LOOP ASK NOT-SERVED\r\n") {
		t.Fatalf("%v, %s", state, out)
	}
	text, err := state.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var resumed State
	if err := resumed.UnmarshalText(text); err != nil {
		t.Fatal(err)
	}
	out, got, _ = authTalk(strings.NewReader(""), func(s *Session) { s.Resume = &resumed })
	if !strings.HasPrefix(out, "334 cGFzc3dvcmQ=\r\n235 2.7.0 logged in\r\n250 ") || len(got) != 1 || got[0].env.Login != "alice" || got[0].env.Helo != "c" {
		t.Errorf("%s, %v", out, got)
	}
	longest := "AUTH ASK  " + strings.Repeat("YWFh", 3069) + "\r\n" // and a full buffer behind it
	authTalk(strings.NewReader("EHLO c\r\n"+longest+strings.Repeat("x", 2*wireBuffer)), func(s *Session) {
		s.Auth.Server = nil
		s.HandOver = func(st *State) error { _, err = st.MarshalText(); return nil }
	})
	if err != nil {
		t.Error(err)
	}
}

// TestAuthForgotten: what was proved outside TLS does not count inside it.
func TestAuthForgotten(t *testing.T) {
	_, got, _ := authTalk(strings.NewReader("EHLO c\r\n"+loginAs("alice", "pencil")+"STARTTLS\r\n"), func(s *Session) {
		s.StartTLS, s.TLSServer = true, tlsThen("EHLO c\r\n"+post+loginAs("alice", "pencil")+post)
	})
	if len(got) != 2 || got[0].env.Login != "" || got[1].env.Login != "alice" {
		t.Error(got)
	}
}

// tlsThen is TLS inside which the client says these words.
type tlsThen string

func (tlsThen) Load() error { return nil }

func (in tlsThen) Handshake(old io.ReadWriter, _ time.Time) (io.ReadWriter, TLS, error) {
	return rw{strings.NewReader(string(in)), old.(rw).Writer}, TLS{Version: "TLSv1.3", Cipher: "x"}, nil
}

// TestAuthCut: a client that goes away, or silent, in the middle of an exchange
// has not logged in, and the exchange is closed.
func TestAuthCut(t *testing.T) {
	in := "EHLO c\r\n" + loginAs("alice", "pencil")
	for n := range len(in) {
		_, _, log := authTalk(strings.NewReader(in[:n]), nil)
		if all := strings.Join(log, "\n"); strings.Contains(all, "\nauth ") || !strings.Contains(all, "connection lost after") {
			t.Errorf("cut after %d bytes:\n%s", n, all)
		}
	}
	_, _, log := authTalk(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader(in))), nil)
	if all := strings.Join(log, "\n"); strings.Contains(all, "\nauth ") {
		t.Error(all)
	}
}

// FuzzAuth: whatever a client says to a session that offers AUTH, in whatever
// pieces, the answers are the same and well-formed, an exchange is never used
// after its end nor left open, and nobody is logged in without the password.
func FuzzAuth(f *testing.F) {
	f.Add([]byte(loginAs("alice", "pencil?") + post))
	f.Add([]byte("AUTH ASK =\r\n\r\n*\r\nAUTH LOOP\r\nYQ==\r\n*\r\n" + mailCmd + " AUTH=a+2Bb@x\r\n"))
	f.Add([]byte(strings.Repeat(loginAs("eve", "x"), 3)))
	f.Add([]byte("auth ask\r\n\x00\r\nAUTH ASK\r\nYWxp\n" + post))
	f.Fuzz(func(t *testing.T, in []byte) {
		in = append([]byte("EHLO c\r\n"), in...)
		out, got, log := authTalk(bytes.NewReader(in), nil)
		for line := range strings.Lines(out) {
			if !strings.HasPrefix(line, "334 ") && (!replyLine.MatchString(line) || len(line) > MaxReplyLine) {
				t.Errorf("the answer has the line %q", line)
			}
		}
		if strings.Contains(out, "\n235 ") && !bytes.Contains(in, []byte(b64("pencil"))) {
			t.Error("a log-in without the password")
		}
		for _, m := range got {
			if m.env.Login != "" && !strings.Contains(out, "\n235 ") {
				t.Errorf("a message of %q, who has not logged in", m.env.Login)
			}
		}
		for _, line := range log {
			if strings.ContainsAny(line, "\r\n") || strings.Contains(line, "panic") && !strings.Contains(line, "a bug of the backend's") {
				t.Errorf("the log has the line %q", line)
			}
		}
		if out1, _, _ := authTalk(iotest.OneByteReader(bytes.NewReader(in)), nil); out1 != out {
			t.Errorf("byte by byte the answer is %q, in one piece %q", out1, out)
		}
	})
}
