package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"superlist/lists/bounces"
	"superlist/lists/heldpost"
	"superlist/lists/ledger"
	"superlist/lists/ledger/files"
	"superlist/lists/sitetest"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// steering is what a stranger writes to have a terminal obey, or its reader see
// something else: C0, DEL, C1 in UTF-8 and as a byte, bidi controls, zero-width.
const steering = "\x1b]52;c;cm0K\x07\x7f\u009b2J\x9b2J\u202egpj\u2066\u200b\ufeff\U000e0041"

// TestNothingSteersTheTerminal calls every command on a site where all that a
// stranger can write, and all that stands in a file, wants to steer the terminal:
// once with a pipe, once with a terminal.
func TestNothingSteersTheTerminal(t *testing.T) {
	// What may go to a pipe byte by byte, since somebody wants the bytes.
	raw := map[string]bool{"archive show": true, "held show": true, "queue show": true, "member export": true, "export": true}
	const list, name = "dev@lists.example.org", "0123456789ab"
	file := func(dir, text string) string {
		path := filepath.Join(dir, "given\x1b[2J")
		os.WriteFile(path, []byte(text), 0o600)
		return path
	}
	commands := map[string]func(dir string) [][]string{}
	add := func(name string, args ...string) {
		before := commands[name]
		commands[name] = func(dir string) (all [][]string) {
			if before != nil {
				all = before(dir)
			}
			return append(all, append(strings.Fields(name), args...))
		}
	}
	for _, ls := range []string{"list ls", "queue ls", "list show", "archive ls", "held ls", "member ls"} {
		args := []string{}
		if ls != "list ls" && ls != "queue ls" {
			args = append(args, list)
		}
		add(ls, args...)
		add(ls, append(args, "--json")...)
		add(ls, "x"+steering+"@lists.example.org")
	}
	add("list create", "x"+steering+"@lists.example.org", "--owner", "a@example.com")
	add("list create", "y@lists.example.org", "--owner", steering)
	add("list set", list, "description="+steering)
	add("list set", list, steering+"=x")
	add("list mv", list, "x"+steering+"@lists.example.org")
	add("list mv", steering, "x@lists.example.org")
	for _, form := range []string{"list suspend", "list resume", "list close"} {
		add(form, list)
		add(form, steering)
	}
	add("list copy", list, steering)
	add("list copy", steering, list, "--json")
	add("list copy", list, list, "--key", steering)
	add("list rm", list)
	add("list rm", steering)
	add("member add", list, steering)
	add("member set", list, "eve@example.com", steering)
	add("member rm", list, steering+"@example.com")
	add("member rm", "--everywhere", steering+"@example.com")
	add("member find", "eve@example.com")
	add("member find", "*", "--json")
	add("member find", steering)
	add("member mv", "eve@example.com", "b"+steering+"@example.com")
	add("member mv", steering, "b@example.com", "--json")
	add("member mv", "eve@example.com", "b@example.com", "--dry-run")
	add("member erase", "eve@example.net", "--json")
	add("member erase", steering)
	add("member erase", "eve@example.net", "--archive")
	add("member data", "eve@example.net")
	add("member data", steering)
	add("member export", list)
	add("held show", list, name)
	add("held show", list, steering)
	add("held reject", list, steering, "--reason", steering)
	add("held discard", list, steering)
	add("held approve", list, steering)
	add("archive show", list, "1")
	add("archive show", list, "1", "--json")
	add("archive rm", list, steering)
	add("archive rm", list, "--author", steering)
	add("archive rm", list, "--author", "mallory@example.com")
	add("archive rm", list, "1", "--reason", steering)
	add("web")
	add("web", list)
	add("web", steering)
	add("setup web", "nginx")
	add("setup web", steering)
	add("setup web", "nginx", "--domain", steering)
	add("archive prune", list, steering)
	add("archive rebuild", list)
	add("queue show", "1.M1")
	add("queue show", steering)
	add("queue retry", steering)
	add("queue rm", steering)
	for _, form := range []string{"queue adopt", "queue reclaim"} {
		commands[form] = func(dir string) [][]string {
			by := filepath.Join(dir, "other", "adopted", "by")
			for _, box := range []string{"adopted", "inbound/new", "inbound/cur", "outbound/new", "outbound/cur", "failed"} {
				os.MkdirAll(filepath.Join(dir, "other", box), 0o700)
			}
			text, _ := json.Marshal(map[string]string{"host": "a" + steering, "key": "b", "at": "2026-11-30T12:00:00Z"})
			os.WriteFile(by, text, 0o600)
			os.WriteFile(filepath.Join(dir, "other", "outbound", "new", "1.M7"), []byte("superlist-message 1\nid: "+steering+"\n"), 0o600)
			runs := [][]string{{"queue", "adopt", dir + "/other"}, {"queue", "adopt", steering}}
			if form == "queue reclaim" {
				os.MkdirAll(filepath.Join(dir, "spool", "adopted"), 0o700)
				os.WriteFile(filepath.Join(dir, "spool", "adopted", "by"), text, 0o600)
				return [][]string{{"deliver"}, {"queue", "reclaim"}}
			}
			text, _ = json.Marshal(map[string]string{"host": "a", "key": "b", "at": "2026-11-30T12:00:00Z", "over": "2026-11-30T12:00:00Z"})
			os.WriteFile(by, text, 0o600)
			return append(runs, []string{"queue", "adopt", dir + "/other", "--json"})
		}
	}
	add("explain", list)
	add("explain", list, "--from", "a"+steering+"@example.com")
	commands["dkim genkey"] = func(dir string) [][]string {
		return [][]string{{"dkim", "genkey", "--type", "ed25519", filepath.Join(dir, "key"+steering)}, {"dkim", "genkey", "--type", steering, filepath.Join(dir, "k")}}
	}
	add("dkim show")
	add("token new", steering, "--all", "--scope", "read")
	add("token new", "x", "--list", steering, "--scope", steering)
	add("token new", "x", "--list", steering, "--scope", "read", "--json")
	add("token ls")
	add("token ls", "--json")
	add("token rm", steering)
	for _, form := range []string{"bounce ls", "bounce show"} {
		add(form, list)
		add(form, list, "--json")
		add(form, steering)
	}
	for _, form := range []string{"bounce show", "member show"} {
		add(form, list, "eve@example.com")
		add(form, list, "eve@example.com", "--json")
		add(form, list, steering+"@example.com")
	}
	add("bounce clear", list, "eve@example.com")
	add("bounce clear", list, steering+"@example.com")
	commands["bounce explain"] = func(dir string) [][]string {
		given := file(dir, "From: MAILER-DAEMON@example.net\nSubject: failure notice\n\nfollowing addresses failed:\n<a"+steering+"@example.net>:\nno mailbox "+steering+"\n")
		return [][]string{{"bounce", "explain", given}, {"bounce", "explain", "--json", given}, {"bounce", "explain", steering}}
	}
	add("passwd", steering)
	add("version")
	add("digest")
	add("digest", list, "--json")
	add("deliver")
	add("check")
	add("check", list, "--json")
	add("check", steering)
	commands["backup"] = func(dir string) [][]string {
		os.Symlink("/dev/null", dir+"/lists/lists.example.org/dev/x\x1b[2J\u202egpj")
		return [][]string{{"backup", dir + "/backup"}, {"backup", dir + "/backup"}, {"backup", dir + "/backup" + steering + "/x"}, {"backup", dir + "/backup2", "--json"}}
	}
	commands["restore"] = func(dir string) [][]string {
		os.MkdirAll(dir+"/bad", 0o700)
		os.WriteFile(dir+"/bad/superlist-backup", []byte(`{"version": "`+steering), 0o600)
		return [][]string{{"backup", dir + "/backup"}, {"restore", dir + "/backup"}, {"restore", dir + "/backup", list, "--json"}, {"restore", dir + "/bad"}, {"restore", steering}, {"restore", dir + "/backup", steering}}
	}
	commands["status"] = func(dir string) [][]string {
		given := hostileLog(dir)
		return [][]string{{"status"}, {"status", "--log", given}, {"status", list, "--log", given}, {"status", list, "--log", given, "--json"}, {"status", steering}, {"status", "--log", steering}}
	}
	commands["trace"] = func(dir string) [][]string {
		given := hostileLog(dir)
		return [][]string{{"trace", "eve@example.net", "--log", given}, {"trace", "eve@example.net", "--log", given, "--json"}, {"trace", "2.M2"}, {"trace", steering, "--log", given}, {"trace", "x", "--log", given + steering}}
	}
	commands["log"] = func(dir string) [][]string {
		os.WriteFile(dir+"/lists/lists.example.org/dev/acts", []byte("2026-11-30T12:00:00Z set list=<dev@lists.example.org> key=x value=\""+steering+"\" was=x by="+steering+"\n"+
			"2026-11-30T12:00:00Z subscribed list=<dev@lists.example.org> member=<x\u202egpj@example.com> by=x\u2066\n"), 0o600)
		return [][]string{{"log"}, {"log", list}, {"log", list, "--json"}, {"log", steering}}
	}
	server := hostileServer(t)
	for form, arg := range map[string]string{"init": steering, "join": "--replace", "status": "--json", "leave": "x" + steering, "export": "out" + steering, "schema": "--from=" + steering} {
		commands["cluster "+form] = func(dir string) [][]string {
			config, _ := os.ReadFile(dir + "/superlist.toml")
			os.WriteFile(dir+"/superlist.toml", append(config, "[cluster]\ndatabase = \"postgres://x@"+server+"/x?sslmode=disable\"\nhost = \"mx1\"\n"...), 0o600)
			return [][]string{{"cluster", form, dir + "/out"}, {"cluster", form}, {"cluster", form, arg}}
		}
	}
	add("setup postfix", "--way", steering)
	add("setup postfix", "--domain", steering, "--json")
	add("setup postfix", "--undo")
	add("export", list, "--format", "text")
	add("member export", list, "--format", "csv")
	commands["member sync"] = func(dir string) [][]string {
		given := file(dir, "eve2@example.com name="+steering+"\nbad "+steering+"\n"+steering+"\n")
		good := filepath.Join(dir, "good")
		os.WriteFile(good, []byte("eve2@example.com name=x\u202e\u2066y\n"), 0o600)
		return [][]string{{"member", "sync", list, given}, {"member", "sync", list, good}, {"member", "sync", list, good, "--max-remove", "100%", "--dry-run"},
			{"member", "sync", list, good, "--max-remove", "100%", "--json"}, {"member", "sync", steering, good}, {"member", "sync", list, good, "--max-remove", steering}, {"member", "sync", list, given + steering}}
	}
	for _, form := range []string{"member import", "import members"} {
		before := form
		commands[form] = func(dir string) [][]string {
			given := file(dir, "eve2@example.com name="+steering+"\nbad "+steering+"\n"+steering+"\n")
			return [][]string{
				append(strings.Fields(before), list, given), append(strings.Fields(before), list, given, "--skip-bad"),
				append(strings.Fields(before), list, given+steering),
			}
		}
	}
	commands["import members"] = func(dir string) [][]string {
		given := file(dir, "email,"+steering+"\neve3@example.com,"+steering+"\n"+steering+",x\n")
		return [][]string{{"import", "members", list, given}, {"import", "members", list, given, "--skip-bad", "--json"}}
	}
	for _, form := range []string{"mlmmj", "ezmlm", "mailman3", "list"} {
		commands["import "+form] = func(dir string) [][]string {
			from := filepath.Join(dir, "from\x1b[2J"+form)
			for _, sub := range []string{"control", "subscribers.d", "subscribers"} {
				os.MkdirAll(filepath.Join(from, sub), 0o700)
			}
			for path, text := range map[string]string{
				"control/listaddress": "m-" + form + "@lists.example.org\n", "control/owner": "o@example.org\n", "control/footer": steering, "control/" + steering: steering,
				"subscribers.d/a": "eve@example.com\nx" + steering + "\n", "control/access": "allow ^From: " + steering + "\n",
				"mailinglist": "", "lock": "", "outlocal": "m", "outhost": "lists.example.org", "config": steering, steering: steering,
				"config.json": `{"fqdn_listname": "m3@lists.example.org", "x\u001b": "\u009b\u202e` + `"}`, "member.txt": "eve@example.com\n" + steering + "\n", "owner.txt": "o@example.org\n",
			} {
				os.WriteFile(filepath.Join(from, path), []byte(text), 0o600)
			}
			return [][]string{{"import", form, from, "--dry-run"}, {"import", form, from, "--dry-run", "--json"}, {"import", form, steering}}
		}
	}

	call := func(t *testing.T, args []string, dir string, terminal bool) []byte {
		message := io.Reader(strings.NewReader("From: a" + steering + " <eve@example.net>\nSubject: " + steering + "\n\n" + steering + "\n"))
		if !terminal {
			var out bytes.Buffer
			run(context.Background(), append([]string{"-c", dir + "/superlist.toml"}, args...), message, &out, &out)
			return out.Bytes()
		}
		master, slave := pty(t)
		got := make(chan []byte)
		go func() {
			text, _ := io.ReadAll(master) // ends with EIO when the other side is closed
			got <- text
		}()
		run(context.Background(), append([]string{"-c", dir + "/superlist.toml"}, args...), message, slave, slave)
		slave.Close()
		return <-got
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if sub.Name() != "completion" && sub.Name() != "help" {
				walk(sub)
			}
		}
		path := strings.TrimPrefix(c.CommandPath(), "superlist ")
		if c.HasSubCommands() {
			return
		}
		if commands[path] == nil {
			t.Errorf("%s is not called here", path)
			return
		}
		for _, terminal := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/terminal=%t", path, terminal), func(t *testing.T) {
				dir := hostileSite(t, name)
				for _, args := range commands[path](dir) {
					out := call(t, args, dir, terminal)
					if !terminal && raw[path] && bytes.Contains(out, []byte("\x1b]52")) {
						continue
					}
					for line := range bytes.Lines(out) {
						text := string(bytes.TrimRight(line, "\r\n"))
						if terminal { // a colour of ours
							text = strings.Replace(text, "\x1b[1;31mlook:\x1b[0m", "look:", 1)
						}
						if i := strings.IndexFunc(text, func(c rune) bool { return c != '\t' && maillog.Steers(c) }); i >= 0 {
							t.Errorf("%q: %q", args, text)
						}
					}
					if !utf8.Valid(out) { // C1 as a byte
						t.Errorf("%q: %q", args, out)
					}
					if len(args) > 0 && args[len(args)-1] == "--json" && !bytes.Contains(out, []byte("\\u")) && bytes.Contains(out, []byte("gpj")) {
						t.Errorf("%q: what was taken out of %q?", args, out)
					}
				}
			})
		}
	}
	walk(newRoot())
}

