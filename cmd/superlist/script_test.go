package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"superlist/lists/sitetest"
	"superlist/lists/tlsserver/tlsservertest"
	"superlist/queue/disk/disktest"
)

// TestMain is also superlist for scripts, and the process that TestKilledMove and TestKilledAddressChange kill.
func TestMain(m *testing.M) {
	if d, task, ok := disktest.Task(); ok {
		killed(d, task)
		return
	}
	testscript.Main(m, map[string]func(){"superlist": main})
}

// TestScript plays testdata/script. Beside the commands of testscript there are:
//
//	site [LINE...]         makes superlist.toml, with these lines in front, and uses it
//	certificate NAME DAYS  makes tls.crt and tls.key for a host, and ca.crt
//	dovecot SOCKET MECH... greets there as Dovecot's auth service does, or hangs up
//	crlf FILE...           ends the lines of a file as SMTP does
//	json COMMAND...        wants JSON alone on standard output with --json, and exit code 0;
//	                       an argument @FILE is what that file has
//	listen FILE            takes connections at a Unix socket, and says nothing
//	database ...           is a PostgreSQL: see testDatabase
//	exits CODE COMMAND...  wants this exit code, and standard error only when it is not 0
func TestScript(t *testing.T) {
	dir := t.TempDir() // for the programs that serve sessions
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", dir, "../superlist-spawn", "../superlist-session").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	authority := tlsservertest.New(t)
	certificate := func(ts *testscript.TestScript, _ bool, arg []string) {
		days, err := strconv.Atoi(arg[1])
		ts.Check(err)
		crt, key := authority.Pair(t, arg[0], time.Duration(days)*24*time.Hour)
		ts.Check(os.WriteFile(ts.MkAbs("tls.crt"), crt, 0o600))
		ts.Check(os.WriteFile(ts.MkAbs("tls.key"), key, 0o600))
		ts.Check(os.WriteFile(ts.MkAbs("ca.crt"), authority.PEM, 0o600))
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", e.WorkDir+"/bin:"+dir+":"+e.Getenv("PATH"))
			e.Setenv("SUPERLIST_CONFIG", e.WorkDir+"/superlist.toml")
			e.Setenv("GODEBUG", "netdns=go")        // so that a domain of digits is asked of nobody
			e.Setenv("GORACE", "atexit_sleep_ms=0") // the race detector's second at each exit adds up
			// Where there is a Postfix on this host, its answer is not part of the test.
			os.Mkdir(e.WorkDir+"/bin", 0o700)
			return os.WriteFile(e.WorkDir+"/bin/postconf", []byte("#!/bin/sh\nexit 1\n"), 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"json": isJSON, "site": makeSite, "dovecot": dovecot, "certificate": certificate, "crlf": crlf, "listen": listen, "exits": exits,
			"database": testDatabase(t),
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Geteuid() == 0, nil
			}
			return false, fmt.Errorf("unknown condition %s", cond)
		},
		RequireExplicitExec: true,
	})
}

func makeSite(ts *testscript.TestScript, _ bool, lines []string) {
	work := ts.Getenv("WORK")
	text := strings.Join(lines, "\n") + "\n"
	relay := ""
	for key, value := range map[string]string{
		"hostname": "lists.example.org", "queue_dir": work + "/spool", "lists_dir": work + "/lists", "user": "", "kick": "", "log": work + "/log",
	} {
		if !strings.Contains(text, key+" =") {
			text = fmt.Sprintf("%s = %q\n", key, value) + text
		}
	}
	if !strings.Contains(text, "[relay]") {
		relay = fmt.Sprintf("[relay]\naddress = %q\n", "maildir:"+work+"/out")
	}
	ts.Check(os.WriteFile(ts.MkAbs("superlist.toml"), []byte(sitetest.Pages(work, text+relay)), 0o600))
}

func dovecot(ts *testscript.TestScript, _ bool, arg []string) {
	socket, err := net.Listen("unix", ts.MkAbs(arg[0]))
	ts.Check(err)
	ts.Defer(func() { socket.Close() })
	greeting := "VERSION\t1\t2\n"
	for _, mechanism := range arg[1:] {
		greeting += "MECH\t" + mechanism + "\n"
	}
	go func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			bufio.NewReader(conn).ReadString('\n')
			if len(arg) > 1 {
				fmt.Fprint(conn, greeting+"SPID\t1\nDONE\n")
				io.Copy(io.Discard, conn)
			}
			conn.Close()
		}
	}()
}

func listen(ts *testscript.TestScript, _ bool, arg []string) {
	l, err := net.Listen("unix", ts.MkAbs(arg[0]))
	ts.Check(err)
	ts.Defer(func() { l.Close() })
}

