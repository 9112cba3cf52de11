package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"superlist/e2e/unpack"
	"superlist/lists/web"
)

// webServers are those that superlist setup web knows: the Debian package that each is
// in, what stands around what is printed, and how it is started with that file.
var webServers = []struct {
	name, pkg, before, after string
	start                    func(pkg, conf string) []string
}{
	{"nginx", "nginx", "user superlist;\ndaemon off;\npid /run/nginx.pid;\nerror_log /var/log/web/error.log;\nevents { }\nhttp {\naccess_log off;\n", "}\n",
		func(pkg, conf string) []string {
			return []string{pkg + "/usr/sbin/nginx", "-c", conf, "-e", "/var/log/web/error.log"}
		}},
	{"apache", "apache2-bin", "ServerName localhost\nListen 80\nPidFile /run/apache.pid\nErrorLog /var/log/web/error.log\nUser superlist\nGroup superlist\nServerRoot PKG/usr/lib/apache2\n" +
		"LoadModule mpm_event_module modules/mod_mpm_event.so\nLoadModule authz_core_module modules/mod_authz_core.so\nLoadModule dir_module modules/mod_dir.so\n" +
		"LoadModule mime_module modules/mod_mime.so\nLoadModule alias_module modules/mod_alias.so\nLoadModule headers_module modules/mod_headers.so\n" +
		"LoadModule proxy_module modules/mod_proxy.so\nLoadModule proxy_http_module modules/mod_proxy_http.so\nLoadModule proxy_fcgi_module modules/mod_proxy_fcgi.so\n" +
		"TypesConfig /dev/null\n", "",
		func(pkg, conf string) []string {
			return []string{pkg + "/usr/sbin/apache2", "-f", conf, "-DFOREGROUND"}
		}},
	{"lighttpd", "lighttpd", "server.port = 80\nserver.bind = \"127.0.0.1\"\nserver.document-root = \"/var/empty\"\nserver.username = \"superlist\"\nserver.groupname = \"superlist\"\nserver.errorlog = \"/var/log/web/lighttpd.log\"\n", "",
		func(pkg, conf string) []string {
			return []string{pkg + "/usr/sbin/lighttpd", "-D", "-m", pkg + "/usr/lib/lighttpd", "-f", conf}
		}},
	{"caddy", "caddy", "{\n\tadmin off\n\tauto_https off\n}\n", "",
		func(pkg, conf string) []string {
			return []string{pkg + "/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", conf}
		}},
}

