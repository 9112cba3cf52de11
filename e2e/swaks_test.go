package e2e

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// swaks posts to the list; every line of its transcript that came from the
// server must be SMTP.
func swaks(t *testing.T, server, subject string) {
	t.Helper()
	out := run(t, "swaks", "--server", server, "--local-interface", outsider, "--from", member, "--to", list,
		"--header", "Subject: "+subject, "--h-From", member, "--ehlo", "client.example.com")
	wantSMTP(t, out)
}

// swaksRefused says that a post is refused with the reply.
func swaksRefused(t *testing.T, server, reply, from, to string) {
	t.Helper()
	out, err := exec.Command("swaks", "--server", server, "--local-interface", outsider, "--from", from, "--to", to,
		"--h-From", from, "--ehlo", "client.example.com").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "\n<** "+reply+" ") {
		t.Errorf("swaks from %s to %s: %v, want %s in\n%s", from, to, err, reply, out)
	}
	wantSMTP(t, string(out))
}

func wantSMTP(t *testing.T, transcript string) {
	t.Helper()
	for line := range strings.Lines(transcript) {
		text, ok := strings.CutPrefix(line, "<-  ")
		if !ok { // in TLS
			text, ok = strings.CutPrefix(line, "<~  ")
		}
		if ok {
			text = strings.TrimSuffix(text, "\n") + "\r\n"
			if !replyLine.MatchString(text) {
				t.Errorf("not SMTP: %q", line)
			}
		}
	}
}

// burst is a number of posts from several clients at once; it returns their
// subjects.
func burst(t *testing.T, server string) (subjects []string) {
	t.Helper()
	const clients, posts = 4, 8
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			for j := range posts {
				wantPosted(t, server, oddPost(fmt.Sprintf("burst %d %d", i, j)))
			}
		})
	}
	wg.Wait()
	for i := range clients * posts {
		subjects = append(subjects, fmt.Sprintf("burst %d %d", i/posts, i%posts))
	}
	return subjects
}

func listening(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
