package e2e

import (
	"bufio"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists/sitetest"
)

// What goes over the wire below, beside commands: ends of lines and of data as RFC 5321
// has them, those by which mail was smuggled (bare CR and LF around a dot), NUL, lines
// that are too long, and dots.
var (
	wireEnds  = []string{"\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n", "\n\r\n"}
	wireDots  = []string{".\r\n", "\r\n.\n", "\n.\n", "\n.\r\n", "\r.\r\n", "\r\n.\r", "\r.\r", "\r\n.\r\r\n", "\r\n\x00.\r\n", "\r\n.\x00\r\n", "\r\n..\r\n", "\r\n.\r\n", "\r\n. \r\n"}
	wireTexts = []string{"Hello.", "", ".", "..", "\x00", "é", "\xff", strings.Repeat("x", 998), strings.Repeat("y", 2047), strings.Repeat("z", 5000)}
	wireWords = []string{"NOOP", "RSET", "VRFY a", "HELP", "JUNK", "noop", "NOOP \x00", "NO\rOP", strings.Repeat("N", 2046), strings.Repeat("N", 2047), strings.Repeat("N", 6000), "", " NOOP", "DATA", "MAIL FROM:<bob@example.com>", "RCPT TO:<dev@lists.example.org>"}
)

// TestLinesAsPostfix: where messages end, a real smtpd that takes nothing but CRLF
// (smtpd_forbid_bare_newline = reject) and we agree, whatever is sent: we hear no DATA
// that it does not hear, and take no message that it refuses. So nothing within a message
// becomes one of its own. We are stricter: a bare CR or a NUL is refused too, in a command
// as in a message.
func TestLinesAsPostfix(t *testing.T) {
	if !enter(t, postfixNeeds...) {
		return
	}
	newSite(t, "", "127.0.0.1:25")
	startPostfixWith(t, world+`
relay_domains = lists.example.org
relay_transport = discard:
smtpd_forbid_bare_newline = reject
smtpd_forbid_bare_newline_exclusions =
smtpd_forbidden_commands =
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 100000
smtpd_hard_error_limit = 100000
smtpd_junk_command_limit = 100000
smtpd_client_connection_rate_limit = 0
`, "")
	random := rand.New(rand.NewPCG(3, 4)) // the same streams each time
	one := func(from []string) string { return from[random.IntN(len(from))] }
	transaction := func() (s string) {
		s = "MAIL FROM:<alice@example.com>\r\nRCPT TO:<dev@lists.example.org>\r\nDATA\r\nFrom: alice@example.com\r\nSubject: one\r\n\r\n"
		for range random.IntN(4) {
			s += one(wireTexts) + one(wireEnds)
			if random.IntN(2) == 0 {
				s += one(wireDots)
			}
		}
		return s + "End.\r\n.\r\n"
	}
	same, taken, refused := 0, 0, 0
	for range 60 {
		stream := "EHLO client.example\r\n"
		for range 1 + random.IntN(3) {
			if random.IntN(3) == 0 {
				stream += one(wireWords) + one(wireEnds)
			}
			stream += transaction()
		}
		stream += "QUIT\r\n"
		us, end := ourSession(t)
		ours, _ := answers(us, stream, end)
		them, end := theirSession(t)
		theirs, reset := answers(them, stream, end)
		if slices.Equal(ours, theirs) {
			same++
		}
		wrong := len(ours) == 0 || len(theirs) == 0
		here, there := ends(ours), ends(theirs)
		for i, code := range here {
			switch {
			case i >= len(there) && reset:
			case i >= len(there) || code == "250" && there[i] != "250":
				wrong = true
			case code == "250":
				taken++
			default:
				refused++
			}
		}
		// Fewer are all right if it is we who have hung up.
		if wrong || len(here) < len(there) && ours[len(ours)-1][0] != '5' {
			t.Errorf("%q:\nhere    %v\nPostfix %v", stream, ours, theirs)
		}
	}
	t.Logf("%d the same in all, %d messages taken, %d refused", same, taken, refused)
	if same < 10 || taken < 10 || refused < 10 {
		t.Error("that says little")
	}
}

// ends are the answers to the ends of messages: those that follow a 354.
func ends(codes []string) (at []string) {
	for i, code := range codes {
		if code == "354" && i+1 < len(codes) {
			at = append(at, codes[i+1])
		}
	}
	return at
}

// ourSession is one with the real superlist-spawn.
func ourSession(t *testing.T) (session io.ReadWriter, end func() error) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "superlist-spawn")
	in, out := sitetest.Piped(t, cmd)
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	return struct {
		io.Reader
		io.Writer
	}{out, in}, in.Close
}

// theirSession is one with the real smtpd.
func theirSession(t *testing.T) (session io.ReadWriter, end func() error) {
	conn, err := net.Dial("tcp", "127.0.0.1:25")
	must(t, err)
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	t.Cleanup(func() { conn.Close() })
	return conn, conn.(*net.TCPConn).CloseWrite
}

// answers sends a stream and its end once the server has greeted, and returns the codes
// of all replies until it hangs up. If it does so before it has read everything, the last
// replies may be lost (reset).
func answers(session io.ReadWriter, stream string, end func() error) (codes []string, reset bool) {
	in := bufio.NewReader(session)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return codes, err != io.EOF
		}
		if len(line) < 4 || line[3] == '-' {
			continue
		}
		if codes == nil {
			go func() { // it may hang up before it has read it all
				io.WriteString(session, stream)
				end()
			}()
		}
		codes = append(codes, line[:3])
	}
}
