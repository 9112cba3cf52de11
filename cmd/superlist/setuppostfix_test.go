package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestReloadPostfix: Postfix is reloaded if it runs, and left alone if it does not; if
// that cannot be told, this is an error.
func TestReloadPostfix(t *testing.T) {
	for _, test := range []struct {
		status           string // what postfix status does
		reloaded, failed bool
	}{
		{"exit 0", true, false}, {"exit 1", false, false}, {"kill -9 $$", false, true},
	} {
		dir := t.TempDir()
		script := "#!/bin/sh\ncase $1 in status) " + test.status + ";; reload) : >" + dir + "/reloaded;; esac\n"
		if err := os.WriteFile(filepath.Join(dir, "postfix"), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", dir+":/bin:/usr/bin")
		err := reloadPostfix(context.Background())
		if _, missing := os.Stat(dir + "/reloaded"); (missing == nil) != test.reloaded || (err != nil) != test.failed {
			t.Errorf("%s: reloaded %t, %v", test.status, missing == nil, err)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if err := reloadPostfix(context.Background()); err != nil {
		t.Errorf("without Postfix: %v", err)
	}
}
