package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"superlist/lists/entry"
	"superlist/lists/sandbox"
	"superlist/lists/sandbox/sandboxtest"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/smtp/smtptest/recording"
)

// roleEnv has this program be superlist-policy.
const roleEnv = "SUPERLIST_TEST_POLICY"

func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) != "" {
		main()
		return
	}
	if sandboxtest.Config() != "" {
		sandboxtest.Try(func(config string) (*site.Site, error) {
			site, _, err := entry.Open(config, program)
			return site, err
		})
		return
	}
	os.Exit(m.Run())
}

// TestSandbox: it is shut in more tightly than a session, since it takes no message.
func TestSandbox(t *testing.T) {
	if sandbox.Kernel() == 0 {
		t.Skip("this kernel has no Landlock")
	}
	got := sandboxtest.New(t, "", "resolver = \"127.0.0.1:53\"").Run(t)
	sandboxtest.Want(t, got, false, sandboxtest.Limits, sandboxtest.Files)
	if sandbox.Filters() {
		sandboxtest.Want(t, got, false, sandboxtest.Calls, sandboxtest.Datagrams)
	}
}

// TestProgram: the whole program, in its sandbox, with a queue that fills up and is
// empty again, and a list that is made while it runs.
func TestProgram(t *testing.T) {
	dir := t.TempDir()
	config := sitetest.Recorded(t, dir, &recording.Script{Name: "program"}, nil, nil, "queue_max_msg = 1", "queue_min_msg = 1")
	cmd := exec.Command(os.Args[0], "-c", config)
	cmd.Env = append(os.Environ(), roleEnv+"=1")
	in, out := sitetest.Piped(t, cmd)
	br := newReader(out)
	asks := func(list, want string) {
		t.Helper()
		if _, err := in.Write([]byte(first + "protocol_state=RCPT\nsender=alice@example.com\nrecipient=" + list + "@lists.example.org\n\n")); err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for got.Len() == 0 || !strings.HasSuffix(got.String(), "\n\n") {
			line, err := br.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			got.WriteString(line)
		}
		if !strings.HasPrefix(got.String(), "action="+want) {
			t.Errorf("%s: %q, want %s", list, got.String(), want)
		}
	}
	asks("dev", "DUNNO\n")
	message := dir + "/spool/outbound/new/1.M1P1R1.a"
	if err := os.WriteFile(message, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	asks("dev", "452 4.3.1 ")
	asks("later", "550 5.1.1 ")
	if err := os.Remove(message); err != nil {
		t.Fatal(err)
	}
	sitetest.Files(t, dir, map[string]string{"lists/lists.example.org/later/list.toml": "owners = [\"olga@example.org\"]\n"})
	asks("dev", "DUNNO\n")
	asks("later", "DUNNO\n")
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestWrongArguments: where it cannot work it answers nothing, and Postfix does what
// it does without an answer.
func TestWrongArguments(t *testing.T) {
	for _, args := range [][]string{{"-c", "/nowhere"}, {"-list", ""}, {"-list", "OK\naction=REJECT"}, {"more"}, {"-what"}} {
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env = append(os.Environ(), roleEnv+"=1")
		cmd.Stdin = strings.NewReader(first + "recipient=zoe@example.com\n\n")
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%q: %v, %q", args, err, out)
		}
	}
}
