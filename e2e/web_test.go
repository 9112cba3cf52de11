package e2e

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"superlist/e2e/unpack"
)

// A page is what a browser gets.
type page struct {
	status int
	header http.Header
	body   string
}

// get asks the web server of lists.example.org, and follows nothing.
func get(t *testing.T, path string) page { return ask(t, "GET", path, "") }

// post sends a form there, as a browser or a mail program does.
func post(t *testing.T, path, form string) page { return ask(t, "POST", path, form) }

func ask(t *testing.T, method, path, form string) page {
	t.Helper()
	r, err := http.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(form))
	must(t, err)
	r.Host = "lists.example.org"
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	c := http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := c.Do(r)
	must(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	return page{answer.StatusCode, answer.Header, string(body)}
}

func unzip(t *testing.T, text string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(text))
	must(t, err)
	all, err := io.ReadAll(z)
	must(t, err)
	return string(all)
}

// series is a patch as git format-patch writes it.
const series = `diff --git a/hello b/hello
new file mode 100644
index 0000000..ce01362
--- /dev/null
+++ b/hello
@@ -0,0 +1 @@
+hello
-- 
2.39.5

`

// webSite is a site with a public list that has a thread with a patch, and a private one.
func webSite(t *testing.T, url string) {
	t.Helper()
	newSite(t, `kick = ""`, maildirRelay)
	must(t, os.RemoveAll("/var/www/superlist/lists.example.org")) // as this namespace sees it: the host may have a list of the name
	text, err := os.ReadFile("/etc/superlist/superlist.toml")
	must(t, err)
	writeConfig(t, string(text)+"\n[web]\nrequests = true\nurl = \""+url+"\"\n")
	for _, name := range []string{"code", "private"} {
		run(t, "superlist", "list", "create", name+"@lists.example.org", "--owner", "olga@example.org", "--set", "post=anyone")
	}
	run(t, "superlist", "list", "set", "code@lists.example.org", "web=anyone", "web_mbox=full")
	for i, name := range []string{"code", "private", "code"} {
		post := fmt.Sprintf("From: Alice <alice@example.com>\r\nTo: %s@lists.example.org\r\nDate: Mon, 30 Nov 2026 10:00:00 +0000\r\nMessage-ID: <p/%d@mail.example.com>\r\nSubject: [PATCH %d] say hello\r\n", name, i, i)
		if i == 2 {
			post += "In-Reply-To: <p/0@mail.example.com>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nThanks.\r\n--b\r\nContent-Type: image/svg+xml\r\n\r\n<svg onload=\"alert(1)\"/>\r\n--b--\r\n"
		} else {
			post += "\r\nSay it.\r\n---\r\n hello | 1 +\r\n\r\n" + strings.ReplaceAll(series, "\n", "\r\n")
		}
		session := "EHLO client.example\r\nMAIL FROM:<alice@example.com>\r\nRCPT TO:<" + name + "@lists.example.org>\r\nDATA\r\n" + post + ".\r\nQUIT\r\n"
		c := exec.Command("superlist-spawn")
		c.Stdin = strings.NewReader(session)
		if out, err := c.Output(); err != nil || !strings.Contains(string(out), "250 2.0.0") {
			t.Fatalf("%v: %s", err, out)
		}
		run(t, "superlist", "deliver")
	}
}

