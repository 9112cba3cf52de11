package account

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gosasl "github.com/emersion/go-sasl"

	"superlist/lists/config"
	"superlist/lists/site"
	"superlist/smtp"
	"superlist/smtp/sasl"
)

// What doveadm pw writes for the password "pencil".
const (
	dovecotCram   = "{CRAM-MD5}7f47ace0e2af8f6cdeb72c03243a8c87834e19104164d6a42de72d243adb4080"
	dovecotScram  = "{SCRAM-SHA-256}4096,GndYM2K/oS/Bf2KpItMLXw==,HPWfoDkLM2sYsTPClWKMzXcyz9UYUjGB7ehKUnoCKoY=,VjLdJYVGTQQDkZHvUHbCyA7lesEtEos9dmVGuumH/rc="
	dovecotArgon  = "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$NUrRcYKQrqmJWRfnmysAhw$oXdxiIUgMhjHaMHzht8xKHJEV/tsfXzZxtSLRi9eH8U"
	cheapArgon    = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$j1iyR64qXDnlJLK4In8xLtcWkacMInq7R3Uqemb4o04"
	dovecotBcrypt = "{BLF-CRYPT}$2y$05$ewoRhiSSXkLkIJRPWYwpC.cBw3sQ7DMsDE02/qpZHlxDc14hkz0CK"
)

