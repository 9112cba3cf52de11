package maillog

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC)

// daemon listens as a log daemon does, and gives a Log that writes to it.
func daemon(t *testing.T, format func(*Log, Level, string) string) (*net.UnixConn, *Log) {
	t.Helper()
	dir, err := os.MkdirTemp("", "log") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "log")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	l := &Log{level: Info, program: "superlist", format: format, Now: func() time.Time { return noon }}
	if l.w, err = dial(socket); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return c, l
}

// datagrams are what has arrived. It does not wait: what was written is there.
func datagrams(t *testing.T, c *net.UnixConn) []string {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	raw.Read(func(fd uintptr) bool {
		buf := make([]byte, 64<<10)
		for {
			n, _, err := syscall.Recvfrom(int(fd), buf, syscall.MSG_DONTWAIT)
			if err != nil {
				return true
			}
			got = append(got, string(buf[:n]))
		}
	})
	return got
}

func TestSyslog(t *testing.T) {
	c, l := daemon(t, syslog)
	l.Printf(Info, "post id=%s", "x")
	l.Printf(Err, "trouble")
	l.Printf(Warning, "refused\n")
	pid := os.Getpid()
	want := []string{
		fmt.Sprintf("<22>superlist[%d]: post id=x", pid),
		fmt.Sprintf("<19>superlist[%d]: trouble", pid),
		fmt.Sprintf("<20>superlist[%d]: refused", pid),
	}
	if got := datagrams(t, c); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%q", got)
	}
}

func TestJournal(t *testing.T) {
	c, l := daemon(t, journal)
	l.Printf(Info, "post id=%s", "x")
	want := fmt.Sprintf("PRIORITY=6\nSYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=superlist\nSYSLOG_PID=%d\nMESSAGE=post id=x\n", os.Getpid())
	if got := datagrams(t, c); len(got) != 1 || got[0] != want {
		t.Errorf("%q", got)
	}
}

// TestNoForgedLine: nothing in a text makes a second line, a second journal
// field or a second datagram, or steers the terminal of who reads the log.
func TestNoForgedLine(t *testing.T) {
	for _, evil := range []string{"a\nsent id=x", "a\r\nsent", "a\rb", "a\x00b", "a\x1b[2Jb", "a\u0085b", "a\u009b2Jb", "a\x7fb", "\n\nPRIORITY=0\nMESSAGE=x", "a\tb"} {
		c, l := daemon(t, syslog)
		l.Printf(Info, "from=%s", evil)
		got := datagrams(t, c)
		if len(got) != 1 || strings.ContainsAny(got[0], "\n\r\x00\x1b\x7f\t\u0085\u009b") {
			t.Errorf("syslog: %q makes %q", evil, got)
		}
		c, l = daemon(t, journal)
		l.Printf(Info, "from=%s", evil)
		got = datagrams(t, c)
		if len(got) != 1 || strings.Count(got[0], "\n") != 5 || !strings.HasPrefix(got[0], "PRIORITY=6\n") {
			t.Errorf("journal: %q makes %q", evil, got)
		}
		var b bytes.Buffer
		l = &Log{level: Info}
		l.Also(&b)
		l.Printf(Info, "from=%s", evil)
		if strings.Count(b.String(), "\n") != 1 {
			t.Errorf("%q makes %q", evil, b.String())
		}
	}
}

func TestLevel(t *testing.T) {
	for level, want := range map[string]string{"err": "3", "warning": "34", "info": "346", "debug": "3467"} {
		file := filepath.Join(t.TempDir(), "log")
		l, err := Open(file, level, "superlist")
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []Level{Err, Warning, Info, Debug} {
			l.Printf(at, "%d", at)
		}
		l.Close()
		text, _ := os.ReadFile(file)
		got := ""
		for line := range strings.Lines(string(text)) {
			got += line[len(line)-2 : len(line)-1]
		}
		if got != want {
			t.Errorf("log_level %s: %q, want %q", level, got, want)
		}
	}
}

func TestFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "log")
	for range 2 { // it is added to
		l, err := Open(file, "info", "superlist")
		if err != nil {
			t.Fatal(err)
		}
		l.Now = func() time.Time { return noon }
		l.Printf(Info, "hello")
		if l.File() == nil {
			t.Error("a file, and no File")
		}
		l.Close()
	}
	line := fmt.Sprintf("2026-11-03T12:00:00Z superlist[%d]: hello\n", os.Getpid())
	if text, _ := os.ReadFile(file); string(text) != line+line {
		t.Errorf("%q", text)
	}
	if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
		t.Errorf("%v", info.Mode())
	}
}

// A log that cannot be opened throws lines away, and says why.
func TestOpenFails(t *testing.T) {
	l, err := Open(filepath.Join(t.TempDir(), "no", "such"), "info", "superlist")
	if err == nil || !strings.HasPrefix(err.Error(), "log: ") {
		t.Errorf("%v", err)
	}
	var none Log
	for _, l := range []*Log{l, &none} {
		l.Printf(Err, "into the void")
		if l.File() != nil {
			t.Error("a File of nothing")
		}
		l.Close()
	}
	if l, err := Open("none", "debug", "superlist"); err != nil || l.File() != nil {
		t.Errorf("%v", err)
	}
}

// What a dying runtime says can go to the daemon too.
func TestSocketAsFile(t *testing.T) {
	c, l := daemon(t, syslog)
	f := l.File()
	if f == nil {
		t.Fatal("no File")
	}
	defer f.Close()
	f.WriteString("panic: x")
	if got := datagrams(t, c); len(got) != 1 || got[0] != "panic: x" {
		t.Errorf("%q", got)
	}
}

// TestStuckDaemon: a daemon that does not read, and one that has gone, hold no
// mail up; when it reads again it gets what comes then.
func TestStuckDaemon(t *testing.T) {
	old := patience
	patience = 10 * time.Millisecond
	defer func() { patience = old }()
	c, l := daemon(t, syslog)
	begin := time.Now()
	for !l.stuck {
		l.Printf(Info, "fill")
		if time.Since(begin) > time.Minute {
			t.Fatal("this system's queue does not fill up")
		}
	}
	l.Printf(Info, "lost")
	filled := datagrams(t, c)
	l.Printf(Info, "again")
	if got := datagrams(t, c); len(filled) == 0 || len(got) != 1 || !strings.HasSuffix(got[0], "again") || l.stuck {
		t.Errorf("%d lines, then %q", len(filled), got)
	}
	c.Close()
	l.Printf(Info, "nobody there")
}
