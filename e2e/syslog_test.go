package e2e

import (
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// syslog is the /dev/log of a namespace: it keeps the lines.
type syslog struct {
	mu    sync.Mutex
	lines []string
}

func newSyslog(t *testing.T) *syslog {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/dev/log", Net: "unixgram"})
	must(t, err)
	must(t, os.Chmod("/dev/log", 0o666))
	l := &syslog{}
	go func() {
		buf := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			l.mu.Lock()
			l.lines = append(l.lines, strings.TrimRight(string(buf[:n]), "\n\x00"))
			l.mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		if t.Failed() {
			t.Logf("syslog:\n%s", l.String())
		}
	})
	return l
}

func (l *syslog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

// find returns the lines that match.
func (l *syslog) find(expr string) []string {
	re := regexp.MustCompile(expr)
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for _, line := range l.lines {
		if re.MatchString(line) {
			found = append(found, line)
		}
	}
	return found
}

// want waits for a line that matches.
func (l *syslog) want(t *testing.T, expr string) {
	t.Helper()
	wait(t, "a log line like "+expr, func() bool { return len(l.find(expr)) > 0 })
}
