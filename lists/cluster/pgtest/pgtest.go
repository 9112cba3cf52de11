// Package pgtest starts a PostgreSQL of its own for a test: Debian's, installed or unpacked.
// It is for tests only.
package pgtest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"superlist/e2e/unpack"
)

// nobody is whom the server runs as when the test is root, which it refuses to be.
const nobody = 65534

// capDACOverride lets nobody read the programs where root has unpacked them.
const capDACOverride = 1

// A Server is a PostgreSQL that listens on a socket in its directory.
type Server struct {
	t        testing.TB
	bin, dir string
	libs     string // where it has libraries that the system has not
	cmd      *exec.Cmd
}

// Start makes a new cluster of databases and starts its server. It ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t}
	if err := s.find(); err != nil {
		t.Skipf("no PostgreSQL: %v", err)
	}
	dir, err := os.MkdirTemp("", "pg") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	s.dir = dir
	t.Cleanup(func() {
		s.Kill()
		os.RemoveAll(dir)
	})
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := s.run("initdb", "-D", dir+"/data", "-U", "superlist", "-A", "trust", "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C"); err != nil {
		t.Fatalf("initdb: %v: %s", err, out)
	}
	s.Restart()
	return s
}

// find finds the programs.
func (s *Server) find() error {
	const bin = "/usr/lib/postgresql/*/bin/postgres"
	found, _ := filepath.Glob(bin)
	if len(found) == 0 {
		root, _, err := unpack.Debian("postgresql-15")
		if err != nil {
			return err
		}
		found, _ = filepath.Glob(root + bin)
		s.libs = strings.Join(unpack.Libraries(root), ":")
	}
	if len(found) == 0 {
		return os.ErrNotExist
	}
	s.bin = filepath.Dir(slices.Max(found))
	return nil
}

func (s *Server) command(name string, arg ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), arg...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "TMPDIR="+s.dir)
	if s.libs != "" {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+s.libs)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
		cmd.SysProcAttr.AmbientCaps = []uintptr{capDACOverride}
	}
	return cmd
}

func (s *Server) run(name string, arg ...string) ([]byte, error) {
	return s.command(name, arg...).CombinedOutput()
}

// startTime is how long a server may take to answer.
const startTime = time.Minute

// Restart starts the server, after Kill too, and waits until it answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	pidFile := filepath.Join(s.dir, "data", "postmaster.pid")
	os.Remove(pidFile)
	s.cmd = s.command("postgres", "-D", s.dir+"/data", "-k", s.dir, "-c", "listen_addresses=", "-c", "shared_buffers=32MB", "-c", "fsync=off", "-c", "jit=off")
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for end := time.Now().Add(startTime); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if text, _ := os.ReadFile(pidFile); bytes.Contains(text, []byte("\nready")) {
			return
		}
	}
	text, _ := os.ReadFile(log.Name())
	s.t.Fatalf("PostgreSQL does not answer: %s", text)
}

// Kill stops the server at once: nothing is written any more, and the next start recovers
// what was committed. (After SIGKILL its shared memory would be in the way.)
func (s *Server) Kill() {
	if s.cmd != nil {
		s.cmd.Process.Signal(syscall.SIGQUIT)
		s.cmd.Wait()
		s.cmd = nil
	}
}

// URL returns where it is.
func (s *Server) URL() string { return "postgres://superlist@/postgres?host=" + s.dir }

// Socket returns the path of its socket.
func (s *Server) Socket() string { return s.dir + "/.s.PGSQL.5432" }
