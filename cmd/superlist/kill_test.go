package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/ledger/files"
	"superlist/lists/site"
	"superlist/lists/sitetest"
	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

var (
	beforeMove = smtp.Path{Local: "dev", Domain: "lists.example.org"}
	afterMove  = smtp.Path{Local: "moved", Domain: "new.example.org"}
)

// moveList is what TestKilledMove kills.
func moveList(d *disk.Disk, config string) error {
	s, err := site.Load(config)
	if err != nil {
		return err
	}
	s.Disk, s.Ledger = d, files.On
	l, err := lists.Of(s).Open(beforeMove)
	if err == nil {
		_, err = edit.Move(lists.Of(s), l, afterMove)
	}
	return err
}

// TestKilledMove kills a move at each call: check finds nothing wrong, or says what to
// do, and the move called again completes it.
func TestKilledMove(t *testing.T) {
	disktest.Kill(t, 12, func(try func(string) disktest.Death) {
		dir := t.TempDir()
		config := sitetest.Write(t, dir, fmt.Sprintf("log = \"none\"\n[relay]\naddress = %q", "maildir:"+dir+"/out"))
		superlist := func(args ...string) (string, int) {
			var out bytes.Buffer
			code := run(context.Background(), append([]string{"-c", config}, args...), strings.NewReader(""), &out, &out)
			return out.String(), code
		}
		if out, code := superlist("list", "create", beforeMove.Address(), "--owner", "olga@example.org", "--set", "aliases=old@lists.example.org"); code != 0 {
			t.Fatal(out)
		}
		k := try(config)
		if k.Call == "" && k.Said != "done" {
			t.Fatalf("%v: %s", k, k.Said)
		}
		if wrong := errorsOf(t, superlist); k.Said == "done" && wrong != nil {
			t.Errorf("%v: %v", k, wrong)
		} else {
			for _, f := range wrong {
				if !strings.Contains(f.Mend, "superlist list ") {
					t.Errorf("%v: check does not say what to do: %+v", k, f)
				}
			}
		}
		for _, name := range []string{beforeMove.Address(), "old@lists.example.org"} {
			if out, code := superlist("list", "show", name); code != 0 {
				t.Errorf("%v: %s: %s", k, name, out)
			}
		}
		superlist("list", "mv", beforeMove.Address(), afterMove.Address()) // which may be done
		superlist("list", "set", afterMove.Address(), "aliases=old@lists.example.org,"+beforeMove.Address())
		if wrong := errorsOf(t, superlist); wrong != nil {
			t.Errorf("%v: again: %v", k, wrong)
		}
		for _, name := range []string{beforeMove.Address(), "old@lists.example.org", afterMove.Address()} {
			if out, code := superlist("list", "show", name); code != 0 || !strings.Contains(out, afterMove.Address()) {
				t.Errorf("%v: again: %s: %s", k, name, out)
			}
		}
	})
}

// errorsOf are the errors that check finds of lists.
func errorsOf(t *testing.T, superlist func(...string) (string, int)) (wrong []finding) {
	t.Helper()
	out, _ := superlist("check", "--quiet", "--json")
	var all []finding
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&all); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, f := range all {
		if f.Level == "error" && (strings.Contains(f.About, "@") || f.About == "lists_dir") {
			wrong = append(wrong, f)
		}
	}
	return wrong
}

// killed carries out the task of a process that TestKilledMove kills.
func killed(d *disk.Disk, task string) {
	if err := moveList(d, task); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Print("done")
}