// TestWeb is nginx as docs/web.md has it set up, with superlist-web behind it: pages and headers,
// Message-IDs, a thread that git am takes, attachments, and nothing of a private list.
func TestWeb(t *testing.T) {
	if os.Geteuid() == 0 && !testing.Short() { // inside there is no network to get it by
		if _, _, err := unpack.Debian("nginx"); err != nil {
			t.Skip("end to end: ", err)
		}
	}
	if !enter(t, "useradd", "git", "runuser", "b4") {
		return
	}
	pkg, _, err := unpack.Debian("nginx")
	must(t, err)
	webSite(t, "http://{domain}")

	answers := inetd(t, "/usr/local/bin/superlist-web")
	server, err := exec.Command("superlist", "setup", "web", "nginx", "--socket", answers).Output()
	must(t, err)
	must(t, os.MkdirAll("/var/log/nginx", 0o755))
	must(t, os.MkdirAll("/var/lib/nginx", 0o755))
	must(t, os.WriteFile("/etc/nginx.conf", []byte("user superlist;\ndaemon off;\npid /run/nginx.pid;\nerror_log /var/log/nginx/error.log;\nevents { }\nhttp {\naccess_log off;\n"+string(server)+"}\n"), 0o644))
	nginx := exec.Command(filepath.Join(pkg, "usr/sbin/nginx"), "-c", "/etc/nginx.conf", "-e", "/var/log/nginx/error.log")
	nginx.Env = append(os.Environ(), "LD_LIBRARY_PATH="+libraries(pkg))
	nginx.Stderr = os.Stderr
	must(t, nginx.Start())
	t.Cleanup(func() { nginx.Process.Kill(); nginx.Wait() })
	wait(t, "nginx to listen", func() bool { return listening("127.0.0.1:80") })

	for path, want := range map[string]struct {
		status int
		kind   string
		has    string
	}{
		"/code/":                                         {200, "text/html; charset=utf-8", "[PATCH 0] say hello"},
		"/code/index.html":                               {200, "text/html; charset=utf-8", "[PATCH 0] say hello"},
		"/code/0/1.html":                                 {200, "text/html; charset=utf-8", "<ins>+hello</ins>"},
		"/code/t/0/1.html":                               {200, "text/html; charset=utf-8", "Thanks."},
		"/code/style.css":                                {200, "text/css", "prefers-color-scheme"},
		"/code/new.atom":                                 {200, "application/atom+xml", "<feed"},
		"/code/p%2F0@mail.example.com/":                  {302, "", ""},
		"/code/p/0@mail.example.com/":                    {302, "", ""},
		"/code/p%2F0@mail.example.com/raw":               {200, "text/plain; charset=utf-8", "Archived-At: <http://lists.example.org/code/0/1.html>"},
		"/code/2/part/2":                                 {200, "application/octet-stream", "<svg onload"},
		"/code/nobody@mail.example.com/":                 {404, "text/html; charset=utf-8", "There is no such post here"},
		"/private/":                                      {404, "", ""},
		"/private/0/1.html":                              {404, "", ""},
		"/private/new.atom":                              {404, "", ""},
		"/private/p%2F1@mail.example.com/":               {404, "", ""},
		"/private/p%2F1@mail.example.com/raw":            {404, "", ""},
		"/private/1/raw":                                 {404, "", ""},
		"/code/.state":                                   {404, "", ""},
		"/code/../../../../etc/superlist/superlist.toml": {400, "", ""},
	} {
		got := get(t, path)
		if got.status != want.status || want.kind != "" && got.header.Get("Content-Type") != want.kind || !strings.Contains(got.body, want.has) {
			t.Errorf("%s: %d %s\n%.1000s", path, got.status, got.header.Get("Content-Type"), got.body)
		}
		if strings.Contains(got.body, "PATCH 1") {
			t.Errorf("%s shows something of a private list", path)
		}
		for name, has := range map[string]string{"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
			if !strings.Contains(got.header.Get(name), has) && got.status != 400 {
				t.Errorf("%s: %s: %q", path, name, got.header.Get(name))
			}
		}
	}
	if got := get(t, "/code/p%2F0@mail.example.com").header.Get("Location"); got != "http://lists.example.org/code/p%2F0@mail.example.com/" { // as b4 asks
		t.Errorf("the Message-ID without a slash leads to %s", got)
	}
	if got := get(t, "/code/p%2F0@mail.example.com/").header.Get("Location"); got != "http://lists.example.org/code/0/1.html" {
		t.Errorf("the Message-ID leads to %s", got)
	}

	t.Log("git am takes the patch out of the thread")
	thread := get(t, "/code/p%2F0@mail.example.com/t.mbox.gz")
	mbox := unzip(t, thread.body)
	patch, _, _ := strings.Cut(mbox[1:], "\nFrom mboxrd@z")
	repo := t.TempDir()
	must(t, os.WriteFile(repo+"/mbox", []byte(mbox[:1]+patch+"\n"), 0o644))
	run(t, "git", "-C", repo, "init", "-q")
	run(t, "git", "-C", repo, "-c", "user.name=t", "-c", "user.email=t@example.org", "am", "--patch-format=mboxrd", repo+"/mbox")
	if text, err := os.ReadFile(repo + "/hello"); err != nil || string(text) != "hello\n" {
		t.Errorf("%q, %v", text, err)
	}
	if month, _ := filepath.Glob("/var/www/superlist/lists.example.org/code/*.mbox.gz"); len(month) != 1 || unzipFile(t, month[0]) != mbox {
		t.Errorf("the month %v is not the thread", month)
	}

	t.Log("b4 fetches the thread by its Message-ID")
	hosts, err := os.ReadFile("/etc/hosts")
	must(t, err)
	must(t, os.WriteFile("/etc/hosts", []byte(string(hosts)+"\n127.0.0.1 lists.example.org\n"), 0o644))
	fetched := t.TempDir()
	b4 := exec.Command("b4", "--no-stdin", "mbox", "--no-cache", "-o", fetched, "http://lists.example.org/code/p%2F0@mail.example.com/")
	b4.Dir, b4.Env = repo, append(os.Environ(), "HOME="+fetched)
	if out, err := b4.CombinedOutput(); err != nil {
		t.Errorf("b4: %v\n%s", err, out)
	}
	if made, _ := filepath.Glob(fetched + "/*.mbx"); len(made) != 1 {
		t.Errorf("b4 has made %v", made)
	} else if text, err := os.ReadFile(made[0]); err != nil || strings.Count(string(text), "\nSubject: [PATCH ") != 2 || !strings.Contains(string(text), "+hello\n") {
		t.Errorf("%v: %s", err, text)
	}

	t.Log("a request that never ends, and one that is none")
	slow, err := net.Dial("tcp", answers)
	must(t, err)
	defer slow.Close()
	io.WriteString(slow, "GET /code/1 HTTP/1.1\r\nHost: lists.")
	if rest, err := io.ReadAll(slow); err != nil || strings.Contains(string(rest), " 200 ") {
		t.Errorf("%q, %v", rest, err)
	}

	t.Log("one-click of a private list, which https alone has, and the letters of its form")
	config, err := os.ReadFile("/etc/superlist/superlist.toml")
	must(t, err)
	writeConfig(t, strings.Replace(string(config), "http://{domain}", "https://{domain}", 1))
	run(t, "superlist", "list", "set", "private@lists.example.org", "one_click=all", "archive=false")
	run(t, "superlist", "member", "add", "private@lists.example.org", "bob@example.net")
	mail := exec.Command("superlist-spawn")
	mail.Stdin = strings.NewReader("EHLO client.example\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<private@lists.example.org>\r\nDATA\r\nFrom: a@example.com\r\nSubject: leave\r\n\r\nhello\r\n.\r\nQUIT\r\n")
	if out, err := mail.Output(); err != nil || !strings.Contains(string(out), "250 2.0.0") {
		t.Fatalf("%v: %s", err, out)
	}
	run(t, "superlist", "deliver")
	copies := about(outbox(t, "bob@example.net"), "leave")
	if len(copies) != 1 {
		t.Fatalf("%d copies", len(copies))
	}
	link, _, _ := strings.Cut(strings.TrimPrefix(header(t, copies[0], "List-Unsubscribe"), "<https://lists.example.org"), ">")
	if got := get(t, link); got.status != 200 || !strings.Contains(got.body, "<button") {
		t.Errorf("%s: %d %s", link, got.status, got.body)
	}
	if got := post(t, link, "List-Unsubscribe=One-Click"); got.status != 200 || got.body != "done\n" {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := post(t, "/private/options", "address=bob@example.net"); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	run(t, "superlist", "deliver")
	if out := run(t, "superlist", "member", "ls", "private@lists.example.org"); strings.Contains(out, "bob") {
		t.Errorf("bob is still there: %s", out)
	}
	if got := about(outbox(t, "bob@example.net"), "You have unsubscribed from private@lists.example.org"); len(got) != 1 {
		t.Errorf("%d letters of goodbye", len(got))
	}

	t.Log("as a CGI program")
	cgi := exec.Command("runuser", "-u", "superlist", "--", "env", "GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=GET", "SERVER_PROTOCOL=HTTP/1.1",
		"HTTP_HOST=lists.example.org", "REQUEST_URI=/code/p%2F0@mail.example.com/", "SCRIPT_NAME=", "PATH_INFO=/code/p/0@mail.example.com/", "/usr/local/bin/superlist-web")
	out, err := cgi.Output()
	if err != nil || !strings.Contains(string(out), "Status: 302 Found") || !strings.Contains(string(out), "Location: https://lists.example.org/code/0/1.html") {
		t.Errorf("%v: %s", err, out)
	}

	run(t, "superlist", "list", "set", "code@lists.example.org", "web=nobody")
	for _, path := range []string{"/code/", "/code/0/1.html", "/code/new.atom", "/code/p%2F0@mail.example.com/", "/code/1/raw", "/code/p%2F0@mail.example.com/t.mbox.gz"} {
		if got := get(t, path); got.status != 404 || strings.Contains(got.body, "hello") {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}

func unzipFile(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	return unzip(t, string(text))
}

// libraries are the directories of the libraries of an unpacked package.
func libraries(pkg string) string {
	var dirs []string
	for _, pattern := range []string{"lib/*-linux-gnu*", "usr/lib/*-linux-gnu*"} {
		found, _ := filepath.Glob(filepath.Join(pkg, pattern))
		dirs = append(dirs, found...)
	}
	return strings.Join(dirs, ":")
}
