package lists

import (
	"errors"
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

	"superlist/smtp"
)

// find looks an address up in the list's members as they are now.
func find(t testing.TB, l *List, address string) (Member, bool) {
	t.Helper()
	m, err := l.Members()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	member, ok, err := m.Find(addr(address))
	if err != nil {
		t.Fatal(err)
	}
	return member, ok
}

// edit puts members in as superlist does.
func edit(t testing.TB, l *List, members ...string) {
	t.Helper()
	err := l.EditMembers(func(set MemberSet) error {
		for _, line := range members {
			m, ok := ParseMember(line)
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

func all(t testing.TB, l *List) []string {
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

// numbered is a members file of n members, in order; number k is even, so that
// there is a place for somebody else around each.
func numbered(n int) string {
	var b strings.Builder
	for k := range n {
		fmt.Fprintf(&b, "user%07d@example.com\n", 2*k)
	}
	return b.String()
}

// TestFindSorted looks for everybody, and for everybody who is not there, in
// files of many lengths, with and without a last line break.
func TestFindSorted(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	for _, n := range []int{0, 1, 2, 3, 100, 100000} {
		for _, text := range []string{numbered(n), strings.TrimSuffix(numbered(n), "\n")} {
			byHand(t, l, text)
			m, err := l.Members()
			if err != nil {
				t.Fatal(err)
			}
			m.sorted = true // or each miss would read the file through
			step := max(1, n/1000)
			for k := -1; k <= 2*n; k += step {
				p := smtp.Path{Local: fmt.Sprintf("user%07d", k), Domain: "example.com"}
				member, ok, err := m.Find(p)
				there := k >= 0 && k%2 == 0 && k < 2*n
				if err != nil || ok != there || ok && member.Path != p {
					t.Fatalf("%d members, number %d: %v, %v, %v", n, k, member, ok, err)
				}
			}
			m.Close()
		}
	}
}

// TestFindLongLines looks for everybody in files that are a little smaller or
// larger than what is read at once, and whose lines are shorter or longer than a
// glance: some of them, all of them, or one in the middle.
func TestFindLongLines(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	for name, length := range map[string]func(k int) int{
		"short": func(int) int { return 0 }, "some": func(k int) int { return k * 37 % 700 },
		"glance": func(k int) int { return glance - 35 + k%7 }, "all": func(int) int { return 2 * glance },
		"one": func(k int) int { return map[bool]int{true: 40000}[k == 200] },
	} {
		line := func(k int) string {
			return fmt.Sprintf("user%05d@example.com name=%s\n", 2*k, strings.Repeat("x", length(k)))
		}
		var b strings.Builder
		files := []int{readWhole - 1, readWhole, readWhole + 1, 3 * readWhole, 4 * readWhole} // at least so large
		for n := 0; len(files) > 0; n++ {
			if b.WriteString(line(n)); b.Len() < files[0] {
				continue
			}
			files = files[1:]
			byHand(t, l, b.String())
			m, err := l.Members()
			if err != nil {
				t.Fatal(err)
			}
			m.sorted = true
			for k := -1; k <= 2*n+1; k++ {
				p := smtp.Path{Local: fmt.Sprintf("user%05d", k), Domain: "example.com"}
				member, ok, err := m.Find(p)
				if there := k >= 0 && k%2 == 0; err != nil || ok != there || ok && member.String()+"\n" != line(k/2) {
					t.Fatalf("%s: %d bytes, %d members, number %d: %v, %v", name, b.Len(), n+1, k, ok, err)
				}
			}
			m.Close()
		}
	}
}

// BenchmarkFind shows what a look-up costs: about as much in a hundred members
// as in a hundred thousand.
func BenchmarkFind(b *testing.B) {
	for _, n := range []int{100, 100000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			l := testList(b, testSite(b, ""), numbered(n))
			m, err := l.Members()
			if err != nil {
				b.Fatal(err)
			}
			defer m.Close()
			m.sorted = true
			p := smtp.Path{Local: fmt.Sprintf("user%07d", n/3*2), Domain: "example.com"}
			for b.Loop() {
				m.Find(p)
			}
		})
	}
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
	if err != nil || !m.sorted {
		t.Fatalf("after superlist wrote it: sorted=%v, %v", m.sorted, err)
	}
	m.Close()
	info, _ := os.Stat(l.membersFile())
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("its mode is %v", mode)
	}

	// Out of order, and the mark is there: this is what the mark saves.
	disorder := "z@example.com\nm@example.com\na@example.com\n"
	if err := os.WriteFile(l.membersFile(), []byte(disorder), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(l.membersFile(), info.ModTime(), info.ModTime()); err != nil {
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

func TestUnique(t *testing.T) {
	l := testList(t, testSite(t, ""), "b@example.com\na@example.com\nB@Example.com nomail\na@example.com\nc@example.com\n")
	m, err := l.Members()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var got []string
	for member, err := range m.Unique() {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, member.String())
	}
	if want := []string{"b@example.com", "a@example.com", "c@example.com"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for range m.Unique() {
		break // and nobody minds
	}
}

func TestLint(t *testing.T) {
	l := testList(t, testSite(t, ""), "# fine\na@example.com\nnobody\nc@example.com nomail vip\n\nc@example.com\nb@example.com name=B nomail\n")
	m, err := l.Members()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	wrong, inOrder, err := m.Lint()
	want := []string{
		`:3: "nobody" is not a member`,
		`:4: "vip" means nothing to this version`,
		`:6: c@example.com is there twice`,
	}
	for i := range want {
		want[i] = l.membersFile() + want[i]
	}
	if err != nil || inOrder || !slices.Equal(wrong, want) {
		t.Errorf("inOrder=%v, %v\n%s", inOrder, err, strings.Join(wrong, "\n"))
	}
}

// TestCutOff: somebody shortens the file while it is being read. That is an
// error, for every way to read it, and no crash.
func TestCutOff(t *testing.T) {
	for name, read := range map[string]func(*Members) error{
		"Find": func(m *Members) error {
			_, _, err := m.Find(addr("zz@example.com"))
			return err
		},
		"All": func(m *Members) (last error) {
			for _, err := range m.All() {
				last = err
			}
			return last
		},
		"Unique": func(m *Members) (last error) {
			for _, err := range m.Unique() {
				last = err
			}
			return last
		},
		"Lint": func(m *Members) error {
			_, _, err := m.Lint()
			return err
		},
	} {
		l := testList(t, testSite(t, ""), numbered(5000))
		m, err := l.Members()
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(l.membersFile(), 100); err != nil {
			t.Fatal(err)
		}
		if err := read(m); err == nil || !strings.Contains(err.Error(), "cut off while it was read") {
			t.Errorf("%s: %v", name, err)
		} else if smtp.ReplyTo(err) != smtp.ReplyLocal {
			t.Errorf("%s: the client would hear %v", name, smtp.ReplyTo(err))
		}
		m.Close()
	}
}

// Other panics are not swallowed.
func TestGuardPassesPanicsOn(t *testing.T) {
	defer func() {
		if p := recover(); p != "mine" {
			t.Errorf("recovered %v", p)
		}
	}()
	new(Members).guard(func() { panic("mine") })
}

func TestMembersNoFile(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	os.Remove(l.membersFile())
	if _, err := l.Members(); !errors.Is(err, errNoMembers) {
		t.Errorf("none: %v", err)
	}
	if err := may(l, addr("a@example.com")); smtp.ReplyTo(err) != smtp.ReplyLocal {
		t.Errorf("a post is not deferred: %v", err)
	}
	edit(t, l, "a@example.com")
	if _, ok := find(t, l, "a@example.com"); !ok {
		t.Error("not made")
	}
	os.Remove(l.membersFile())
	os.Mkdir(l.membersFile(), 0o700)
	if _, err := l.Members(); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a directory: %v", err)
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

func TestParseMember(t *testing.T) {
	for line, want := range map[string]string{
		"a@example.com":                               "a@example.com",
		"  A@Example.com  ":                           "A@Example.com",
		"a@example.com nomail name=Ann Bell":          "a@example.com nomail name=Ann Bell",
		"a@example.com name=nomail":                   "a@example.com name=nomail",
		"a@example.com later words":                   "a@example.com later words",
		`"a b"@example.com nomail`:                    `"a b"@example.com nomail`,
		`a@example.com name=Jörg`:                     `a@example.com name=Jörg`,
		"#a@example.com nomail":                       `"#a"@example.com nomail`,
		`a@b.example for="a b"@c.example x`:           `a@b.example for="a b"@c.example x`,
		"\ufeff\u200ba@example.com\u00a0nomail\u202c": "a@example.com nomail",

		strings.Repeat("a", 64) + "@example.com": strings.Repeat("a", 64) + "@example.com",
	} {
		m, ok := ParseMember(line)
		if !ok || m.String() != want {
			t.Errorf("%q: %q, %v", line, m, ok)
		}
	}
	for _, line := range []string{"", "#", "# a@example.com", "a", "@example.com", "a@", "<a@example.com>", "a b@example.com", "a@example.com\x00",
		"a@example.com name=\x1b[2J", "a@[192.0.2.1]", "j\u202eg@example.com", strings.Repeat("a", 65) + "@example.com", "a@example.com\nb@example.com"} {
		if m, ok := ParseMember(line); ok {
			t.Errorf("%q is taken as %q", line, m)
		}
	}
	if m := (Member{Path: addr("a@example.com"), Words: []string{"name=A"}}).With(NoPosts).With(NoPosts); m.String() != "a@example.com nomail name=A" {
		t.Errorf("%q", m)
	}
}

// TestDelivery: how a member gets the posts is one of three, and changing it
// changes nothing else.
func TestDelivery(t *testing.T) {
	for line, want := range map[string][4]string{
		//                                    now     each                              in digests                        nothing
		"a@example.com":                      {"each", "a@example.com", "a@example.com digest", "a@example.com nomail"},
		"a@example.com nocopy digest":        {"digest", "a@example.com nocopy", "a@example.com nocopy digest", "a@example.com nomail nocopy"},
		"a@example.com digest nomail":        {"none", "a@example.com", "a@example.com digest", "a@example.com digest nomail"},
		"a@example.com name=Ann digest":      {"each", "a@example.com name=Ann digest", "a@example.com digest name=Ann digest", "a@example.com nomail name=Ann digest"},
		"a@example.com for=b@example.com":    {"none", "a@example.com for=b@example.com", "a@example.com digest for=b@example.com", "a@example.com for=b@example.com"},
		"a@example.com vip DIGEST moderated": {"each", "a@example.com vip DIGEST moderated", "a@example.com digest vip DIGEST moderated", "a@example.com nomail vip DIGEST moderated"},
	} {
		m, _ := ParseMember(line)
		if got := [...]string{"each", "digest", "none"}[m.Delivery()]; got != want[0] {
			t.Errorf("%q gets %s, want %s", line, got, want[0])
		}
		for i, d := range []Delivery{Each, InDigests, NoPosts} {
			set := MemberSet{m.Path.Key(): m}
			if !set.Change(m.Path, d) {
				t.Errorf("%q is not there", line)
			}
			got := set[m.Path.Key()]
			again, _ := ParseMember(got.String())
			if got.String() != want[i+1] || again.Delivery() != got.Delivery() || m.For == "" && got.Delivery() != d {
				t.Errorf("%q becomes %q, %d; want %q, %d", line, got, got.Delivery(), want[i+1], d)
			}
		}
	}
	if set := (MemberSet{}); set.Change(addr("a@example.com"), InDigests) || len(set) > 0 {
		t.Errorf("who is not a member becomes one: %v", set)
	}
}

// TestEditKeeps: a change keeps comments, words that this version does not
// know, and lines that nobody understands.
func TestEditKeeps(t *testing.T) {
	l := testList(t, testSite(t, ""), "# ours\n  # and this\nz@example.com vip\nbroken line\nA@example.com name=Ann\na@EXAMPLE.com\n\n")
	edit(t, l, "m@example.com", "Z@example.com nomail")
	raw, _ := os.ReadFile(l.membersFile())
	want := "# ours\n# and this\n# not understood: broken line\nA@example.com name=Ann\nm@example.com\nz@example.com vip\n"
	if string(raw) != want {
		t.Errorf("%s\nwant:\n%s", raw, want)
	}
	err := l.EditMembers(func(set MemberSet) error {
		if !set.Remove(addr("Z@EXAMPLE.COM")) || set.Remove(addr("nobody@example.com")) {
			t.Error("Remove does not say who was there")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	again, _ := os.ReadFile(l.membersFile())
	if want := strings.Replace(want, "z@example.com vip\n", "", 1); string(again) != want {
		t.Errorf("%s\nwant:\n%s", again, want)
	}
}

// An edit that ends with an error changes nothing.
func TestEditFails(t *testing.T) {
	l := testList(t, testSite(t, ""), "a@example.com\n")
	no := fmt.Errorf("no")
	if err := l.EditMembers(func(set MemberSet) error { clear(set); return no }); err != no {
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
		editMany(t, &List{Dir: dir}, "p"+strconv.Itoa(os.Getpid()))
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

func editMany(t *testing.T, l *List, who string) {
	for k := range editsEach {
		edit(t, l, fmt.Sprintf("%s-%d@example.com", who, k))
	}
}

// TestEditLocks: who changes a list holds its lock.
func TestEditLocks(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	err := l.EditMembers(func(MemberSet) error {
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
		if _, err := (&List{Dir: dir}).lock(); err != nil {
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
	l, err := Of(testSite(t, "")).Create(addr("dev@lists.example.org"), nil, nil)
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
	if err := os.WriteFile(l.membersFile(), []byte(strings.Join(members, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	check()
}
