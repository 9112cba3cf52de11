package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestRemains: whoever interrupts a command hears what is left to do.
func TestRemains(t *testing.T) {
	p := &progress{on: true, began: time.Now()}
	p.step("lists", 3, 10)
	if got := p.remains(); got != "interrupted; lists: 3 done, 7 remain; nothing is half-done, call it again for the rest" {
		t.Error(got)
	}
	p.step("posts\x1b[2J", 5, 0)
	if got := p.remains(); strings.Contains(got, "remain") || strings.Contains(got, "\x1b") {
		t.Error(got)
	}
	p.end()
	p.step("lists", 9, 10) // after its end it says nothing
	if p.done != 5 || p.signals != nil {
		t.Errorf("%+v", p.done)
	}
}

// TestInterrupted: it ends as the signal would have ended it.
func TestInterrupted(t *testing.T) {
	if os.Getenv("SUPERLIST_TEST_INTERRUPT") != "" {
		p := &progress{on: true, began: time.Now().Add(-time.Minute)}
		p.step("lists", 1, 2)
		self, _ := os.FindProcess(os.Getpid())
		self.Signal(os.Interrupt)
		select {} // until the signal has come
	}
	cmd := exec.Command(os.Args[0], "-test.run=TestInterrupted")
	cmd.Env = append(os.Environ(), "SUPERLIST_TEST_INTERRUPT=1")
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != exInterrupted || !strings.Contains(said.String(), "superlist: interrupted; lists: 1 done, 1 remain;") {
		t.Errorf("exit code %d, %q", code, said.String())
	}
}
