package queue

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"

	"superlist/disk"
	"superlist/smtp"
)

// errFault is what an injected failure looks like.
var errFault = errors.New("injected")

// commitOne is what a session does with a message.
func commitOne(s *Spool) error {
	w, err := s.Create(Head{From: smtp.Path{Local: "a", Domain: "example.com"}})
	if err != nil {
		return err
	}
	for range 2 {
		if err := w.Rcpt(smtp.Rcpt{Path: smtp.Path{Local: "dev", Domain: "lists.example.org"}}); err != nil {
			w.Abort()
			return err
		}
	}
	if _, err := w.Write(bytes.Repeat([]byte(content), 3000)); err != nil { // more than a buffer
		w.Abort()
		return err
	}
	return w.Commit(Inbound, 1)
}

// checkCommit holds the spool against what was acknowledged.
func checkCommit(t *testing.T, s *Spool, acknowledged, clean bool) {
	t.Helper()
	list, err := s.List(Inbound)
	if err != nil {
		t.Fatal(err)
	}
	if acknowledged && len(list) != 1 || clean && !acknowledged && len(list) != 0 {
		t.Errorf("acknowledged: %t, in the spool: %d", acknowledged, len(list))
	}
	for _, e := range list {
		m, err := s.Claim(Inbound, e)
		if err != nil {
			t.Errorf("in the spool and not to be read: %v", err)
			continue
		}
		got, err := io.ReadAll(m.Content())
		if err != nil || len(got) != 3000*len(content) || states(t, m) != "TF" {
			t.Errorf("half a message: %d bytes, %v, %s", len(got), err, states(t, m))
		}
		m.Close()
	}
	if left, _ := os.ReadDir(s.path("tmp")); clean && len(left) > 0 {
		t.Errorf("left in tmp: %v", left)
	}
}

// TestFaultCommit fails every system call of a commit in turn: what is refused
// is not there, and nothing of it is left.
func TestFaultCommit(t *testing.T) {
	for n := 0; ; n++ {
		s := newSpool(t)
		calls := 0
		what := ""
		s.Disk = &disk.Disk{Fault: func(call, _ string) error {
			if calls++; calls-1 == n {
				what = call
				return errFault
			}
			return nil
		}}
		err := commitOne(s)
		s.Disk = nil
		if what == "" {
			if n < 8 {
				t.Errorf("only %d system calls were failed", n)
			}
			checkCommit(t, s, err == nil, true)
			return
		}
		if !errors.Is(err, errFault) {
			t.Errorf("%s failed, and nobody noticed: %v", what, err)
		}
		if r := smtp.ReplyTo(err); r != smtp.ReplyLocal {
			t.Errorf("%s failed, reply %v", what, r)
		}
		checkCommit(t, s, false, true)
	}
}

// TestMain is also the process that TestKillCommit kills.
func TestMain(m *testing.M) {
	dir, at := os.Getenv("QUEUE_TEST_DIR"), os.Getenv("QUEUE_TEST_KILL")
	if dir == "" {
		os.Exit(m.Run())
	}
	n, _ := strconv.Atoi(at)
	s := &Spool{Dir: dir, Host: "mx1", Disk: &disk.Disk{Fault: func(string, string) error {
		if n--; n < 0 {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return nil
	}}}
	if err := commitOne(s); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("250")
}

// TestKillCommit kills a process before every system call of a commit.
func TestKillCommit(t *testing.T) {
	for n := 0; ; n++ {
		s := newSpool(t)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "QUEUE_TEST_DIR="+s.Dir, "QUEUE_TEST_KILL="+strconv.Itoa(n))
		out, err := cmd.Output()
		checkCommit(t, s, string(out) == "250\n", false)
		if err == nil {
			if n < 8 {
				t.Errorf("only %d system calls were hit", n)
			}
			return
		}
		if string(out) != "" {
			t.Errorf("killed, and yet it said %q", out)
		}
	}
}
