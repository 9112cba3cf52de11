// Package disktest makes the calls of a disk.Disk fail one after the other, and kills
// processes at them. It is for tests only.
package disktest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"superlist/queue/disk"
)

// Errors are the errors of a disk in trouble.
var Errors = []error{syscall.ENOSPC, syscall.EIO, syscall.EDQUOT, syscall.EROFS, syscall.EMFILE}

// lazy leaves out what only makes things durable: what a process has written the next one
// finds, unless the host goes down in between, and for that most tests wait.
func lazy(call, _ string) error {
	switch call {
	case "fsync", "fdatasync", "syncfs":
		return disk.ErrDone
	}
	return nil
}

// Lazy is a disk that syncs nothing.
func Lazy() *disk.Disk { return &disk.Disk{Fault: lazy} }

// A Fault makes one call fail, and records which.
type Fault struct {
	N    int   // index of the call, from 0
	Err  error // the error it returns
	Call string
	Path string

	mu    sync.Mutex // several goroutines may use it
	calls int
	off   bool
}

// Hit reports whether the call was reached.
func (f *Fault) Hit() bool { return f.Call != "" }

// Off disables it: from now on nothing fails.
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

// Disk returns a disk with this fault.
func (f *Fault) Disk() *disk.Disk { return &disk.Disk{Fault: f.fault} }

func (f *Fault) fault(call, path string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.off {
		return lazy(call, path)
	}
	if f.calls++; f.calls-1 != f.N {
		return lazy(call, path)
	}
	f.Call, f.Path = call, path
	return f.Err
}

// atOnce is how many calls are tried at the same time: most of the time is spent
// waiting for the disk.
const atOnce = 4

// forking is held exclusively to start a process: until it has executed the other
// program, the child holds all our files and their locks, which others would find
// taken.
var forking sync.RWMutex

// each calls try with 0, 1, and so on, several at a time, until one reports that there
// was no such call. least is how many calls there must be, so that the test really
// tests something.
func each(t testing.TB, least int, try func(n int) (hit bool)) {
	t.Helper()
	for n := 0; ; n += atOnce {
		var wg sync.WaitGroup
		hits := make([]bool, atOnce)
		for i := range hits {
			wg.Go(func() {
				forking.RLock()
				defer forking.RUnlock()
				hits[i] = try(n + i)
			})
		}
		wg.Wait()
		if last := slices.Index(hits, false); last >= 0 {
			if n+last < least {
				t.Errorf("only %d calls were hit, want %d at least", n+last, least)
			}
			return
		}
		if t.Failed() && n > 1000 {
			t.Fatal("too many")
		}
	}
}

// Each calls try with a fault at the first call, at the second, and so on, until a run
// has fewer calls; that last run has no fault. The faults take turns among Errors.
// Several runs are active at a time, so each try must use a place of its own.
func Each(t testing.TB, least int, try func(f *Fault)) {
	t.Helper()
	each(t, least, func(n int) bool {
		f := &Fault{N: n, Err: Errors[n%len(Errors)]}
		try(f)
		return f.Hit()
	})
}

const killEnv, taskEnv = "DISKTEST_KILL", "DISKTEST_TASK"

// Task returns the task of a process that Kill has started, and the disk that kills it.
// ok is false in any other process. TestMain calls it.
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
		return lazy(call, path)
	}}, os.Getenv(taskEnv), true
}

// A Death says how a process ended.
type Death struct {
	N          int
	Call, Path string // where it was killed; empty: it was not
	Said       string // what it printed, if it was not killed
	Err        error
}

func (k Death) String() string {
	if k.Call == "" {
		return "not killed"
	}
	return fmt.Sprintf("killed at call %d, %s %s", k.N, k.Call, filepath.Base(k.Path))
}

// Kill calls try, which makes a place, calls run to start this test again for a task
// there (see Task), and checks what is left. The process dies at the first call, at the
// second, and so on, until one reaches its end. Several run at a time, as in Each.
func Kill(t testing.TB, least int, try func(run func(task string) Death)) {
	t.Helper()
	each(t, least, func(n int) (hit bool) {
		try(func(task string) Death {
			k := kill(n, task)
			hit = k.Call != ""
			return k
		})
		return hit
	})
}

func kill(n int, task string) Death {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killEnv+"="+strconv.Itoa(n), taskEnv+"="+task)
	var out strings.Builder
	cmd.Stdout = &out
	forking.RUnlock()
	forking.Lock()
	err := cmd.Start()
	forking.Unlock()
	if err == nil {
		err = cmd.Wait()
	}
	forking.RLock()
	k := Death{N: n, Said: strings.TrimSpace(out.String()), Err: err}
	if cmd.ProcessState == nil {
		return k
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		k.Call, k.Path, _ = strings.Cut(k.Said, " ")
		k.Said = ""
	}
	return k
}
