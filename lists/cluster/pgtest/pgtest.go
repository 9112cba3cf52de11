// Package pgtest starts a PostgreSQL of its own for a test: Debian's, installed or unpacked.
// It is for tests only.
package pgtest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
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

// A Server is a PostgreSQL that listens on a socket in its directory.
type Server struct {
	t        testing.TB
	bin, dir string
	libs     string // where it has libraries that the system has not
	cmd      *exec.Cmd
	address  string                         // where it listens besides
	within   func(start func() error) error // where it is started
}

// Start makes a new cluster of databases and starts its server. It ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartAt(t, "", func(start func() error) error { return start() })
}

// StartAt is Start for a server that listens at an address too, and lets everybody in. within
// starts it, in a network namespace for instance.
func StartAt(t testing.TB, address string, within func(start func() error) error) *Server {
	t.Helper()
	s := &Server{t: t, address: address, within: within}
	dir, err := os.MkdirTemp("", "pg") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	s.dir = dir
	t.Cleanup(func() {
		s.Kill()
		os.RemoveAll(dir)
	})
	if err := s.own(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.find(); err != nil {
		t.Skipf("no PostgreSQL: %v", err)
	}
	if err := s.data(); err != nil {
		t.Fatal(err)
	}
	s.Restart()
	return s
}

// data makes the directory of the databases. initdb takes a second, so what it has made is
// kept, where package unpack keeps packages, and copied.
func (s *Server) data() error {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = "/var/cache"
	}
	version, err := s.run("postgres", "--version")
	if err != nil {
		return fmt.Errorf("postgres --version: %w", err)
	}
	made := filepath.Join(cache, "superlist", fmt.Sprintf("initdb-%x", sha256.Sum256(version)))
	if _, err := os.Stat(made); err != nil {
		if out, err := s.run("initdb", "-D", s.dir+"/made", "-U", "superlist", "-A", "trust", "--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C"); err != nil {
			return fmt.Errorf("initdb: %w: %s", err, out)
		}
		tmp := made + "." + filepath.Base(s.dir)
		if err := os.CopyFS(tmp, os.DirFS(s.dir+"/made")); err != nil {
			return err
		}
		if err := os.Rename(tmp, made); err != nil { // another one was first
			os.RemoveAll(tmp)
		}
	}
	if err := os.CopyFS(s.dir+"/data", os.DirFS(made)); err != nil {
		return err
	}
	if err := os.Chmod(s.dir+"/data", 0o700); err != nil {
		return err
	}
	if s.address != "" {
		if err := os.WriteFile(s.dir+"/data/pg_hba.conf", []byte("local all all trust\nhost all all all trust\n"), 0o600); err != nil {
			return err
		}
	}
	return s.own(s.dir + "/data")
}

// own gives a directory, with all in it, to whom the server runs as.
func (s *Server) own(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(path, nobody, nobody)
		}
		return err
	})
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
		// Nobody may not look where root has unpacked it.
		if err := copyPrograms(s.dir+"/debian", root); err != nil {
			return err
		}
		found, _ = filepath.Glob(s.dir + "/debian" + bin)
		s.libs = strings.Join(unpack.Libraries(s.dir+"/debian"), ":")
	}
	if len(found) == 0 {
		return os.ErrNotExist
	}
	s.bin = filepath.Dir(slices.Max(found))
	return nil
}

// copyPrograms copies what of a package is needed: not what makes code at run time, which
// is large.
func copyPrograms(to, from string) error {
	return filepath.WalkDir(from+"/usr", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch name := e.Name(); {
		case strings.HasPrefix(name, "bitcode"), name == "locale", name == "doc", name == "man":
			return fs.SkipDir
		case strings.HasPrefix(name, "libLLVM"), strings.HasPrefix(name, "llvmjit"):
			return nil
		case e.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return nil // a link to what is not here
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), text, info.Mode().Perm()|0o555)
	})
}

func (s *Server) command(name string, arg ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), arg...)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "HOME="+s.dir, "TMPDIR="+s.dir)
	if s.libs != "" {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+s.libs)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
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
	s.cmd = s.command("postgres", "-D", s.dir+"/data", "-k", s.dir, "-c", "listen_addresses="+s.address, "-c", "shared_buffers=32MB", "-c", "fsync=off", "-c", "jit=off")
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.within(s.cmd.Start); err != nil {
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
