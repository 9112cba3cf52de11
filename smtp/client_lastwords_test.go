package smtp

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// TestClientHearsLastWords: a server that refuses a message before it has it
// all, and hangs up, is heard.
func TestClientHearsLastWords(t *testing.T) {
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
		fmt.Fprint(server, "220 sink\r\n")
		for line := ""; line != "DATA\r\n"; line, _ = br.ReadString('\n') {
			if line != "" {
				fmt.Fprint(server, "250 ok\r\n")
			}
		}
		fmt.Fprint(server, "354 go\r\n")
		br.ReadString('\n')
		fmt.Fprint(server, "552 5.3.4 enough\r\n")
	}()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c := &Client{Hostname: "me", BlockTimeout: 10 * time.Second}
	if err := c.Start(client); err != nil {
		t.Fatal(err)
	}
	out := c.Send(&Transaction{To: []Rcpt{{Path: Path{"a", "example.com"}}}, Message: strings.NewReader(strings.Repeat("line\r\n", 1<<20))})
	if want := (Reply{552, "5.3.4", "enough"}); out[0] != want {
		t.Errorf("got %v, want %v", out[0], want)
	}
	if c.Err() == nil {
		t.Error("the connection goes on")
	}
}
