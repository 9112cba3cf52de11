package members

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"superlist/smtp"
)

// TestFindSorted looks for everybody, and for everybody who is not there, in
// files of many lengths, with and without a last line break.
func TestFindSorted(t *testing.T) {
	l := inFile(t, "")
	for _, n := range []int{0, 1, 2, 3, 100, 100000} {
		for _, text := range []string{numbered(n), strings.TrimSuffix(numbered(n), "\n")} {
			l.write(t, text)
			m, err := l.Members()
			if err != nil {
				t.Fatal(err)
			}
			m.sorted = true // or each miss would read the file through
			step := max(1, n/1000)
			var who []smtp.Path
			for k := -1; k <= 2*n; k += step {
				p := smtp.Path{Local: fmt.Sprintf("user%07d", k), Domain: "example.com"}
				who = append(who, p)
				member, ok, err := m.Find(p)
				there := k >= 0 && k%2 == 0 && k < 2*n
				if err != nil || ok != there || ok && member.Path != p {
					t.Fatalf("%d members, number %d: %v, %v, %v", n, k, member, ok, err)
				}
			}
			asEach(t, m, who)
			m.Close()
		}
	}
}

// asEach looks people up all at once, and finds what Find finds of each.
func asEach(t *testing.T, m *File, who []smtp.Path) {
	t.Helper()
	for _, every := range []int{1, 7} {
		var some []smtp.Path
		for i := len(who) - 1; i >= 0; i -= every {
			some = append(some, who[i])
		}
		found, err := m.FindAll(slices.Values(some))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range some {
			member, ok, err := m.Find(p)
			if of, is := found[p.Key()]; err != nil || is != ok || of.Path != member.Path {
				t.Fatalf("%v of %d at once: %v, %v; alone: %v, %v, %v", p, len(some), of, is, member, ok, err)
			}
		}
	}
}

// TestFindLongLines looks for everybody in files that are a little smaller or
// larger than what is read at once, and whose lines are shorter or longer than a
// glance: some of them, all of them, or one in the middle.
func TestFindLongLines(t *testing.T) {
	l := inFile(t, "")
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
			l.write(t, b.String())
			m, err := l.Members()
			if err != nil {
				t.Fatal(err)
			}
			m.sorted = true
			var who []smtp.Path
			for k := -1; k <= 2*n+1; k++ {
				who = append(who, smtp.Path{Local: fmt.Sprintf("user%05d", k), Domain: "example.com"})
				p := smtp.Path{Local: fmt.Sprintf("user%05d", k), Domain: "example.com"}
				member, ok, err := m.Find(p)
				if there := k >= 0 && k%2 == 0; err != nil || ok != there || ok && member.String()+"\n" != line(k/2) {
					t.Fatalf("%s: %d bytes, %d members, number %d: %v, %v", name, b.Len(), n+1, k, ok, err)
				}
			}
			asEach(t, m, who)
			m.Close()
		}
	}
}

