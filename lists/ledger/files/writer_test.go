package files

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists/ledger"
	"superlist/queue/disk"
	"superlist/queue/disk/disktest"
)

var _ ledger.Writer = Writer{}

var (
	now     = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	errFull = errors.New("full")
)

// site makes lists_dir and queue_dir with a list in them.
func site(t testing.TB) (root string) {
	root = t.TempDir()
	for _, dir := range []string{"lists/lists.example.org/dev", "spool"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func list(root string) ledger.Book {
	return ledger.OfList(filepath.Join(root, "lists/lists.example.org/dev"))
}
func all(root string) ledger.Book      { return ledger.OfSite(filepath.Join(root, "lists")) }
func agenda(root string) ledger.Agenda { return ledger.Summaries(filepath.Join(root, "spool")) }

func limits(root string) []ledger.Limit {
	return []ledger.Limit{
		{Counter: ledger.Counter{Book: list(root), Shelf: ledger.Counts, Name: "all", Window: ledger.Day}, Most: 40, Full: errFull},
		{Counter: ledger.Counter{Book: all(root), Shelf: ledger.Counts, Name: "net", Window: ledger.Hour, Of: "x"}, Most: 50, Full: errFull},
	}
}

func counters(root string) (cs []ledger.Counter) {
	for _, l := range limits(root) {
		cs = append(cs, l.Counter)
	}
	return cs
}

// state is what a reader finds: each word of the ledger, but for counts.
func state(t testing.TB, root string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, s := range ledger.Shelves() {
		all, err := list(root).All(s, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			found[list(root).Path(s)[len(root):]+"/"+r.Name] = r.Text
		}
	}
	maps.DeleteFunc(found, func(name, _ string) bool { return strings.Contains(name, "/all-") })
	due, err := agenda(root).Due(now.AddDate(1, 0, 0), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range due {
		found[r.ID()] = r.Subject
	}
	left, err := list(root).Entries(ledger.Left)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(found, left)
	if key, err := os.ReadFile(list(root).KeyFile()); err == nil { // it is random
		found["key"] = fmt.Sprint(len(key), " bytes")
	}
	for e, err := range list(root).Texts(ledger.Acts) {
		if err != nil {
			t.Fatal(err)
		}
		found["acts "+e.Text] = e.At.Format(time.RFC3339)
	}
	return found
}

// An act is one change by a Writer. Whatever fails, and wherever its process dies, a
// reader finds what there was before or what there is after it.
type act struct {
	name    string
	calls   int // at least
	prepare func(w Writer, root string) error
	do      func(w Writer, root string) error
}

func put(text string) func(ledger.Record, bool) (string, error) {
	return func(ledger.Record, bool) (string, error) { return text, nil }
}

var acts = []act{
	{name: "count", calls: 8, do: func(w Writer, root string) error { return w.Count(limits(root), 3, now) }},
	{name: "uncount", calls: 4,
		prepare: func(w Writer, root string) error { return w.Count(limits(root), 3, now) },
		do:      func(w Writer, root string) error { return w.Uncount(counters(root), now) },
	},
	{name: "remember", calls: 9, do: func(w Writer, root string) error {
		return w.Remember(list(root), ledger.Requests, "name", now, put("a@example.com\n"))
	}},
	{name: "remember something else", calls: 7,
		prepare: func(w Writer, root string) error {
			return w.Remember(list(root), ledger.Requests, "name", now, put("old\n"))
		},
		do: func(w Writer, root string) error {
			return w.Remember(list(root), ledger.Requests, "name", now, func(old ledger.Record, there bool) (string, error) {
				if old.Text == "old\nnew\n" { // done already
					return "", ledger.ErrUnchanged
				}
				return old.Text + "new\n", nil
			})
		},
	},
	{name: "revise", calls: 8, do: func(w Writer, root string) error {
		return w.Revise(list(root), ledger.Bouncing, []string{"name"}, now, func(old map[string]ledger.Record) (map[string]string, error) {
			return map[string]string{"name": "new\n"}, nil
		})
	}},
	{name: "revise away", calls: 3,
		prepare: func(w Writer, root string) error {
			return w.Remember(list(root), ledger.Bouncing, "name", now, put("old\n"))
		},
		do: func(w Writer, root string) error {
			return w.Revise(list(root), ledger.Bouncing, nil, now, func(old map[string]ledger.Record) (map[string]string, error) {
				if len(old) == 0 { // done already
					return nil, nil
				}
				return map[string]string{"name": ""}, nil
			})
		},
	},
	{name: "forget", calls: 3,
		prepare: func(w Writer, root string) error {
			return w.Remember(list(root), ledger.Requests, "name", now, put("old\n"))
		},
		do: func(w Writer, root string) error { return w.Forget(list(root), ledger.Requests, "name") },
	},
	{name: "first", calls: 12, do: func(w Writer, root string) error {
		r, err := w.First(list(root), ledger.Asked, ledger.Record{Name: "name", Text: "me\nand more", At: now}, limits(root)...)
		if err == nil && r.Cause() != "me" {
			err = fmt.Errorf("it was %q", r.Text)
		}
		return err
	}},
	{name: "second", calls: 2,
		prepare: func(w Writer, root string) error {
			_, err := w.First(list(root), ledger.Decided, ledger.Record{Name: "name", Text: "other", At: now})
			return err
		},
		do: func(w Writer, root string) error {
			r, err := w.First(list(root), ledger.Decided, ledger.Record{Name: "name", Text: "me", At: now})
			if err == nil && r.Cause() != "other" {
				err = fmt.Errorf("it was %q", r.Text)
			}
			return err
		},
	},
	{name: "remind", calls: 11, do: func(w Writer, root string) error { return w.Remind(agenda(root), "dev@lists.example.org", now) }},
	{name: "look", calls: 3,
		prepare: func(w Writer, root string) error {
			return errors.Join(w.Remind(agenda(root), "dev@lists.example.org", now), w.Remind(agenda(root), "other@lists.example.org", now))
		},
		do: func(w Writer, root string) error {
			r := agenda(root).Reminder("dev@lists.example.org", now)
			release, ok, err := w.Claim(r)
			if !ok || err != nil {
				return err
			}
			defer release()
			if err := w.Done(r); err != nil {
				return err
			}
			pending, err := w.Pending(agenda(root), r.ID()+"-more")
			if pending {
				err = errors.New("it is there")
			}
			return err
		},
	},
	{name: "key", calls: 5, do: func(w Writer, root string) error { return w.MakeKey(list(root)) }},
	{name: "enter", calls: 5, do: func(w Writer, root string) error {
		return w.Enter(list(root), ledger.Left, []string{"one", "two"}, now)
	}},
	{name: "enter texts", calls: 5, do: func(w Writer, root string) error {
		return w.Enter(list(root), ledger.Acts, []string{"set key=post by=ann", strings.Repeat("x", ledger.MaxEntry)}, now)
	}},
}

func actOf(name string) act {
	return acts[slices.IndexFunc(acts, func(a act) bool { return a.name == name })]
}

func begin(t testing.TB, a act) string {
	t.Helper()
	root := site(t)
	if a.prepare != nil {
		if err := a.prepare(Writer{}, root); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// check holds what is there against before and after, and has it done again.
func (a act) check(t testing.TB, root, what string, said, clean bool) {
	t.Helper()
	reference := begin(t, a)
	before := state(t, reference)
	if err := a.do(Writer{}, reference); err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	after, got := state(t, reference), state(t, root)
	part := func(small, large map[string]string) bool { // of a journal some lines may be there
		for name, text := range small {
			if large[name] != text {
				return false
			}
		}
		return true
	}
	switch {
	case maps.Equal(got, after):
	case said:
		t.Errorf("%s: acknowledged, and it is %q, not %q", what, got, after)
	case maps.Equal(got, before), strings.HasPrefix(a.name, "enter") && part(got, after):
	default:
		t.Errorf("%s: neither before nor after: %q", what, got)
	}
	filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if clean && e.Name()[0] == '.' && e.Name() != ".asked" {
			t.Errorf("%s: %s is left", what, e.Name())
		}
		return err
	})
	if err := a.do(Writer{}, root); err != nil {
		t.Errorf("%s: again: %v", what, err)
	}
	if got := state(t, root); !maps.Equal(got, after) {
		t.Errorf("%s: again: %q, not %q", what, got, after)
	}
	for _, c := range counters(root) {
		if n := c.Sum(now); n > 6 {
			t.Errorf("%s: %s is %d", what, c.Name, n)
		}
	}
}

// TestFault fails each call of each act.
func TestFault(t *testing.T) {
	t.Parallel()
	for _, a := range acts {
		disktest.Each(t, a.calls, func(f *disktest.Fault) {
			root := begin(t, a)
			err := a.do(Writer{f.Disk()}, root)
			what := fmt.Sprint(a.name, ", ", f)
			if f.Hit() != errors.Is(err, f.Err) {
				t.Errorf("%s: %v", what, err)
			}
			a.check(t, root, what, err == nil, true)
		})
	}
}

// TestMain is also a process of TestKill, or of TestTogether.
func TestMain(m *testing.M) {
	d, task, ok := disktest.Task()
	if !ok {
		if task := os.Getenv(togetherEnv); task != "" {
			together(task)
			os.Exit(0)
		}
		os.Exit(m.Run())
	}
	name, root, _ := strings.Cut(task, "\n")
	if err := actOf(name).do(Writer{d}, root); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Print("done")
}

// TestKill kills a process at each call of each act.
func TestKill(t *testing.T) {
	t.Parallel()
	for _, a := range acts {
		disktest.Kill(t, a.calls, func(run func(string) disktest.Death) {
			root := begin(t, a)
			k := run(a.name + "\n" + root)
			if k.Call == "" && k.Said != "done" {
				t.Errorf("%s: %v: %s", a.name, k.Err, k.Said)
			}
			a.check(t, root, fmt.Sprint(a.name, ", ", k), k.Said == "done", false)
		})
	}
}

// TestDurable: what a record, a reminder or a journal says is synced before its name is
// there, and each name before a change returns. Counts are not.
func TestDurable(t *testing.T) {
	for _, a := range acts {
		root := begin(t, a)
		dirty, names := map[string]bool{}, map[string]bool{}
		d := &disk.Disk{Fault: func(call, path string) error {
			if strings.Contains(path, "/all-") || strings.Contains(path, "/net-") {
				return nil
			}
			switch call {
			case "write", "append", "ftruncate":
				dirty[path] = true
			case "fsync":
				delete(dirty, path)
				delete(names, path)
			case "syncfs":
				clear(dirty)
			case "rename", "unlink", "mkdir":
				if len(dirty) > 0 {
					t.Errorf("%s: %s of what is not synced: %v", a.name, call, dirty)
				}
				names[filepath.Dir(path)] = true
			}
			return nil
		}}
		if err := a.do(Writer{d}, root); err != nil || len(dirty)+len(names) > 0 {
			t.Errorf("%s: %v, not synced: %v %v", a.name, err, dirty, names)
		}
	}
}
