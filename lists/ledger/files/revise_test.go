package files

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"superlist/lists/ledger"
	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
)

// reviseAll has a hundred records say something new, one of which is taken away.
func reviseAll(w Writer, root string) error {
	return w.Revise(list(root), ledger.Bouncing, nil, now, func(old map[string]ledger.Record) (map[string]string, error) {
		texts := map[string]string{"old": ""}
		for i := range 100 {
			name := fmt.Sprint("r", i)
			if !strings.HasSuffix(old[name].Text, "new\n") {
				texts[name] = old[name].Text + "new\n"
			}
		}
		return texts, nil
	})
}

// TestFaultRevise: whatever fails, each record is the old one or the new one, and done
// again all are new.
func TestFaultRevise(t *testing.T) {
	t.Parallel()
	disktest.Each(t, 20, func(f *disktest.Fault) {
		root := site(t)
		for _, name := range []string{"old", "r0", "r50"} {
			if err := (Writer{}).Remember(list(root), ledger.Bouncing, name, now, put(name+"\n")); err != nil {
				t.Fatal(err)
			}
		}
		if err := reviseAll(Writer{Disk: f.Disk()}, root); err != nil && !f.Hit() {
			t.Fatal(err)
		} else if err == nil && f.Hit() {
			t.Errorf("%s: no error", f)
		}
		for name, text := range state(t, root) {
			if !strings.HasSuffix(text, "new\n") && text != name[strings.LastIndexByte(name, '/')+1:]+"\n" {
				t.Errorf("%s: %s is %q", f, name, text)
			}
		}
		if err := reviseAll(Writer{}, root); err != nil {
			t.Fatal(err)
		}
		if found := state(t, root); len(found) != 100 || found["/lists/lists.example.org/dev/bouncing/r50"] != "r50\nnew\n" || found["/lists/lists.example.org/dev/bouncing/r1"] != "new\n" {
			t.Errorf("%s: %v", f, found)
		}
	})
}

// TestReviseOnce: however many records there are, they are synced together.
func TestReviseOnce(t *testing.T) {
	root := site(t)
	syncs := make(map[string]int)
	w := Writer{Disk: &disk.Disk{Fault: func(call, _ string) error { syncs[call]++; return nil }}}
	if err := reviseAll(w, root); err != nil {
		t.Fatal(err)
	}
	if syncs["syncfs"] != 1 || syncs["fsync"] > 3 {
		t.Errorf("%v", syncs)
	}
}

// TestReviseFull: a shelf that is full takes nothing new.
func TestReviseFull(t *testing.T) {
	root := site(t)
	w := Writer{}
	for i := range ledger.Requests.Most() {
		if err := w.put(list(root).Path(ledger.Requests)+fmt.Sprint("/", i), "x", now); err != nil {
			if i > 0 {
				t.Fatal(err)
			}
			if err := w.Disk.MakeDir(list(root).Path(ledger.Requests)); err != nil {
				t.Fatal(err)
			}
		}
	}
	err := w.Remember(list(root), ledger.Requests, "0", now, put("x"))
	if err != nil {
		t.Fatal(err)
	}
	one := func(map[string]ledger.Record) (map[string]string, error) {
		return map[string]string{"1": "y", "new": "z"}, nil
	}
	if err := w.Revise(list(root), ledger.Requests, []string{"1", "new"}, now, one); !errors.Is(err, ledger.ErrFull) {
		t.Errorf("%v", err)
	}
	if err := w.Revise(list(root), ledger.Requests, []string{"1"}, now, func(map[string]ledger.Record) (map[string]string, error) { return map[string]string{"1": "y"}, nil }); err != nil {
		t.Errorf("%v", err)
	}
}
