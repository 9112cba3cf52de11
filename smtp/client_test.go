package smtp_test

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"superlist/smtp"
	"superlist/smtp/smtptest"
	"superlist/smtp/smtptest/recording"
)

// TestClientSessions plays the recordings of testdata/client, in which the
// script is the server. Behind its session a recording has
//
//	-- client --       words: lmtp, helo, needtls, starttls (a handshake that
//	                   passes), verified (so that it proves the server), badtls
//	                   (one that fails), strict (one that fails where there is
//	                   something to read), auth (PLAIN, or else TWO-STEP), badauth
//	                   (the mechanism is never content)
//	-- start --        what Start's error must be, where it must fail
//	-- xclient --      attributes, NAME=value in a line, to be said now; and
//	-- xforward --     so; $ in a value is for the bytes of a Go string
//	-- refused --      what the error of these must be, where they must fail
//	-- large --        what goes out at once does not go out in one write
//	-- stream --       the transactions that follow are one stream
//	-- from --         <sender>, and options: verp, body=8BITMIME, size=N (auto:
//	                   the length of the message), break: reading the message
//	                   fails after what is there, and cut: its last CRLF is
//	                   missing; utf8, requiretls, ret=, envid=
//	-- to --           one recipient in a line, as RCPT names it
//	-- message --      its lines; CRLF is made of their LF. With body=BINARYMIME
//	                   they are terms of C| instead
//	-- outcome --      the reply that each recipient must get; ends a transaction
//	-- extensions --   all that the client must hold for offered in the end
//	-- end --          why the connection can carry no more; without: it must be able
//
// where * is anything. There may be several transactions.
func TestClientSessions(t *testing.T) {
	scripts, err := smtptest.ReadAll("../testdata/client/*.session")
	if err != nil {
		t.Fatal(err)
	}
	if len(scripts) < 25 {
		t.Errorf("%d recordings", len(scripts))
	}
	for _, script := range scripts {
		for _, mode := range []string{"whole", "bytewise"} {
			t.Run(script.Name+"/"+mode, func(t *testing.T) {
				conn := script.Plays('S')
				conn.OneByte = mode == "bytewise"
				playClient(t, script, conn)
				if err := conn.Close(); err != nil {
					t.Error(err)
				}
				large := slices.ContainsFunc(script.Files, func(f txtar.File) bool { return f.Name == "large" })
				if conn.Writes > 1 && !large {
					t.Errorf("what had to go out at once went out in %d writes", conn.Writes)
				}
			})
		}
	}
}

func playClient(t *testing.T, script *smtptest.Script, conn io.ReadWriter) {
	c := &smtp.Client{Hostname: "lists.example.org"}
	var start, end, refused string
	for _, f := range script.Files {
		switch text := strings.TrimSpace(string(f.Data)); f.Name {
		case "client":
			for word := range strings.FieldsSeq(text) {
				configure(t, c, word)
			}
		case "start":
			start = text
		case "end":
			end = text
		case "refused":
			refused = text
		}
	}
	match(t, "Start", start, c.Start(conn))
	if start == "" {
		tx := new(smtp.Transaction)
		var row []*smtp.Transaction
		var wants []string
		stream := false
		for _, f := range script.Files {
			switch f.Name {
			case "extensions":
				checkExtensions(t, c, string(f.Data))
			case "xclient":
				match(t, f.Name, refused, c.XCLIENT(attributes(t, string(f.Data))))
			case "xforward":
				match(t, f.Name, refused, c.XFORWARD(attributes(t, string(f.Data))))
			case "stream":
				stream = true
			}
			if !transaction(t, tx, f.Name, string(f.Data)) {
				continue
			}
			if stream {
				row, wants = append(row, tx), append(wants, string(f.Data))
			} else {
				checkOutcome(t, string(f.Data), c.Send(tx))
			}
			tx = new(smtp.Transaction)
		}
		playStream(t, c, row, wants)
	}
	match(t, "Err", end, c.Err())
	c.Quit()
}