// BenchmarkFind shows what a look-up costs: about as much in a hundred members
// as in a hundred thousand.
func BenchmarkFind(b *testing.B) {
	for _, n := range []int{100, 100000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			l := inFile(b, numbered(n))
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

// TestFindAllByHand: so it is in a file that somebody has edited.
func TestFindAllByHand(t *testing.T) {
	for _, n := range []int{3, 3000} {
		l := inFile(t, strings.Repeat("# a remark\n", n)+"z@example.com\nB@Example.com nomail\n  a@example.com\nb@example.com\n\"d\"@example.com\n")
		m, err := l.Members()
		if err != nil {
			t.Fatal(err)
		}
		asEach(t, m, []smtp.Path{address("z@example.com"), address("b@example.com"), address("a@example.com"), address("c@example.com"), address("d@example.com")})
		m.Close()
	}
}

func TestUnique(t *testing.T) {
	l := inFile(t, "b@example.com\na@example.com\nB@Example.com nomail\na@example.com\nc@example.com\n")
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
	l := inFile(t, "# fine\na@example.com\nnobody\nc@example.com nomail vip\n\nc@example.com\nb@example.com name=B nomail\n")
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
	for name, read := range map[string]func(*File) error{
		"Find": func(m *File) error {
			_, _, err := m.Find(address("zz@example.com"))
			return err
		},
		"All": func(m *File) (last error) {
			for _, err := range m.All() {
				last = err
			}
			return last
		},
		"Unique": func(m *File) (last error) {
			for _, err := range m.Unique() {
				last = err
			}
			return last
		},
		"Lint": func(m *File) error {
			_, _, err := m.Lint()
			return err
		},
	} {
		l := inFile(t, numbered(5000))
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
	new(File).guard(func() { panic("mine") })
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
		m, ok := Parse(line)
		if !ok || m.String() != want {
			t.Errorf("%q: %q, %v", line, m, ok)
		}
	}
	for _, line := range []string{"", "#", "# a@example.com", "a", "@example.com", "a@", "<a@example.com>", "a b@example.com", "a@example.com\x00",
		"a@example.com name=\x1b[2J", "a@[192.0.2.1]", "j\u202eg@example.com", strings.Repeat("a", 65) + "@example.com", "a@example.com\nb@example.com"} {
		if m, ok := Parse(line); ok {
			t.Errorf("%q is taken as %q", line, m)
		}
	}
	if m := (Member{Path: address("a@example.com"), Words: []string{"name=A"}}).With(NoPosts).With(NoPosts); m.String() != "a@example.com nomail name=A" {
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
		m, _ := Parse(line)
		if got := [...]string{"each", "digest", "none"}[m.Delivery()]; got != want[0] {
			t.Errorf("%q gets %s, want %s", line, got, want[0])
		}
		for i, d := range []Delivery{Each, InDigests, NoPosts} {
			set := Set{m.Path.Key(): m}
			if !set.Change(m.Path, d) {
				t.Errorf("%q is not there", line)
			}
			got := set[m.Path.Key()]
			again, _ := Parse(got.String())
			if got.String() != want[i+1] || again.Delivery() != got.Delivery() || m.For == "" && got.Delivery() != d {
				t.Errorf("%q becomes %q, %d; want %q, %d", line, got, got.Delivery(), want[i+1], d)
			}
		}
	}
	if set := (Set{}); set.Change(address("a@example.com"), InDigests) || len(set) > 0 {
		t.Errorf("who is not a member becomes one: %v", set)
	}
}

// TestOldOrder: a file that an earlier version has put in order, by other keys, is
// read right.
func TestOldOrder(t *testing.T) {
	l := inFile(t, "")
	l.write(t, "ada@example.com\n\u0130van@example.com\njane@example.com\n\u212aim@example.com\nlea@example.com\nΣΟΦΌΣ@example.com\n")
	if err := os.Chtimes(l.membersFile(), time.Time{}, time.Unix(1e9, 271828182)); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"ada@example.com", "\u0130van@example.com", "jane@example.com", "\u212aim@example.com", "lea@example.com", "σοφός@example.com"} {
		if _, ok := l.find(t, who); !ok {
			t.Errorf("%s is not found", who)
		}
	}
	for _, stranger := range []string{"ivan@example.com", "kim@example.com"} {
		if m, ok := l.find(t, stranger); ok {
			t.Errorf("%s is %s", stranger, m)
		}
	}
}

// FuzzMemberLine: who is a member has one line, which is read as the same member,
// is found by its key, and stands where the key belongs.
func FuzzMemberLine(f *testing.F) {
	for _, seed := range []string{"#hash@example.com", `"a b"@example.com nomail name=A  B`, `""@example.com`, "Ä@bücher.example digest", `a@b.example for="x y"@z.example lang=de`, "a@b.example name=\u00a0x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, ok := Parse(s)
		if !ok {
			return
		}
		line := m.String()
		again, ok := parseLine(line)
		if !ok || again.Path != m.Path || again.String() != line || again.Delivery() != m.Delivery() {
			t.Errorf("%q is written %q and read %q, %v", s, line, again, ok)
		}
		if strings.ContainsAny(line, "\r\n") {
			t.Errorf("%q is two lines", line)
		}
		key := m.Path.Key()
		if !isKey([]byte(line), key) || compareKey(addressOf([]byte(line)), key) != 0 {
			t.Errorf("%q is not found by %q", line, key)
		}
		other := smtp.Path{Local: "mmm", Domain: "example.com"}.Key()
		if got := compareKey(addressOf([]byte(line)), other); got != strings.Compare(key, other) {
			t.Errorf("%q stands on the wrong side of %q", line, other)
		}
		if roll := parseRosterLine(rosterLine(m)); roll.String() != line {
			t.Errorf("%q is %q in a roll", line, roll)
		}
	})
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
