package edit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"superlist/lists"
	"superlist/lists/members"
)

// edit puts members in as superlist does.
func edit(t testing.TB, l *lists.List, who ...string) {
	t.Helper()
	err := Members(l, func(set members.Set) error {
		for _, line := range who {
			m, ok := members.Parse(line)
			if !ok {
				return fmt.Errorf("%q is not a member", line)
			}
			set.Add(m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func all(t testing.TB, l *lists.List) []string {
	t.Helper()
	m, err := l.Members()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var lines []string
	for member, err := range m.All() {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, member.String())
	}
	return lines
}

// TestFindLine finds members in files as people write them.
func TestFindLine(t *testing.T) {
	for _, test := range []struct {
		name, file, address string
		want                bool
		nomail              bool
	}{
		{"plain", "a@example.com\n", "a@example.com", true, false},
		{"case of the address", "a@example.com\n", "A@EXAMPLE.com", true, false},
		{"case of the file", "A@Example.COM\n", "a@example.com", true, false},
		{"prefix, the shorter asked", "user@example.com\n", "user@example.co", false, false},
		{"prefix, the longer asked", "user@example.co\n", "user@example.com", false, false},
		{"prefix, both there", "user@example.co\nuser@example.com\n", "user@example.com", true, false},
		{"local prefix", "use@example.com\nuserr@example.com\n", "user@example.com", false, false},
		{"nomail", "a@example.com nomail\n", "a@example.com", true, true},
		{"nomail after a tab", "a@example.com\tnomail\n", "a@example.com", true, true},
		{"nomail and a name behind tabs", "a@example.com\tnomail\tname=A B\n", "a@example.com", true, true},
		{"nomail in a name is a name", "a@example.com name=nomail nomail\n", "a@example.com", true, false},
		{"CRLF", "a@example.com nomail\r\nb@example.com\r\n", "b@example.com", true, false},
		{"CRLF and a word", "a@example.com nomail\r\nb@example.com\r\n", "a@example.com", true, true},
		{"quoted with a space", "\"a b\"@example.com nomail\n", `"a b"@example.com`, true, true},
		{"quoted with a quote and a space", `"a\" b"@example.com` + "\n", `"a\" b"@example.com`, true, false},
		{"quoted without need", `"a"@example.com` + "\n", "a@example.com", true, false},
		{"a dot behind the domain", "a@example.com.\n", "a@example.com", true, false},
		{"indented", "b@example.com\n \ta@example.com nomail\n", "a@example.com", true, true},
		{"comment", "#a@example.com\n# a@example.com\n", "a@example.com", false, false},
		{"comment in front", "# who\n# what\na@example.com\n", "a@example.com", true, false},
		{"comment between", "a@example.com\n# what\nz@example.com\n", "a@example.com", true, false},
		{"empty lines", "\n\na@example.com\n\n\nb@example.com\n\n", "b@example.com", true, false},
		{"no last line break", "a@example.com\nb@example.com", "b@example.com", true, false},
		{"disorder, low one last", "z@example.com\nm@example.com\na@example.com\n", "a@example.com", true, false},
		{"disorder, high one first", "z@example.com\nm@example.com\na@example.com\n", "z@example.com", true, false},
		{"in a word behind", "b@example.com name=a@example.com\n", "a@example.com", false, false},
		{"only rubbish", "hello\n@\n\x00\x00\n", "a@example.com", false, false},
	} {
		l := testList(t, testSite(t, ""), test.file)
		m, ok := find(t, l, test.address)
		if ok != test.want || m.NoMail != test.nomail {
			t.Errorf("%s: %v, %v", test.name, m, ok)
		}
		// What a look-up finds is what gets mail, and what stays when superlist
		// writes the file.
		if got := len(all(t, l)); test.want && got == 0 {
			t.Errorf("%s: is found, and gets no mail", test.name)
		}
		edit(t, l, "zz@example.net")
		if m, ok := find(t, l, test.address); ok != test.want || m.NoMail != test.nomail {
			t.Errorf("%s, after a change: %v, %v", test.name, m, ok)
		}
	}
}

// TestSortedMark: the search alone is believed when superlist wrote the file,
// and only then.
func TestSortedMark(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	edit(t, l, "m@example.com", "a@example.com", "z@example.com")
	m, err := l.Members()
	if err != nil || !m.Sorted() {
		t.Fatalf("after superlist wrote it: sorted=%v, %v", m.Sorted(), err)
	}
	m.Close()
	info, _ := os.Stat(l.MembersFile())
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("its mode is %v", mode)
	}

	// Out of order, and the mark is there: this is what the mark saves.
	disorder := "z@example.com\nm@example.com\na@example.com\n"
	if err := os.WriteFile(l.MembersFile(), []byte(disorder), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(l.MembersFile(), info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if _, ok := find(t, l, "a@example.com"); ok {
		t.Error("a marked file was read through")
	}
	byHand(t, l, disorder)
	if _, ok := find(t, l, "a@example.com"); !ok {
		t.Error("an unmarked file was not read through")
	}
}

// A reader keeps what it opened, whatever is done to the list meanwhile.
func TestReadersSeeOneFile(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	edit(t, l, "a@example.com")
	m, err := l.Members()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	edit(t, l, "b@example.com")
	if _, ok, err := m.Find(addr("b@example.com")); ok || err != nil {
		t.Errorf("the old file has the new member: %v, %v", ok, err)
	}
	if _, ok := find(t, l, "b@example.com"); !ok {
		t.Error("the new file has not")
	}
}

// TestEditKeeps: a change keeps comments, words that this version does not
// know, and lines that nobody understands.
func TestEditKeeps(t *testing.T) {
	l := testList(t, testSite(t, ""), "# ours\n  # and this\nz@example.com vip\nbroken line\nA@example.com name=Ann\na@EXAMPLE.com\n\n")
	edit(t, l, "m@example.com", "Z@example.com nomail")
	raw, _ := os.ReadFile(l.MembersFile())
	want := "# ours\n# and this\n# not understood: broken line\nA@example.com name=Ann\nm@example.com\nz@example.com vip\n"
	if string(raw) != want {
		t.Errorf("%s\nwant:\n%s", raw, want)
	}
	err := Members(l, func(set members.Set) error {
		if !set.Remove(addr("Z@EXAMPLE.COM")) || set.Remove(addr("nobody@example.com")) {
			t.Error("Remove does not say who was there")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	again, _ := os.ReadFile(l.MembersFile())
	if want := strings.Replace(want, "z@example.com vip\n", "", 1); string(again) != want {
		t.Errorf("%s\nwant:\n%s", again, want)
	}
}

// An edit that ends with an error changes nothing.
func TestEditFails(t *testing.T) {
	l := testList(t, testSite(t, ""), "a@example.com\n")
	no := fmt.Errorf("no")
	if err := Members(l, func(set members.Set) error { clear(set); return no }); err != no {
		t.Errorf("%v", err)
	}
	if got := all(t, l); len(got) != 1 {
		t.Errorf("%q", got)
	}
}

// TestCrashLeftovers: what a killed process has left beside the file does not
// matter, and goes away.
func TestCrashLeftovers(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	edit(t, l, "a@example.com")
	left := filepath.Join(l.Dir, ".members.new")
	os.WriteFile(left, []byte("half@exam"+strings.Repeat("x", 1000)), 0o600)
	old := filepath.Join(l.Dir, fmt.Sprintf(".members.%d", os.Getpid()))
	os.WriteFile(old, []byte("half@exam"), 0o600)
	if got := all(t, l); !slices.Equal(got, []string{"a@example.com"}) {
		t.Errorf("%q", got)
	}
	edit(t, l, "b@example.com")
	if got := all(t, l); !slices.Equal(got, []string{"a@example.com", "b@example.com"}) {
		t.Errorf("%q", got)
	}
	if _, err := os.Lstat(left); err == nil {
		t.Error("the leftover is still there")
	}
}

// TestEditMany: many at once, in this process and in others, and nobody is
// lost.
func TestEditMany(t *testing.T) {
	if dir := os.Getenv("TEST_EDIT_DIR"); dir != "" { // one of the others
		editMany(t, &lists.List{Dir: dir}, "p"+strconv.Itoa(os.Getpid()))
		return
	}
	l := testList(t, testSite(t, ""), "first@example.com\n")
	const each, processes = 4, 3
	var wg sync.WaitGroup
	for range processes {
		wg.Go(func() {
			c := exec.Command(os.Args[0], "-test.run=^TestEditMany$")
			c.Env = append(os.Environ(), "TEST_EDIT_DIR="+l.Dir)
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	for k := range each {
		wg.Go(func() { editMany(t, l, "g"+strconv.Itoa(k)) })
	}
	for range each { // readers see a whole file
		wg.Go(func() {
			for range 20 {
				if _, ok := find(t, l, "first@example.com"); !ok {
					t.Error("the first one is gone")
				}
			}
		})
	}
	wg.Wait()
	if got, want := len(all(t, l)), 1+(each+processes)*editsEach; got != want {
		t.Errorf("%d members, want %d", got, want)
	}
}

const editsEach = 10

func editMany(t *testing.T, l *lists.List, who string) {
	for k := range editsEach {
		edit(t, l, fmt.Sprintf("%s-%d@example.com", who, k))
	}
}

// TestEditLocks: who changes a list holds its lock.
func TestEditLocks(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	err := Members(l, func(members.Set) error {
		d, err := os.Open(l.Dir)
		if err != nil {
			return err
		}
		defer d.Close()
		return syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	})
	if err != syscall.EWOULDBLOCK {
		t.Errorf("while it is changed: %v", err)
	}
}

// TestLockDies: the lock of a process that was killed holds nobody up.
func TestLockDies(t *testing.T) {
	if dir := os.Getenv("TEST_LOCK_DIR"); dir != "" {
		if _, _, err := lock((&lists.List{Dir: dir})); err != nil {
			t.Fatal(err)
		}
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	l := testList(t, testSite(t, ""), "")
	c := exec.Command(os.Args[0], "-test.run=^TestLockDies$")
	c.Env = append(os.Environ(), "TEST_LOCK_DIR="+l.Dir)
	if err := c.Run(); err == nil {
		t.Fatal("it was to die")
	}
	edit(t, l, "a@example.com")
}

// TestMembersBeyondASCII: a member is found however his address is spelled, in a
// file that is in order and in one that was edited, and stands there as it was
// given.
func TestMembersBeyondASCII(t *testing.T) {
	l, err := Create(lists.Of(testSite(t, "")), addr("dev@lists.example.org"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	members := []string{"zoe@example.com", "Jürg@bücher.example", "a\u0308b@example.com", "用户@例え.テスト", "åse@example.com", "aa@xn--bcher-kva.example", "ab@example.com", "jurg@example.com", `"ö ö"@x.example`}
	edit(t, l, members...)
	check := func() {
		t.Helper()
		for _, spelling := range []string{"zoe@example.com", "jürg@xn--bcher-kva.example", "JÜRG@BÜCHER.example", "ju\u0308rg@bu\u0308cher.example", "äb@example.com", "Äb@example.com",
			"用户@xn--r8jz45g.xn--zckzah", "\u212bse@example.com", "aa@bücher.example", "ab@example.com", "jurg@example.com", `"Ö ö"@x.example`} {
			if _, ok := find(t, l, spelling); !ok {
				t.Errorf("%s is not found", spelling)
			}
		}
		for _, stranger := range []string{"jürg@example.com", "jurg@bücher.example", "用@例え.テスト", "ase@example.com", "äa@example.com"} {
			if m, ok := find(t, l, stranger); ok {
				t.Errorf("%s is found as %s", stranger, m)
			}
		}
	}
	check()
	if got := all(t, l); !slices.Contains(got, "Jürg@bücher.example") || len(got) != len(members) {
		t.Errorf("%q", got)
	}
	if err := os.WriteFile(l.MembersFile(), []byte(strings.Join(members, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	check()
}
