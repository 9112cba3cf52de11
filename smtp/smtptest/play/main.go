// Play starts a server with a pipe on standard input and output, plays the client of a
// recorded session, shows the dialogue, and fails at the first difference.
//
//	play testdata/post.session superlist-spawn -c superlist.toml
package main

import (
	"fmt"
	"os"
	"os/exec"

	"superlist/smtp/smtptest"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: play RECORDING SERVER [ARGUMENT...]")
		os.Exit(64)
	}
	if err := play(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "play:", err)
		os.Exit(1)
	}
}

func play(file string, server []string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	script, err := smtptest.Parse(file, text)
	if err != nil {
		return err
	}
	cmd := exec.Command(server[0], server[1:]...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = smtptest.Play(script, in, out, os.Stdout)
	in.Close()
	if werr := cmd.Wait(); err == nil {
		err = werr
	}
	return err
}
