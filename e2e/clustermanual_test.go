package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"superlist/e2e/unpack"
	"superlist/lists/cluster/pgtest"
)

// TestClusterManual: the user that docs/cluster.md makes has the rights that superlist needs
// and no others, and pgbouncer may be in between.
func TestClusterManual(t *testing.T) {
	bin, err := programs()
	must(t, err)
	server := pgtest.Start(t)
	dir := t.TempDir()
	superlist := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(filepath.Join(bin, "superlist"), args...)
		out, err := cmd.CombinedOutput()
		if err != nil && !strings.Contains(strings.Join(args, " "), "check") {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	// The owner of the test's server is called superlist.
	named := strings.NewReplacer("ROLE superlist", "ROLE little", "TO superlist;", "TO little;")
	run := func(url, sql string) {
		t.Helper()
		conn, err := pgx.Connect(context.Background(), url)
		must(t, err)
		defer conn.Close(context.Background())
		for statement := range strings.SplitSeq(named.Replace(sql), ";\n") {
			_, err := conn.Exec(context.Background(), statement, pgx.QueryExecModeSimpleProtocol)
			must(t, err)
		}
	}
	owner := strings.Replace(server.URL(), "/postgres?", "/superlist?", 1)
	little := strings.Replace(owner, "superlist@", "little@", 1)
	run(server.URL(), block(t, "cluster role"))

	// Both ways to the database.
	config := func(name, url string) string {
		file := filepath.Join(dir, name+".toml")
		must(t, os.WriteFile(file, fmt.Appendf(nil, "hostname = \"h.example.org\"\nqueue_dir = %q\nlists_dir = %q\nuser = \"\"\nkick = \"\"\nlog = \"none\"\n[relay]\naddress = \"maildir:%s/out\"\n[cluster]\ndatabase = %q\nhost = %q\n",
			dir+"/spool-"+name, dir+"/lists-"+name, dir, url, name), 0o600))
		must(t, os.Mkdir(dir+"/lists-"+name, 0o700))
		return file
	}
	one := config("mx1", little)
	cmd := exec.Command(filepath.Join(bin, "superlist"), "-c", one, "cluster", "init")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "superlist cluster schema") {
		t.Errorf("a user who may make no tables: %v\n%s", err, out)
	}
	run(owner, superlist("-c", one, "cluster", "schema"))
	if out := superlist("-c", one, "check"); !strings.Contains(out, "has no SELECT on migrations") {
		t.Errorf("nobody has granted anything:\n%s", out)
	}
	run(owner, block(t, "cluster rights"))
	superlist("-c", one, "cluster", "init")
	superlist("-c", one, "list", "create", "dev@lists.example.org", "--owner", "o@example.org")

	two := config("mx2", bouncer(t, little))
	superlist("-c", two, "cluster", "join")
	for i := range 20 {
		superlist("-c", []string{one, two}[i%2], "member", "add", "dev@lists.example.org", fmt.Sprintf("m%d@example.org", i))
	}
	superlist("-c", one, "deliver")
	superlist("-c", two, "list", "rm", "dev@lists.example.org", "--yes")
	superlist("-c", one, "deliver")
	for _, file := range []string{one, two} {
		if out := superlist("-c", file, "cluster", "status"); !strings.Contains(out, "up to date") || strings.Contains(out, "lists      1") {
			t.Errorf("%s:\n%s", file, out)
		}
		for line := range strings.Lines(superlist("-c", file, "check")) {
			if strings.Contains(line, "cluster") && !strings.HasPrefix(line, "ok ") && !strings.Contains(line, "fsync") {
				t.Errorf("%s: %s", file, line)
			}
		}
	}
}

// bouncer starts a pgbouncer as docs/cluster.md has it, and returns a URL through it.
func bouncer(t *testing.T, url string) string {
	t.Helper()
	root, _, err := unpack.Debian("pgbouncer")
	if err != nil {
		if os.Geteuid() == 0 {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "bounce")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	_, socket, _ := strings.Cut(url, "host=")
	must(t, os.WriteFile(dir+"/users.txt", []byte(`"little" ""`+"\n"), 0o644))
	must(t, os.WriteFile(dir+"/pgbouncer.ini", fmt.Appendf(nil, "[databases]\nsuperlist = host=%s user=little\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = %s\nauth_type = any\nauth_file = %s/users.txt\npool_mode = transaction\ndefault_pool_size = 1\n", socket, dir, dir), 0o644))
	must(t, os.Chmod(dir, 0o777))
	as := []string{}
	if os.Geteuid() == 0 { // which it refuses to be
		as = []string{"-u", "nobody"}
	}
	cmd := exec.Command(filepath.Join(root, "usr/sbin/pgbouncer"), append(as, dir+"/pgbouncer.ini")...)
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(unpack.Libraries(root), ":"))
	must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(dir + "/.s.PGSQL.6432"); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("pgbouncer does not start")
		}
	}
	return strings.Replace(url, "host="+socket, "host="+dir+"&port=6432", 1)
}