// TestWebServers: each web server gives the same answers with what superlist setup web
// prints for it, by a socket for which systemd starts superlist-web, and by fcgiwrap.
func TestWebServers(t *testing.T) {
	if os.Geteuid() == 0 && !testing.Short() { // inside there is no network to get them by
		for _, name := range []string{"nginx", "apache2-bin", "lighttpd", "caddy", "fcgiwrap"} {
			if _, _, err := unpack.Debian(name); err != nil {
				t.Skip("end to end: ", err)
			}
		}
	}
	if !enter(t, "useradd", "runuser", "systemd-socket-activate") {
		return
	}
	webSite(t, "http://{domain}")
	must(t, os.MkdirAll("/var/log/web", 0o755))
	must(t, os.Chmod("/var/log/web", 0o777)) // whoever each becomes
	must(t, os.MkdirAll("/var/lib/nginx", 0o755))
	must(t, os.MkdirAll("/var/empty", 0o755))

	serve(t, nil, "systemd-socket-activate", "--accept", "--inetd", "-E", "SUPERLIST_CONFIG=/etc/superlist/superlist.toml", "-l", "127.0.0.1:10031", "/usr/local/bin/superlist-web")
	fcgiwrap, _, err := unpack.Debian("fcgiwrap")
	must(t, err)
	const socket = "/run/superlist-fcgi.socket"
	serve(t, []string{"LD_LIBRARY_PATH=" + libraries(fcgiwrap)}, "runuser", "-u", "root", "--", fcgiwrap+"/usr/sbin/fcgiwrap", "-c", "2", "-s", "unix:"+socket)
	wait(t, "superlist-web's sockets", func() bool {
		_, err := os.Stat(socket)
		return err == nil && listening("127.0.0.1:10031")
	})
	must(t, os.Chmod(socket, 0o666))

	paths := []string{
		"/code/", "/code/index.html", "/code/0/1.html", "/code/t/0/1.html", "/code/new.atom", "/code/style.css", "/robots.txt",
		"/code", "/", "/code/.state", "/code/0/99.html", "/.git/config",
		"/code/p%2F0@mail.example.com/", "/code/p%2F0@mail.example.com", "/code/p%2F0@mail.example.com/raw", "/code/p%2F0@mail.example.com/t.mbox.gz",
		"/code/1", "/code/2/part/2", "/code/nobody@mail.example.com/", "/code/search?q=thanks", "/code/search?q=%22say%20it%22+OR+x&x=A",
		"/private/", "/private/0/1.html", "/private/new.atom", "/private/p%2F1@mail.example.com/raw", "/private/search?q=hello", "/nosuch/",
	}
	run(t, "superlist", "list", "create", "inside@lists.example.org", "--owner", "olga@example.org", "--set", "post=anyone", "--set", "web=members")
	word, err := exec.Command("superlist", "token", "new", "panel", "--list", "lists.example.org", "--scope", "members").Output()
	must(t, err)
	token := strings.TrimSpace(string(word))
	old := "/var/tmp/old" // a list that HyperKitty has shown
	must(t, os.MkdirAll(old, 0o755))
	must(t, os.WriteFile(filepath.Join(old, "config.json"), []byte(`{"fqdn_listname": "old@lists.example.org", "archive_policy": "public"}`), 0o644))
	must(t, os.WriteFile(filepath.Join(old, "member.txt"), []byte("olga@example.org\n"), 0o644))
	must(t, os.WriteFile(filepath.Join(old, "archive.mbox"), []byte("From olga@example.org Mon Nov 30 10:00:00 2026\nFrom: olga@example.org\nDate: Mon, 30 Nov 2026 10:00:00 +0000\nMessage-ID: <first@example.org>\nSubject: first\n\nfirst\n"), 0o644))
	run(t, "superlist", "import", "mailman3", old, "--owner", "olga@example.org")
	run(t, "superlist", "list", "set", "old@lists.example.org", "web=anyone")
	hyperKitty := "/hyperkitty/list/old@lists.example.org/message/" + strings.Fields(web.MovedLine("<first@example.org>", 1))[0] + "/"
	paths = append(paths, hyperKitty, "/pipermail/old/2026-November/000000.html", strings.ReplaceAll(hyperKitty, "old@", "private@"))
	config, err := os.ReadFile("/etc/superlist/superlist.toml")
	must(t, err)
	trusted := regexp.MustCompile(`(?m)^# superlist.toml must say, below \[web\]: (client = ".*")$`)
	answers := make(map[string]string) // by path, of the first server
	for _, s := range webServers {
		pkg, _, err := unpack.Debian(s.pkg)
		must(t, err)
		for _, by := range []string{"", socket} {
			args := []string{"setup", "web", s.name}
			if by != "" && s.name == "lighttpd" { // which cannot
				continue
			}
			if by != "" {
				args = append(args, "--fcgiwrap", by)
			}
			printed, err := exec.Command("superlist", args...).Output()
			must(t, err)
			says := trusted.FindSubmatch(printed)
			if (says == nil) != (by != "") {
				t.Errorf("%s (%s) does not say how it names the client: %s", s.name, by, printed)
			}
			if says == nil {
				says = [][]byte{nil, nil}
			}
			writeConfig(t, string(config)+string(says[1])+"\n")
			conf := filepath.Join("/etc", s.name+".conf")
			must(t, os.WriteFile(conf, []byte(strings.ReplaceAll(s.before, "PKG", pkg)+string(printed)+s.after), 0o644))
			command := s.start(pkg, conf)
			stop := serve(t, []string{"LD_LIBRARY_PATH=" + libraries(pkg)}, command[0], command[1:]...)
			wait(t, s.name+" to listen", func() bool { return listening("127.0.0.1:80") })
			for _, path := range paths {
				got := get(t, path)
				what := fmt.Sprintf("%s (%s), %s", s.name, by, path)
				if strings.Contains(got.body, "PATCH 1") {
					t.Errorf("%s shows something of a private list", what)
				}
				for _, h := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Resource-Policy"} {
					if n := len(got.header.Values(h)); n != 1 && got.status == http.StatusOK {
						t.Errorf("%s has %d times %s", what, n, h)
					}
				}
				text := answerOf(got)
				if want, ok := answers[path]; !ok {
					answers[path] = text
				} else if text != want {
					t.Errorf("%s:\n%.600s\nand by the first server\n%.600s", what, text, want)
				}
			}
			if s.name == "nginx" || s.name == "caddy" { // the others do not ask whether there is a file
				for _, path := range []string{"/inside/", "/inside/0/1.html", "/inside/new.atom"} {
					if got := get(t, path); got.status != http.StatusSeeOther || got.header.Get("Location") != "http://lists.example.org/inside/options" {
						t.Errorf("%s (%s), %s: %d %v", s.name, by, path, got.status, got.header)
					}
				}
			}
			r, err := http.NewRequest("POST", "http://127.0.0.1/code/search?q=thanks&x=m", nil)
			must(t, err)
			r.Host = "lists.example.org"
			if answer, err := http.DefaultClient.Do(r); err != nil || answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/gzip" {
				t.Errorf("%s: POST: %v, %v", s.name, answer, err)
			}
			r, err = http.NewRequest("POST", "http://127.0.0.1/code/options", strings.NewReader("address=a@"+s.name+strings.ReplaceAll(filepath.Base(by), ".", "")+".example"))
			must(t, err)
			r.Host = "lists.example.org"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("X-Real-IP", "203.0.113.9")
			r.Header.Set("X-Forwarded-For", "203.0.113.9")
			answer, err := http.DefaultClient.Do(r)
			waiting, _ := exec.Command("grep", "-rhaoE", `(203[.]0[.]113[.]9|127[.]0[.]0[.]1)\] proto=HTTP`, "/var/spool/superlist").Output()
			if err != nil || answer.StatusCode != http.StatusOK || strings.TrimSpace(string(waiting)) != "127.0.0.1] proto=HTTP" {
				t.Errorf("%s (%s): the client has chosen whom it comes from: %v, %v, %s", s.name, by, answer, err, waiting)
			}
			run(t, "superlist", "deliver")
			askAPI(t, s.name+" ("+by+")", token)
			stop()
			wait(t, s.name+" to end", func() bool { return !listening("127.0.0.1:80") })
		}
	}
	for path, want := range map[string]string{
		hyperKitty: "301 /old/0/1.html", "/pipermail/old/2026-November/000000.html": "301 /old/0/1.html", strings.ReplaceAll(hyperKitty, "old@", "private@"): "404",
		"/code/": "200 text/html; charset=utf-8", "/code/new.atom": "200 application/atom+xml", "/code/style.css": "200 text/css", "/robots.txt": "200 text/plain",
		"/code/.state": "404", "/private/": "404", "/": "404", "/code/p%2F0@mail.example.com/": "302", "/code/p%2F0@mail.example.com/raw": "200 text/plain",
		"/code/p%2F0@mail.example.com/t.mbox.gz": "200 application/gzip", "/code/search?q=thanks": "200 text/html", "/code": "301",
	} {
		if !strings.HasPrefix(answers[path], want) {
			t.Errorf("%s: %.100s, want %s", path, answers[path], want)
		}
	}
}

