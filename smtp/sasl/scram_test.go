package sasl

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// The example of RFC 7677, 3.
const (
	vectorClientNonce = "rOprNGfwEbeRWgbNEkqO"
	vectorServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	vectorClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
	vectorServerFirst = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
	vectorClientFinal = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	vectorServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
)

func vectorClient(t testing.TB) *scramClient {
	c, err := newScramClient("user", "pencil")
	if err != nil {
		t.Fatal(err)
	}
	c.(*scramClient).nonce = vectorClientNonce
	return c.(*scramClient)
}

func vectorServer(t testing.TB) *scramServer {
	salt, _ := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	keys, err := deriveKeys("pencil", salt, 4096)
	if err != nil {
		t.Fatal(err)
	}
	s := NewScramServer(func(string) (ScramVerifier, error) { return keys.verifier(salt, 4096), nil }).(*scramServer)
	s.nonce = vectorServerNonce
	return s
}

func TestScramVectorClient(t *testing.T) {
	c := vectorClient(t)
	mechanism, first, err := c.Start()
	if mechanism != ScramSHA256 || string(first) != vectorClientFirst || err != nil {
		t.Fatalf("Start: %s %q %v", mechanism, first, err)
	}
	final, err := c.Next([]byte(vectorServerFirst))
	if string(final) != vectorClientFinal || err != nil {
		t.Fatalf("final: %q %v", final, err)
	}
	if Finished(c) == nil {
		t.Error("finished before the server has proved anything")
	}
	empty, err := c.Next([]byte(vectorServerFinal))
	if empty == nil || len(empty) != 0 || err != nil {
		t.Errorf("end: %q %v", empty, err)
	}
	if err := Finished(c); err != nil {
		t.Error(err)
	}
	if _, err := c.Next(nil); err == nil {
		t.Error("it goes on after its end")
	}
}

func TestScramVectorServer(t *testing.T) {
	s := vectorServer(t)
	for _, step := range []struct{ say, hear string }{{vectorClientFirst, vectorServerFirst}, {vectorClientFinal, vectorServerFinal}} {
		challenge, done, err := s.Next([]byte(step.say))
		if string(challenge) != step.hear || done || err != nil {
			t.Fatalf("after %q: %q, %v, %v", step.say, challenge, done, err)
		}
	}
	if _, done, err := s.Next([]byte{}); !done || err != nil {
		t.Errorf("%v, %v", done, err)
	}
	if _, done, err := s.Next([]byte{}); done || err == nil {
		t.Errorf("once more: %v, %v", done, err)
	}
}

// TestScramFirst is what a server makes of first messages.
func TestScramFirst(t *testing.T) {
	for msg, want := range map[string]error{
		"n,,n=user,r=abc":                                nil,
		"y,,n=user,r=abc":                                nil,
		"n,a=user,n=user,r=abc":                          nil,
		"n,,n=user,r=abc,x=whatever":                     nil,
		"n,,n=us=2Cer,r=abc":                             nil,
		"n,,n=user,r=" + strings.Repeat("n", maxNonce):   nil,
		"n,,n=user,r=" + strings.Repeat("n", maxNonce+1): ErrMalformed,
		"p=tls-unique,,n=user,r=abc":                     ErrMalformed,
		"n,a=root,n=user,r=abc":                          ErrFailed,
		"n,root,n=user,r=abc":                            ErrMalformed,
		"n,,m=x,n=user,r=abc":                            ErrMalformed,
		"n,,n=,r=abc":                                    ErrMalformed,
		"n,,n=us=er,r=abc":                               ErrMalformed,
		"n,,n=us=2cer,r=abc":                             ErrMalformed,
		"n,,n=us\x00er,r=abc":                            ErrMalformed,
		"n,,n=us\xffer,r=abc":                            ErrMalformed,
		"n,,n=user,r=":                                   ErrMalformed,
		"n,,n=user,r=a b":                                ErrMalformed,
		"n,,n=user,r=a\x80":                              ErrMalformed,
		"n,,n=user":                                      ErrMalformed,
		"n,,r=abc,n=user":                                ErrMalformed,
		"n,,n=user,r=abc,":                               ErrMalformed,
		"n,,n=user,r=abc,x=":                             ErrMalformed,
		"n,,n=user,r=abc,1=x":                            ErrMalformed,
		"N,,n=user,r=abc":                                ErrMalformed,
		"n,n=user,r=abc":                                 ErrMalformed,
		"n,":                                             ErrMalformed,
		"":                                               ErrMalformed,
	} {
		if _, done, err := vectorServer(t).Next([]byte(msg)); done || !errors.Is(err, want) {
			t.Errorf("%.60q: %v, %v; want %v", msg, done, err, want)
		}
	}
}

