package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"superlist/lists"
	"superlist/lists/deliver"
	"superlist/lists/edit"
	"superlist/lists/ledger/files"
	"superlist/lists/maillog"
	"superlist/lists/members"
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
	t.Setenv("PATH", t.TempDir()) // postconf takes a second to say that there is no main.cf
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
		if f.Level == "error" && (strings.Contains(f.About, "@") || f.About == "lists_dir" || f.About == "lists") {
			wrong = append(wrong, f)
		}
	}
	return wrong
}

// A person who is on both lists, and their new address.
var (
	beforeChange = smtp.Path{Local: "alice", Domain: "example.com"}
	afterChange  = smtp.Path{Local: "alice", Domain: "example.net"}
)

// changeAddress is what TestKilledAddressChange kills.
func changeAddress(d *disk.Disk, config string) error {
	s, err := site.Load(config)
	if err != nil {
		return err
	}
	s.Disk, s.Ledger = d, files.On
	log, err := maillog.Open("none", "info", "superlist")
	if err == nil {
		_, err = readdress(&deliver.Runner{Site: s, Spool: s.Spool(), Log: log}, "", beforeChange, members.Member{Path: afterChange}, false)
	}
	return err
}

// TestKilledAddressChange kills a change of somebody's address on all lists at each call:
// check names the command to call again unless it was done or had not begun, and that
// completes it.
func TestKilledAddressChange(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // postconf takes a second to say that there is no main.cf
	var said atomic.Bool
	disktest.Kill(t, 20, func(try func(string) disktest.Death) {
		dir := t.TempDir()
		config := sitetest.Write(t, dir, fmt.Sprintf("log = \"none\"\n[relay]\naddress = %q", "maildir:"+dir+"/out"))
		superlist := func(args ...string) (string, int) {
			var out bytes.Buffer
			code := run(context.Background(), append([]string{"-c", config}, args...), strings.NewReader(""), &out, &out)
			return out.String(), code
		}
		var files []string
		for _, list := range []string{"dev", "ops"} {
			list = dir + "/lists/10.0.0.1/" + list // a domain that needs no DNS
			files = append(files, list+"/members", list+"/list.toml")
			err := errors.Join(os.MkdirAll(list, 0o700), os.WriteFile(list+"/members", []byte(beforeChange.Address()+"\n"), 0o600),
				os.WriteFile(list+"/list.toml", []byte("owners = [\""+beforeChange.Address()+"\"]\n"), 0o600))
			if err != nil {
				t.Fatal(err)
			}
		}
		has := func(who smtp.Path) (n int) {
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Error(err)
				}
				n += strings.Count(string(text), who.Address())
			}
			return n
		}
		k := try("change " + config)
		if k.Call == "" && k.Said != "done" {
			t.Fatalf("%v: %s", k, k.Said)
		}
		old, wrong := has(beforeChange), errorsOf(t, superlist)
		if between := old != 0 && old != 4; between && len(wrong) != 1 || k.Said == "done" && (old > 0 || wrong != nil) {
			t.Errorf("%v: %d times the old address, and check says %+v", k, old, wrong)
		}
		for _, f := range wrong {
			if said.Store(true); !strings.Contains(f.Text, "superlist member mv alice@example.com alice@example.net is not done") || !strings.HasPrefix(f.Mend, "call it again") {
				t.Errorf("%v: %+v", k, f)
			}
		}
		if out, code := superlist("member", "mv", beforeChange.Address(), afterChange.Address()); code != 0 && old > 0 {
			t.Errorf("%v: again: %s", k, out)
		} // otherwise nobody knows the old address
		if wrong := errorsOf(t, superlist); wrong != nil || has(beforeChange) > 0 || has(afterChange) != 4 {
			t.Errorf("%v: again: %d, %d, %+v", k, has(beforeChange), has(afterChange), wrong)
		}
	})
	if !said.Load() {
		t.Error("check had never to say anything")
	}
}

// killed carries out the task of a process that is killed.
func killed(d *disk.Disk, task string) {
	do := moveList
	task, change := strings.CutPrefix(task, "change ")
	if change {
		do = changeAddress
	}
	if err := do(d, task); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Print("done")
}