// askAPI has a program add a member and take it away again, through a web server that
// passes Authorization and each method on.
func askAPI(t *testing.T, server, token string) {
	t.Helper()
	const at = "http://127.0.0.1/api/v1/lists/code@lists.example.org/members"
	for _, one := range []struct {
		method, url, body, token string
		status                   int
	}{
		{"GET", at + "?limit=1", "", token, 200}, {"GET", at, "", "", 401}, {"POST", at, `{"members":[{"address":"panel@example.com"}]}`, token, 202},
		{"DELETE", at + "/panel@example.com", "", token, 202},
	} {
		r, err := http.NewRequest(one.method, one.url, strings.NewReader(one.body))
		must(t, err)
		r.Host = "lists.example.org"
		r.Header.Set("Content-Type", "application/json")
		if one.token != "" {
			r.Header.Set("Authorization", "Bearer "+one.token)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil || answer.StatusCode != one.status {
			t.Errorf("%s: %s %s: %v, %v", server, one.method, one.url, answer, err)
			return
		}
		answer.Body.Close()
		run(t, "superlist", "deliver")
	}
}

// answerOf is what has to be the same whichever server has answered. What they say of
// errors is their own.
func answerOf(p page) string {
	kind := p.header.Get("Content-Type")
	switch {
	case p.status == http.StatusNotFound, p.status == http.StatusForbidden:
		return fmt.Sprint(http.StatusNotFound)
	case p.status == http.StatusMovedPermanently, p.status == http.StatusFound, p.status == http.StatusPermanentRedirect:
		to := strings.TrimPrefix(p.header.Get("Location"), "http://lists.example.org")
		if p.status == http.StatusPermanentRedirect { // caddy
			p.status = http.StatusMovedPermanently
		}
		return fmt.Sprint(p.status, " ", to)
	case strings.HasPrefix(kind, "application/atom+xml"), strings.HasPrefix(kind, "text/css"): // with a charset or without
		kind, _, _ = strings.Cut(kind, ";")
	}
	return fmt.Sprint(p.status, " ", kind, "\n", p.body)
}

// serve starts a server, whose last words are the test's.
func serve(t *testing.T, env []string, program string, args ...string) (stop func()) {
	t.Helper()
	c := exec.Command(program, args...)
	c.Env = append(os.Environ(), env...)
	var said strings.Builder
	c.Stdout, c.Stderr = &said, &said
	c.WaitDelay = time.Second // what it has started may still have its standard error
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, c.Start())
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			syscall.Kill(-c.Process.Pid, syscall.SIGTERM)
			c.Wait()
			if t.Failed() {
				log, _ := os.ReadFile("/var/log/web/error.log")
				t.Logf("%s: %.500s\n%.1000s", program, said.String(), log)
			}
		}
	}
	t.Cleanup(stop)
	return stop
}