func crlf(ts *testscript.TestScript, _ bool, files []string) {
	for _, file := range files {
		text, err := os.ReadFile(ts.MkAbs(file))
		ts.Check(err)
		text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
		ts.Check(os.WriteFile(ts.MkAbs(file), text, 0o600))
	}
}

func exits(ts *testscript.TestScript, neg bool, arg []string) {
	want, err := strconv.Atoi(arg[0])
	if err != nil || neg || len(arg) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(arg[1], arg[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// isJSON runs superlist with --json behind the arguments.
func isJSON(ts *testscript.TestScript, neg bool, arg []string) {
	if neg {
		ts.Fatalf("usage: json COMMAND...")
	}
	for i, word := range arg {
		if file, ok := strings.CutPrefix(word, "@"); ok {
			arg[i] = strings.TrimSpace(ts.ReadFile(file))
		}
	}
	ts.Check(ts.Exec("superlist", append(arg, "--json")...))
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	n := 0
	for {
		var any json.RawMessage
		if err := d.Decode(&any); err == io.EOF {
			break
		} else if err != nil {
			ts.Fatalf("not JSON: %v", err)
		}
		n++
	}
	if n == 0 {
		ts.Fatalf("says nothing")
	}
}

// withoutJSON are the commands that have no --json, and why. A command that only has
// others below it shows its help.
var withoutJSON = map[string]string{
	"superlist cluster schema": "it writes SQL",
	"superlist deliver":        "the log says what it does",
	"superlist export":         "it writes a tar",
	"superlist member data":    "it writes JSON anyway",
	"superlist member export":  "it writes a file for member import; member ls has --json",
	"superlist setup web":      "it writes a configuration",
}

// TestJSON: every command has --json, or there is a reason; and a script plays each with
// it.
func TestJSON(t *testing.T) {
	text := scripts(t)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		path := c.CommandPath()
		has := c.Flags().Lookup("json") != nil
		switch {
		case c.HasSubCommands() || c.Hidden:
		case has != (withoutJSON[path] == ""):
			t.Errorf("%s: --json is there: %t; the reason not to have it: %q", path, has, withoutJSON[path])
		case has && !regexp.MustCompile(`(?m)^json `+strings.TrimPrefix(path, "superlist ")+`( |$)`).MatchString(text):
			t.Errorf("%s: no script plays it with --json", path)
		}
	}
	walk(newRoot())
}

// TestDryRun: a script plays each command that has --dry-run with it.
func TestDryRun(t *testing.T) {
	text := scripts(t)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		played := regexp.MustCompile(`(?m)(superlist|^json) ` + strings.TrimPrefix(c.CommandPath(), "superlist ") + ` .*--dry-run`)
		if c.Flags().Lookup("dry-run") != nil && !c.Hidden && !played.MatchString(text) {
			t.Errorf("%s: no script plays it with --dry-run", c.CommandPath())
		}
	}
	walk(newRoot())
}

// TestHelp: every command says what it is for, in a line, and shows an example
// that begins with what one types.
func TestHelp(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		path := c.CommandPath()
		if c.Short == "" || strings.HasSuffix(c.Short, ".") || len(c.Short) > 80 {
			t.Errorf("%s: short help %q", path, c.Short)
		}
		if !strings.Contains(c.Example, path+" ") && !strings.HasSuffix(c.Example, path) {
			t.Errorf("%s: its example is %q", path, c.Example)
		}
		if c.Args == nil || c.RunE == nil {
			t.Errorf("%s: what is wrong with its arguments is not said", path)
		}
		var out bytes.Buffer
		c.SetOut(&out)
		if err := c.Help(); err != nil || !strings.Contains(out.String(), "Examples:\n"+c.Example) {
			t.Errorf("%s: %v, help\n%s", path, err, out.String())
		}
		for line := range strings.Lines(out.String()) {
			if len(strings.TrimRight(line, "\n")) > 80 {
				t.Errorf("%s: a line of %d: %s", path, len(line), line)
			}
		}
	}
	walk(newRoot())
}

// TestExamples: the examples are commands that exist, with their flags and arguments.
func TestExamples(t *testing.T) {
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		for _, words := range commandsIn(c.Example) {
			isCommand(t, c.CommandPath(), words, true)
		}
	}
	walk(newRoot())
}

// TestScriptsAreThere holds that each command is played in a script.
func TestScriptsAreThere(t *testing.T) {
	all := scripts(t)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			walk(sub)
		}
		if !strings.Contains(all, c.CommandPath()+" ") && !strings.Contains(all, c.CommandPath()+"\n") {
			t.Errorf("%s is in no script", c.CommandPath())
		}
	}
	walk(newRoot())
}

// scripts is the text of all scripts.
func scripts(t *testing.T) string {
	files, _ := filepath.Glob("testdata/script/*.txtar")
	var all strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}
