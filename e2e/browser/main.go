// Browser looks at the pages of an archive, and at superlist-web's, as people do: run.mjs
// in Chromium with axe-core and html-validate, and keyboard.go in w3m and lynx, where it
// does all that pages are for without a mouse. It needs node, npm and Chromium; w3m, lynx
// and tmux it gets from Debian:
//
//	make test-web                       all of it
//	go run ./e2e/browser -only text     w3m and lynx alone
//	go run ./e2e/browser -serve         only serves the pages, by a proxy, for somebody to look at
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
)

const domain = "lists.example.org"

func main() {
	only := flag.String("only", "", "chromium or text: only these browsers")
	serve := flag.Bool("serve", false, "serve the pages until somebody interrupts")
	flag.Parse()
	if err := run(*only, *serve, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
}

func run(only string, serve bool, shots []string) error {
	dir, err := os.MkdirTemp("", "superlist-browser")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	h, err := newHost(dir)
	if err != nil {
		return err
	}
	if only != "text" {
		forms, err := h.forms()
		if err != nil {
			return err
		}
		if serve {
			fmt.Printf("http_proxy=http://127.0.0.1:%s/ w3m http://%s/dev/\n%q\n", h.port, domain, forms)
			select {}
		}
		node := exec.Command("node", append([]string{"e2e/browser/run.mjs", "http://" + domain + "/dev/", h.port}, shots...)...)
		node.Stdout, node.Stderr, node.Env = os.Stdout, os.Stderr, append(os.Environ(), forms...)
		if err := node.Run(); err != nil {
			return err
		}
	}
	if only == "chromium" {
		return nil
	}
	if err := h.byKeyboard(); err != nil {
		log, _ := os.ReadFile(dir + "/log")
		return fmt.Errorf("%w\n%s", err, log)
	}
	return nil
}