// TestScramFinal is what a server makes of final messages: only the right one
// passes.
func TestScramFinal(t *testing.T) {
	const nonce = vectorClientNonce + vectorServerNonce
	const proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
	for msg, want := range map[string]error{
		vectorClientFinal: nil,
		"c=biws,r=" + nonce + ",p=eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=": ErrFailed,
		"c=biws,r=" + nonce + ",x=y,p=" + proof:                                 ErrFailed, // signed too
		"c=eSws,r=" + nonce + ",p=" + proof:                                     ErrMalformed,
		"c=biws,r=" + vectorClientNonce + ",p=" + proof:                         ErrMalformed,
		"c=biws,r=" + nonce + "x,p=" + proof:                                    ErrMalformed,
		"c=biws,r=" + nonce:                                                     ErrMalformed,
		"c=biws,r=" + nonce + ",p=":                                             ErrMalformed,
		"c=biws,r=" + nonce + ",p=" + proof[4:]:                                 ErrMalformed,
		"c=biws,r=" + nonce + ",p=" + proof[:len(proof)-1]:                      ErrMalformed,
		"c=biws,r=" + nonce + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVR=": ErrMalformed, // another way to write it
		"c=biws,r=" + nonce + ",p=" + proof[:8] + "\n" + proof[8:]:              ErrMalformed,
		"r=" + nonce + ",c=biws,p=" + proof:                                     ErrMalformed,
		"c=biws,p=" + proof + ",r=" + nonce:                                     ErrMalformed,
		"":                                                                      ErrMalformed,
	} {
		s := vectorServer(t)
		if _, _, err := s.Next([]byte(vectorClientFirst)); err != nil {
			t.Fatal(err)
		}
		_, done, err := s.Next([]byte(msg))
		if done || !errors.Is(err, want) {
			t.Errorf("%q: %v, %v; want %v", msg, done, err, want)
		}
		if err == nil {
			continue
		}
		if _, done, err := s.Next([]byte(vectorClientFinal)); done || err == nil {
			t.Errorf("after %q a second try passes", msg)
		}
	}
	s := vectorServer(t)
	s.Next([]byte(vectorClientFirst))
	s.Next([]byte(vectorClientFinal))
	if _, done, err := s.Next([]byte("x")); done || !errors.Is(err, ErrMalformed) {
		t.Errorf("words after the end: %v, %v", done, err)
	}
}

