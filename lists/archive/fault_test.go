package archive

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"superlist/queue/disk/disktest"
)

// A step is something done to an archive, and what must be in it afterwards.
type step struct {
	name string
	do   func(*Store) error
	want map[int]string
}

// steps are done one after the other; each of them may fail at any call, and is
// then done again.
func steps() []step {
	one := func(id string) func(*Store) error {
		return func(s *Store) error {
			_, err := s.Add(post(id, message(id, "a")))
			return err
		}
	}
	bring := func(s *Store) (err error) {
		im, err := s.Import()
		if err != nil {
			return err
		}
		for _, n := range []int{998, 999, 1000, 1001} {
			if n <= im.Last() {
				continue
			}
			if err := im.Add(n, Post{Time: day, Content: strings.NewReader(message(fmt.Sprint("m", n), ""))}); err != nil {
				im.Close()
				return err
			}
		}
		return im.Close()
	}
	a, b, c := message("a", "a"), message("b", "a"), message("c", "a")
	m := func(n int) string { return message(fmt.Sprint("m", n), "") }
	return []step{
		{"add", one("a"), map[int]string{1: a}},
		{"add another", one("b"), map[int]string{1: a, 2: b}},
		{"import", bring, map[int]string{1: a, 2: b, 998: m(998), 999: m(999), 1000: m(1000), 1001: m(1001)}},
		{"prune", func(s *Store) error { _, err := s.Prune(999); return err }, map[int]string{1000: m(1000), 1001: m(1001)}},
		{"rebuild", func(s *Store) error { _, err := s.Rebuild(); return err }, map[int]string{1000: m(1000), 1001: m(1001)}},
		{"add a third", one("c"), map[int]string{1000: m(1000), 1001: m(1001), 1002: c}},
		{"remove", func(s *Store) error { _, err := s.Remove([]int{1001, 1002}, "", day); return err },
			map[int]string{1000: m(1000), 1001: stub(), 1002: stub("<a@example.com>")}},
		{"add its child", func(s *Store) error { _, err := s.Add(post("d", message("d", "late"))); return err },
			map[int]string{1000: m(1000), 1001: stub(), 1002: stub("<a@example.com>"), 1003: message("d", "late")}},
		{"add another thread", func(s *Store) error { _, err := s.Add(post("e", message("e", ""))); return err },
			map[int]string{1000: m(1000), 1001: stub(), 1002: stub("<a@example.com>"), 1003: message("d", "late"), 1004: message("e", "")}},
		{"add its late parent", func(s *Store) error { _, err := s.Add(post("late", message("late", "e"))); return err },
			map[int]string{1000: m(1000), 1001: stub(), 1002: stub("<a@example.com>"), 1003: message("d", "late"), 1004: message("e", ""), 1005: message("late", "e")}},
		{"add one that is not to be kept", func(s *Store) error { s.OptOut = true; _, err := s.Add(optOut("private", "e")); return err },
			map[int]string{1000: m(1000), 1001: stub(), 1002: stub("<a@example.com>"), 1003: message("d", "late"), 1004: message("e", ""), 1005: message("late", "e"), 1006: stub("<e@example.com>")}},
	}
}

// after does what may come next in place of what has failed: the same again, or
// another post first.
func after(t *testing.T, s *Store, what string, st step) {
	t.Helper()
	readable(t, s, what)
	if err := st.do(s); err != nil {
		t.Errorf("%s: again: %v", what, err)
	}
	holds(t, s, what, st.want)
}

// readable: a post that has its line can be read, before anybody has repaired anything.
func readable(t *testing.T, s *Store, what string) {
	t.Helper()
	first, last, err := s.Range()
	if err != nil {
		return // the index is being made anew
	}
	for n := first; n <= last; n++ {
		if _, err := s.Entry(n); err != nil {
			continue
		}
		f, _, err := s.Open(n)
		if err != nil {
			t.Errorf("%s: post %d has a line: %v", what, n, err)
			continue
		}
		f.Close()
	}
}