// configure sets a client up as a word says.
func configure(t *testing.T, c *smtp.Client, word string) {
	t.Helper()
	handshake := func(verified bool, err error) {
		c.StartTLS = func(rw io.ReadWriter) (smtp.Channel, error) {
			return smtp.Channel{ReadWriter: rw, Verified: verified, Text: "TLSv1.3"}, err
		}
	}
	auth := func(m *saslClient) {
		c.Auth = func(offered []string) (smtp.Mechanism, error) {
			if m.name = "PLAIN"; !slices.Contains(offered, "PLAIN") {
				m.name = "TWO-STEP"
			}
			return m, nil
		}
	}
	switch word {
	case "lmtp":
		c.LMTP = true
	case "helo":
		c.HELO = true
	case "needtls":
		c.NeedTLS = true
	case "starttls":
		handshake(false, nil)
	case "verified":
		handshake(true, nil)
	case "strict": // what comes behind 220 is no TLS record
		c.StartTLS = func(rw io.ReadWriter) (smtp.Channel, error) {
			if n, _ := rw.Read(make([]byte, 1)); n > 0 {
				return smtp.Channel{}, errors.New("not a TLS record")
			}
			return smtp.Channel{ReadWriter: rw}, nil
		}
	case "badtls":
		handshake(false, errors.New("no common cipher"))
	case "auth":
		auth(new(saslClient))
	case "badauth":
		auth(&saslClient{finished: errors.New("not proved")})
	default:
		t.Errorf("client: %s", word)
	}
}

// A saslClient is PLAIN, or a mechanism in which the server speaks first and
// nothing but "ping" will do.
type saslClient struct {
	name     string
	finished error
}

func (m *saslClient) Start() (string, []byte, error) {
	if m.name == "PLAIN" {
		return m.name, []byte("\x00user\x00pass"), nil
	}
	return m.name, nil, nil
}

func (m *saslClient) Next(challenge []byte) ([]byte, error) {
	if string(challenge) != "ping" {
		return nil, errors.New("no ping")
	}
	return []byte("pong"), nil
}

func (m *saslClient) Finished() error { return m.finished }

func attributes(t *testing.T, text string) map[string]string {
	t.Helper()
	values := make(map[string]string)
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if quoted, ok := strings.CutPrefix(value, "$"); ok {
			var err error
			if value, err = strconv.Unquote(quoted); err != nil {
				t.Error(err)
			}
		}
		values[name] = value
	}
	return values
}

// playStream sends transactions in a row. Those that the stream never asked for,
// since the connection was lost, must have the outcome - .
func playStream(t *testing.T, c *smtp.Client, row []*smtp.Transaction, wants []string) {
	t.Helper()
	asked, n := 0, 0
	next := func() *smtp.Transaction {
		if asked == len(row) {
			return nil
		}
		asked++
		return row[asked-1]
	}
	for tx, out := range c.Stream(next) {
		if tx != row[n] {
			t.Fatalf("outcome %d is not for that transaction", n)
		}
		checkOutcome(t, wants[n], out)
		n++
	}
	for ; n < len(wants); n++ {
		if wants[n] != "-\n" || n < asked {
			t.Errorf("no outcome of %d", n)
		}
	}
}

// match holds an error against a pattern; the empty one is not an error.
func match(t *testing.T, what, pattern string, err error) {
	t.Helper()
	switch {
	case err == nil && pattern != "":
		t.Errorf("%s: no error, want %s", what, pattern)
	case err != nil && (pattern == "" || !recording.Match(pattern, err.Error())):
		t.Errorf("%s: %v, want %q", what, err, pattern)
	}
}

