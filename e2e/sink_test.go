package e2e

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"superlist/smtp"
)

// sinkBinary is Postfix's test server, which can misbehave to order.
const sinkBinary = "/usr/sbin/smtp-sink"

// startSink starts it at a socket in a folder of its own.
func startSink(t *testing.T, options ...string) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "sink") // t.TempDir may be too long for a socket
	must(t, err)
	socket = dir + "/s"
	cmd := exec.Command(sinkBinary, append(options, "unix:"+socket, "10")...)
	if os.Geteuid() == 0 { // it must not run as root
		must(t, os.Chmod(dir, 0o777))
		cmd.Args = append([]string{cmd.Args[0], "-u", "nobody"}, cmd.Args[1:]...)
	}
	var out strings.Builder
	cmd.Stderr = &out
	must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		os.RemoveAll(dir)
		if t.Failed() {
			t.Log(out.String())
		}
	})
	wait(t, "smtp-sink to listen", func() bool {
		conn, err := net.Dial("unix", socket)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return socket
}

// TestSmtpSink meets smtp-sink with each of its misbehaviours: whatever it does,
// each recipient ends in the right state.
func TestSmtpSink(t *testing.T) {
	if _, err := os.Stat(sinkBinary); err != nil {
		t.Skip("end to end: smtp-sink is not installed")
	}
	const start = -1 // the connection does not come about, and nothing is lost
	for _, test := range []struct {
		options string
		want    int // the first digit of both outcomes
	}{
		{"", 2}, {"-p", 2}, {"-e", 2}, {"-8", 2}, {"-E", 2}, {"-p -e -8 -E", 2},
		{"-q connect", start}, {"-q ehlo", 2}, {"-q mail", 4}, {"-q rcpt", 4}, {"-q data", 4}, {"-q .", 4}, {"-q quit", 2},
		{"-Q connect", start}, {"-Q ehlo", start}, {"-Q mail", 4}, {"-Q rcpt", 4}, {"-Q data", 4}, {"-Q .", 4}, {"-Q quit", 2},
		{"-p -q mail", 4}, {"-p -q rcpt", 4}, {"-p -q data", 4}, {"-p -q .", 4}, {"-p -Q rcpt", 4},
		{"-f connect", start}, {"-f ehlo", 2}, {"-f mail", 5}, {"-f rcpt", 5}, {"-f data", 5}, {"-f .", 5},
		{"-r connect", start}, {"-r ehlo", 2}, {"-r mail", 4}, {"-r rcpt", 4}, {"-r data", 4}, {"-r .", 4},
		{"-p -f rcpt", 5}, {"-p -r data", 4}, {"-p -f .", 5},
		{"-A 0", 5},
		{"-p -W mail:3", 4}, {"-p -W rcpt:3", 4}, {"-p -W data:3", 4}, {"-p -W .:3", 4},
		// Here it answers what comes behind the command that it delays.
		{"-W mail:3", 4}, {"-W rcpt:3", 4}, {"-W data:3", 4}, {"-W .:3", 4},
	} {
		t.Run(test.options, func(t *testing.T) {
			t.Parallel()
			socket := startSink(t, strings.Fields(test.options)...)
			c, err := sinkClient(t, socket, false)
			if errors.Is(err, smtp.ErrHangsUp) {
				c, err = sinkClient(t, socket, true)
			}
			if err != nil || test.want == start {
				if r := smtp.ReplyTo(err); test.want != start || !r.Temporary() {
					t.Errorf("Start: %v", err)
				}
				return
			}
			for range 2 { // the second shows what state the first has left
				out := c.Send(&smtp.Transaction{
					From: smtp.Path{Local: "a", Domain: "example.org"}, Size: 10, Body: "8BITMIME",
					To: []smtp.Rcpt{{Path: smtp.Path{Local: "b", Domain: "example.org"}}, {Path: smtp.Path{Local: "c", Domain: "example.org"}}},
					// More than a socket holds, for -A.
					Message: io.MultiReader(strings.NewReader("Subject: x\r\n\r\n"), strings.NewReader(strings.Repeat("text \xe4\r\n", 100_000))),
				})
				for i, r := range out {
					want := test.want
					if c.Err() != nil && want == 5 {
						want = r.Code / 100 // a hard word, or the connection that went with it
					}
					if r.Code/100 != want || want == 2 && c.Err() != nil {
						t.Errorf("recipient %d: %s, want %dxx", i, r, test.want)
					}
				}
				if c.Err() != nil {
					break
				}
			}
			c.Quit()
		})
	}
}

func sinkClient(t *testing.T, socket string, helo bool) (*smtp.Client, error) {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	must(t, err)
	t.Cleanup(func() { conn.Close() })
	const soon = time.Second
	c := &smtp.Client{Hostname: "lists.example.org", HELO: helo, MailTimeout: soon, RcptTimeout: soon, DataTimeout: soon, FinalTimeout: soon}
	return c, c.Start(conn)
}
