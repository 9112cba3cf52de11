package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"superlist/e2e/unpack"
)

const (
	// bootTime is how long a kernel takes to begin and to end.
	bootTime = 10 * time.Second
	// stepTime is how much longer than its time one may take on a busy machine: it begins
	// nothing after it.
	stepTime = time.Minute
)

// inOwnTime runs a part in a user-mode Linux: a kernel that is a program, with a clock of
// its own, which is also that of its files. Nothing else moves the clock under programs
// that are as they are shipped: a time namespace has no CLOCK_REALTIME, Go calls no C
// library, and files would have the times of the host.
func inOwnTime(what string) func(t *torture, r *result, until time.Time) error {
	return func(t *torture, r *result, until time.Time) error {
		dir, _, err := unpack.Debian("user-mode-linux")
		if err != nil {
			r.Skipped = err.Error()
			return nil
		}
		exe, err := os.Executable()
		if err != nil {
			return err
		}
		work := t.dir() // its own disk is mounted there, and here the results are beside it
		if err := os.Mkdir(work, 0o755); err != nil {
			return err
		}
		patience := max(time.Until(until)-bootTime, 3*bootTime)
		cmd := exec.Command(filepath.Join(dir, "usr/bin/linux.uml"), "mem=768M", "rootfstype=hostfs", "rootflags=/", "rw", "quiet", "devtmpfs.mount=0", "con=null", "con0=null,fd:1",
			"init="+exe, "--", "-inside", what, "-bin", t.bin, "-in", work, "-time", patience.String())
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return err
		}
		cmd.Stderr = cmd.Stdout
		if err := cmd.Start(); err != nil {
			return err
		}
		stuck := time.AfterFunc(patience+bootTime+stepTime, func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		var last []string
		for in := bufio.NewScanner(out); in.Scan(); {
			last = append(last[max(0, len(last)-20):], strings.TrimSpace(in.Text()))
			t.progress(r.Part + ": " + strings.TrimSpace(in.Text()))
		}
		err = cmd.Wait()
		if !stuck.Stop() {
			return fmt.Errorf("%w: %s", errStuck, strings.Join(last, "\n"))
		}
		text, rerr := os.ReadFile(work + ".json")
		if rerr != nil {
			return fmt.Errorf("%w: %s", errors.Join(err, rerr), strings.Join(last, "\n"))
		}
		part, what := r.Part, r.What
		err = json.Unmarshal(text, r)
		r.Part, r.What = part, what
		return err
	}
}

// inside is init(8) of that Linux.
func inside(what, bin, work string, length time.Duration) {
	r := &result{Part: what, Faults: []*fault{}}
	if err := runInside(r, bin, work, length); err != nil {
		r.fault(what, "", err.Error())
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = os.WriteFile(work+".json", text, 0o644)
	}
	if err != nil {
		fmt.Println(err)
	}
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

func runInside(r *result, bin, work string, length time.Duration) error {
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("proc: %w", err)
	}
	if err := unix.Mount("tmpfs", work, "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("tmpfs: %w", err)
	}
	end := time.Now().Add(length) // by the monotonic clock, which is not moved
	switch r.Part {
	case "week":
		return week(r, bin, work+"/site", end)
	case "clock":
		return jumps(r, bin, work+"/site", end)
	}
	return fmt.Errorf("there is no %q", r.Part)
}

// setClock moves the clock of all that runs here.
func setClock(at time.Time) error {
	ts := unix.NsecToTimespec(at.UnixNano())
	return os.NewSyscallError("clock_settime", unix.ClockSettime(unix.CLOCK_REALTIME, &ts))
}
