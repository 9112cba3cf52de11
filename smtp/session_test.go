package smtp

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

const (
	ehlo  = "EHLO client.example\r\n"
	begin = ehlo + "MAIL FROM:<a@example.com>\r\n"
	post  = "MAIL FROM:<a@example.com>\r\nRCPT TO:<dev@lists.example.org>\r\nDATA\r\nx\r\n.\r\n"
)

// codes are the codes of the replies in out, each once.
func codes(out string) string {
	var all []string
	for line := range strings.Lines(out) {
		if line[3] == ' ' {
			all = append(all, line[:3])
		}
	}
	return strings.Join(all, " ")
}

func times(n int, s string) string { return strings.TrimSpace(strings.Repeat(s+" ", n)) }

// TestSessionLimits stands on each side of every limit of a session.
func TestSessionLimits(t *testing.T) {
	rcpt := func(n int) string { return strings.Repeat("RCPT TO:<dev@x>\r\n", n) }
	junk := func(n int) string { return strings.Repeat("NOOP\r\n", n) }
	wrong := func(n int) string { return strings.Repeat("WRONG\r\n", n) }
	long := func(n int) string { return "NOOP " + strings.Repeat("x", n-len("NOOP \r\n")) + "\r\n" }
	text := func(n int) string {
		return begin + rcpt(1) + "DATA\r\n" + strings.Repeat("x", n-2) + "\r\n.\r\nNOOP\r\n"
	}
	for name, test := range map[string]struct{ in, want string }{
		"recipients below": {begin + rcpt(MaxRecipients) + "DATA\r\n.\r\n", "220 250 250 " + times(MaxRecipients, "250") + " 354 250"},
		"recipients above": {begin + rcpt(MaxRecipients+1) + "DATA\r\n.\r\n", "220 250 250 " + times(MaxRecipients, "250") + " 452 354 250"},
		"overshoot below":  {begin + rcpt(MaxRecipients+MaxOvershoot+MaxErrors-1) + "NOOP\r\n", "220 250 250 " + times(MaxRecipients, "250") + " " + times(MaxOvershoot+MaxErrors-1, "452") + " 250"},
		"overshoot above":  {begin + rcpt(MaxRecipients+MaxOvershoot+MaxErrors) + "NOOP\r\n", "220 250 250 " + times(MaxRecipients, "250") + " " + times(MaxOvershoot+MaxErrors, "452") + " 421"},
		"junk errors":      {junk(MaxJunk+MaxErrors-1) + "QUIT\r\n", "220 " + times(MaxJunk+MaxErrors-1, "250") + " 221"},
		"errors below":     {wrong(MaxErrors-1) + "NOOP\r\n", "220 " + times(MaxErrors-1, "500") + " 250"},
		"errors above":     {wrong(MaxErrors) + "NOOP\r\n", "220 " + times(MaxErrors, "500") + " 421"},
		"bad lines below":  {strings.Repeat("\x00\r\n", MaxErrors-1) + "NOOP\r\n", "220 " + times(MaxErrors-1, "500") + " 250"},
		"bad lines above":  {strings.Repeat("\x00\r\n", MaxErrors) + "NOOP\r\n", "220 " + times(MaxErrors, "500") + " 421"},
		"long lines above": {strings.Repeat(long(MaxCommandLine+1), MaxErrors) + "NOOP\r\n", "220 " + times(MaxErrors, "500") + " 421"},
		"junk below":       {junk(MaxJunk) + "QUIT\r\n", "220 " + times(MaxJunk, "250") + " 221"},
		"junk above":       {junk(MaxJunk+MaxErrors) + "QUIT\r\n", "220 " + times(MaxJunk+MaxErrors, "250") + " 421"},
		"mail ends junk":   {ehlo + junk(MaxJunk) + post + junk(MaxJunk) + "QUIT\r\n", "220 250 " + times(MaxJunk, "250") + " 250 250 354 250 " + times(MaxJunk, "250") + " 221"},
		"line below":       {long(MaxCommandLine) + "NOOP\r\n", "220 250 250"},
		"line above":       {long(MaxCommandLine+1) + "NOOP\r\n", "220 500 250"},
		"size below":       {text(10000), "220 250 250 250 354 250 250"},
		"size above":       {text(10001), "220 250 250 250 354 552 250"},
		"SIZE below":       {ehlo + "MAIL FROM:<> SIZE=10000\r\n", "220 250 250"},
		"SIZE above":       {ehlo + "MAIL FROM:<> SIZE=10001\r\n", "220 250 552"},
		"SIZE digits":      {ehlo + "MAIL FROM:<> SIZE=" + strings.Repeat("0", MaxSizeDigits) + "\r\n", "220 250 250"},
		"SIZE more digits": {ehlo + "MAIL FROM:<> SIZE=0" + strings.Repeat("0", MaxSizeDigits) + "\r\n", "220 250 501"},
		"helo below":       {"HELO " + strings.Repeat("x", MaxDomain) + "\r\n", "220 250"},
		"helo above":       {"HELO " + strings.Repeat("x", MaxDomain+1) + "\r\n", "220 501"},
	} {
		out, _, log := talk(test.in)
		if got := codes(out); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s\n%s", name, got, test.want, strings.Join(log, "\n"))
		}
	}
}

