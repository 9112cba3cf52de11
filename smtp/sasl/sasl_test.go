package sasl

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	gosasl "github.com/emersion/go-sasl"
)

// talk lets a client and a server of one mechanism speak until one is done, and
// gives the error of either. With late the client's first words do not come
// with the command.
func talk(c gosasl.Client, s gosasl.Server, late bool) error {
	_, response, err := c.Start()
	if err != nil {
		return err
	}
	var kept []byte
	if late && response != nil {
		kept, response = response, nil
	}
	for {
		challenge, done, err := s.Next(response)
		if err != nil {
			return err
		}
		if done {
			return Finished(c)
		}
		if kept != nil { // the server has asked for nothing in particular
			response, kept = kept, nil
			continue
		}
		if response, err = c.Next(challenge); err != nil {
			return err
		}
	}
}

// server is one of a mechanism that knows the user and the password.
func server(t testing.TB, mechanism, user, password string) gosasl.Server {
	t.Helper()
	check := func(u, p string) error {
		if u != user || p != password {
			return ErrFailed
		}
		return nil
	}
	switch mechanism {
	case Plain:
		return gosasl.NewPlainServer(func(_, u, p string) error { return check(u, p) })
	case Login:
		return NewLoginServer(check)
	case CramMD5:
		return NewCramServer("lists.example.org", func(u string) (CramSecret, error) {
			if u != user {
				return CramSecret{}, nil
			}
			return NewCramSecret(password), nil
		})
	case ScramSHA256:
		prepared, err := Prepare(password)
		if err != nil {
			t.Fatal(err)
		}
		verifier, err := NewScramVerifier(prepared, MinIterations)
		if err != nil {
			t.Fatal(err)
		}
		return NewScramServer(func(u string) (ScramVerifier, error) {
			if u != user {
				return Decoy([]byte("key"), u, MinIterations), nil
			}
			return verifier, nil
		})
	}
	t.Fatalf("no server of %s", mechanism)
	return nil
}

// TestBothSides: our clients and servers understand each other, and know a wrong
// password.
func TestBothSides(t *testing.T) {
	for _, mechanism := range Private {
		for _, user := range []string{"alice", "alice@example.org", "a=b,c", "al ice", "üser"} {
			for _, late := range []bool{false, true} {
				for _, password := range []string{"pencil", "", "with space", "pas,s=word", strings.Repeat("x", 100), "pässwörd"} {
					c, err := NewClient(mechanism, user, password)
					if err != nil {
						t.Fatal(err)
					}
					if err := talk(c, server(t, mechanism, user, password), late); err != nil {
						t.Errorf("%s %q %q: %v", mechanism, user, password, err)
					}
				}
				for name, c := range map[string]func() (gosasl.Client, error){
					"a wrong password": func() (gosasl.Client, error) { return NewClient(mechanism, user, "pencil ") },
					"a wrong user":     func() (gosasl.Client, error) { return NewClient(mechanism, user+"x", "pencil") },
				} {
					c, err := c()
					if err != nil {
						t.Fatal(err)
					}
					if err := talk(c, server(t, mechanism, user, "pencil"), late); !errors.Is(err, ErrFailed) {
						t.Errorf("%s with %s: %v", mechanism, name, err)
					}
				}
			}
		}
	}
}