// TestFault fails each system call of each step in turn.
func TestFault(t *testing.T) {
	for i, last := range steps() {
		disktest.Each(t, 2, func(f *disktest.Fault) {
			s := newStore(t)
			for _, before := range steps()[:i] {
				if err := before.do(s); err != nil {
					t.Fatal(err)
				}
			}
			s.Disk = f.Disk()
			err := last.do(s)
			f.Off()
			if err == nil { // Rebuild does without an index that it cannot open
				holds(t, s, fmt.Sprint(last.name, ", ", f), last.want)
				return
			}
			if !errors.Is(err, f.Err) {
				t.Errorf("%s, %v: %v", last.name, f, err)
			}
			after(t, s, fmt.Sprint(last.name, ", ", f), last)
		})
	}
}

// TestFaultThenAnother: a post that has failed leaves no hole for the one that
// comes before it is tried again.
func TestFaultThenAnother(t *testing.T) {
	disktest.Each(t, 5, func(f *disktest.Fault) {
		s := newStore(t)
		add(t, s, "first", "")
		s.Disk = f.Disk()
		s.Add(post("failed", message("failed", "")))
		f.Off()
		other := add(t, s, "other", "")
		failed := add(t, s, "failed", "")
		if f.Hit() && (other+failed != 5 || other < 2 || failed < 2) {
			t.Errorf("%v: %d and %d", f, other, failed)
		}
		holds(t, s, f.String(), map[int]string{1: message("first", ""), other: message("other", ""), failed: message("failed", "")})
	})
}

// TestMain is also the processes that TestKill kills, and those of TestTogether.
func TestMain(m *testing.M) {
	if d, task, ok := disktest.Task(); ok {
		dir, at, _ := strings.Cut(task, "\n")
		i, _ := strconv.Atoi(at)
		if err := steps()[i].do(&Store{Dir: dir, Disk: d}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	dir := os.Getenv("ARCHIVE_TEST_DIR")
	if dir == "" {
		os.Exit(m.Run())
	}
	s := &Store{Dir: dir, Disk: disktest.Lazy()}
	name := os.Getenv("ARCHIVE_TEST_NAME")
	for i := range together {
		for range 2 { // and again
			if _, err := s.Add(post(fmt.Sprint(name, i), message(fmt.Sprint(name, i), fmt.Sprint(name, i-1)))); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		}
	}
}

// TestKill kills a process before every system call of each step.
func TestKill(t *testing.T) {
	for i, last := range steps() {
		disktest.Kill(t, 2, func(run func(string) disktest.Death) {
			s := newStore(t)
			for _, before := range steps()[:i] {
				if err := before.do(s); err != nil {
					t.Fatal(err)
				}
			}
			k := run(s.Dir + "\n" + strconv.Itoa(i))
			switch {
			case k.Err == nil:
				holds(t, s, last.name, last.want)
			case k.Call == "":
				t.Errorf("%s: %v: %s", last.name, k.Err, k.Said)
			default:
				after(t, s, fmt.Sprint(last.name, ", ", k), last)
			}
		})
	}
}

// together is how many posts each process of TestTogether adds.
const together = 20

// TestTogether has several processes add posts at once: none is lost, none is
// there twice, and no number is left out.
func TestTogether(t *testing.T) {
	s := newStore(t)
	var running []*exec.Cmd
	for _, name := range []string{"a", "b", "c", "d"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "ARCHIVE_TEST_DIR="+s.Dir, "ARCHIVE_TEST_NAME="+name)
		cmd.Stdout = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		running = append(running, cmd)
	}
	for _, cmd := range running {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	want := make(map[int]string)
	n, threads := 0, make(map[int]bool)
	for e, err := range s.Entries(1, 1000) {
		if n++; err != nil || e.Number != n {
			t.Fatalf("post %d is %d, %v", n, e.Number, err)
		}
		id := strings.Trim(strings.TrimSuffix(e.MessageID, "@example.com>"), "<")
		i, _ := strconv.Atoi(id[1:])
		want[n] = message(id, fmt.Sprint(id[:1], i-1))
		threads[e.Thread] = true
	}
	if n != 4*together || len(threads) != 4 {
		t.Errorf("%d posts in %d threads", n, len(threads))
	}
	holds(t, s, "together", want)
}
