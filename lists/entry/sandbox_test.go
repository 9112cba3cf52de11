package entry

import (
	"cmp"
	"os"
	"testing"

	"superlist/lists/sandbox"
	"superlist/lists/sandbox/sandboxtest"
	"superlist/lists/site"
)

// programEnv says which program the process that tries is.
const programEnv = "SUPERLIST_SANDBOX_PROGRAM"

func TestMain(m *testing.M) {
	if sandboxtest.Config() == "" {
		os.Exit(m.Run())
	}
	sandboxtest.Try(func(config string) (*site.Site, error) {
		program := cmp.Or(os.Getenv(programEnv), "superlist-test")
		site, _, err := Open(config, program)
		return site, err
	})
}

// TestSandbox: who has come through the door cannot get out of the session, as
// root neither.
func TestSandbox(t *testing.T) {
	if sandbox.Kernel() == 0 {
		t.Skip("this kernel has no Landlock")
	}
	users := []string{""}
	if os.Geteuid() == 0 {
		users = append(users, "nobody")
	}
	for _, user := range users {
		t.Run("user "+user, func(t *testing.T) {
			got := sandboxtest.New(t, user, "").Run(t)
			sandboxtest.Want(t, got, true, sandboxtest.Allowed)
			sandboxtest.Want(t, got, false, sandboxtest.Limits, sandboxtest.Files)
			sandboxtest.Want(t, got, true, sandboxtest.Left)
			if sandbox.Filters() {
				sandboxtest.Want(t, got, false, sandboxtest.Calls, sandboxtest.Datagrams)
			}
			sandboxtest.Want(t, got, sandbox.Kernel() < 4, sandboxtest.Ports)
			sandboxtest.Want(t, got, sandbox.Kernel() < 6, sandboxtest.Others)
		})
	}
}

// TestSandboxOfHandOver: that a session may become superlist-session opens no
// other door.
func TestSandboxOfHandOver(t *testing.T) {
	if sandbox.Kernel() == 0 {
		t.Skip("this kernel has no Landlock")
	}
	got := sandboxtest.New(t, "", "tls = true").Run(t)
	const configuration = "read the configuration"
	if got[configuration] != "ok" {
		t.Errorf("%s: %s; superlist-session must", configuration, got[configuration])
	}
	got[configuration] = "done with"
	sandboxtest.Want(t, got, true, sandboxtest.Allowed)
	sandboxtest.Want(t, got, false, sandboxtest.Limits, sandboxtest.Files)
	if sandbox.Filters() {
		sandboxtest.Want(t, got, false, sandboxtest.Calls, sandboxtest.Datagrams)
	}
}

// TestSandboxOfWeb: superlist-web puts requests into the spool and wakes deliver up; it
// reaches nothing else, whatever the site's sessions of mail may reach.
func TestSandboxOfWeb(t *testing.T) {
	if sandbox.Kernel() == 0 {
		t.Skip("this kernel has no Landlock")
	}
	got := sandboxtest.New(t, "", "tls = true\nhelo_check = true\nresolver = \"127.0.0.1:53\"").Run(t, programEnv+"="+WebProgram)
	const which = "see which lists there are"
	if got[which] != "ok" {
		t.Errorf("%s: %s; a moderator's page must see what is held", which, got[which])
	}
	got[which] = "done with"
	sandboxtest.Want(t, got, true, sandboxtest.Allowed)
	sandboxtest.Want(t, got, false, sandboxtest.Limits, sandboxtest.Files)
	if sandbox.Filters() {
		sandboxtest.Want(t, got, false, sandboxtest.Calls, sandboxtest.Datagrams)
	}
	sandboxtest.Want(t, got, sandbox.Kernel() < 4, sandboxtest.Ports)
	sandboxtest.Want(t, got, sandbox.Kernel() < 6, sandboxtest.Others)
}

// TestSandboxOfHeloCheck: who has to ask the DNS may send datagrams.
func TestSandboxOfHeloCheck(t *testing.T) {
	got := sandboxtest.New(t, "", "helo_check = true").Run(t)
	sandboxtest.Want(t, got, true, sandboxtest.Allowed, sandboxtest.Datagrams)
}

// TestSandboxOfResolver: so may who asks the resolver that the site names, whatever
// else the session is for.
func TestSandboxOfResolver(t *testing.T) {
	got := sandboxtest.New(t, "", "resolver = \"127.0.0.1:53\"").Run(t)
	sandboxtest.Want(t, got, true, sandboxtest.Allowed, sandboxtest.Datagrams)
}
