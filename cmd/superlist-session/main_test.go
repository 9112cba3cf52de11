package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlist/lists/sitetest"

	"golang.org/x/sys/unix"

	"superlist/lists/entry"
	"superlist/lists/tlsserver/tlsservertest"
	"superlist/smtp"
)

// built is the folder that programs has made.
var built string

// programs builds both programs, once.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "superlist-bin-")
	if err != nil {
		return "", err
	}
	built = dir
	build := exec.Command("go", "build", "-buildvcs=false", "-o", dir, "../superlist-spawn", "../superlist-session")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// A host is a configuration, and the programs.
type host struct {
	*testing.T
	bin, dir string
}

func newHost(t *testing.T, settings string) *host {
	t.Helper()
	t.Parallel()
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	tlsservertest.New(t).Files(t, dir, "lists.example.org")
	config := sitetest.Config(dir, fmt.Sprintf(`log = "%[1]s/log"
log_level = "debug"
tls = true
ssl_server_crt = "%[1]s/tls.crt"
ssl_server_key = "%[1]s/tls.key"
%[2]s`, dir, settings))
	h := &host{t, bin, dir}
	h.write("superlist.toml", config)
	h.write("lists/lists.example.org/open/list.toml", "owners = [\"olga@example.org\"]\npost = \"anyone\"\n")
	return h
}

func (h *host) write(name, text string) {
	h.Helper()
	sitetest.Files(h, h.dir, map[string]string{name: text})
}

// log is what is in the log now.
func (h *host) log() string {
	text, _ := os.ReadFile(h.dir + "/log")
	return string(text)
}

func (h *host) wantLog(parts ...string) {
	h.Helper()
	log := h.log()
	for _, part := range parts {
		if !strings.Contains(log, part) {
			h.Errorf("no %q in the log:\n%s", part, log)
		}
	}
}

// A client is the other end of a session.
type client struct {
	*host
	cmd  *exec.Cmd
	conn net.Conn
	br   *bufio.Reader
}

// begin starts a program as spawn(8) and inetd do: the socket is standard
// input, output and error. kept are descriptors that it gets besides.
func (h *host) begin(program string, args []string, kept ...*os.File) *client {
	h.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		h.Fatal(err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "ours"), os.NewFile(uintptr(fds[1]), "theirs")
	defer ours.Close()
	defer theirs.Close()
	c := &client{host: h, cmd: exec.Command(program, args...)}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr, c.cmd.ExtraFiles = theirs, theirs, theirs, kept
	c.cmd.Env = []string{"PATH=/usr/bin:/bin", "LANG=C"}
	if err := c.cmd.Start(); err != nil {
		h.Fatal(err)
	}
	if c.conn, err = net.FileConn(ours); err != nil {
		h.Fatal(err)
	}
	c.conn.SetDeadline(time.Now().Add(20 * time.Second))
	c.br = bufio.NewReader(c.conn)
	h.Cleanup(func() { c.conn.Close(); c.cmd.Wait() })
	return c
}

func (h *host) spawn() *client {
	h.Helper()
	return h.begin(h.bin+"/superlist-spawn", []string{"-c", h.dir + "/superlist.toml"})
}

// say sends a text and gives the last line of the reply.
func (c *client) say(text string) string {
	c.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.Fatalf("%q: %v", text, err)
	}
	for {
		line, err := c.br.ReadString('\n')
		if err != nil {
			c.Fatalf("after %q: %q, %v; the log:\n%s", text, line, err, c.log())
		}
		if len(line) < 4 || line[3] != '-' {
			return line
		}
	}
}

func (c *client) want(want, text string) {
	c.Helper()
	if got := c.say(text); !strings.HasPrefix(got, want) {
		c.Fatalf("after %q: %q, want %q; the log:\n%s", text, got, want, c.log())
	}
}

// open is what the program has open.
func (c *client) open() (files []string) {
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", c.cmd.Process.Pid))
	for _, fd := range fds {
		file, _ := os.Readlink(fd)
		files = append(files, file)
	}
	return files
}

// start does the client's side of TLS.
func (c *client) start() {
	c.Helper()
	ca, err := os.ReadFile(c.dir + "/ca.crt")
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(ca) {
		c.Fatal(err)
	}
	conn := tls.Client(c.conn, &tls.Config{RootCAs: pool, ServerName: "lists.example.org"})
	if err := conn.Handshake(); err != nil {
		c.Fatal(err)
	}
	c.conn, c.br = conn, bufio.NewReader(conn)
}

// wantEnd says that nothing more is said, that TLS is ended in order, and that
// the program ends with 0.
func (c *client) wantEnd() {
	c.Helper()
	if rest, err := io.ReadAll(c.br); err != nil || len(rest) > 0 {
		c.Errorf("at the end: %q, %v", rest, err)
	}
	c.conn.Close()
	if err := c.cmd.Wait(); err != nil {
		c.Errorf("exit: %v", err)
	}
}

const post = "From: alice@example.com\r\n\r\nx\r\n.\r\n"

