package smtp

import (
	"bytes"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

// fullState is a State with something in every field.
func fullState() *State {
	return &State{
		Peer: Peer{
			Addr: netip.MustParseAddrPort("[2001:db8::7]:4711"), Name: "unix", Dest: netip.MustParseAddrPort("192.0.2.1:25"),
			Host: "mail.example.com", Reverse: "7.example.com",
		},
		Claimed:  Claimed{Helo: "behind.example", Proto: SMTP, Login: "alice"},
		Claiming: true,
		Forwarded: &Forwarded{
			Peer: Peer{Addr: netip.MustParseAddrPort("198.51.100.3:99"), Name: unknownPeer, Host: "origin.example.net"},
			Helo: "origin", Proto: "ESMTPS", Ident: "4Bxyz", Local: true,
		},
		Helo: "client.example", Proto: ESMTP,
		Errors: 3, Junk: 99, Accepted: 2,
		End:   time.Unix(1795297644, 123456789).UTC(),
		Input: []byte("AUTH PLAIN AGEAYg==\r\nNOOP\r\n\x00=\n\n"),
	}
}

// TestState: what is written is read again, every field of it.
func TestState(t *testing.T) {
	for name, state := range map[string]*State{
		"full":  fullState(),
		"empty": {Peer: Peer{Name: "stdin"}, End: time.Unix(1, 0).UTC(), Input: []byte{}},
	} {
		text, err := state.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		got := new(State)
		if err := got.UnmarshalText(text); err != nil || !reflect.DeepEqual(got, state) {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v\n%s", name, err, got, state, text)
		}
	}
	for i, v := 0, reflect.ValueOf(*fullState()); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("the test has nothing in %s", v.Type().Field(i).Name)
		}
	}
}

// TestStateLimit stands on each side of MaxState.
func TestStateLimit(t *testing.T) {
	state := fullState()
	text, _ := state.MarshalText()
	state.Input = bytes.Repeat([]byte("x"), len(state.Input)+MaxState-len(text))
	text, err := state.MarshalText()
	if err != nil || len(text) != MaxState || new(State).UnmarshalText(text) != nil {
		t.Errorf("%d bytes: %v", len(text), err)
	}
	if err := new(State).UnmarshalText(append(text, 'x')); !errors.Is(err, errState) {
		t.Errorf("one more is read: %v", err)
	}
	state.Input = append(state.Input, 'x')
	if _, err := state.MarshalText(); !errors.Is(err, errState) {
		t.Errorf("one more is written: %v", err)
	}
}

// TestStateRefused: nothing is read that no session can have written.
func TestStateRefused(t *testing.T) {
	text, _ := fullState().MarshalText()
	for _, test := range [][2]string{
		{"superlist-session 2", "superlist-session 1"},
		{"addr=[2001:db8::7]:4711", "addr=[2001:db8::7]"},
		{"name=unix", "name=un+0Aix"},
		{"name=unix", "name=" + strings.Repeat("x", MaxDomain+1)},
		{"name=unix", "nom=unix"},
		{"host=mail.example.com", "host=mail+20example"},
		{"reverse=7.example.com", "reverse=7+0D+0A"},
		{"dest=192.0.2.1:25", "dest=192.0.2.1"},
		{"claimed-helo=behind.example", "claimed-helo=behind+28example"},
		{"claimed-proto=SMTP", "claimed-proto=+00"},
		{"claimed-login=alice", "claimed-login=" + strings.Repeat("x", MaxAttribute+1)},
		{"\nhelo=client.example", "\nhelo=client+20example"},
		{"\nhelo=client.example", "\nhelo=client.example+0D+0Ax"},
		{"\nhelo=client.example", "\nhelo="},
		{"\nhelo=client.example", "\nhelo=" + strings.Repeat("x", MaxDomain+1)},
		{"\nproto=ESMTP", "\nproto=HTTP"},
		{"claiming=yes", "claiming=no"},
		{"forwarded=yes", "forwarded="},
		{"forwarded=yes", "forwarded=1"},
		{"forwarded-addr=198.51.100.3:99", "forwarded-addr=198.51.100.3"},
		{"forwarded-host=origin.example.net", "forwarded-host=origin+20example"},
		{"forwarded-helo=origin", "forwarded-helo=or+20igin"},
		{"forwarded-proto=ESMTPS", "forwarded-proto=" + strings.Repeat("x", MaxProto+1)},
		{"forwarded-ident=4Bxyz", "forwarded-ident=4B+0D+0Axyz"},
		{"forwarded-local=yes", "forwarded-local=maybe"},
		{"errors=3", "errors=-3"},
		{"errors=3", "errors=+2B3"},
		{"errors=3", "errors=1234567890"},
		{"errors=3\n", ""},
		{"errors=3", "errors=3\nerrors=3"},
		{"junk=99", "junk="},
		{"end=2026-11-21", "end=21.11.2026"},
		{"\n\nAUTH", "\nAUTH"},
	} {
		bad := strings.Replace(string(text), test[0], test[1], 1)
		if bad == string(text) {
			t.Fatalf("%q is not in\n%s", test[0], text)
		}
		if err := new(State).UnmarshalText([]byte(bad)); !errors.Is(err, errState) {
			t.Errorf("%q for %q is read: %v", test[1], test[0], err)
		}
	}
}

