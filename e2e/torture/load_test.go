package main

import (
	"errors"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestSendEnds: a server that accepts and says nothing is not waited for, and the session
// says what it has waited for.
func TestSendEnds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := client{server: l.Addr().String()}
	if fate, left, vainly := c.send(1, false, time.Now().Add(time.Second)); fate != unsent || left || vainly != "a greeting" {
		t.Errorf("%d, %v, in vain for %q", fate, left, vainly)
	}
}

// TestOutputEnds: neither is a program.
func TestOutputEnds(t *testing.T) {
	out, err := output(exec.Command("sh", "-c", "echo begun; exec sleep 600"), time.Second)
	if !errors.Is(err, errStuck) || !strings.HasSuffix(err.Error(), ", after 1s") {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := output(exec.Command("echo", "done"), time.Minute); string(out) != "done\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
}
