package milter

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"superlist/milter/miltertest"
	"superlist/smtp"
)

// said is a connection on which the other side has said all there is, and what
// is answered is thrown away, but for its size.
type said struct {
	io.Reader
	answered int
}

func (s *said) Write(p []byte) (int, error) { s.answered += len(p); return len(p), nil }

func seeds(f *testing.F, side byte) {
	for _, pattern := range []string{"../testdata/milter/*.milter", "../testdata/milter/client/*.milter"} {
		scripts, err := miltertest.ReadAll(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, s := range scripts {
			f.Add(s.Said(side))
		}
	}
}

// FuzzFilter: whatever an MTA says, a filter ends with an error or the end of
// the connection; every message that begins ends, once, with EOM, a verdict or
// Abort; and what is answered is packets.
func FuzzFilter(f *testing.F) {
	seeds(f, 'M')
	f.Fuzz(func(t *testing.T, input []byte) {
		open := false
		end := func(*Session) error { open = false; return nil }
		filter := Filter{
			Actions: AllActions,
			Connect: func(*Session, Connection) error { return nil },
			Mail: func(s *Session, from string, args []string) error {
				if open {
					t.Error("a message in a message")
				}
				err := s.AddHeader("X", "y")
				open = err == nil // otherwise it is refused
				return err
			},
			Rcpt: func(s *Session, to string, args []string) error {
				if !open {
					t.Error("a recipient of no message")
				}
				return smtp.Reply{Code: 550, Enhanced: "5.1.1", Text: to}
			},
			Header: func(s *Session, name, value string) error {
				if strings.ContainsRune(name+value, 0) {
					t.Error("a NUL in a header field")
				}
				return nil
			},
			Body: func(s *Session, p []byte) error { return Skip },
			EOM:  end,
			Abort: func(s *Session) {
				if !open {
					t.Error("an abort of no message")
				}
				end(s)
			},
		}
		c := &said{Reader: bytes.NewReader(input)}
		err := filter.Serve(c)
		if errors.Is(err, ErrPanic) {
			t.Fatal(err)
		}
		if open {
			t.Error("a message without an end")
		}
	})
}

// FuzzClient: whatever a filter says, a client ends with a decision or an error,
// and no change is made of it that a header or an envelope cannot have.
func FuzzClient(f *testing.F) {
	seeds(f, 'F')
	f.Fuzz(func(t *testing.T, input []byte) {
		c := &Client{Change: func(c Change) error {
			if strings.ContainsAny(c.Addr+c.Args+c.Name, "\r\n\x00") || strings.ContainsAny(c.Value, "\r\x00") && c.Kind != Quarantine {
				t.Errorf("a change to %+v", c)
			}
			return nil
		}}
		err := c.Open(&said{Reader: bytes.NewReader(input)})
		for range 3 {
			for _, say := range []func() error{
				func() error { return c.Connect(Connection{Host: "a", Family: 'U'}) },
				func() error { return c.Helo("a") },
				func() error { return c.Mail("<a@example.com>") },
				func() error { return c.Rcpt("<b@example.org>") },
				c.Data,
				func() error { return c.Header("X", " y") },
				c.EOH,
				func() error { return c.Body(strings.NewReader("body")) },
				c.EOM,
				func() error { return c.Unknown("FOO") },
				c.Abort,
			} {
				got := say()
				if err != nil && got != err {
					t.Fatalf("after %v the client goes on: %v", err, got)
				}
				var v Verdict
				var r smtp.Reply
				if got != nil && !errors.As(got, &v) && !errors.As(got, &r) {
					err = got
				}
			}
		}
		c.Quit()
	})
}

// FuzzDecode: what a decoder takes comes back from the encoder as it was.
func FuzzDecode(f *testing.F) {
	for _, side := range []byte{'M', 'F'} {
		scripts, _ := miltertest.ReadAll("../testdata/milter/*.milter")
		for _, s := range scripts {
			for _, st := range s.Steps {
				if st.Side == side && len(st.Wire) > 5 {
					f.Add(st.Wire[4], st.Wire[5:])
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, code byte, data []byte) {
		same := func(what string, got []byte) {
			if !bytes.Equal(got, data) {
				t.Errorf("%s: %q became %q", what, data, got)
			}
		}
		if c, err := decodeConnection(data); err == nil {
			same("connection", c.encode())
			c.AddrPort()
		}
		if addr, args, err := decodeArgs(CmdMail, data); err == nil {
			same("args", terminated(append([]string{addr}, args...)...))
		}
		if name, value, err := decodeHeader(data); err == nil {
			same("header", terminated(name, value))
		}
		if cmd, macros, err := decodeMacros(data); err == nil {
			same("macros", encodeMacros(cmd, macros))
		}
		if o, err := decodeOptions(data); err == nil {
			again, err := decodeOptions(o.encode())
			for i := range o.Macros { // an empty list is as good as none
				if len(o.Macros[i]) == 0 {
					o.Macros[i] = nil
				}
			}
			if err != nil || !reflect.DeepEqual(o, again) {
				t.Errorf("options %+v became %+v: %v", o, again, err)
			}
		}
		if r, err := decodeReply(data); err == nil {
			again, err := decodeReply(encodeReply(r))
			if err != nil || again.Code != r.Code {
				t.Errorf("reply %+v became %+v: %v", r, again, err)
			}
		}
		if c, err := decodeChange(Kind(code), data, true); err == nil && c.Kind != ReplaceBody && c.Kind != Quarantine {
			again, err := decodeChange(c.Kind, c.encode(true), true)
			if err != nil || again.Addr != c.Addr || again.Name != c.Name || again.Index != c.Index || strings.TrimLeft(again.Value, " ") != strings.TrimLeft(c.Value, " ") {
				t.Errorf("change %+v became %+v: %v", c, again, err)
			}
		}
	})
}