func (c *client) post() {
	c.Helper()
	c.want("250 ", "EHLO client.example\r\n")
	c.want("250 2.1.0", "MAIL FROM:<alice@example.com>\r\n")
	c.want("250 2.1.5", "RCPT TO:<open@lists.example.org>\r\n")
	c.want("354 ", "DATA\r\n")
	c.want("250 2.0.0", post)
}

// TestStartTLS: the process becomes superlist-session, and leaves nothing of
// what it was behind.
func TestStartTLS(t *testing.T) {
	h := newHost(t, "")
	c := h.spawn()
	c.want("220 ", "")
	c.post()
	c.want("500 ", "WRONG\r\n")
	before := c.open()
	c.want("220 2.0.0", "STARTTLS\r\n")
	c.start()
	c.want("503 ", "MAIL FROM:<alice@example.com>\r\n")

	proc := fmt.Sprintf("/proc/%d/", c.cmd.Process.Pid)
	if exe, _ := os.Readlink(proc + "exe"); exe != h.bin+"/superlist-session" {
		t.Errorf("it is %s", exe)
	}
	for _, file := range c.open() {
		if !slices.Contains(before, file) && !strings.HasPrefix(file, "anon_inode:[event") && !strings.HasPrefix(file, "/sys/fs/cgroup/") {
			t.Errorf("left open: %s", file)
		}
	}
	if errors, _ := os.Readlink(proc + "fd/2"); errors != h.dir+"/log" {
		t.Errorf("standard error is %s", errors)
	}
	c.post()
	c.want("221 ", "QUIT\r\n")
	c.wantEnd()
	if names, _ := filepath.Glob(h.dir + "/spool/inbound/new/*"); len(names) != 2 {
		t.Errorf("in the spool: %q", names)
	}
	h.wantLog("superlist-session[", " proto=ESMTP tls=TLSv1.3/TLS_AES_128_GCM_SHA256 from=<alice@example.com>", "messages=2 errors=2")
	if log := h.log(); strings.Count(log, " connect ") != 1 || strings.Count(log, " disconnect ") != 1 {
		t.Errorf("one session in two programs is one session:\n%s", log)
	}
}

// TestNoSession: where superlist-session cannot be started the client hears so
// and goes on in the clear.
func TestNoSession(t *testing.T) {
	for name, test := range map[string]struct {
		program func(path string) error
		want    string
	}{
		"not there":      {func(string) error { return nil }, "superlist-session: no such file"},
		"a folder":       {func(path string) error { return os.Mkdir(path, 0o755) }, "superlist-session is not a program"},
		"not to be run":  {func(path string) error { return os.WriteFile(path, nil, 0o644) }, "superlist-session: permission denied"},
		"open to all":    {func(path string) error { return writeMode(path, "", 0o777) }, "may be written by everybody"},
		"of another CPU": {func(path string) error { return writeMode(path, "\x7fELF\x02\x01\x01", 0o755) }, "superlist-session: exec format error"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, "")
			alone := t.TempDir()
			data, err := os.ReadFile(h.bin + "/superlist-spawn")
			if err == nil {
				err = writeMode(alone+"/superlist-spawn", string(data), 0o755)
			}
			if err == nil {
				err = test.program(alone + "/superlist-session")
			}
			if err != nil {
				t.Fatal(err)
			}
			c := h.begin(alone+"/superlist-spawn", []string{"-c", h.dir + "/superlist.toml"})
			c.want("220 ", "")
			c.want("454 4.7.0 TLS is not available now", "STARTTLS\r\n")
			c.post()
			c.want("221 ", "QUIT\r\n")
			c.wantEnd()
			h.wantLog("at=STARTTLS", test.want, "messages=1 errors=1")
		})
	}
}

