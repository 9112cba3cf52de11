package smtp

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// A State is a session on its way from one program to another, on the same connection.
// Both run the same code. It describes no open transaction: a command that needs the
// other program is not accepted within one.
//
// A new field of Session that must survive the hand-over belongs here, and in
// stateKeys.
type State struct {
	Peer      Peer
	Helo      string // empty: no HELO yet
	Proto     string
	Claimed   Claimed    // by XCLIENT
	Claiming  bool       // XCLIENT has begun, without the address so far
	Forwarded *Forwarded // by XFORWARD, for the next mail; nil: nothing
	Errors    int        // refused commands
	Junk      int        // commands that moved no mail
	Accepted  int        // messages
	End       time.Time  // when the session ends, whatever happens

	// Input is what the client has sent and nobody has handled: the command that needs
	// the other program, with its CRLF, and what was pipelined after it. It may contain
	// a password.
	Input []byte
}

// stateHead is the first line of a State. Its number changes when older programs could
// not read the rest, which matters in the middle of an upgrade.
const stateHead = "superlist-session 2\n"

// A stateKey is one line of an encoded State.
type stateKey struct {
	key string
	get func(*State) string
	set func(*State, string) bool
}

// forwardedKey returns a stateKey for a value of XFORWARD, empty if XFORWARD was not
// used.
func forwardedKey(key string, get func(*Forwarded) string, set func(*Forwarded, string) bool) stateKey {
	return stateKey{
		"forwarded-" + key,
		func(s *State) string {
			if s.Forwarded == nil {
				return ""
			}
			return get(s.Forwarded)
		},
		func(s *State, v string) bool {
			if s.Forwarded == nil {
				return v == ""
			}
			return set(s.Forwarded, v)
		},
	}
}

// stateKeys returns the lines of an encoded State.
func stateKeys() []stateKey {
	return []stateKey{
		{"addr", func(s *State) string { return getAddr(s.Peer.Addr) }, func(s *State, v string) bool { return setAddr(&s.Peer.Addr, v) }},
		{"name", func(s *State) string { return s.Peer.Name }, func(s *State, v string) bool {
			s.Peer.Name = v
			return len(v) <= MaxDomain && IsClean(v)
		}},
		{"host", func(s *State) string { return s.Peer.Host }, func(s *State, v string) bool {
			s.Peer.Host = v
			return v == "" || ValidDomain(v)
		}},
		{"reverse", func(s *State) string { return s.Peer.Reverse }, func(s *State, v string) bool {
			s.Peer.Reverse = v
			return v == "" || ValidDomain(v)
		}},
		{"dest", func(s *State) string { return getAddr(s.Peer.Dest) }, func(s *State, v string) bool { return setAddr(&s.Peer.Dest, v) }},
		{"claimed-helo", func(s *State) string { return s.Claimed.Helo }, func(s *State, v string) bool { return setWord(&s.Claimed.Helo, v) }},
		{"claimed-proto", func(s *State) string { return s.Claimed.Proto }, func(s *State, v string) bool { return setWord(&s.Claimed.Proto, v) }},
		{"claimed-login", func(s *State) string { return s.Claimed.Login }, func(s *State, v string) bool { return setWord(&s.Claimed.Login, v) }},
		{"claiming", func(s *State) string { return getFlag(s.Claiming) }, func(s *State, v string) bool { return setFlag(&s.Claiming, v) }},
		{"forwarded", func(s *State) string { return getFlag(s.Forwarded != nil) }, func(s *State, v string) (ok bool) {
			if v != "" {
				s.Forwarded = &Forwarded{Peer: Peer{Name: unknownPeer}}
			}
			return v == "" || v == "yes"
		}},
		forwardedKey("addr", func(f *Forwarded) string { return getAddr(f.Peer.Addr) }, func(f *Forwarded, v string) bool { return setAddr(&f.Peer.Addr, v) }),
		forwardedKey("host", func(f *Forwarded) string { return f.Peer.Host }, func(f *Forwarded, v string) bool {
			f.Peer.Host = v
			return v == "" || ValidDomain(v)
		}),
		forwardedKey("helo", func(f *Forwarded) string { return f.Helo }, func(f *Forwarded, v string) bool { return setWord(&f.Helo, v) }),
		forwardedKey("proto", func(f *Forwarded) string { return f.Proto }, func(f *Forwarded, v string) bool { return setWord(&f.Proto, v) && len(v) <= MaxProto }),
		forwardedKey("ident", func(f *Forwarded) string { return f.Ident }, func(f *Forwarded, v string) bool { return setWord(&f.Ident, v) }),
		forwardedKey("local", func(f *Forwarded) string { return getFlag(f.Local) }, func(f *Forwarded, v string) bool { return setFlag(&f.Local, v) }),
		{"helo", func(s *State) string { return s.Helo }, func(s *State, v string) bool {
			name, ok := HeloName(v)
			s.Helo = v
			return v == "" || ok && name == v
		}},
		{"proto", func(s *State) string { return s.Proto }, func(s *State, v string) bool {
			s.Proto = v
			return v == "" || v == SMTP || v == ESMTP || v == LMTP
		}},
		{"errors", func(s *State) string { return strconv.Itoa(s.Errors) }, func(s *State, v string) bool { return setCount(&s.Errors, v) }},
		{"junk", func(s *State) string { return strconv.Itoa(s.Junk) }, func(s *State, v string) bool { return setCount(&s.Junk, v) }},
		{"accepted", func(s *State) string { return strconv.Itoa(s.Accepted) }, func(s *State, v string) bool { return setCount(&s.Accepted, v) }},
		{"end", func(s *State) string { return s.End.UTC().Format(time.RFC3339Nano) }, func(s *State, v string) (ok bool) {
			var err error
			s.End, err = time.Parse(time.RFC3339Nano, v)
			return err == nil
		}},
	}
}

