package e2e

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// client is a bare SMTP client from outside: it sends the bytes it is given and checks that
// every byte it gets is SMTP.
type client struct {
	t         *testing.T
	conn      net.Conn
	in        *bufio.Reader
	announced string // the reply to EHLO
}

func dial(t *testing.T, address string) *client {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(outsider)}, Timeout: patience}
	conn, err := dialer.Dial("tcp", address)
	must(t, err)
	must(t, conn.SetDeadline(time.Now().Add(patience)))
	return &client{t: t, conn: conn, in: bufio.NewReader(conn)}
}

var replyLine = regexp.MustCompile(`^[2-5][0-9][0-9]([ -][ -~\t]*)?\r\n$`)

// reply reads one reply, the last line's text and all, without the CRLFs.
func (c *client) reply() string {
	c.t.Helper()
	var lines []string
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			c.t.Fatalf("reading a reply: %v after %q", err, lines)
		}
		if !replyLine.MatchString(line) {
			c.t.Fatalf("not SMTP on the client's socket: %q", line)
		}
		lines = append(lines, strings.TrimSuffix(line, "\r\n"))
		if len(line) < 4 || line[3] != '-' {
			return strings.Join(lines, "\n")
		}
	}
}

// send sends a line and returns the reply to it.
func (c *client) send(format string, args ...any) string {
	c.t.Helper()
	if _, err := fmt.Fprintf(c.conn, format+"\r\n", args...); err != nil {
		c.t.Fatalf("%s: %v", format, err)
	}
	return c.reply()
}

// want sends a line whose reply must begin as said.
func (c *client) want(reply, format string, args ...any) string {
	c.t.Helper()
	got := c.send(format, args...)
	if !strings.HasPrefix(got, reply) {
		c.t.Fatalf("%s: %q, want %s", fmt.Sprintf(format, args...), got, reply)
	}
	return got
}

// hello reads the greeting and says EHLO.
func (c *client) hello() *client {
	c.t.Helper()
	if greeting := c.reply(); !strings.HasPrefix(greeting, "220 ") {
		c.t.Fatalf("greeting %q", greeting)
	}
	c.announced = c.want("250", "EHLO client.example.com")
	return c
}

// startTLS goes on inside TLS, whoever the server is.
func (c *client) startTLS() *client {
	c.t.Helper()
	c.want("220", "STARTTLS")
	c.conn = tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true})
	c.in = bufio.NewReader(c.conn)
	c.announced = c.want("250", "EHLO client.example.com")
	return c
}

// keywords is what the server announced, without the parameters.
func (c *client) keywords() []string {
	var keywords []string
	for _, line := range strings.Split(c.announced, "\n")[1:] {
		keywords = append(keywords, strings.Fields(line[4:])[0])
	}
	return keywords
}

// post is one message to one recipient; it returns the first reply that
// refuses, or the one that accepts.
func (c *client) post(from, to, message string) string {
	c.t.Helper()
	c.want("250", "MAIL FROM:<%s>", from)
	if reply := c.send("RCPT TO:<%s>", to); reply[0] != '2' {
		c.send("RSET")
		return reply
	}
	c.want("354", "DATA")
	stuffed := strings.ReplaceAll("\r\n"+message, "\r\n.", "\r\n..")[2:]
	return c.send("%s.", stuffed)
}

// postChunked is post with BDAT: RFC 3030.
func (c *client) postChunked(from, to, message string) string {
	c.t.Helper()
	c.want("250", "MAIL FROM:<%s>", from)
	c.want("250", "RCPT TO:<%s>", to)
	half := len(message) / 2
	if _, err := fmt.Fprintf(c.conn, "BDAT %d\r\n%s", half, message[:half]); err != nil {
		c.t.Fatal(err)
	}
	if reply := c.reply(); reply[0] != '2' {
		return reply
	}
	// send would add a CRLF of its own.
	if _, err := fmt.Fprintf(c.conn, "BDAT %d LAST\r\n%s", len(message)-half, message[half:]); err != nil {
		c.t.Fatal(err)
	}
	return c.reply()
}

// wantPosted is a post in a session of its own, which must be accepted.
func wantPosted(t *testing.T, server, message string) {
	t.Helper()
	c := dial(t, server).hello()
	if reply := c.post(member, list, message); !strings.HasPrefix(reply, "250 2.0.0 ") {
		t.Errorf("the post: %q", reply)
	}
	c.quit()
}

// quit ends the session; after it nothing may come.
func (c *client) quit() {
	c.t.Helper()
	c.want("221", "QUIT")
	c.wantEOF()
}

func (c *client) wantEOF() {
	c.t.Helper()
	rest, err := io.ReadAll(c.in)
	if len(rest) > 0 || err != nil {
		c.t.Fatalf("after the last reply: %q, %v", rest, err)
	}
	c.conn.Close()
}
