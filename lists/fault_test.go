package lists

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists/cluster/clustertest"
	"superlist/lists/confirmation"
	"superlist/lists/ledger"
	"superlist/lists/ledger/files"
	"superlist/lists/members"
	"superlist/lists/quota"
	"superlist/lists/site"
	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

// A writer is something that changes what lists keep. Whatever fails, and wherever
// its process dies, a reader finds what there was before or what there is after it,
// and whoever does it again comes to the same.
type writer struct {
	name    string
	calls   int                      // at least
	prepare func(*site.Site, *List)  // after the list dev is there
	do      func(s *site.Site) error // as a process of its own does
	steps   func(*site.Site) error   // where it has several: what holds between them
	counts  func(file string) bool   // files in which a crash may leave what it has not finished
}

var writersNow = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// dev opens the list, and does something with it.
func onDev(do func(*List) error) func(*site.Site) error {
	return func(s *site.Site) error {
		l, err := Of(s).Open(addr("dev@lists.example.org"))
		if err != nil {
			return err
		}
		return do(l)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// counted are the files of counts, and of who has left: what a crash takes with it, or
// counts twice, does no harm.
func counted(file string) bool {
	return strings.HasSuffix(file, "/left") || strings.Contains(file, "asked/") && !strings.Contains(file, "/who-") || strings.Contains(file, "/proved/all-")
}

var writers = []writer{
	{name: "members", calls: 6, counts: counted, do: onDev(func(l *List) error {
		return EditMembers(l, func(set members.Set) error {
			set.Remove(addr("a@example.com"))
			set.Add(members.Member{Path: addr("new@example.com")})
			return nil
		})
	})},
	{name: "key", calls: 5,
		prepare: func(s *site.Site, l *List) { must(os.Remove(l.Book().KeyFile())) },
		do:      onDev(func(l *List) error { _, err := l.Key(); return err }),
	},
	{name: "set", calls: 6, do: onDev(func(l *List) error { return EditSet(l, []string{"description=new", "post=anyone"}) })},
	{name: "allow", calls: 6, do: onDev(func(l *List) error { return EditAddPattern(l, "allow", addr("eve@example.net")) })},
	{name: "create", calls: 20,
		do: func(s *site.Site) error {
			d, err := EditBegin(Of(s), addr("other@new.example.org"), "owners = [\"olga@example.org\"]\n")
			if err != nil {
				return err
			}
			defer d.Abort()
			if err := errors.Join(d.Put("key", []byte(strings.Repeat("ab", ledger.KeyBytes))), d.Put("rules", []byte("# none\n"))); err != nil {
				return err
			}
			_, err = d.Publish()
			return err
		},
	},
	{name: "create with another address", calls: 20,
		do: func(s *site.Site) error {
			d, err := EditBegin(Of(s), addr("other@new.example.org"), "owners = [\"olga@example.org\"]\naliases = [\"third@third.example.org\"]\n")
			if errors.Is(err, fs.ErrExist) { // done, but for the address
				l, err := Of(s).Open(addr("other@new.example.org"))
				if err == nil {
					err = EditSet(l, []string{"aliases=third@third.example.org"})
				}
				return err
			}
			if err != nil {
				return err
			}
			defer d.Abort()
			if err := d.Put("key", []byte(strings.Repeat("ab", ledger.KeyBytes))); err != nil {
				return err
			}
			_, err = d.Publish()
			return err
		},
		steps: func(s *site.Site) error { // without the address, or with it
			l, err := Of(s).Open(addr("other@new.example.org"))
			if err == nil && len(l.Dangling()) != 1 {
				err = errors.New("nothing is missing")
			}
			if errors.Is(err, ReplyNoList) {
				err = nil
			}
			return err
		},
	},
	{name: "token", calls: 5, do: func(s *site.Site) error { return EditAddToken(Of(s), "panel") }},
	{name: "rm", calls: 3, do: onDev(func(l *List) error { return EditRemove(l) }), steps: func(s *site.Site) error { // gone, and not all of it yet
		if _, err := Of(s).Open(addr("dev@lists.example.org")); !errors.Is(err, ReplyNoList) {
			return fmt.Errorf("it opens: %w", err)
		}
		return nil
	}},
	{name: "mv", calls: 12,
		prepare: func(s *site.Site, l *List) { must(EditSet(l, []string{"aliases=old@lists.example.org"})) },
		do: func(s *site.Site) error {
			l, err := Of(s).Open(addr("dev@lists.example.org"))
			if err == nil && l.Addr.Local == "dev" {
				_, err = EditMove(Of(s), l, addr("moved@new.example.org"))
			}
			if err == nil && l.Addr.Local == "moved" { // but for what leads to it
				err = EditSet(l, []string{"aliases=old@lists.example.org,dev@lists.example.org"})
			}
			return err
		},
		steps: func(s *site.Site) error { // it is found by all names that it had
			for _, name := range []string{"dev@lists.example.org", "old@lists.example.org"} {
				if l, err := Of(s).Open(addr(name)); err != nil || len(l.owners) != 1 {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
			return nil
		},
	},
	{name: "decide", calls: 7, do: onDev(func(l *List) error {
		return confirmation.Decide(l.Ledger, l.Book(), confirmation.Name("held", "x"), confirmation.Decided{Cause: "m.0", What: "olga", Do: "p"}, writersNow)
	})},
	{name: "spend", calls: 7, do: onDev(func(l *List) error {
		p, _ := confirmation.Parse("s1-abc-x")
		return confirmation.Spend(l.Ledger, l.Book(), p, "m.0", writersNow)
	})},
	{name: "unspend", calls: 2,
		prepare: func(s *site.Site, l *List) {
			must(confirmation.Decide(l.Ledger, l.Book(), confirmation.Name("proof", "abc"), confirmation.Decided{Cause: "m.0", What: confirmation.Used}, writersNow))
		},
		do: onDev(func(l *List) error {
			p, _ := confirmation.Parse("s1-abc-x")
			return confirmation.Unspend(l.Ledger, l.Book(), p)
		}),
	},
	{name: "ask", calls: 15, counts: counted, do: onDev(func(l *List) error {
		return l.Quota().Ask(l.Ledger, quota.Request{Kind: VerbSubscribe, To: addr("new@example.com"), Cause: "m.0"}, writersNow)
	})},
	{name: "owner mail", calls: 3, counts: counted, do: onDev(func(l *List) error {
		return l.Quota().CountOwnerMail(l.Ledger, quota.Network(smtp.OriginAddr("x[192.0.2.1]")), writersNow)
	})},
	{name: "proved", calls: 8, counts: counted, do: onDev(func(l *List) error {
		first, err := confirmation.FirstProved(l.Ledger, l.Book(), addr("a@example.com"), []string{"s"}, "m.0", writersNow)
		if err == nil && !first {
			err = errors.New("it was not the first")
		}
		return err
	})},
	{name: "request", calls: 8, do: onDev(func(l *List) error {
		_, err := l.KeepApplicant(members.Member{Path: addr("new@example.com")}, writersNow)
		return err
	})},
	{name: "request again", calls: 8,
		prepare: func(s *site.Site, l *List) {
			r, err := l.KeepApplicant(members.Member{Path: addr("new@example.com")}, writersNow)
			must(errors.Join(err, confirmation.Decide(l.Ledger, l.Book(), r.Name, confirmation.Decided{Cause: "m.0", What: "olga"}, writersNow), l.EndApplication(r.Name)))
		},
		do: onDev(func(l *List) error {
			_, err := l.KeepApplicant(members.Member{Path: addr("new@example.com")}, writersNow)
			return err
		}),
		steps: func(s *site.Site) error { // not decided any more, and not there yet
			l, err := Of(s).Open(addr("dev@lists.example.org"))
			if err != nil {
				return err
			}
			if waiting, err := l.Applicants(); err != nil || len(waiting) > 0 {
				return fmt.Errorf("%v, %w", waiting, err)
			}
			return nil
		},
	},
	{name: "end a request", calls: 2,
		prepare: func(s *site.Site, l *List) {
			_, err := l.KeepApplicant(members.Member{Path: addr("new@example.com")}, writersNow)
			must(err)
		},
		do: onDev(func(l *List) error {
			name, err := l.Seal("request", addr("new@example.com").Key())
			if err != nil {
				return err
			}
			return l.EndApplication(name)
		}),
	},
}

// writerSite makes the site at which a writer begins.
func writerSite(t testing.TB, w *writer) *site.Site {
	s := testSite(t, "")
	l := testList(t, s, "a@example.com\nb@example.com nomail\n")
	must(os.WriteFile(l.Book().KeyFile(), []byte(strings.Repeat("cd", ledger.KeyBytes)+"\n"), 0o600))
	if w.prepare != nil {
		l, err := Of(s).Open(l.Addr)
		must(err)
		w.prepare(s, l)
	}
	return s
}

// kept is what the files of a site say, and which of them a reader passes over.
func kept(t testing.TB, s *site.Site, w *writer) (files map[string]string, hidden []string) {
	t.Helper()
	files = make(map[string]string)
	root := filepath.Dir(s.ListsDir)
	config := filepath.Base(s.File()) // which has the name of the folder in it
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		if base := e.Name(); base[0] == '.' && base != ".asked" && name != "." {
			hidden = append(hidden, name)
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() || name == config || w.counts != nil && w.counts(name) {
			return nil
		}
		text, err := os.ReadFile(path)
		files[name] = string(text)
		if e.Name() == "key" && w.name == "key" { // it is random
			files[name] = fmt.Sprint(len(text), " bytes")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files, hidden
}

// differ names the files that are not the same.
func differ(a, b map[string]string) (names []string) {
	for name := range a {
		if other, ok := b[name]; !ok || other != a[name] {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// check holds what there is after a fault or a death, has it done again, and holds
// that. said: it was acknowledged. clean: nothing half-written may be left.
func (w *writer) check(t testing.TB, s *site.Site, before, after map[string]string, what string, said, clean bool) {
	t.Helper()
	got, hidden := kept(t, s, w)
	switch {
	case said || maps.Equal(got, after):
		if names := differ(got, after); len(names) > 0 {
			t.Errorf("%s: acknowledged, and not all of it is there: %q", what, names)
		}
	case maps.Equal(got, before):
	case w.steps == nil:
		t.Errorf("%s: neither before nor after: %q, %q", what, differ(got, before), differ(got, after))
	default:
		if err := w.steps(s); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if clean && len(hidden) > 0 && !strings.Contains(hidden[0], "/.gone-") { // Sweep takes that away
		t.Errorf("%s: left: %q", what, hidden)
	}
	if maps.Equal(got, after) {
		return
	}
	if err := w.do(s); err != nil && !(w.steps != nil && errors.Is(err, ReplyNoList)) {
		t.Errorf("%s: again: %v", what, err)
	}
	if got, _ := kept(t, s, w); !maps.Equal(got, after) {
		t.Errorf("%s: again: %q", what, differ(got, after))
	}
}

// afterwards is what a writer leaves when nothing fails.
func (w *writer) afterwards(t testing.TB) (before, after map[string]string) {
	s := writerSite(t, w)
	before, _ = kept(t, s, w)
	if err := w.do(s); err != nil {
		t.Fatalf("%s: %v", w.name, err)
	}
	after, hidden := kept(t, s, w)
	if len(hidden) > 0 {
		t.Errorf("%s: left: %q", w.name, hidden)
	}
	return before, after
}

// TestFaultWriters fails each call of each writer.
func TestFaultWriters(t *testing.T) {
	t.Parallel()
	for i := range writers {
		w := &writers[i]
		before, after := w.afterwards(t)
		disktest.Each(t, w.calls, func(f *disktest.Fault) {
			s := writerSite(t, w)
			broken := *s
			broken.Disk = f.Disk()
			err := w.do(&broken)
			what := fmt.Sprint(w.name, ", ", f)
			if f.Hit() != errors.Is(err, f.Err) {
				t.Errorf("%s: %v", what, err)
			}
			w.check(t, s, before, after, what, err == nil, true)
		})
	}
}

// TestMain is also the process that TestKillWriters kills.
func TestMain(m *testing.M) {
	d, task, ok := disktest.Task()
	if !ok {
		os.Exit(m.Run())
	}
	name, file, _ := strings.Cut(task, "\n")
	s, err := site.Load(file)
	if err == nil {
		s.Disk, s.Ledger = clustertest.Strict(nil, s.ListsDir, d), files.On
		err = writers[slices.IndexFunc(writers, func(w writer) bool { return w.name == name })].do(s)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Print("done")
}

// TestKillWriters kills a process at each call of each writer.
func TestKillWriters(t *testing.T) {
	t.Parallel()
	for i := range writers {
		w := &writers[i]
		before, after := w.afterwards(t)
		disktest.Kill(t, w.calls, func(run func(string) disktest.Death) {
			s := writerSite(t, w)
			k := run(w.name + "\n" + s.File())
			if k.Call == "" && k.Said != "done" {
				t.Errorf("%s: %v: %s", w.name, k.Err, k.Said)
			}
			w.check(t, s, before, after, fmt.Sprint(w.name, ", ", k), k.Said == "done", false)
		})
	}
}
