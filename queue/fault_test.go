package queue

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"superlist/queue/disk/disktest"
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
	disktest.Each(t, 8, func(f *disktest.Fault) {
		s := newSpool(t)
		s.Disk = f.Disk()
		err := commitOne(s)
		s.Disk = nil
		if f.Hit() != errors.Is(err, f.Err) {
			t.Errorf("%s, and nobody noticed: %v", f, err)
		}
		want := smtp.ReplyLocal
		if errors.Is(f.Err, syscall.ENOSPC) || errors.Is(f.Err, syscall.EDQUOT) {
			want = smtp.ReplyNoSpace
		}
		if r := smtp.ReplyTo(err); err != nil && r != want {
			t.Errorf("%s: reply %v", f, r)
		}
		checkCommit(t, s, err == nil, true)
	})
}

// TestMain is also the process that TestKillCommit and TestKillAdopt kill.
func TestMain(m *testing.M) {
	d, dir, ok := disktest.Task()
	if !ok {
		os.Exit(m.Run())
	}
	err := error(nil)
	if place, adopts := strings.CutPrefix(dir, "adopt "); adopts {
		err = adoptAll(&Spool{Dir: filepath.Join(place, "spool"), Host: "mx2", Disk: d}, &Spool{Dir: filepath.Join(place, "gone"), Disk: d})
	} else {
		err = commitOne(&Spool{Dir: dir, Host: "mx1", Disk: d})
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("250")
}

// TestKillCommit kills a process before every system call of a commit.
func TestKillCommit(t *testing.T) {
	disktest.Kill(t, 8, func(run func(string) disktest.Death) {
		s := newSpool(t)
		k := run(s.Dir)
		checkCommit(t, s, k.Said == "250", false)
	})
}
