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
	"sync"
	"time"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/mail/charset"
	"superlist/lists/site"
	"superlist/lists/web"
	"superlist/lists/weblink"
	"superlist/smtp"
)

// A host is a site with its web server, on a port of this machine. The server is also a
// proxy, which finds lists.example.org wherever that is, and notes who asks for anything else.
type host struct {
	dir, programs string
	site          *site.Site
	port          string

	mu      sync.Mutex
	foreign []string // addresses of other hosts that somebody asked for
}

// newHost makes the site, with the list dev and its archive, and serves it.
func newHost(dir string) (*host, error) {
	programs, err := filepath.Abs("bin")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "superlist.toml")
	text := fmt.Sprintf("hostname = %q\nqueue_dir = %q\nlists_dir = %q\nuser = \"\"\nkick = \"\"\nlog = \"stderr\"\n[relay]\naddress = %q\n[web]\nurl = \"http://{domain}\"\nroot = %q\nrequests = true\n",
		domain, dir+"/spool", dir+"/lists", "maildir:"+dir+"/mail", dir+"/www")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return nil, err
	}
	for _, name := range []string{"/www", "/mail"} {
		if err := os.Mkdir(dir+name, 0o755); err != nil {
			return nil, err
		}
	}
	h := &host{dir: dir, programs: programs}
	if h.site, err = site.Load(config); err != nil {
		return nil, err
	}
	l, err := h.newList("dev", "description=Development of the frobnicator", "post=members")
	if err != nil {
		return nil, err
	}
	if err := fill(l.Posts()); err != nil {
		return nil, err
	}
	for pages, more := web.Of(h.site, l), true; more; {
		if more, err = pages.Update(web.Step); err != nil {
			return nil, err
		}
	}
	if err := h.run("", "superlist", "deliver"); err != nil { // which makes the spool
		return nil, err
	}
	return h, h.serve(config)
}

// newList makes a public list of olga's.
func (h *host) newList(name string, settings ...string) (*lists.List, error) {
	args := []string{"list", "create", name + "@" + domain, "--owner", "olga@example.org", "--set", "web=anyone"}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	if err := h.run("", "superlist", args...); err != nil {
		return nil, err
	}
	return lists.Of(h.site).Open(smtp.Path{Local: name, Domain: domain})
}

// run runs one of superlist's programs.
func (h *host) run(stdin, program string, args ...string) error {
	c := exec.Command(filepath.Join(h.programs, program), append([]string{"-c", h.site.File()}, args...)...)
	c.Stdin = strings.NewReader(stdin)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", program, args, err, out)
	}
	return nil
}

// hold has a stranger's post held on a list.
func (h *host) hold(list, subject string) error {
	post := "EHLO client.example\r\nMAIL FROM:<ann@example.com>\r\nRCPT TO:<" + list + "@" + domain + ">\r\nDATA\r\nFrom: Ann <ann@example.com>\r\nSubject: " + subject + "\r\n\r\nHello.\r\n\r\n> quoted\r\n.\r\nQUIT\r\n"
	if err := h.run("", "superlist", "list", "set", list+"@"+domain, "nonmembers=hold"); err != nil {
		return err
	}
	if err := h.run(post, "superlist-spawn"); err != nil {
		return err
	}
	return h.run("", "superlist", "deliver")
}

// serve serves the pages.
func (h *host) serve(config string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, h.port, err = net.SplitHostPort(listener.Addr().String()); err != nil {
		return err
	}
	root := filepath.Join(h.dir, "www", domain)
	logs, err := os.Create(filepath.Join(h.dir, "log"))
	if err != nil {
		return err
	}
	answers := &cgi.Handler{Path: h.programs + "/superlist-web", Root: "/", Env: []string{"SUPERLIST_CONFIG=" + config}, Stderr: logs}
	files := http.FileServer(http.Dir(root))
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Host != "" && r.URL.Host != domain {
			h.mu.Lock()
			h.foreign = append(h.foreign, r.URL.String())
			h.mu.Unlock()
			http.Error(w, "there is no such host", http.StatusBadGateway)
			return
		}
		r.Host = domain // whoever asks by number
		if _, err := os.Stat(filepath.Join(root, filepath.Clean("/"+r.URL.Path))); err == nil {
			files.ServeHTTP(w, r)
			return
		}
		answers.ServeHTTP(w, r)
	}))
	return nil
}

// forms has a post held, and returns what leads to the pages that nobody finds without a
// letter: the cookie of an owner, a member's link to leave, and one to their options.
func (h *host) forms() (env []string, err error) {
	if err := h.run("", "superlist", "member", "add", "dev@"+domain, "olga@example.org"); err != nil {
		return nil, err
	}
	if err := h.hold("dev", "May I?"); err != nil {
		return nil, err
	}
	l, err := lists.Of(h.site).Open(smtp.Path{Local: "dev", Domain: domain})
	if err != nil {
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