// TestScramServerLies: a client is not fooled.
func TestScramServerLies(t *testing.T) {
	first := func(r, s string, i int) string { return fmt.Sprintf("r=%s,s=%s,i=%d", r, s, i) }
	const nonce = vectorClientNonce + "x"
	const salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
	for name, test := range map[string]struct {
		msg string
		ok  bool
	}{
		"right":                   {first(nonce, salt, MinIterations), true},
		"too few iterations":      {first(nonce, salt, MinIterations-1), false},
		"too many iterations":     {first(nonce, salt, MaxIterations+1), false},
		"far too many iterations": {"r=" + nonce + ",s=" + salt + ",i=99999999999999999999", false},
		"negative iterations":     {first(nonce, salt, -4096), false},
		"another nonce":           {first("abc", salt, 4096), false},
		"our nonce alone":         {first(vectorClientNonce, salt, 4096), false},
		"no salt":                 {first(nonce, "", 4096), false},
		"a short salt":            {first(nonce, base64.StdEncoding.EncodeToString(make([]byte, minSalt-1)), 4096), false},
		"the shortest salt":       {first(nonce, base64.StdEncoding.EncodeToString(make([]byte, minSalt)), 4096), true},
		"the longest salt":        {first(nonce, base64.StdEncoding.EncodeToString(make([]byte, maxSalt)), 4096), true},
		"a long salt":             {first(nonce, base64.StdEncoding.EncodeToString(make([]byte, maxSalt+1)), 4096), false},
		"salt that is none":       {first(nonce, "!", 4096), false},
		"an extension to heed":    {"m=x," + first(nonce, salt, 4096), false},
		"an extension":            {first(nonce, salt, 4096) + ",x=y", true},
		"an error":                {"e=unknown-user", false},
		"nothing":                 {"", false},
	} {
		c := vectorClient(t)
		c.Start()
		if _, err := c.Next([]byte(test.msg)); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, msg := range []string{"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=", "e=invalid-proof", "", "v=!"} {
		c := vectorClient(t)
		c.Start()
		c.Next([]byte(vectorServerFirst))
		if _, err := c.Next([]byte(msg)); err == nil || Finished(c) == nil {
			t.Errorf("%q is believed", msg)
		}
	}
}

// TestScramVerifier holds the form that Dovecot writes: doveadm pw -s
// SCRAM-SHA-256.
func TestScramVerifier(t *testing.T) {
	const pencil = "4096,GndYM2K/oS/Bf2KpItMLXw==,HPWfoDkLM2sYsTPClWKMzXcyz9UYUjGB7ehKUnoCKoY=,VjLdJYVGTQQDkZHvUHbCyA7lesEtEos9dmVGuumH/rc="
	v, err := ParseScramVerifier(pencil)
	if err != nil || v.String() != pencil || !v.Matches("pencil") || v.Matches("Pencil") {
		t.Errorf("%s, %v", v, err)
	}
	for _, bad := range []string{"", "4096", strings.Replace(pencil, "4096", "0", 1), strings.Replace(pencil, "4096", fmt.Sprint(MaxIterations+1), 1),
		strings.Replace(pencil, "GndYM2K/oS/Bf2KpItMLXw==", "Gnd=", 1), strings.Replace(pencil, "HPWf", "HPW", 1), pencil + ",x", pencil[:len(pencil)-4]} {
		if _, err := ParseScramVerifier(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	a, _ := NewScramVerifier("pencil", MinIterations)
	b, _ := NewScramVerifier("pencil", MinIterations)
	if a.String() == b.String() {
		t.Error("two verifiers have the same salt")
	}
}

// TestDecoy: whoever asks twice hears the same, as of a real user, and of
// another user something else.
func TestDecoy(t *testing.T) {
	key := []byte("key")
	a := Decoy(key, "eve", 4096)
	if b := Decoy(key, "eve", 4096); a.String() != b.String() {
		t.Error("a decoy changes")
	}
	if b := Decoy(key, "mallory", 4096); a.String() == b.String() {
		t.Error("all decoys are the same")
	}
	if b := Decoy([]byte("other"), "eve", 4096); a.String() == b.String() {
		t.Error("a decoy can be foretold")
	}
	if back, err := ParseScramVerifier(a.String()); err != nil || len(back.Salt) != 16 {
		t.Error("a decoy is not like a real one")
	}
}

// TestMaxIterations holds that the most work a server may ask for is bearable.
func TestMaxIterations(t *testing.T) {
	start := time.Now()
	if _, err := deriveKeys("pencil", make([]byte, 16), MaxIterations); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d iterations took %v", MaxIterations, time.Since(start))
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("%d iterations take %v", MaxIterations, d)
	}
}
