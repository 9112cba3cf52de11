package main

import (
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"superlist/lists/site"
	"superlist/queue/disk"
)

// TestLetIn: the advice is about what keeps the user out, and never gives them a directory
// that is not superlist's.
func TestLetIn(t *testing.T) {
	dir := t.TempDir()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"spool/tmp", "lists/lists.example.org/dev/members", "var"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(dir+"/spool/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ours := &checker{site: &site.Site{QueueDir: dir + "/spool", ListsDir: dir + "/lists", User: "somebody"}}
	mine := &checker{site: &site.Site{QueueDir: dir + "/spool", ListsDir: dir + "/none"}}
	owner := "owner " + me.Username
	for _, test := range []struct {
		k    *checker
		path string
		want string
	}{
		{ours, "spool/file", owner + ", mode -rw-------; chown -R somebody DIR/spool/file"},
		{ours, "spool", owner + ", mode drwx------; chown -R somebody DIR/spool"},
		{ours, "spool/new/file", "DIR/spool: " + owner + ", mode drwx------; chown -R somebody DIR/spool"},
		{mine, "spool/file", owner + ", mode -rw-------; chmod -R u+rwX DIR/spool/file"},
		{mine, "none", "install -d -m 0700 DIR/none"},
		{ours, "var/backup", "DIR/var: " + owner + ", mode drwx------; let somebody use it"},
		{ours, "var", owner + ", mode drwx------; let somebody use it"},
	} {
		if got := strings.ReplaceAll(test.k.letIn(filepath.Join(dir, test.path)), dir, "DIR"); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.path, got, test.want)
		}
	}
	members := dir + "/lists/lists.example.org/dev/members"
	_, _, err = disk.ReadRegular(members, 0, 1)
	if got := ours.mend(&fs.PathError{Op: "open", Path: members, Err: err}, dir+"/lists"); !strings.HasSuffix(got, "move it away, and put a file there") {
		t.Errorf("a directory for a file: %v: %s", err, got)
	}
}
