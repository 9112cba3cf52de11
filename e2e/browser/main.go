// Browser starts the pages of an archive and superlist-web on a port of this host, and
// has run.mjs look at them with Chromium, axe-core and html-validate. It needs node,
// npm and Chromium:
//
//	make test-web
package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/mail/charset"
	"superlist/lists/site"
	"superlist/lists/web"
	"superlist/smtp"
)

const domain = "lists.example.org"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "browser:", err)
		os.Exit(1)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "superlist-browser")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	programs, err := filepath.Abs("bin")
	if err != nil {
		return err
	}
	config := filepath.Join(dir, "superlist.toml")
	text := fmt.Sprintf("hostname = %q\nqueue_dir = %q\nlists_dir = %q\nuser = \"\"\nkick = \"\"\nlog = \"none\"\n[web]\nurl = \"http://{domain}\"\nroot = %q\nrequests = true\n",
		domain, dir+"/spool", dir+"/lists", dir+"/www")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return err
	}
	if err := os.Mkdir(dir+"/www", 0o755); err != nil {
		return err
	}
	if out, err := exec.Command(programs+"/superlist", "-c", config, "list", "create", "dev@"+domain, "--owner", "olga@example.org", "--set", "web=anyone",
		"--set", "description=Development of the frobnicator", "--set", "post=members").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	s, err := site.Load(config)
	if err != nil {
		return err
	}
	l, err := lists.Of(s).Open(smtp.Path{Local: "dev", Domain: domain})
	if err != nil {
		return err
	}
	if err := fill(l.Posts()); err != nil {
		return err
	}
	for pages, more := web.Of(s, l), true; more; {
		if more, err = pages.Update(web.Step); err != nil {
			return err
		}
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	answers := &cgi.Handler{Path: programs + "/superlist-web", Root: "/", Env: []string{"SUPERLIST_CONFIG=" + config}}
	files := http.FileServer(http.Dir(filepath.Join(dir, "www", domain)))
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = domain // whoever asks by number
		if _, err := os.Stat(filepath.Join(dir, "www", domain, filepath.Clean("/"+r.URL.Path))); err == nil {
			files.ServeHTTP(w, r)
			return
		}
		answers.ServeHTTP(w, r)
	}))
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return err
	}
	args := append([]string{"e2e/browser/run.mjs", "http://" + domain + "/dev/", port}, os.Args[1:]...)
	node := exec.Command("node", args...)
	node.Stdout, node.Stderr = os.Stdout, os.Stderr
	return node.Run()
}

// fill puts posts into the archive: what testdata has, and what is written in a year.
func fill(store *archive.Store) error {
	store.Words = charset.Words
	im, err := store.Import()
	if err != nil {
		return err
	}
	defer im.Close()
	began := time.Date(2026, 9, 3, 8, 15, 0, 0, time.UTC)
	all, err := filepath.Glob("e2e/browser/posts/*.eml")
	if err != nil {
		return err
	}
	for i, file := range all {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := im.Add(i+1, archive.Post{Time: began.Add(time.Duration(i) * 53 * time.Hour), Content: strings.NewReader(strings.ReplaceAll(string(text), "\n", "\r\n"))}); err != nil {
			return err
		}
	}
	return nil
}