func TestChoose(t *testing.T) {
	for _, test := range []struct {
		offered, wanted []string
		want            string
	}{
		{[]string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"}, Private, ScramSHA256},
		{[]string{"CRAM-MD5", "LOGIN", "PLAIN"}, Private, Plain},
		{[]string{"CRAM-MD5", "login"}, Private, Login},
		{[]string{"CRAM-MD5"}, Private, CramMD5},
		{[]string{"PLAIN", "LOGIN", "CRAM-MD5"}, Open, CramMD5},
		{[]string{"PLAIN", "LOGIN"}, Open, ""},
		{[]string{"GSSAPI"}, Private, ""},
		{nil, Private, ""},
	} {
		if got := Choose(test.offered, test.wanted); got != test.want {
			t.Errorf("Choose(%q, %q) = %q, want %q", test.offered, test.wanted, got, test.want)
		}
	}
}

func TestNewClientRefuses(t *testing.T) {
	for _, test := range [][3]string{
		{"GSSAPI", "alice", "x"},
		{Plain, "a\x00b", "x"},
		{Plain, "alice", "x\x00"},
		{ScramSHA256, "", "x"},
		{ScramSHA256, "a\x07", "x"},
		{ScramSHA256, "alice", "\x7f"},
	} {
		if _, err := NewClient(test[0], test[1], test[2]); err == nil {
			t.Errorf("%q is taken", test)
		}
	}
}

// TestPrepare has the examples of RFC 4013, 3.
func TestPrepare(t *testing.T) {
	for in, want := range map[string]string{
		"I\u00adX":     "IX",
		"user":         "user",
		"USER":         "USER",
		"\u00aa":       "a",
		"\u2168":       "IX",
		"a\u00a0b":     "a b",
		"\u0007":       "", // an error
		"\u0627\u0031": "",
		"a\x00":        "",
		"a\r\n":        "",
		"a\x7f":        "",
	} {
		got, err := Prepare(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("Prepare(%q) = %q, %v", in, got, err)
		}
	}
}

// TestLogin is LOGIN as old clients speak it.
func TestLogin(t *testing.T) {
	s := server(t, Login, "alice", "pencil")
	for _, step := range []struct{ say, hear string }{{"", "Username:"}, {"alice", "Password:"}} {
		say := []byte(step.say)
		if step.say == "" {
			say = nil
		}
		challenge, done, err := s.Next(say)
		if string(challenge) != step.hear || done || err != nil {
			t.Fatalf("after %q: %q, %v, %v", step.say, challenge, done, err)
		}
	}
	if _, done, err := s.Next([]byte("pencil")); !done || err != nil {
		t.Errorf("%v, %v", done, err)
	}
	if _, done, err := s.Next([]byte("pencil")); done || err == nil {
		t.Errorf("once more: %v, %v", done, err)
	}
}

// TestCramVector is the example of RFC 2195, 2.
func TestCramVector(t *testing.T) {
	const challenge = "<1896.697170952@postoffice.reston.mci.net>"
	const response = "tim b913a602c7eda7a495b4e6e7334d3890"
	c, _ := NewClient(CramMD5, "tim", "tanstaaftanstaaf")
	if name, ir, err := c.Start(); name != CramMD5 || ir != nil || err != nil {
		t.Errorf("Start: %q, %q, %v", name, ir, err)
	}
	if got, err := c.Next([]byte(challenge)); string(got) != response || err != nil {
		t.Errorf("client: %q, %v", got, err)
	}
	if _, err := c.Next([]byte(challenge)); err == nil {
		t.Error("the client answers twice")
	}
	s := &cramServer{challenge: []byte(challenge), lookup: func(string) (CramSecret, error) { return NewCramSecret("tanstaaftanstaaf"), nil }}
	if _, done, err := s.Next([]byte(response)); !done || err != nil {
		t.Errorf("server: %v, %v", done, err)
	}
}

// TestCramSecret holds the form that Dovecot writes: doveadm pw -s CRAM-MD5.
func TestCramSecret(t *testing.T) {
	const pencil = "7f47ace0e2af8f6cdeb72c03243a8c87834e19104164d6a42de72d243adb4080"
	s := NewCramSecret("pencil")
	if s.String() != pencil {
		t.Errorf("%s, want %s", s, pencil)
	}
	back, err := ParseCramSecret(pencil)
	if err != nil || back != s || !back.Matches("pencil") || back.Matches("Pencil") {
		t.Errorf("%s, %v", back, err)
	}
	for _, bad := range []string{"", pencil[2:], pencil + "00", "x" + pencil[1:]} {
		if _, err := ParseCramSecret(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestCramMalformed(t *testing.T) {
	for _, response := range []string{"", "alice", "b913a602c7eda7a495b4e6e7334d3890", "alice b913a602c7eda7a495b4e6e7334d389",
		"alice b913a602c7eda7a495b4e6e7334d38900", "alice b913a602c7eda7a495b4e6e7334d389x", "alice "} {
		s := server(t, CramMD5, "alice", "pencil")
		s.Next(nil)
		if _, done, err := s.Next([]byte(response)); done || !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v, %v", response, done, err)
		}
	}
	if _, _, err := server(t, CramMD5, "alice", "pencil").Next([]byte("alice")); !errors.Is(err, ErrMalformed) {
		t.Errorf("an initial response: %v", err)
	}
}

// FuzzServers: no message makes a server fall over, and none makes it believe a
// client that does not know the password. Messages are parted by line feeds; the
// first is the initial response.
func FuzzServers(f *testing.F) {
	f.Add("\x00alice\x00pencil?")
	f.Add("alice\nwrong")
	f.Add("\nalice b913a602c7eda7a495b4e6e7334d3890")
	f.Add("n,,n=alice,r=abc\nc=biws,r=abc,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=\n")
	f.Add("y,a=alice,n=alice,r=abc,x=y")
	f.Add("p=tls-unique,,n=alice,r=abc")
	verifier, err := NewScramVerifier("pencil", 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, messages string) {
		for _, s := range []gosasl.Server{
			server(t, Plain, "alice", "no\nline has this"),
			server(t, Login, "alice", "no\nline has this"),
			server(t, CramMD5, "alice", "pencil"),
			NewScramServer(func(string) (ScramVerifier, error) { return verifier, nil }),
		} {
			initial := true
			for message := range bytes.SplitSeq([]byte(messages), []byte("\n")) {
				if initial && len(message) == 0 {
					message = nil
				}
				initial = false
				challenge, done, err := s.Next(message)
				if done && err == nil { // go-sasl's PLAIN says done of a failure too
					t.Fatalf("%T believes %q", s, messages)
				}
				if err != nil && challenge != nil {
					t.Fatalf("%T gives both a challenge and %v", s, err)
				}
			}
		}
	})
}

// FuzzClients: no message of a server's makes a client fall over, and none makes
// it believe a server that does not know the password.
func FuzzClients(f *testing.F) {
	f.Add("r=abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096\nv=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
	f.Add("e=other-error")
	f.Add("<1@example.org>")
	f.Fuzz(func(t *testing.T, messages string) {
		for _, mechanism := range []string{ScramSHA256, CramMD5} {
			c, _ := NewClient(mechanism, "alice", "pencil")
			if s, ok := c.(*scramClient); ok {
				s.nonce = "a"
			}
			c.Start()
			for message := range strings.SplitSeq(messages, "\n") {
				c.Next([]byte(message))
			}
			if mechanism == ScramSHA256 && Finished(c) == nil {
				t.Fatalf("the client believes %q", messages)
			}
		}
	})
}
