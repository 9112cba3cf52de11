package smtp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// behind plays a server that says what it says, whatever it hears, and gives a
// client that has been welcomed.
func behind(t *testing.T, says string) *Client {
	t.Helper()
	c := &Client{Hostname: "h", Verbatim: true}
	rw := struct {
		io.Reader
		io.Writer
	}{io.MultiReader(strings.NewReader("220 x\r\n"), strings.NewReader("250 x\r\n"), strings.NewReader(says)), io.Discard}
	if err := c.Start(rw); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCommand shows that a reply that is passed on is the one that came, whatever
// its lines have in them and wherever its enhanced codes are.
func TestCommand(t *testing.T) {
	for _, reply := range []string{
		"250 2.1.5 ok\r\n",
		"550 no\r\n",
		"550\x20\r\n",
		"550-5.1.1 one\r\n550 5.1.1 two\r\n",
		"550-one\r\n550 5.1.1 two\r\n",
		"550-5.1.1 one\r\n550-5.7.1  two, indented\r\n550 4.2.2 of another class\r\n",
		"550-\r\n550-\r\n550 5.0.0\r\n",
	} {
		r, err := behind(t, reply).Command("RCPT TO:<a@example.com>")
		if err != nil {
			t.Errorf("%q: %v", reply, err)
		}
		var b strings.Builder
		bw := bufio.NewWriter(&b)
		r.writeTo(bw)
		bw.Flush()
		if b.String() != reply {
			t.Errorf("%q is said again as %q", reply, b.String())
		}
		if r != ReplyTo(fmt.Errorf("x: %w", r)) && r.Code >= 400 {
			t.Errorf("%q does not survive the session", reply)
		}
	}
}

// TestCommandTrouble shows what ends the connection.
func TestCommandTrouble(t *testing.T) {
	for says, want := range map[string]error{
		"":                      io.ErrUnexpectedEOF,
		"250":                   io.ErrUnexpectedEOF,
		"250-ok\r\n":            io.ErrUnexpectedEOF,
		"ok\r\n":                errProtocol,
		"250-a\r\n550 b\r\n":    errProtocol,
		"421 4.3.2 leaving\r\n": nil,
	} {
		c := behind(t, says)
		if r, err := c.Command("NOOP"); !errors.Is(err, want) || want == nil && (err != nil || r.Code != 421) {
			t.Errorf("%q: %v, %v", says, r, err)
		}
		if c.Err() == nil {
			t.Errorf("%q: the connection goes on", says)
		}
		if _, err := c.Command("NOOP"); err == nil {
			t.Errorf("%q: and it does", says)
		}
	}
	if _, err := new(Client).Command("NOOP"); err == nil {
		t.Error("a client that was never started says something")
	}
}

// TestCommandUnasked shows that what the server says before it was asked is no
// answer: neither to a command, nor to a message that it has not got.
func TestCommandUnasked(t *testing.T) {
	c := behind(t, "250 ok\r\n250 ok\r\n")
	if _, err := c.Command("MAIL FROM:<>"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Command("RCPT TO:<a@example.com>"); !errors.Is(err, errProtocol) {
		t.Errorf("to RCPT: %v", err)
	}
	c = behind(t, "354 go\r\n250 queued\r\n")
	if content, _, err := c.Data(); content != nil || !errors.Is(err, errProtocol) {
		t.Errorf("to DATA: %v", err)
	}
}

// TestContent shows what goes over the wire, and that what is not ended has no
// final dot.
func TestContent(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	heard := make(chan string)
	go func() {
		br := bufio.NewReader(server)
		io.WriteString(server, "220 x\r\n")
		for _, reply := range []string{"250 x\r\n", "354-go\r\n354 ahead\r\n"} {
			br.ReadString('\n')
			io.WriteString(server, reply)
		}
		var all strings.Builder
		for !strings.HasSuffix(all.String(), "\r\n.\r\n") {
			line, err := br.ReadString('\n')
			if all.WriteString(line); err != nil {
				break
			}
		}
		if strings.HasSuffix(all.String(), "\r\n.\r\n") {
			io.WriteString(server, "250 2.0.0 Ok: queued as 4XYZ\r\n")
		}
		heard <- all.String()
	}()
	c := &Client{Hostname: "h", Verbatim: true}
	if err := c.Start(client); err != nil {
		t.Fatal(err)
	}
	m, r, err := c.Data()
	if err != nil || r.Text != "go\nahead" {
		t.Fatal(r, err)
	}
	for _, piece := range []string{"a\r", "\n", ".", "b\r\n", "..\r\n"} {
		if _, err := io.WriteString(m, piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Flush(); err != nil {
		t.Fatal(err)
	}
	r, err = m.End()
	if err != nil || r != (Reply{250, "", "2.0.0 Ok: queued as 4XYZ"}) {
		t.Errorf("%v, %v", r, err)
	}
	if got := <-heard; got != "a\r\n..b\r\n...\r\n.\r\n" {
		t.Errorf("the server has heard %q", got)
	}
	for _, end := range []string{"a", "a\r", "a\n", "a\rb\r\n"} {
		c := behind(t, "354 go\r\n")
		m, _, err := c.Data()
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(m, end)
		if err == nil {
			_, err = m.End()
		}
		if !errors.Is(err, errBareLine) || c.Err() == nil {
			t.Errorf("a message that ends with %q: %v", end, err)
		}
	}
}

// TestContentLastWords: a server that refuses a message before it has it all, and
// hangs up, is heard word for word.
func TestContentLastWords(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		server, err := listener.Accept()
		if err != nil {
			return
		}
		defer server.Close()
		br := bufio.NewReader(server)
		fmt.Fprint(server, "220 x\r\n")
		for _, reply := range []string{"250 x\r\n", "354 go\r\n"} {
			br.ReadString('\n')
			fmt.Fprint(server, reply)
		}
		br.ReadString('\n')
		fmt.Fprint(server, "552-5.3.4 enough\r\n552 really\r\n")
	}()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c := &Client{Hostname: "h", Verbatim: true, BlockTimeout: 10 * time.Second}
	if err := c.Start(client); err != nil {
		t.Fatal(err)
	}
	m, _, err := c.Data()
	for i := 0; err == nil && i < 1<<20; i++ {
		_, err = io.WriteString(m, "line\r\n")
	}
	if err == nil {
		t.Error("the server has gone, and nobody noticed")
	}
	if r, err := m.End(); err != nil || r != (Reply{552, "", "5.3.4 enough\nreally"}) || c.Err() == nil {
		t.Errorf("got %v, %v", r, err)
	}
}