// transaction reads a file of a recording into tx, and says whether it ends it.
func transaction(t *testing.T, tx *smtp.Transaction, name, text string) bool {
	switch name {
	case "from":
		words := strings.Fields(text)
		tx.From = path(t, words[0])
		for _, option := range words[1:] {
			key, value, _ := strings.Cut(option, "=")
			switch key {
			case "verp":
				tx.VERP = true
			case "body":
				tx.Body = value
			case "size":
				tx.Size, _ = strconv.ParseInt(value, 10, 64)
				if value == "auto" {
					tx.Size = -1
				}
			case "utf8":
				tx.UTF8 = true
			case "requiretls":
				tx.RequireTLS = true
			case "ret":
				tx.Ret = value
			case "envid":
				tx.EnvID = value
			case "cut":
				tx.Message = strings.NewReader("no line")
			case "break":
				tx.Message = iotest.ErrReader(errors.New("the disk is broken"))
			default:
				t.Errorf("option %s", option)
			}
		}
	case "to":
		for line := range strings.Lines(text) {
			tx.To = append(tx.To, rcpt(t, strings.TrimSpace(line)))
		}
	case "message":
		if tx.Body == smtp.BinaryMIME {
			text = terms(t, text)
		} else {
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		if tx.Size < 0 {
			tx.Size = int64(len(text))
		}
		readers := []io.Reader{strings.NewReader(text)}
		if tx.Message != nil {
			readers = append(readers, tx.Message)
		}
		tx.Message = io.MultiReader(readers...)
	}
	return name == "outcome"
}

// terms are bytes as a recording writes them.
func terms(t *testing.T, text string) string {
	t.Helper()
	s, err := recording.Bytes(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	return string(s)
}

// path reads an address of a recording. In quotes it is a local part that the
// parser would not take, as Go writes it.
func path(t *testing.T, s string) smtp.Path {
	if local, err := strconv.Unquote(s); err == nil {
		return smtp.Path{Local: local, Domain: "example.com"}
	}
	p, rest, ok := smtp.ParsePath(s)
	if !ok || rest != "" {
		t.Fatalf("path %s", s)
	}
	return p
}

// rcpt reads a recipient: a path, a local part in quotes, or a path with what
// DSN says of it.
func rcpt(t *testing.T, s string) smtp.Rcpt {
	if r, ok := smtp.ParseRcpt(s); ok {
		return r
	}
	return smtp.Rcpt{Path: path(t, s)}
}

func checkOutcome(t *testing.T, want string, got []smtp.Reply) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(want, "\n"), "\n")
	if len(lines) != len(got) {
		t.Fatalf("%d outcomes, want %d", len(got), len(lines))
	}
	for i, line := range lines {
		if !recording.Match(line, got[i].String()) {
			t.Errorf("outcome %d: %s, want %s", i, got[i], line)
		}
	}
}

func checkExtensions(t *testing.T, c *smtp.Client, text string) {
	t.Helper()
	want := make(map[string]string)
	for line := range strings.Lines(text) {
		key, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		want[key] = args
	}
	got := make(map[string]string)
	for _, key := range slices.Concat(slices.Collect(maps.Keys(want)), []string{"SIZE", "8BITMIME", "PIPELINING", "XVERP", "ENHANCEDSTATUSCODES", "DSN"}) {
		if args, ok := c.Extension(key); ok {
			got[key] = args
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("extensions %v, want %v", got, want)
	}
}

// TestClientUnstarted shows that nothing is sent before Start, and that every
// recipient is to be tried again.
func TestClientUnstarted(t *testing.T) {
	c := new(smtp.Client)
	if c.Err() == nil {
		t.Error("no error")
	}
	c.Quit()
	for _, r := range c.Send(&smtp.Transaction{To: []smtp.Rcpt{{Path: smtp.Path{Local: "a", Domain: "x"}}, {Path: smtp.Path{Local: "b", Domain: "x"}}}}) {
		if !r.Temporary() {
			t.Errorf("outcome %v", r)
		}
	}
}

// TestClientUnasked shows that a server that says more than the replies that are
// due is not trusted: the 250 after its 354 would be taken for the message's. Only
// 421 may come at any time.
func TestClientUnasked(t *testing.T) {
	const all = "220 x\r\n|250 x\r\n|250 mail\r\n|250 rcpt\r\n|354 go\r\n|250 queued\r\n"
	for at, early := range strings.Split(all, "|") {
		pieces := strings.Split(all, "|")
		if at < len(pieces)-1 {
			pieces[at] += "250 early\r\n"
		}
		server := &answers{Reader: &lineReader{pieces}}
		c := &smtp.Client{Hostname: "h"}
		if err := c.Start(server); (err != nil) != (at == 0) {
			t.Errorf("more than %q: Start: %v", early, err)
		}
		for n := range 2 {
			out := c.Send(&smtp.Transaction{To: []smtp.Rcpt{{Path: smtp.Path{Local: "a", Domain: "x"}}}, Message: strings.NewReader("a\r\n")})
			if ok := out[0].Code == 250; ok != (n == 0 && at == 5) {
				t.Errorf("more than %q: message %d: %v", early, n, out)
			}
		}
		if c.Err() == nil {
			t.Errorf("more than %q: the connection lives on", early)
		}
	}
}

// TestClientLateGoodbye shows what becomes of 421 that comes with the reply
// before it: that reply counts, and the next message hears 421.
func TestClientLateGoodbye(t *testing.T) {
	server := &answers{Reader: &lineReader{[]string{"220 x\r\n", "250 x\r\n", "250 mail\r\n", "250 rcpt\r\n", "354 go\r\n", "250 queued\r\n421 4.4.2 idle\r\n"}}}
	c := &smtp.Client{Hostname: "h"}
	if err := c.Start(server); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"250 queued", "421 4.4.2 idle", "421 4.4.2 idle"} {
		out := c.Send(&smtp.Transaction{To: []smtp.Rcpt{{Path: smtp.Path{Local: "a", Domain: "x"}}}, Message: strings.NewReader("a\r\n")})
		if out[0].String() != want {
			t.Errorf("%v, want %s", out, want)
		}
	}
}