// hostileSite is a site with a list, a member, a held and a kept post, and messages
// in the queue, each with what steers in all that a stranger decides.
func hostileSite(t *testing.T, held string) (dir string) {
	dir = t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	site, err := site.Load(sitetest.Write(t, dir, fmt.Sprintf("log = %q\n[auth]\ninsecure = true\npasswd_file = %q\n[relay]\naddress = %q",
		dir+"/log", dir+"/users", "unix:"+dir+"/nowhere")))
	must(err)
	site.Ledger = files.On
	owner := smtp.Path{Local: "olga", Domain: "example.org"}
	l, err := edit.Create(lists.Of(site), smtp.Path{Local: "dev", Domain: "lists.example.org"}, []smtp.Path{owner}, []string{`description="\u009b2J\u202egpj\u200b"`})
	must(err)
	must(os.WriteFile(l.Dir+"/members", []byte("eve@example.com name="+steering+"\n"+steering+"@example.com\n"), 0o600))
	_, err = edit.Create(lists.Of(site), smtp.Path{Local: "broken", Domain: "lists.example.org"}, []smtp.Path{owner}, nil)
	must(err)
	must(os.WriteFile(dir+"/lists/lists.example.org/broken/list.toml", []byte("\"\\u001b[2J\\u202e\" = 1\n"), 0o600))

	message := "From: =?utf-8?q?=1B[2J=C2=9B?= " + steering + " <eve@example.net>\r\nSubject: =?utf-8?q?=1B[2J=C2=9B=E2=80=AE?= " + steering +
		"\r\nMessage-ID: <" + steering + ">\r\n\r\n" + steering + "\r\n"
	// A head takes none of it; what is damaged is quoted.
	put := func(s *queue.Spool, box queue.Box, id string) {
		w, err := s.Create(queue.Head{ID: id, Arrived: time.Now(), Client: "[192.0.2.1]:1 helo=x", From: smtp.Path{Local: "eve", Domain: "example.net"}, Why: "hold: x", List: l.Addr})
		must(err)
		must(w.Rcpt(smtp.Rcpt{Path: l.Addr}))
		_, err = io.WriteString(w, message)
		must(err)
		must(w.Commit(box))
	}
	s := heldpost.Spool(site, l)
	must(s.InitBox(queue.Held))
	put(s, queue.Held, held)
	q := site.Spool()
	must(q.Init())
	put(q, queue.Failed, "1.M1")
	put(q, queue.Outbound, "2.M2")
	entries, err := q.List(queue.Failed)
	must(err)
	m, err := q.Claim(queue.Failed, entries[0])
	must(err)
	must(m.Note(time.Now(), "refused: "+steering))
	m.Close()
	must(os.WriteFile(dir+"/spool/failed/3.M3\x1b[2J", []byte(steering), 0o600))
	must(site.Writer().Remember(l.Book(), ledger.Bouncing, ledger.Hash("eve@example.com"), time.Now(), func(ledger.Record, bool) (string, error) {
		r := bounces.Record{Address: "eve@example.com", Final: steering, Days: []bounces.Day{{Day: time.Now().Format(time.DateOnly), Reason: bounces.Reason{Class: "gone", Words: steering, Reporter: steering}}}}
		return r.Text()
	}))
	_, err = l.Posts().Add(archive.Post{ID: "1", Since: time.Now(), Time: time.Now(), Content: strings.NewReader(message)})
	must(err)
	must(os.MkdirAll(l.Dir+"/bounces", 0o700))
	must(os.WriteFile(dir+"/users", []byte(steering+":{ARGON2ID}x\n"), 0o600))
	return dir
}

