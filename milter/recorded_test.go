package milter_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"superlist/milter"
	"superlist/milter/miltertest"
	"superlist/smtp"
	"superlist/smtp/smtptest/recording"
)

// A rule is what a scripted filter does where a callback is called with words
// that match.
type rule struct {
	callback, pattern string
	do                []string
}

// scripted is a filter as the file "filter" of a recording has it:
//
//	actions 0x3f                  Filter.Actions
//	protocol 0x80000              Filter.Protocol
//	macros 2 i {auth_authen}      Filter.Macros
//	keep                          Filter.KeepBody
//	only Mail EOM                 the callbacks; otherwise all but Negotiate and Macro
//	on Rcpt <eve@*>: 550 5.7.1 no what to do where the words match
//
// What is to be done are verdicts, replies and changes, parted by semicolons.
type scripted struct {
	filter milter.Filter
	rules  []rule
	calls  []string
	log    []string
}

func newScripted(t testing.TB, text string) *scripted {
	sc := &scripted{}
	f := &sc.filter
	f.TempDir = t.TempDir()
	f.Log = func(text string) {
		line, _, _ := strings.Cut(text, "\n")
		sc.log = append(sc.log, line)
	}
	only := []string{"Connect", "Helo", "Mail", "Rcpt", "Data", "Header", "EOH", "Body", "EOM", "Abort", "Unknown", "Quit"}
	number := func(s string) uint32 {
		n, err := strconv.ParseUint(s, 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		return uint32(n)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "actions":
			f.Actions = milter.Actions(number(rest))
		case "protocol":
			f.Protocol = milter.Protocol(number(rest))
		case "macros":
			fields := strings.Fields(rest)
			f.Macros[number(fields[0])] = fields[1:]
		case "keep":
			f.KeepBody = true
		case "only":
			only = strings.Fields(rest)
		case "on":
			head, do, ok := strings.Cut(rest, ": ")
			if !ok {
				t.Fatalf("%q is not a rule", line)
			}
			callback, pattern, _ := strings.Cut(head, " ")
			if pattern == "" {
				pattern = "*"
			}
			sc.rules = append(sc.rules, rule{callback, pattern, strings.Split(do, "; ")})
		default:
			t.Fatalf("%q is not a line of a filter", line)
		}
	}
	for _, name := range only {
		switch name {
		case "Negotiate":
			f.Negotiate = func(s *milter.Session, o milter.Options) error {
				return sc.call(s, name, strconv.Itoa(int(o.Version)), fmt.Sprintf("%#x", o.Actions), fmt.Sprintf("%#x", o.Protocol))
			}
		case "Connect":
			f.Connect = func(s *milter.Session, c milter.Connection) error {
				return sc.call(s, name, c.Host, string(c.Family), strconv.Itoa(int(c.Port)), c.Addr)
			}
		case "Helo":
			f.Helo = func(s *milter.Session, helo string) error { return sc.call(s, name, helo) }
		case "Mail":
			f.Mail = func(s *milter.Session, from string, args []string) error {
				return sc.call(s, name, append([]string{from}, args...)...)
			}
		case "Rcpt":
			f.Rcpt = func(s *milter.Session, to string, args []string) error {
				return sc.call(s, name, append([]string{to}, args...)...)
			}
		case "Data":
			f.Data = func(s *milter.Session) error { return sc.call(s, name) }
		case "Header":
			f.Header = func(s *milter.Session, field, value string) error { return sc.call(s, name, field, value) }
		case "EOH":
			f.EOH = func(s *milter.Session) error { return sc.call(s, name) }
		case "Body":
			f.Body = func(s *milter.Session, piece []byte) error { return sc.call(s, name, string(piece)) }
		case "EOM":
			f.EOM = func(s *milter.Session) error { return sc.call(s, name) }
		case "Abort":
			f.Abort = func(s *milter.Session) { sc.call(s, name) }
		case "Unknown":
			f.Unknown = func(s *milter.Session, command string) error { return sc.call(s, name, command) }
		case "Macro":
			f.Macro = func(s *milter.Session, at milter.Command, m milter.Macro) {
				sc.call(s, name, string(at), m.Name, m.Value)
			}
		case "Quit":
			f.Quit = func(s *milter.Session) { sc.call(s, name) }
		default:
			t.Fatalf("no callback %s", name)
		}
	}
	return sc
}