func getAddr(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func setAddr(a *netip.AddrPort, v string) (ok bool) {
	if v == "" {
		return true
	}
	var err error
	*a, err = netip.ParseAddrPort(v)
	return err == nil
}

func getFlag(is bool) string {
	if is {
		return "yes"
	}
	return ""
}

func setFlag(is *bool, v string) (ok bool) {
	*is = v == "yes"
	return *is || v == ""
}

// setWord sets a value that XCLIENT gave.
func setWord(s *string, v string) (ok bool) {
	*s = v
	return len(v) <= MaxAttribute && v == oneWord(v)
}

// setCount sets a counter.
func setCount(n *int, v string) (ok bool) {
	var err error
	*n, err = strconv.Atoi(v)
	return err == nil && digits(v, len("999999999"))
}

// MarshalText encodes the State: a head of keys with values in xtext, then an empty
// line and the input.
func (s *State) MarshalText() ([]byte, error) {
	text := []byte(stateHead)
	for _, k := range stateKeys() {
		text = append(text, k.key+"="+encodeXtext(k.get(s))+"\n"...)
	}
	text = append(text, '\n')
	text = append(text, s.Input...)
	if len(text) > MaxState {
		return nil, fmt.Errorf("%w: %d bytes", errState, len(text))
	}
	return text, nil
}

// errState wraps what is wrong with an encoded State.
var errState = errors.New("smtp: not the state of a session")

// UnmarshalText decodes what MarshalText wrote, and nothing else: each key once and in
// its place, and no value that the session could not have had.
func (s *State) UnmarshalText(text []byte) error {
	if len(text) > MaxState {
		return fmt.Errorf("%w: %d bytes", errState, len(text))
	}
	rest, ok := bytes.CutPrefix(text, []byte(stateHead))
	if !ok {
		return fmt.Errorf("%w, or that of another version; are both programs from one installation?", errState)
	}
	*s = State{}
	for _, k := range stateKeys() {
		line, tail, _ := bytes.Cut(rest, []byte("\n"))
		value, ok := strings.CutPrefix(string(line), k.key+"=")
		if ok {
			value, ok = decodeXtext(value)
		}
		if !ok || !k.set(s, value) {
			return fmt.Errorf("%w: %s", errState, k.key)
		}
		rest = tail
	}
	input, ok := bytes.CutPrefix(rest, []byte("\n"))
	if !ok || (s.Helo == "") != (s.Proto == "") {
		return errState
	}
	s.Input = bytes.Clone(input)
	return nil
}

// handOver passes the session to another program, which handles the current command and
// all that follow. If it returns an error the session is still ours.
func (s *Session) handOver() error {
	if s.HandOver == nil {
		return errors.New("there is no program to continue the session")
	}
	if err := s.wire.bw.Flush(); err != nil {
		return err
	}
	input, _ := s.wire.br.Peek(s.wire.br.Buffered())
	err := s.HandOver(&State{
		Peer: s.Peer, Helo: s.helo, Proto: s.proto,
		Claimed: s.claimed, Claiming: s.introducing, Forwarded: s.forwarded,
		Errors: s.errors, Junk: s.junk, Accepted: s.count,
		End:   s.wire.end,
		Input: append([]byte(s.line+"\r\n"), input...),
	})
	if err != nil {
		return fmt.Errorf("the session cannot be handed over: %w", err)
	}
	s.done, s.gone = true, true
	return nil
}

// resume continues a session where another program left it.
func (s *Session) resume(st *State) {
	s.Peer, s.helo, s.proto, s.claimed = st.Peer, st.Helo, st.Proto, st.Claimed
	s.introducing, s.forwarded = st.Claiming, st.Forwarded
	s.login = st.Claimed.Login
	s.errors, s.junk, s.count = st.Errors, st.Junk, st.Accepted
	s.wire.end = st.End
	s.wire.held = st.Input
}
