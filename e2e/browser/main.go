// Browser starts the pages of an archive and superlist-web on a port of this host, and
// has run.mjs look at them with Chromium, axe-core and html-validate. It needs node,
// npm and Chromium:
//
//	make test-web
package main

import (
	"errors"
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
	"superlist/lists/weblink"
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

	forms, err := formPages(s, l, programs)
	if err != nil {
		return err
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
	node.Stdout, node.Stderr, node.Env = os.Stdout, os.Stderr, append(os.Environ(), forms...)
	return node.Run()
}

// formPages has a post held, and returns what leads to the pages that nobody finds without a
// letter: the cookie of an owner, a member's link to leave, and one to their options.
func formPages(s *site.Site, l *lists.List, programs string) (env []string, err error) {
	run := func(stdin, program string, args ...string) error {
		c := exec.Command(programs+"/"+program, append([]string{"-c", s.File()}, args...)...)
		c.Stdin = strings.NewReader(stdin)
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", program, err, out)
		}
		return nil
	}
	post := "EHLO client.example\r\nMAIL FROM:<ann@example.com>\r\nRCPT TO:<dev@" + domain + ">\r\nDATA\r\nFrom: Ann <ann@example.com>\r\nSubject: May I?\r\n\r\nHello.\r\n\r\n> quoted\r\n.\r\nQUIT\r\n"
	if err := errors.Join(run("", "superlist", "list", "set", "dev@"+domain, "nonmembers=hold"), run("", "superlist", "member", "add", "dev@"+domain, "olga@example.org"),
		run(post, "superlist-spawn"), run("", "superlist", "deliver")); err != nil {
		return nil, err
	}
	for name, kind := range map[string]weblink.Kind{"COOKIE": weblink.Session, "LEAVE": weblink.Leave, "ENTER": weblink.LogIn} {
		token, err := weblink.Make(l, kind, "olga@example.org", time.Now())
		if err != nil {
			return nil, err
		}
		env = append(env, name+"="+token)
	}
	return env, nil
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