// writeMode writes a file whatever the umask is.
func writeMode(path, text string, mode os.FileMode) error {
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

// TestNoKey: superlist-session tells the client before it begins.
func TestNoKey(t *testing.T) {
	h := newHost(t, "")
	h.write("tls.key", "no key")
	c := h.spawn()
	c.want("220 ", "")
	c.want("454 4.7.0", "STARTTLS\r\n")
	c.post()
	c.want("454 4.7.0", "STARTTLS\r\n")
	c.want("221 ", "QUIT\r\n")
	c.wantEnd()
	h.wantLog("superlist-session[", "tls.key: tls: failed to find any PEM data", "messages=1 errors=2")
}

// TestConfigBroken: an error of ours between the two programs is 421, and the
// client is not told what it is.
func TestConfigBroken(t *testing.T) {
	h := newHost(t, "")
	c := h.spawn()
	c.want("220 ", "")
	h.write("superlist.toml", "tls = maybe\n")
	c.want("421 4.3.0 the mailing lists are not available", "STARTTLS\r\n")
	c.wantEnd()
}

// TestWrapped is TLS from the first byte: RFC 8314.
func TestWrapped(t *testing.T) {
	h := newHost(t, "tls_required = true\n")
	c := h.begin(h.bin+"/superlist-session", []string{"-c", h.dir + "/superlist.toml", "-tls-wrapper"})
	c.start()
	c.want("220 lists.example.org ESMTP", "")
	c.want("554 5.5.1", "STARTTLS\r\n")
	c.post()
	c.want("221 ", "QUIT\r\n")
	c.wantEnd()
	h.wantLog(" proto=ESMTP tls=TLSv1.3/", "messages=1 errors=1")
}

// TestWrappedPlain: who does not speak TLS there hears nothing.
func TestWrappedPlain(t *testing.T) {
	h := newHost(t, "")
	c := h.begin(h.bin+"/superlist-session", []string{"-c", h.dir + "/superlist.toml", "-tls-wrapper"})
	io.WriteString(c.conn, "EHLO client.example\r\n")
	c.wantEnd()
	h.wantLog("no session: client=unix: the client does not speak TLS here")
}

// TestWrappedProxy: a PROXY header in front of TLS is refused before anything is
// read, and the log says what to do.
func TestWrappedProxy(t *testing.T) {
	h := newHost(t, "proxy_protocol = true\n")
	c := h.begin(h.bin+"/superlist-session", []string{"-c", h.dir + "/superlist.toml", "-tls-wrapper"})
	c.wantEnd()
	h.wantLog("no session: client=unix: " + h.dir + "/superlist.toml:11: proxy_protocol: is not read in front of TLS from the first byte (-tls-wrapper); start that port with -c ")
}

// TestWhole: without any of that it is one more superlist-spawn.
func TestWhole(t *testing.T) {
	h := newHost(t, "")
	c := h.begin(h.bin+"/superlist-session", []string{"-c", h.dir + "/superlist.toml"})
	c.want("220 ", "")
	c.post()
	c.want("220 ", "STARTTLS\r\n")
	c.start()
	c.post()
	c.want("221 ", "QUIT\r\n")
	c.wantEnd()
	h.wantLog("messages=2 errors=0")
}

// TestState: what the descriptor has in it is the session, or the end of it.
func TestState(t *testing.T) {
	good, err := (&smtp.State{
		Peer: smtp.Peer{Name: "unix"}, Helo: "client.example", Proto: smtp.ESMTP, Errors: 2,
		End: time.Now().Add(time.Hour), Input: []byte("VRFY x\r\nQUIT\r\n"),
	}).MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	late := bytes.Replace(good, []byte("end=2"), []byte("end=1"), 1)
	for name, test := range map[string]struct {
		args []string
		text []byte
		want string
	}{
		"good":             {[]string{"-state", "3"}, good, "252 2.0.0 send some mail and see\r\n221 2.0.0 bye\r\n"},
		"over":             {[]string{"-state", "3"}, bytes.Replace(late, []byte("VRFY x\r\nQUIT\r\n"), nil, 1), "421 4.4.2 "},
		"empty":            {[]string{"-state", "3"}, nil, "421 4.3.0 "},
		"another version":  {[]string{"-state", "3"}, bytes.Replace(good, []byte("session 2"), []byte("session 1"), 1), "421 4.3.0 "},
		"too much":         {[]string{"-state", "3"}, append(good[:len(good):len(good)], make([]byte, smtp.MaxState)...), "421 4.3.0 "},
		"no descriptor":    {[]string{"-state", "77"}, good, "421 4.3.0 "},
		"standard input":   {[]string{"-state", "0"}, good, "421 4.3.0 "},
		"no number":        {[]string{"-state", "x"}, good, "421 4.3.0 "},
		"and wrapped":      {[]string{"-state", "3", "-tls-wrapper"}, good, "421 4.3.0 "},
		"unknown flag":     {[]string{"-x"}, good, "421 4.3.0 "},
		"unknown argument": {[]string{"x"}, good, "421 4.3.0 "},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, "")
			h.write("state", string(test.text))
			f, err := os.Open(h.dir + "/state")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			c := h.begin(h.bin+"/superlist-session", append([]string{"-c", h.dir + "/superlist.toml"}, test.args...), f)
			said, err := io.ReadAll(c.conn)
			if err != nil || !strings.HasPrefix(string(said), test.want) || strings.Count(string(said), "\n") != strings.Count(test.want+"\n", "\n") &&
				string(said) != test.want {
				t.Errorf("%q, %v; want %q", said, err, test.want)
			}
			c.conn.Close()
			if err := c.cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSecretStays: what a client has said is neither in the arguments nor in the
// environment of the program that goes on, where every user of the host could
// read it.
func TestSecretStays(t *testing.T) {
	h := newHost(t, "")
	c := h.spawn()
	c.want("220 ", "")
	c.want("250 ", "EHLO s3cret.example\r\n")
	c.want("220 ", "STARTTLS\r\n")
	for _, file := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", c.cmd.Process.Pid, file))
		if err != nil || len(text) == 0 || bytes.Contains(text, []byte("s3cret")) {
			t.Errorf("%s: %q, %v", file, text, err)
		}
	}
}

// TestHelp holds that the program says what it is.
func TestHelp(t *testing.T) {
	bin, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(bin+"/"+entry.SessionProgram, "-h").Output()
	if err != nil || string(out) != manual {
		t.Errorf("%v\n%s", err, out)
	}
}