func TestVerifiers(t *testing.T) {
	for _, text := range []string{dovecotCram, dovecotScram, dovecotArgon, dovecotBcrypt} {
		v, err := parseVerifier(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if !v.matches("pencil") || v.matches("Pencil") {
			t.Errorf("%s knows the wrong password, or not the right one", text)
		}
		if !strings.HasSuffix(text, v.String()) {
			t.Errorf("%s comes back as %s", text, v)
		}
		d := v.decoy([]byte("key"), "eve")
		if d.scheme() != v.scheme() || d.matches("pencil") || len(d.String()) != len(v.String()) {
			t.Errorf("the decoy of %s is %s", v, d)
		}
	}
	for _, scheme := range Schemes {
		v, err := newVerifier(scheme, "pässwörd")
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseVerifier(v.String())
		if err != nil || back.scheme() != scheme || !back.matches("pässwörd") {
			t.Errorf("%s: %s, %v", scheme, v, err)
		}
		other, _ := newVerifier(scheme, "pässwörd")
		if scheme != CramMD5 && other.String() == v.String() {
			t.Errorf("%s has no salt", scheme)
		}
		if _, err := newVerifier(scheme, strings.Repeat("x", maxPassword)); err != nil {
			t.Errorf("%s, the longest password: %v", scheme, err)
		}
		for _, bad := range []string{"", strings.Repeat("x", maxPassword+1)} {
			if _, err := newVerifier(scheme, bad); err == nil {
				t.Errorf("%s takes %q", scheme, bad)
			}
		}
	}
	if _, err := newVerifier("crypt", "pencil"); err == nil {
		t.Error("crypt is taken")
	}
}

func TestVerifiersMalformed(t *testing.T) {
	const argon = "$argon2id$v=19$m=65536,t=3,p=1$NUrRcYKQrqmJWRfnmysAhw$oXdxiIUgMhjHaMHzht8xKHJEV/tsfXzZxtSLRi9eH8U"
	const hash = "$2b$05$ewoRhiSSXkLkIJRPWYwpC.cBw3sQ7DMsDE02/qpZHlxDc14hkz0CK"
	for _, good := range []string{argon, hash,
		strings.Replace(argon, "m=65536", fmt.Sprintf("m=%d", maxArgonMemory), 1),
		strings.Replace(argon, "t=3", fmt.Sprintf("t=%d", maxArgonTime), 1),
		strings.Replace(argon, "p=1", fmt.Sprintf("p=%d", maxArgonThreads), 1),
		strings.Replace(hash, "$05$", fmt.Sprintf("$%d$", maxBcryptCost), 1),
	} {
		if _, err := parseVerifier(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "pencil", "{PLAIN}pencil", "{CRAM-MD5", "{CRAM-MD5}x", "{SCRAM-SHA-256}x", "{ARGON2ID}" + hash, "{BLF-CRYPT}" + argon,
		"$1$xyz", "{SCRAM-SHA-1}4096,x,x,x",
		strings.Replace(argon, "m=65536", fmt.Sprintf("m=%d", maxArgonMemory+1), 1),
		strings.Replace(argon, "t=3", fmt.Sprintf("t=%d", maxArgonTime+1), 1),
		strings.Replace(argon, "p=1", fmt.Sprintf("p=%d", maxArgonThreads+1), 1),
		strings.Replace(argon, "t=3", "t=0", 1),
		strings.Replace(argon, "t=3", "t=x", 1),
		strings.Replace(argon, "v=19", "v=16", 1),
		strings.Replace(argon, "$NUrRcYKQrqmJWRfnmysAhw", "$NUrR", 1),
		strings.Replace(argon, ",p=1", "", 1),
		argon[:len(argon)-30], argon + "$", argon + "=",
		strings.Replace(hash, "$05$", fmt.Sprintf("$%d$", maxBcryptCost+1), 1),
		strings.Replace(hash, "$05$", "$xx$", 1),
		hash + "x", hash[:len(hash)-1], hash[:len(hash)-1] + "!",
	} {
		if v, err := parseVerifier(bad); err == nil {
			t.Errorf("%s is taken for %s", bad, v)
		}
	}
}

// passwdSite has a passwd-file with these lines.
func passwdSite(t testing.TB, passwd string) *site.Site {
	t.Helper()
	dir := t.TempDir()
	s := &site.Site{Hostname: "lists.example.org", QueueDir: dir + "/spool",
		Auth: site.Auth{Mechanisms: sasl.Private, PasswdFile: dir + "/users"}}
	if err := os.WriteFile(s.Auth.PasswdFile, []byte(passwd), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, s *site.Site) *Authenticator {
	t.Helper()
	a := Open(s)
	t.Cleanup(func() { a.Close() })
	return a
}

// login is a whole exchange, with a client of ours.
func login(a *Authenticator, mechanism, user, password string, peer smtp.Peer) (string, error) {
	c, err := sasl.NewClient(mechanism, user, password)
	if err != nil {
		return "", err
	}
	return exchangeWith(a, c, peer)
}

func exchangeWith(a *Authenticator, c gosasl.Client, peer smtp.Peer) (string, error) {
	mechanism, response, err := c.Start()
	if err != nil {
		return "", err
	}
	x, err := a.Begin(smtp.AuthRequest{Mechanism: mechanism, Peer: peer})
	if err != nil {
		return "", err
	}
	defer x.Close()
	for {
		challenge, done, err := x.Next(response)
		if err != nil {
			return x.Login(), err
		}
		if done {
			return x.Login(), sasl.Finished(c)
		}
		if response, err = c.Next(challenge); err != nil {
			return x.Login(), err
		}
	}
}

// all is an account that can do everything.
const all = "alice:" + cheapArgon + "\nalice:" + dovecotScram + "\nalice:" + dovecotCram + "\n"

// TestLogin: each mechanism, with each verifier that serves it.
func TestLogin(t *testing.T) {
	stdin := smtp.Peer{Name: "stdin"}
	for passwd, mechanisms := range map[string][]string{
		all:                                              sasl.Private,
		"alice:" + cheapArgon + "\n":                     {sasl.Plain, sasl.Login},
		"alice:" + dovecotBcrypt + "\n":                  {sasl.Plain, sasl.Login},
		"alice:" + dovecotScram + "\n":                   {sasl.Plain, sasl.Login, sasl.ScramSHA256},
		"# accounts\n\nalice:" + dovecotCram:             {sasl.Plain, sasl.Login, sasl.CramMD5},
		"alice:" + dovecotScram + "\nbob:" + dovecotCram: {sasl.Plain, sasl.Login},
		"": nil,
	} {
		a := open(t, passwdSite(t, passwd))
		got, err := a.Mechanisms()
		slices.Sort(got)
		slices.Sort(mechanisms)
		if err != nil || !slices.Equal(got, mechanisms) {
			t.Errorf("%q: %q, %v, want %q", passwd, got, err, mechanisms)
		}
		for _, m := range mechanisms {
			for _, user := range []string{"alice", "Alice"} {
				if who, err := login(a, m, user, "pencil", stdin); err != nil || who != "alice" {
					t.Errorf("%q %s %s: %q, %v", passwd, m, user, who, err)
				}
			}
			for _, wrong := range [][2]string{{"alice", "Pencil"}, {"alice", "x"}, {"eve", "pencil"}, {"eve", "x"}, {"x:y", "pencil"}, {"alice", strings.Repeat("x", maxPassword+1)}} {
				who, err := login(a, m, wrong[0], wrong[1], stdin)
				if smtp.ReplyTo(err) != smtp.ReplyAuthFailed || who != wrong[0] {
					t.Errorf("%q %s %q: %q, %v", passwd, m, wrong, who, err)
				}
			}
		}
	}
}

// TestLoginPlainDetails: the password may be empty, and then it is wrong; nobody
// acts for another; what is malformed is told apart.
func TestLoginPlainDetails(t *testing.T) {
	a := open(t, passwdSite(t, all))
	for words, want := range map[string]smtp.Reply{
		"\x00alice\x00pencil":      {Code: 250},
		"alice\x00alice\x00pencil": {Code: 250},
		"bob\x00alice\x00pencil":   smtp.ReplyAuthFailed,
		"\x00alice\x00":            smtp.ReplyAuthFailed,
		"\x00\x00":                 smtp.ReplyAuthFailed,
		"\x00al\x07ice\x00pencil":  smtp.ReplyAuthFailed,
		"\x00alice\x00pen\x07cil":  smtp.ReplyAuthFailed,
		"alice":                    replyMalformed,
		"\x00alice\x00pencil\x00":  replyMalformed,
		"":                         replyMalformed,
	} {
		x, err := a.Begin(smtp.AuthRequest{Mechanism: sasl.Plain, Peer: smtp.Peer{Name: "stdin"}})
		if err != nil {
			t.Fatal(err)
		}
		_, done, err := x.Next([]byte(words))
		if got := smtp.ReplyTo(err); got.Code != want.Code || want.Enhanced != "" && got != want || done != (err == nil) {
			t.Errorf("%q: %v, %v, want %v", words, done, err, want)
		}
		x.Close()
	}
}

// TestAuthors are the addresses of an account.
func TestAuthors(t *testing.T) {
	a := open(t, passwdSite(t, "alice@example.com:"+dovecotCram+":team@example.com, a.b@example.org\nalice@example.com:"+dovecotArgon+":x@y\nbob:"+dovecotCram+"\n"))
	for name, want := range map[string]string{
		"alice@example.com": "team@example.com a.b@example.org x@y alice@example.com",
		"ALICE@example.com": "team@example.com a.b@example.org x@y alice@example.com",
		"bob":               "",
		"eve":               "",
		"eve@example.com":   "eve@example.com", // who has come in another way, by XCLIENT
	} {
		var got []string
		for _, p := range a.Authors(name) {
			got = append(got, p.Address())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestFileErrors(t *testing.T) {
	for passwd, want := range map[string]string{
		"alice\n":                                          ":1: a line is NAME:VERIFIER or NAME:VERIFIER:ADDRESSES",
		"# x\n\nalice:pencil\n":                            ":3: no verifier that is known here: ",
		":" + dovecotCram:                                  ":1: the name is empty",
		"a\x01:" + dovecotCram:                             `:1: "a\x01" cannot be a name: `,
		"alice:" + dovecotCram + ":bob":                    `:1: "bob" is not a mail address`,
		"alice:" + dovecotCram + ":a@b:c":                  ":1: a line is NAME:VERIFIER or",
		"alice:" + dovecotCram + "\nalice:" + dovecotCram:  `:2: "alice" has a second line with cram-md5`,
		"alice:" + dovecotCram + "\nAlice:" + dovecotScram: `:2: "Alice" is "alice", which is there already`,
		strings.Repeat("x", maxName+1) + ":" + dovecotCram: ":1: a name has at most",
		strings.Repeat("#", maxFile) + "\n":                ": larger than 4194304 bytes; let Dovecot keep so many accounts",
	} {
		s := passwdSite(t, passwd)
		a := open(t, s)
		_, err := a.Mechanisms()
		var config *config.Error
		if !errors.As(err, &config) || !strings.HasPrefix(err.Error(), s.Auth.PasswdFile+want) {
			t.Errorf("%.60q: %v", passwd, err)
		}
		if _, err := a.Begin(smtp.AuthRequest{Mechanism: sasl.Plain}); err == nil {
			t.Errorf("%.60q: an exchange begins", passwd)
		}
	}
	if _, err := open(t, passwdSite(t, strings.Repeat("#", maxFile-1)+"\n")).Mechanisms(); err != nil {
		t.Error(err)
	}
	if _, err := open(t, passwdSite(t, strings.Repeat("x", maxName)+":"+dovecotCram)).Mechanisms(); err != nil {
		t.Error(err)
	}
}

// TestFileMode: a file that others may read is none.
func TestFileMode(t *testing.T) {
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: true, 0o440: true, 0o644: false, 0o604: false, 0o660: false, 0o666: false} {
		s := passwdSite(t, all)
		os.Chmod(s.Auth.PasswdFile, mode)
		_, err := open(t, s).Mechanisms()
		if (err == nil) != ok {
			t.Errorf("%04o: %v", mode, err)
		}
		if err != nil && !strings.Contains(err.Error(), "chmod 0600 "+s.Auth.PasswdFile) {
			t.Errorf("%04o: no word of the mend: %v", mode, err)
		}
	}
	s := passwdSite(t, all)
	os.Remove(s.Auth.PasswdFile)
	if _, err := open(t, s).Mechanisms(); err == nil || !strings.Contains(err.Error(), "superlist passwd") {
		t.Errorf("%v", err)
	}
	os.Mkdir(s.Auth.PasswdFile, 0o700)
	if _, err := open(t, s).Mechanisms(); err == nil {
		t.Error("a directory is taken")
	}
}

// TestStranger: for somebody who is not there the work is of the same kind, and
// always of the same.
func TestStranger(t *testing.T) {
	f, err := parseFile("users", "a:"+dovecotArgon+"\nb:"+dovecotBcrypt+"\nc:"+dovecotScram+"\nd:"+dovecotCram+"\n")
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string]int)
	for i := range 100 {
		name := fmt.Sprint("eve", i)
		s := f.stranger([]byte("key"), name)
		if again := f.stranger([]byte("key"), strings.ToUpper(name)); fmt.Sprint(again.verifiers) != fmt.Sprint(s.verifiers) {
			t.Errorf("%s changes: %v, %v", name, s, again)
		}
		kinds[s.verifiers[0].scheme()]++
	}
	if len(kinds) != 4 {
		t.Errorf("strangers are all alike: %v", kinds)
	}
}

// TestFailures stands on each side of the limit, and lets time pass.
func TestFailures(t *testing.T) {
	a := open(t, passwdSite(t, all))
	now := time.Unix(1e9, 0)
	a.failures.now = func() time.Time { return now }
	peer := func(addr string) smtp.Peer {
		return smtp.Peer{Addr: netip.AddrPortFrom(netip.MustParseAddr(addr), 4711)}
	}
	try := func(addr, password string) error {
		_, err := login(a, sasl.CramMD5, "alice", password, peer(addr))
		return err
	}
	for range MaxFailures {
		if err := try("192.0.2.7", "x"); smtp.ReplyTo(err) != smtp.ReplyAuthFailed {
			t.Fatal(err)
		}
	}
	err := try("192.0.2.200", "pencil") // the same network
	if r := smtp.ReplyTo(err); r.Code != 454 || r.Enhanced != "4.7.0" || !strings.Contains(r.Text, "try again in 6 minutes") {
		t.Fatalf("above the limit: %v", err)
	}
	if err := try("198.51.100.1", "pencil"); err != nil {
		t.Errorf("another network: %v", err)
	}
	for range 3 * MaxFailures { // who knows the password is not counted
		if err := try("2001:db8::1", "pencil"); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(FailureDecay + time.Second)
	if err := try("192.0.2.7", "pencil"); err != nil {
		t.Errorf("after a while: %v", err)
	}
	if err := try("192.0.2.7", "x"); smtp.ReplyTo(err) != smtp.ReplyAuthFailed {
		t.Errorf("after a while: %v", err)
	}
	if err := try("192.0.2.7", "pencil"); smtp.ReplyTo(err).Code != 454 {
		t.Errorf("and again: %v", err)
	}
	now = time.Unix(1e8, 0) // the clock goes back by years
	if err := try("192.0.2.7", "pencil"); smtp.ReplyTo(err).Code != 454 {
		t.Errorf("%v", err)
	}
	now = now.Add(2 * FailureDecay)
	if err := try("203.0.113.1", "pencil"); err != nil {
		t.Errorf("%v", err)
	}
	for range 3 * MaxFailures { // without an address there is no network
		if _, err := login(a, sasl.CramMD5, "alice", "x", smtp.Peer{Name: "unix"}); smtp.ReplyTo(err) != smtp.ReplyAuthFailed {
			t.Fatal(err)
		}
	}
}

// TestFailuresShared: what one session counts another knows, cancelled attempts
// do not count, and those that are under way do.
func TestFailuresShared(t *testing.T) {
	s := passwdSite(t, all)
	a, b := open(t, s), open(t, s)
	r := smtp.AuthRequest{Mechanism: sasl.Login, Peer: smtp.Peer{Addr: netip.MustParseAddrPort("192.0.2.7:1")}}
	for range 2 * MaxFailures {
		x, err := a.Begin(r)
		if err != nil {
			t.Fatal(err)
		}
		x.Next([]byte("alice"))
		x.Close()
	}
	var open []smtp.Exchange
	for i := range MaxFailures {
		x, err := []*Authenticator{a, b}[i%2].Begin(r)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, x)
	}
	if _, err := a.Begin(r); smtp.ReplyTo(err).Code != 454 {
		t.Errorf("many at once: %v", err)
	}
	for _, x := range open {
		x.Close()
	}
	if _, err := b.Begin(r); err != nil {
		t.Errorf("they are over: %v", err)
	}
}

// TestFailuresBounded: the file has one size whoever comes, and mends itself.
func TestFailuresBounded(t *testing.T) {
	s := passwdSite(t, all)
	a := open(t, s)
	for i := range 20000 {
		if _, err := a.failures.take(smtp.Peer{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1}), 1)}); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(s.QueueDir, "failures")
	info, err := os.Stat(file)
	if err != nil || info.Size() != failuresSize || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	secret := string(a.failures.secret)
	if again := open(t, s); string(again.failures.secret) != secret {
		t.Error("the secret changes")
	}
	for _, bad := range []string{"", "superlist-fail", strings.Repeat("x", 2*failuresSize)} {
		os.WriteFile(file, []byte(bad), 0o600)
		again := open(t, s)
		if again.err != nil || string(again.failures.secret) == secret {
			t.Errorf("a file of %d bytes: %v", len(bad), again.err)
		}
		if info, err := os.Stat(file); err != nil || info.Size() != failuresSize {
			t.Errorf("%v, %v", info, err)
		}
	}
}

// TestFailuresFault: who cannot count lets nobody in.
func TestFailuresFault(t *testing.T) {
	s := passwdSite(t, all)
	os.MkdirAll(filepath.Join(s.QueueDir, "failures"), 0o700)
	a := open(t, s)
	if _, err := a.Begin(smtp.AuthRequest{Mechanism: sasl.Plain}); err == nil || smtp.ReplyTo(err) != smtp.ReplyLocal {
		t.Errorf("%v", err)
	}
}

// FuzzFile: a file that is taken comes back the same from what can be said of
// it, and nothing makes the parser fall over.
func FuzzFile(f *testing.F) {
	f.Add(all)
	f.Add("alice@example.com:" + dovecotCram + ":team@example.com, a.b@example.org\n# x\n")
	f.Add("a:$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("a:" + dovecotBcrypt)
	f.Fuzz(func(t *testing.T, text string) {
		file, err := parseFile("users", text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("%q", err)
			}
			return
		}
		var b strings.Builder
		for _, a := range file.Accounts {
			for i, line := range a.lines() {
				if i == 0 && strings.Count(line, ":") > 2 {
					t.Errorf("%q", line)
				}
				b.WriteString(line + "\n")
			}
		}
		again, err := parseFile("users", b.String())
		if err != nil || fmt.Sprint(again) != fmt.Sprint(file) {
			t.Errorf("%q is written as %q: %v", text, b.String(), err)
		}
	})
}
