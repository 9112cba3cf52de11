package sitetest

import (
	"io"
	"os/exec"
	"testing"
)

// Piped starts a program, and returns what leads to its standard input and comes from its
// standard output.
func Piped(t testing.TB, cmd *exec.Cmd) (in io.WriteCloser, out io.Reader) {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err == nil {
		out, err = cmd.StdoutPipe()
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return in, out
}