// FuzzState: what is read is written as it was.
func FuzzState(f *testing.F) {
	text, _ := fullState().MarshalText()
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		state := new(State)
		if state.UnmarshalText(text) != nil {
			return
		}
		if state.Helo != clean(state.Helo) || state.Peer.Name != clean(state.Peer.Name) {
			t.Errorf("a control character comes through: %+v", state)
		}
		again, err := state.MarshalText()
		if err != nil {
			return // xtext that was longer than it need be
		}
		back := new(State)
		if err := back.UnmarshalText(again); err != nil || !reflect.DeepEqual(back, state) {
			t.Errorf("%v\nread    %+v\nwritten %+v", err, state, back)
		}
	})
}

// TestHandOver: another session goes on where the first one stopped, with the
// command that needed it and with what was pipelined behind it.
func TestHandOver(t *testing.T) {
	var out strings.Builder
	conn := rw{strings.NewReader(ehlo + "WRONG\r\nNOOP\r\nEHLO again.example\r\nNOOP\r\nQUIT\r\n"), &out}
	var state *State
	first := &Session{Hostname: "x", Peer: Peer{Name: "unix"}, HandOver: func(s *State) error { state = s; return nil }}
	first.wire = newWire(conn)
	first.wire.end = time.Now().Add(time.Hour)
	for range 3 {
		line, err := first.wire.readLine()
		if err != nil {
			t.Fatal(err)
		}
		first.command(line)
	}
	first.line, _ = first.wire.readLine()
	if err := first.handOver(); err != nil || !first.done {
		t.Fatalf("%v, done %v", err, first.done)
	}
	if got, want := codes(out.String()), "250 500 250"; got != want {
		t.Errorf("before: %s, want %s", got, want)
	}
	want := &State{
		Peer: Peer{Name: "unix"}, Helo: "client.example", Proto: ESMTP, Errors: 1, Junk: 2, End: first.wire.end,
		Input: []byte("EHLO again.example\r\nNOOP\r\nQUIT\r\n"),
	}
	if !reflect.DeepEqual(state, want) {
		t.Fatalf("handed over: %+v", state)
	}
	out.Reset()
	var log []string
	second := &Session{Hostname: "x", Resume: state, Log: func(e Event) { log = append(log, e.String()) }}
	if err := second.Serve(conn); err != nil {
		t.Fatal(err)
	}
	if got, want := codes(out.String()), "250 250 221"; got != want {
		t.Errorf("after: %s, want %s", got, want)
	}
	if all, want := strings.Join(log, "\n"), "disconnect client=unix helo=again.example proto=ESMTP messages=0 errors=1"; all != want {
		t.Errorf("log:\n%s\nwant\n%s", all, want)
	}
	if second.junk != 4 || !second.wire.end.Equal(first.wire.end) {
		t.Errorf("junk %d, end %v", second.junk, second.wire.end)
	}
}

// TestHandOverFails: the client hears why, and the session goes on here.
func TestHandOverFails(t *testing.T) {
	for name, handOver := range map[string]func(*State) error{
		"none":   nil,
		"failed": func(*State) error { return errors.New("no such file") },
	} {
		var out strings.Builder
		var log []string
		s := &Session{Hostname: "x", StartTLS: true, HandOver: handOver, Log: func(e Event) {
			if log = append(log, e.String()); e.What == "refused" && !e.Fault() {
				t.Errorf("%s: nobody is told: %s", name, e)
			}
		}}
		if err := s.Serve(rw{strings.NewReader(ehlo + "STARTTLS\r\n"), &out}); err == nil || codes(out.String()) != "220 250 454" {
			t.Errorf("%s: %v\n%s\n%s", name, err, out.String(), log)
		}
	}
}

// TestHandOverPanics: a mistake between the two programs is 421 to the client,
// and the log has where it was made.
func TestHandOverPanics(t *testing.T) {
	for name, s := range map[string]*Session{
		"before": {Hostname: "x", StartTLS: true, HandOver: func(*State) error { panic("oops") }},
		"after":  {Hostname: "x", StartTLS: true, TLSServer: panicky{}},
	} {
		var out strings.Builder
		fault := false
		s.Log = func(e Event) { fault = fault || e.What == "disconnect" && e.Fault() }
		err := s.Serve(rw{strings.NewReader(ehlo + "STARTTLS\r\nNOOP\r\n"), &out})
		if !errors.Is(err, errPanic) || !strings.Contains(err.Error(), "state_test.go") || !fault || codes(out.String()) != "220 250 421" {
			t.Errorf("%s: %v, fault %v\n%s", name, err, fault, out.String())
		}
	}
}

// panicky is a TLSServer with a mistake in it.
type panicky struct{}

func (panicky) Load() error { panic("oops") }
func (panicky) Handshake(io.ReadWriter, time.Time) (io.ReadWriter, TLS, error) {
	return nil, TLS{}, nil
}