// call is every callback.
func (sc *scripted) call(s *milter.Session, name string, args ...string) error {
	var words []string
	for _, arg := range args {
		if len(arg) > 200 {
			arg = fmt.Sprintf("%d bytes", len(arg))
		}
		words = append(words, miltertest.Word(arg))
	}
	text := strings.Join(words, " ")
	sc.calls = append(sc.calls, strings.TrimSpace(name+" "+text))
	for _, r := range sc.rules {
		if r.callback != name || !recording.Match(r.pattern, text) {
			continue
		}
		for _, do := range r.do {
			if err := sc.do(s, do); err != nil {
				return err
			}
		}
	}
	return nil
}

var verdicts = map[string]milter.Verdict{
	"continue": milter.Continue, "accept": milter.Accept, "reject": milter.Reject,
	"tempfail": milter.Tempfail, "discard": milter.Discard, "skip": milter.Skip, "nonsense": 'z',
}

func (sc *scripted) do(s *milter.Session, text string) error {
	if v, ok := verdicts[text]; ok {
		return fmt.Errorf("wrapped: %w", v)
	}
	words, err := miltertest.Words(text)
	if err != nil {
		return err
	}
	if code, err := strconv.Atoi(words[0]); err == nil {
		return fmt.Errorf("wrapped: %w", smtp.Reply{Code: code, Enhanced: words[1], Text: strings.Join(words[2:], " ")})
	}
	index := func() uint32 {
		n, _ := strconv.Atoi(words[1])
		return uint32(n)
	}
	switch words[0] {
	case "add":
		err = s.AddHeader(words[1], words[2])
	case "insert":
		err = s.InsertHeader(index(), words[2], words[3])
	case "change":
		err = s.ChangeHeader(index(), words[2], words[3])
	case "addrcpt":
		err = s.AddRcpt(words[1], words[2:]...)
	case "delrcpt":
		err = s.DelRcpt(words[1])
	case "from":
		err = s.ChangeFrom(words[1], words[2:]...)
	case "body":
		n, _ := strconv.Atoi(words[2])
		err = s.ReplaceBody(strings.NewReader(strings.Repeat(words[1], n)))
	case "nobody":
		err = s.ReplaceBody(io.MultiReader(strings.NewReader("half"), badReader{}))
	case "quarantine":
		err = s.Quarantine(words[1])
	case "macro":
		sc.calls = append(sc.calls, fmt.Sprintf("is %s %q", words[1], s.Macro(words[1])))
	case "read":
		text, err := io.ReadAll(s.Body())
		sc.calls = append(sc.calls, fmt.Sprintf("read %d %.40q %v", len(text), text, err))
	case "client":
		sc.calls = append(sc.calls, fmt.Sprintf("client %s %s %s", s.Connection.Host, s.Connection.AddrPort(), s.Helo))
	case "fail":
		err = errors.New("something is broken")
	case "panic":
		panic("a mistake")
	default:
		panic("no such thing to do: " + text)
	}
	if err != nil {
		sc.calls = append(sc.calls, "error "+err.Error())
		if words[0] == "fail" {
			return err
		}
	}
	return nil
}

type badReader struct{}

func (badReader) Read([]byte) (int, error) { return 0, errors.New("the disk is on fire") }

// sameLines compares lines with those of a recording's file.
func sameLines(t *testing.T, script *miltertest.Script, file string, got []string) {
	t.Helper()
	text, ok := script.File(file)
	if !ok {
		return
	}
	want := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if text == "" {
		want = nil
	}
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || !recording.Match(want[i], got[i]) {
			t.Fatalf("%s: line %d differs; got\n%s\nwant\n%s", file, i+1, strings.Join(got, "\n"), text)
		}
	}
}

func recordings(t testing.TB, pattern string) []*miltertest.Script {
	scripts, err := miltertest.ReadAll(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return scripts
}

// TestFilter plays every recording to a filter, whole and one byte at a time.
// Below the session may stand: filter, what the filter is; calls, what it is
// called with; log, what it logs.
func TestFilter(t *testing.T) {
	for _, script := range recordings(t, "../testdata/milter/*.milter") {
		for _, mode := range []string{"whole", "bytewise"} {
			t.Run(script.Name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				text, _ := script.File("filter")
				sc := newScripted(t, text)
				conn := script.Plays('M')
				conn.OneByte = mode == "bytewise"
				sc.filter.Serve(conn)
				if err := conn.Close(); err != nil {
					t.Errorf("%v\ncalls:\n%s\nlog:\n%s", err, strings.Join(sc.calls, "\n"), strings.Join(sc.log, "\n"))
				}
				if mode == "whole" && conn.Writes > 1 && !strings.Contains(text, "body ") {
					t.Errorf("the answer to one piece went out in %d pieces", conn.Writes)
				}
				sameLines(t, script, "calls", sc.calls)
				if log, _ := script.File("log"); log == "" && len(sc.log) > 0 {
					t.Errorf("logged: %q", sc.log)
				}
				sameLines(t, script, "log", sc.log)
			})
		}
	}
}