// TestSessionErrors shows what a client hears of the backend's errors: nothing
// but the reply, and that is followed by an orderly session.
func TestSessionErrors(t *testing.T) {
	rcpt := "RCPT TO:<%s@x>\r\n"
	for name, test := range map[string]struct{ in, want string }{
		"sender refused":     {ehlo + "MAIL FROM:<nobody@x>\r\nRCPT TO:<a@x>\r\n", "220 250 550 503"},
		"sender, disk full":  {ehlo + "MAIL FROM:<full@x>\r\n", "220 250 452"},
		"refused":            {begin + fmt.Sprintf(rcpt, nobody) + "DATA\r\nNOOP\r\n", "220 250 250 550 554 250"},
		"one of two refused": {begin + fmt.Sprintf(rcpt, nobody) + fmt.Sprintf(rcpt, "a") + "DATA\r\n.\r\n", "220 250 250 550 250 354 250"},
		"full":               {begin + fmt.Sprintf(rcpt, full) + "DATA\r\n", "220 250 250 452 554"},
		"no data":            {ehlo + "MAIL FROM:<nodata@x>\r\nRCPT TO:<a@x>\r\nDATA\r\nNOOP\r\n", "220 250 250 250 452 250"},
		"no space":           {ehlo + "MAIL FROM:<nospace@x>\r\nRCPT TO:<a@x>\r\nDATA\r\na\r\nQUIT\r\n.\r\nNOOP\r\n", "220 250 250 250 354 452 250"},
		"late":               {begin + "RCPT TO:<late@x>\r\nDATA\r\na\r\n.\r\nDATA\r\n", "220 250 250 250 354 554 503"},
		"late of two":        {begin + "RCPT TO:<a@x>\r\nRCPT TO:<late@x>\r\nDATA\r\na\r\n.\r\nNOOP\r\n", "220 250 250 250 250 354 554 250"},
		"late of two, LMTP":  {"LHLO x\r\n" + begin[len(ehlo):] + "RCPT TO:<a@x>\r\nRCPT TO:<late@x>\r\nDATA\r\na\r\n.\r\nNOOP\r\n", "220 250 250 250 250 354 250 554 250"},
		"bare LF, LMTP":      {"LHLO x\r\n" + begin[len(ehlo):] + "RCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\na\n.\r\n\r\n.\r\nNOOP\r\n", "220 250 250 250 250 354 550 550 250"},
		"panic":              {ehlo + "MAIL FROM:<bug@x>\r\nNOOP\r\n", "220 250 421"},
	} {
		out, _, _ := talk(test.in)
		if got := codes(out); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s\n%s", name, got, test.want, out)
		}
		if strings.Contains(out, "decide") || strings.Contains(out, "bug") {
			t.Errorf("%s: the client is told of the inside: %s", name, out)
		}
	}
}