// answers is a server that says what it was given, whatever it hears.
type answers struct {
	io.Reader
	heard bytes.Buffer
}

func (a *answers) Write(p []byte) (int, error) { return a.heard.Write(p) }

// TestClientNoInjection shows that nothing in a transaction can become a command
// of its own.
func TestClientNoInjection(t *testing.T) {
	evil := "a\r\nRCPT TO:<victim@example.com>\r\nx"
	ok := smtp.Rcpt{Path: smtp.Path{Local: "a", Domain: "x"}}
	for name, tx := range map[string]*smtp.Transaction{
		"sender":    {From: smtp.Path{Local: evil, Domain: "x"}, To: []smtp.Rcpt{ok}},
		"recipient": {From: ok.Path, To: []smtp.Rcpt{{Path: smtp.Path{Local: evil, Domain: "x"}}, ok}},
		"domain":    {From: ok.Path, To: []smtp.Rcpt{{Path: smtp.Path{Local: "a", Domain: evil}}, ok}},
		"body":      {From: ok.Path, To: []smtp.Rcpt{ok}, Body: evil},
	} {
		server := &answers{Reader: iotest.OneByteReader(strings.NewReader("220 x\r\n250-x\r\n250 8BITMIME\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n"))}
		c := &smtp.Client{Hostname: "h"}
		if err := c.Start(server); err != nil {
			t.Fatal(err)
		}
		tx.Message = strings.NewReader("")
		out := c.Send(tx)
		if strings.Contains(server.heard.String(), "victim") {
			t.Errorf("%s: the server hears %q", name, server.heard.String())
		}
		if len(out) != len(tx.To) || out[0].Code != 553 && name != "body" {
			t.Errorf("%s: %v", name, out)
		}
	}
}

// deadlines is a server that notes the deadline before each read and write.
type deadlines struct {
	answers
	read, write time.Time
	reads       []time.Duration
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = t; return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = t; return nil }

func (d *deadlines) Read(p []byte) (int, error) {
	d.reads = append(d.reads, time.Until(d.read).Round(time.Second))
	return d.answers.Read(p)
}

// lineReader hands out what it has piece by piece.
type lineReader struct{ lines []string }

func (l *lineReader) Read(p []byte) (int, error) {
	if len(l.lines) == 0 {
		return 0, io.EOF
	}
	n := copy(p, l.lines[0])
	l.lines = l.lines[1:]
	return n, nil
}

// TestClientTimeouts holds how long each step may take: RFC 5321, 4.5.3.2, or
// what the client was told.
func TestClientTimeouts(t *testing.T) {
	const s = time.Second
	for _, test := range []struct {
		c    smtp.Client
		want []time.Duration
	}{
		{smtp.Client{}, []time.Duration{
			smtp.GreetingTimeout, smtp.CommandTimeout, smtp.MailTimeout, smtp.RcptTimeout, smtp.DataTimeout, smtp.FinalTimeout}},
		{smtp.Client{GreetingTimeout: 1 * s, CommandTimeout: 2 * s, MailTimeout: 6 * s, RcptTimeout: 7 * s, DataTimeout: 3 * s, FinalTimeout: 4 * s, BlockTimeout: 5 * s},
			[]time.Duration{1 * s, 2 * s, 6 * s, 7 * s, 3 * s, 4 * s}},
	} {
		server := &deadlines{answers: answers{Reader: &lineReader{strings.SplitAfter("220 x\n250 x\n250 mail\n250 rcpt\n354 go\n250 ok\n", "\n")}}}
		c := &test.c
		c.Hostname = "h"
		if err := c.Start(server); err != nil {
			t.Fatal(err)
		}
		block := time.Until(server.write).Round(s)
		if want := cmp.Or(c.BlockTimeout, smtp.BlockTimeout); block != want {
			t.Errorf("a write may take %v, want %v", block, want)
		}
		out := c.Send(&smtp.Transaction{To: []smtp.Rcpt{{Path: smtp.Path{Local: "a", Domain: "x"}}}, Message: strings.NewReader("a\r\n")})
		if out[0].Code != 250 || !slices.Equal(server.reads, test.want) {
			t.Errorf("%v: the replies may take %v, want %v", out, server.reads, test.want)
		}
	}
}