// hostileLog is a log in which strangers have written what they could, and more.
func hostileLog(dir string) string {
	at := time.Now().Add(-time.Minute).Format(time.RFC3339)
	text := at + " superlist-spawn[1]: accepted id=7.M7P7R77777777.lists.example.org from=<eve@example.net> to=<dev@lists.example.org> helo=" + steering + " message-id=<" + steering + "> reply=\"250 " + steering + "\"\n" +
		at + " superlist[1]: post id=7.M7P7R77777777.lists.example.org list=<dev@lists.example.org> members=1 reason=\"\\x1b[2J\\u202egpj\"\n" +
		at + " superlist[1]: sent id=7.M7P7R77777777.lists.example.org.0 post=7.M7P7R77777777.lists.example.org list=<dev@lists.example.org> recipients=1 reply=\"250 queued as 4X\"\n" +
		at + " h postfix/smtp[1]: 4X: to=<a" + steering + "@example.com>, relay=x, status=sent (250 " + steering + ")\n" +
		at + " superlist-spawn[1]: refused from=<eve@example.net> at=RCPT reply=\"\\x1b[2J\\u2066\"\n"
	given := filepath.Join(dir, "given.log")
	os.WriteFile(given, []byte(text), 0o600)
	return given
}

// pty makes a terminal whose output is not changed.
func pty(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminal: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}