// TestSessionSameRefusal shows that a line with many faults always gets the
// same answer.
func TestSessionSameRefusal(t *testing.T) {
	const want = "parameter A is not known here"
	for range 20 {
		out, _, _ := talk(ehlo + "MAIL FROM:<> A=1 B=2 C=3 D=4\r\nMAIL FROM:<>\r\nRCPT TO:<a@x> A B C D\r\n")
		if strings.Count(out, want) != 2 {
			t.Fatal(out)
		}
	}
}

// pipe serves a session over a net.Pipe and gives the client's side, and what
// Serve gave.
func pipe(t *testing.T, s *Session) (net.Conn, chan error) {
	client, server := net.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- s.Serve(server)
		server.Close()
	}()
	t.Cleanup(func() { client.Close() })
	return client, done
}

// TestSessionTimeouts shows that a client that goes silent hears 421, whether it
// is its own silence that was too long or the session.
func TestSessionTimeouts(t *testing.T) {
	const soon = 20 * time.Millisecond
	for name, s := range map[string]*Session{
		"read":    {ReadTimeout: soon},
		"session": {SessionTimeout: soon},
	} {
		for at, in := range map[string]string{"command": "NOOP\r\nNO", "data": ehlo + post[:len(post)-5]} {
			t.Run(name+"/"+at, func(t *testing.T) {
				t.Parallel()
				s := *s
				s.Hostname, s.Backend = "h", new(memory)
				conn, done := pipe(t, &s)
				go io.WriteString(conn, in)
				out, _ := io.ReadAll(conn)
				if !strings.HasSuffix(string(out), "\r\n421 4.4.2 "+ReplyTimeout.Text+"\r\n") {
					t.Errorf("the client hears %q", out)
				}
				var timeout net.Error
				if err := <-done; !errors.As(err, &timeout) || !timeout.Timeout() {
					t.Errorf("Serve gives %v", err)
				}
				if got := s.Backend.(*memory).got; len(got) > 0 {
					t.Errorf("half a message was taken: %v", got)
				}
			})
		}
	}
}

// TestSessionDeafClient shows that a client that does not read ends.
func TestSessionDeafClient(t *testing.T) {
	_, done := pipe(t, &Session{Hostname: "h", Backend: new(memory), WriteTimeout: 10 * time.Millisecond})
	select {
	case err := <-done:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(5 * time.Second):
		t.Error("the session hangs")
	}
}

// TestSessionSlowLoris shows that a client that is never silent for long does
// not hold a session beyond its end.
func TestSessionSlowLoris(t *testing.T) {
	conn, done := pipe(t, &Session{Hostname: "h", Backend: new(memory), SessionTimeout: 60 * time.Millisecond})
	go io.Copy(io.Discard, conn)
	for {
		select {
		case <-done:
			return
		case <-time.After(5 * time.Millisecond):
			conn.SetWriteDeadline(time.Now().Add(time.Second))
			io.WriteString(conn, "N")
		}
	}
}

// TestSessionCut cuts the connection after every byte of a session: a message is
// there exactly if its last byte was.
func TestSessionCut(t *testing.T) {
	in := ehlo + post + post
	ends := []int{len(ehlo + post), len(in)}
	for n := range len(in) + 1 {
		_, got, log := talk(in[:n])
		want := 0
		for _, end := range ends {
			if n >= end {
				want++
			}
		}
		if len(got) != want {
			t.Errorf("cut after %d bytes: %d messages, want %d", n, len(got), want)
		}
		if last := log[len(log)-1]; !strings.HasPrefix(last, "disconnect") || !strings.Contains(last, "connection lost after") && !strings.Contains(last, " quit=no") {
			t.Errorf("cut after %d bytes: the log ends with %s", n, last)
		}
	}
}
