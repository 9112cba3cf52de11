package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/quota"
	"superlist/lists/sitetest"
)

// A talk is a session with the real superlist-spawn by a pipe.
type talk struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func newTalk(t *testing.T, bin, dir string) *talk {
	t.Helper()
	cmd := exec.Command(bin+"/superlist-spawn", "-c", dir+"/superlist.toml")
	in, out := sitetest.Piped(t, cmd)
	c := &talk{t: t, cmd: cmd, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	c.wantReply("220 ")
	c.say("250 ", "EHLO client.example\r\n")
	return c
}

// say sends bytes as they are, and wants the reply to begin so.
func (c *talk) say(want, bytes string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, bytes); err != nil {
		c.t.Fatal(err)
	}
	c.wantReply(want)
}

func (c *talk) wantReply(want string) {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	for err == nil && len(line) > 3 && line[3] == '-' {
		line, err = c.out.ReadString('\n')
	}
	if err != nil || !strings.HasPrefix(line, want) {
		c.t.Fatalf("%q, %v, want %s", line, err, want)
	}
}

// peak is the most memory that the process has had so far, in KiB: proc(5).
func (c *talk) peak() int {
	c.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	must(c.t, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	must(c.t, err)
	return n
}

// TestHugeInput sends the real superlist-spawn ten megabytes where a line belongs.
// Each is refused in words, none of it is kept on disk, and the process does not
// grow: a server that reads a command, a header or a message to its end before it
// looks at it is brought down by a few of these at a time.
func TestHugeInput(t *testing.T) {
	bin, err := programs()
	must(t, err)
	dir, superlist := killSite(t, bin)
	const huge = 10 << 20
	const small = 24 << 10 // KiB: three times what a session needs
	for name, say := range map[string]func(*talk){
		"command":           func(c *talk) { c.say("500 5.5.2 ", strings.Repeat("x", huge)+"\r\n") },
		"argument":          func(c *talk) { c.say("500 5.5.2 ", "NOOP "+strings.Repeat("x", huge)+"\r\n") },
		"command, by words": func(c *talk) { c.say("500 5.5.2 ", strings.Repeat("RCPT TO:<dev@lists.example.org> ", huge/32)+"\r\n") },
		"recipient": func(c *talk) {
			c.say("250 ", "MAIL FROM:<eve@example.net>\r\n")
			c.say("500 5.5.2 ", "RCPT TO:<dev+subscribe-"+strings.Repeat("x", huge)+"=example.com@lists.example.org>\r\n")
		},
		"parameter": func(c *talk) { c.say("500 5.5.2 ", "MAIL FROM:<> ENVID="+strings.Repeat("x", huge)+"\r\n") },
		"+request, as announced": func(c *talk) {
			c.say("250 ", fmt.Sprintf("MAIL FROM:<eve@example.net> SIZE=%d\r\n", huge))
			c.say("552 5.3.4 ", "RCPT TO:<dev+request@lists.example.org>\r\n")
		},
		"+request": func(c *talk) {
			c.say("250 ", "MAIL FROM:<eve@example.net>\r\nRCPT TO:<dev+request@lists.example.org>\r\n")
			c.wantReply("250 ")
			c.say("354 ", "DATA\r\n")
			c.say("552 5.3.4 ", "From: eve@example.net\r\n\r\n"+strings.Repeat("subscribe\r\n", huge/11)+".\r\n")
		},
		"+request, in one line": func(c *talk) {
			c.say("250 ", "MAIL FROM:<eve@example.net>\r\nRCPT TO:<dev+request@lists.example.org>\r\n")
			c.wantReply("250 ")
			c.say("354 ", "DATA\r\n")
			c.say("552 5.3.4 ", "From: eve@example.net\r\n\r\n"+strings.Repeat("subscribe ", huge/10)+"\r\n.\r\n")
		},
		"+request, its Subject": func(c *talk) {
			c.say("250 ", "MAIL FROM:<eve@example.net>\r\nRCPT TO:<dev+request@lists.example.org>\r\n")
			c.wantReply("250 ")
			c.say("354 ", "DATA\r\n")
			c.say("552 5.3.4 ", "From: eve@example.net\r\nSubject: "+strings.Repeat("subscribe ", huge/10)+"\r\n\r\n.\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newTalk(t, bin, dir)
			say(c)
			c.say("250 ", "NOOP\r\n")
			if kib := c.peak(); kib > small {
				t.Errorf("the process has grown to %d KiB", kib)
			}
			c.say("221 ", "QUIT\r\n")
		})
	}

	t.Log("and the largest that is taken is answered once, without being read through")
	c := newTalk(t, bin, dir)
	c.say("250 ", "MAIL FROM:<eve@example.net>\r\nRCPT TO:<dev+request@lists.example.org>\r\n")
	c.wantReply("250 ")
	c.say("354 ", "DATA\r\n")
	head := "From: eve@example.net\r\n\r\n"
	c.say("250 2.0.0 queued", head+strings.Repeat("subscribe\r\n", (lists.MaxCommand-len(head))/11)+".\r\n")
	c.say("221 ", "QUIT\r\n")
	superlist("deliver")
	if letters, _ := filepath.Glob(dir + "/out/eve@example.net/new/*"); len(letters) != 1 {
		t.Errorf("eve got %d letters", len(letters))
	}
	wantSpoolEmpty(t, dir)
}

func wantSpoolEmpty(t *testing.T, dir string) {
	t.Helper()
	for _, box := range []string{"tmp", "inbound/*", "outbound/*", "failed"} {
		if left, _ := filepath.Glob(dir + "/spool/" + box + "/*"); len(left) > 0 {
			t.Errorf("left in the spool: %q", left)
		}
	}
}

// TestSubscriptionBomb: a hundred thousand requests in one person's name, by the
// real programs, while the real deliver runs again and again. They come with a
// forged From and with the name in the address, a hundred to a message, in
// whatever letters, by SMTP, LMTP and in +request. He gets one mail; on disk stay
// two small files, and they go the next day. A manager that answers each of them,
// or keeps a file for each, is what such floods are made with.
func TestSubscriptionBomb(t *testing.T) {
	const requests = 100_000
	bin, err := programs()
	must(t, err)
	dir, superlist := killSite(t, bin)

	// Sessions end after twenty refusals, so there are many.
	sessions := make(chan string, 1000)
	made, replies := 0, 0 // LMTP has one for each recipient
	spelt := func(i int) (address, inAddress string) {
		switch i % 4 {
		case 0:
			return "victim@example.com", "dev+subscribe-victim=example.com"
		case 1:
			return "Victim@EXAMPLE.com", "dev+Subscribe-VICTIM=Example.Com"
		case 2:
			return "\"The Victim\" <victim@example.com>", "\"dev+subscribe-victim=example.com\""
		}
		return "\"victim\"@example.com", "DEV+SUBSCRIBE-victim=example.com"
	}
	for made < requests/20 { // one to a message
		talk := "EHLO x\r\n"
		for range 20 {
			to := []string{"dev+subscribe", "dev+join", "dev+subscribe-nomail"}[made%3]
			subject := ""
			if made%50 == 0 {
				to, subject = "dev+request", "Subject: subscribe\r\n"
			}
			address, _ := spelt(made)
			talk += fmt.Sprintf("MAIL FROM:<eve%d@example.net>\r\nRCPT TO:<%s@lists.example.org>\r\nDATA\r\nFrom: %s\r\n%s\r\n.\r\n", made, to, address, subject)
			made++
			replies++
		}
		sessions <- talk + "QUIT\r\n"
	}
	for hello := "EHLO"; made < requests; { // a hundred to a message
		talk := hello + " x\r\n"
		for range 19 {
			if made == requests {
				break
			}
			replies += map[string]int{"EHLO": 1, "LHLO": 100}[hello]
			talk += fmt.Sprintf("MAIL FROM:<eve%d@example.net>\r\n", made)
			for range 100 {
				_, to := spelt(made)
				talk += "RCPT TO:<" + to + "@lists.example.org>\r\n"
				made++
			}
			talk += "DATA\r\nFrom: eve@example.net\r\n\r\n.\r\n"
		}
		sessions <- talk + "QUIT\r\n"
		hello = map[string]string{"EHLO": "LHLO", "LHLO": "EHLO"}[hello]
	}
	close(sessions)

	begin := time.Now()
	var wg sync.WaitGroup
	done := make(chan struct{})
	var mu sync.Mutex
	refused, taken := 0, 0
	for range 2 {
		wg.Go(func() {
			for talk := range sessions {
				cmd := exec.Command(bin+"/superlist-spawn", "-c", dir+"/superlist.toml")
				cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
				cmd.Stdin = strings.NewReader(talk)
				out, err := cmd.Output()
				if err != nil {
					t.Errorf("%v\n%s", err, out)
				}
				mu.Lock()
				refused += bytes.Count(out, []byte("5.7.1 a letter about this went to "))
				taken += bytes.Count(out, []byte("250 2.0.0 queued as "))
				mu.Unlock()
			}
		})
	}
	go func() {
		wg.Wait()
		close(done)
	}()
	for more := true; more; {
		select {
		case <-done:
			more = false
		case <-time.After(500 * time.Millisecond): // as a kick would
		}
		superlist("deliver")
	}
	t.Logf("%d requests in %v: %d taken, %d times no", made, time.Since(begin).Round(time.Millisecond), taken, refused)
	if taken == 0 || taken+refused != replies {
		t.Errorf("%d were taken and %d refused, want %d in all", taken, refused, replies)
	}

	boxes, _ := filepath.Glob(dir + "/out/*/new/*")
	if len(boxes) != 1 || !strings.Contains(boxes[0], "/victim@example.com/") {
		t.Errorf("letters went out: %q", boxes)
	}
	wantSpoolEmpty(t, dir)
	home := dir + "/lists/lists.example.org/dev"
	asked, _ := filepath.Glob(home + "/asked/*")
	if len(asked) != 2 {
		t.Errorf("the list remembers it in %q", asked)
	}
	for _, file := range asked {
		if info, err := os.Stat(file); err != nil || info.Size() > 100 {
			t.Errorf("%s has %d bytes, %v", file, info.Size(), err)
		}
	}
	if n := filesIn(t, home); n > 7 { // and list.toml, members, key, acts, asked
		t.Errorf("the list has %d files", n)
	}

	t.Log("the next day")
	then := time.Now().Add(-quota.AskAgain - time.Hour)
	yesterday := strconv.FormatInt(then.Unix()/86400, 10)
	for _, file := range asked {
		must(t, os.Chtimes(file, then, then))
		if strings.HasPrefix(filepath.Base(file), "all-") {
			must(t, os.Rename(file, home+"/asked/all-"+yesterday))
		}
	}
	c := newTalk(t, bin, dir)
	c.say("250 ", "MAIL FROM:<zoe@example.com>\r\nRCPT TO:<dev+subscribe@lists.example.org>\r\n")
	c.wantReply("250 ")
	c.say("354 ", "DATA\r\n")
	c.say("250 ", "From: zoe@example.com\r\n\r\n.\r\n")
	c.say("221 ", "QUIT\r\n")
	must(t, os.Remove(dir+"/spool/maintained"))
	superlist("deliver")
	for _, file := range asked {
		if _, err := os.Stat(file); err == nil && !strings.HasPrefix(filepath.Base(file), "all-") {
			t.Errorf("%s is still there", file)
		}
	}
	if asked, _ := filepath.Glob(home + "/asked/*"); len(asked) != 2 {
		t.Errorf("the list remembers zoe in %q", asked)
	}
}

// filesIn counts the files and folders below a folder.
func filesIn(t *testing.T, dir string) (n int) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if path != dir {
			n++
		}
		return err
	}))
	return n
}
