package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"superlist/lists/sitetest"

	"golang.org/x/sys/unix"

	"superlist/smtp"
	"superlist/smtp/smtptest"
)

// binaries builds the programs of a session, once for all tests.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "superlist-spawn-test-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", dir, "superlist/cmd/superlist-spawn", "superlist/cmd/superlist-session").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := binaries(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

// TestSockets plays the recordings to the real program: over TCP, or where the
// recording says who the client is, over a Unix socket and with the environment
// of a launcher that says so, and with the spool and the log of the recording.
// What only a test can make happen to a connection is left out.
func TestSockets(t *testing.T) {
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	scripts, err := smtptest.ReadAll("../../testdata/*.session")
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		if !smtptest.Playable(script) || hasFile(script, "nexthop") || hasFile(script, "tls") || strings.HasSuffix(script.Name, "-stdin") {
			continue
		}
		switch kind, _, _ := strings.Cut(script.Name, "-"); kind {
		case "helo", "auth": // the name service here knows none of its names; who guesses passwords waits
			if kind == "auth" || strings.HasPrefix(script.Name, "helo-check") {
				continue
			}
		}
		prove(script)
		peer := peerOf(t, script)
		pair := tcpPair
		if peer.Name != "stdin" { // TCP knows better who the client is
			pair = unixPair
		}
		t.Run(script.Name, func(t *testing.T) {
			t.Parallel()
			playReal(t, filepath.Join(dir, "superlist-spawn"), script, peer, pair)
		})
	}
}

func hasFile(script *smtptest.Script, name string) bool {
	for _, f := range script.Files {
		if f.Name == name {
			return true
		}
	}
	return false
}

// playReal plays one recording to a process.
func playReal(t *testing.T, program string, script *smtptest.Script, peer smtp.Peer, pair func(*testing.T) (net.Conn, *os.File)) {
	site := siteOf(t, script)
	log := filepath.Join(filepath.Dir(site.File()), "log")
	config, err := os.ReadFile(site.File())
	if err != nil {
		t.Fatal(err)
	}
	settings := fmt.Sprintf("log = %q\nlog_level = \"debug\"", log)
	if peer.Name == "stdin" && !strings.Contains(string(config), "xforward") {
		settings += "\nxforward = false" // a socket is trusted where a pipe is not
	}
	config = []byte(strings.Replace(string(config), `log = "none"`, settings, 1))
	if err := os.WriteFile(site.File(), config, 0o600); err != nil {
		t.Fatal(err)
	}
	conn, end := pair(t)
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	cmd := exec.Command(program, "-c", site.File())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = end, end, end // as spawn(8) does
	cmd.Env = []string{"PATH=/usr/bin:/bin"}
	if peer.Addr.IsValid() {
		cmd.Env = append(cmd.Env, "REMOTE_ADDR="+peer.Addr.Addr().String(), fmt.Sprint("REMOTE_PORT=", peer.Addr.Port()))
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end.Close()
	var dialogue strings.Builder
	if err := smtptest.Play(script, conn, conn, &dialogue); err != nil {
		said := dialogue.String()
		t.Errorf("%v\n…%s", err, said[max(0, len(said)-2000):])
	}
	conn.(interface{ CloseWrite() error }).CloseWrite()
	if rest, _ := io.ReadAll(conn); len(rest) > 0 && !strings.HasPrefix(string(rest), "421 ") {
		t.Errorf("and then %q", rest)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	lines := readLog(t, log)
	if peer.Name == "stdin" { // and what it says of the client is not what a socket says
		script = &smtptest.Script{Name: script.Name}
	}
	sitetest.CheckSpool(t, site.QueueDir, script, lines)
	sitetest.CheckLog(t, script, lines)
}

// readLog is the log without its times.
func readLog(t *testing.T, file string) []string {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if _, rest, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "]: "); ok {
			lines = append(lines, rest)
		}
	}
	return lines
}

// unixPair is a connection over a Unix socket.
func unixPair(t *testing.T) (net.Conn, *os.File) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fds[0]), "client")
	defer f.Close()
	conn, err := net.FileConn(f)
	if err != nil {
		t.Fatal(err)
	}
	return conn, os.NewFile(uintptr(fds[1]), "server")
}

// tcpPair is a connection over loopback.
func tcpPair(t *testing.T) (net.Conn, *os.File) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	f, err := server.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	return conn, f
}
