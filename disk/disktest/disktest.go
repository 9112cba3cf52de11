// Package disktest fails the calls of a disk.Disk one after the other, and kills
// processes at them. It is for tests alone.
package disktest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"superlist/disk"
)

// Errors are what a disk answers when it is in trouble.
var Errors = []error{syscall.ENOSPC, syscall.EIO, syscall.EDQUOT, syscall.EROFS, syscall.EMFILE}

// A Fault fails one call, and knows which.
type Fault struct {
	N    int   // of the call, from 0
	Err  error // what it is answered with
	Call string
	Path string

	mu    sync.Mutex // several may be at it at once
	calls int
	off   bool
}

// Hit reports whether the call was reached.
func (f *Fault) Hit() bool { return f.Call != "" }

// Off ends it: from now on nothing fails.
func (f *Fault) Off() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off = true
}

func (f *Fault) String() string {
	if !f.Hit() {
		return "without a fault"
	}
	return fmt.Sprintf("call %d, %s %s: %v", f.N, f.Call, filepath.Base(f.Path), f.Err)
}

// Disk is the disk that has this fault.
func (f *Fault) Disk() *disk.Disk { return &disk.Disk{Fault: f.fault} }

func (f *Fault) fault(call, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off {
		return nil
	}
	if f.calls++; f.calls-1 != f.N {
		return nil
	}
	f.Call, f.Path = call, path
	return f.Err
}

// Each calls try with a fault at the first call, at the second, and so on, until a
// run that has fewer calls: the last one, without a fault. Each fault has the next
// one of Errors. least is how many calls there have to be, or the test is no test.
func Each(t testing.TB, least int, try func(f *Fault)) {
	t.Helper()
	for n := 0; ; n++ {
		f := &Fault{N: n, Err: Errors[n%len(Errors)]}
		try(f)
		if !f.Hit() {
			if n < least {
				t.Errorf("only %d calls were failed, want %d at least", n, least)
			}
			return
		}
		if t.Failed() && n > 1000 {
			t.Fatal("too many")
		}
	}
}

const killEnv, taskEnv = "DISKTEST_KILL", "DISKTEST_TASK"

// Task is what a process that Kill has started is to do, and the disk that it is
// killed at. ok: it is such a process. TestMain asks.
func Task() (d *disk.Disk, task string, ok bool) {
	n, err := strconv.Atoi(os.Getenv(killEnv))
	if err != nil {
		return nil, "", false
	}
	var mu sync.Mutex
	return &disk.Disk{Fault: func(call, path string) error {
		mu.Lock()
		defer mu.Unlock()
		if n--; n < 0 {
			fmt.Println(call, path)
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		return nil
	}}, os.Getenv(taskEnv), true
}

// A Death is how a process ended.
type Death struct {
	N          int
	Call, Path string // where it was killed; empty: it was not
	Said       string // what it printed, when it was not
	Err        error
}

func (k Death) String() string {
	if k.Call == "" {
		return "not killed"
	}
	return fmt.Sprintf("killed at call %d, %s %s", k.N, k.Call, filepath.Base(k.Path))
}

// Kill has prepare make a place and say what to do there, starts this test again
// for it (see Task) with its death at the first call, at the second, and so on, and
// has check look at what is left. It ends with a process that comes to its end.
func Kill(t testing.TB, least int, prepare func() (task string), check func(k Death)) {
	t.Helper()
	for n := 0; ; n++ {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), killEnv+"="+strconv.Itoa(n), taskEnv+"="+prepare())
		out, err := cmd.Output()
		k := Death{N: n, Said: strings.TrimSpace(string(out)), Err: err}
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			k.Call, k.Path, _ = strings.Cut(k.Said, " ")
			k.Said = ""
		}
		check(k)
		if k.Call == "" {
			if n < least {
				t.Errorf("only %d calls were hit, want %d at least", n, least)
			}
			return
		}
	}
}