// TestClient plays every recording to a client, with the roles swapped; what
// only a broken MTA would say, or is about the filter's own faults, it cannot.
// The file answers has what the client makes of the filter's.
func TestClient(t *testing.T) {
	scripts := recordings(t, "../testdata/milter/client/*.milter")
	for _, script := range recordings(t, "../testdata/milter/*.milter") {
		if _, no := script.File("filter only"); !no {
			scripts = append(scripts, script)
		}
	}
	for _, script := range scripts {
		for _, mode := range []string{"whole", "bytewise"} {
			t.Run(script.Name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				conn := script.Plays('F')
				conn.OneByte = mode == "bytewise"
				answers := drive(t, script, conn)
				if err := conn.Close(); err != nil {
					t.Errorf("%v\nanswers:\n%s", err, strings.Join(answers, "\n"))
				}
				sameLines(t, script, "answers", answers)
			})
		}
	}
}

// drive has a client say what the MTA says in a recording.
func drive(t *testing.T, script *miltertest.Script, conn io.ReadWriter) (answers []string) {
	values := make(map[string]string)
	c := &milter.Client{
		Macro: func(name string) string { return values[name] },
		Change: func(ch milter.Change) error {
			line := fmt.Sprintf("change %c", ch.Kind)
			for _, s := range []string{ch.Addr, ch.Args, ch.Name, ch.Value} {
				if s != "" {
					line += " " + miltertest.Word(s)
				}
			}
			if ch.Index > 0 {
				line += fmt.Sprintf(" at %d", ch.Index)
			}
			if ch.Body != nil {
				b, _ := io.ReadAll(ch.Body)
				line += fmt.Sprintf(" %d bytes", len(b))
			}
			answers = append(answers, line)
			return nil
		},
	}
	for _, st := range script.Steps {
		if st.Side != 'M' || st.Kind != ':' {
			continue
		}
		code, data := st.Wire[4], st.Wire[5:]
		if code == 'D' {
			list := strings.Split(strings.TrimSuffix(string(data[1:]), "\x00"), "\x00")
			clear(values)
			for i := 0; i+1 < len(list); i += 2 {
				values[strings.Trim(list[i], "{}")] = list[i+1]
			}
			continue
		}
		err := say(c, code, data, conn)
		if code == 'O' && err == nil {
			o := c.Options()
			answers = append(answers, fmt.Sprintf("O %d %#x %#x", o.Version, o.Actions, o.Protocol))
		} else if err != nil {
			answers = append(answers, fmt.Sprintf("%c %v", code, err))
		}
		clear(values)
	}
	return answers
}

// say says one packet of the MTA's by the client's method for it.
func say(c *milter.Client, code byte, data []byte, conn io.ReadWriter) error {
	strs := strings.Split(strings.TrimSuffix(string(data), "\x00"), "\x00")
	switch code {
	case 'O':
		c.Version = binary.BigEndian.Uint32(data)
		c.Actions = milter.Actions(binary.BigEndian.Uint32(data[4:]))
		return c.Open(conn)
	case 'C':
		host, rest, _ := bytes.Cut(data, []byte{0})
		conn := milter.Connection{Host: string(host), Family: rest[0]}
		if len(rest) > 3 {
			conn.Port, conn.Addr = binary.BigEndian.Uint16(rest[1:]), strings.TrimSuffix(string(rest[3:]), "\x00")
		}
		return c.Connect(conn)
	case 'H':
		return c.Helo(strs[0])
	case 'M':
		return c.Mail(strs[0], strs[1:]...)
	case 'R':
		return c.Rcpt(strs[0], strs[1:]...)
	case 'T':
		return c.Data()
	case 'L':
		value := strs[1]
		if c.Options().Protocol&milter.LeadingSpace == 0 {
			value = " " + value
		}
		return c.Header(strs[0], value)
	case 'N':
		return c.EOH()
	case 'B':
		return c.Body(bytes.NewReader(data))
	case 'E':
		return c.EOM()
	case 'U':
		return c.Unknown(strs[0])
	case 'A':
		return c.Abort()
	case 'Q':
		return c.Quit()
	case 'K':
		return c.QuitNC()
	}
	return fmt.Errorf("no method for %c", code)
}
