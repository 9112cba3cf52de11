package edit

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/members"
	"superlist/smtp"
)

// first has who is there twice stay as they are the first time.
func first(a, _ members.Member) members.Member { return a }

func roll(lines ...string) *members.Roster {
	r := &members.Roster{}
	for _, line := range lines {
		m, ok := members.Parse(line)
		if !ok {
			panic(line)
		}
		r.Add(m)
	}
	return r
}

// TestEnrol: new members come in where they belong, and nobody who is there
// changes, whether the file is in order or was written by hand.
func TestEnrol(t *testing.T) {
	want := "\"odd one\"@example.com\nalice@example.com\nbob@example.com nomail\ncarol@example.com name=C\ndave@example.com\n"
	for _, there := range []string{
		"", "bob@example.com nomail\n", "# ours\nbob@example.com nomail\nzoe@example.com\n",
		"zoe@example.com\nBob@example.com nomail\nbob@example.com\nnonsense\n",
	} {
		for _, sorted := range []bool{false, true} {
			l := testList(t, testSite(t, ""), there)
			if sorted {
				if err := Members(l, func(members.Set) error { return nil }); err != nil {
					t.Fatal(err)
				}
			}
			r := roll("dave@example.com", "carol@example.com name=C", "ALICE@example.com", "alice@example.com", `"odd one"@example.com`, "Bob@Example.com")
			if twice := r.Join(func(_, b members.Member) members.Member { return b }); twice != 1 || r.Len() != 5 {
				t.Errorf("%d were there twice, %d are left", twice, r.Len())
			}
			added, err := Enrol(l, r)
			if err != nil {
				t.Fatal(err)
			}
			got, _ := os.ReadFile(l.MembersFile())
			if there == "" && (added != 5 || !strings.HasPrefix(strings.ToLower(string(got)), "\"odd one\"@example.com\nalice@example.com\nbob@example.com\n")) {
				t.Errorf("to none: %d\n%s", added, got)
			}
			if there != "" {
				left := strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(string(got), "# ours\n", ""), "zoe@example.com\n", ""), "# not understood: nonsense\n", "")
				if added != 4 || !strings.EqualFold(left, want) {
					t.Errorf("to %q, sorted %v: added %d\n%s", there, sorted, added, got)
				}
			}
			m, err := l.Members()
			if err != nil {
				t.Fatal(err)
			}
			wrong, inOrder, err := m.Lint()
			if len(wrong) > 0 || !inOrder || err != nil || !m.Sorted() {
				t.Errorf("%v, in order %v, %v\n%s", wrong, inOrder, err, got)
			}
			m.Close()
		}
	}
}

// TestEnrolMany: what is enrolled in any order and in pieces is the same as
// what a set has.
func TestEnrolMany(t *testing.T) {
	a, b := testList(t, testSite(t, ""), ""), testList(t, testSite(t, ""), "")
	for round := range 4 {
		r := &members.Roster{}
		var who []members.Member
		for range 500 {
			m, _ := members.Parse(fmt.Sprintf("u%d@example.com name=%d", rand.IntN(1500), round))
			if m.Path.Local == "u7" {
				m.Path.Local = "Ü7"
			}
			who = append(who, m)
			r.Add(m)
		}
		r.Join(first)
		added, err := Enrol(a, r)
		if err != nil {
			t.Fatal(err)
		}
		new := 0
		Members(b, func(set members.Set) error {
			for _, m := range who {
				if set.Add(m) {
					new++
				}
			}
			return nil
		})
		x, _ := os.ReadFile(a.MembersFile())
		y, _ := os.ReadFile(b.MembersFile())
		if string(x) != string(y) || added != new {
			t.Fatalf("added %d and %d\n%s\n%s", added, new, x, y)
		}
	}
}

// A list that is being made is nobody's before Publish, and nothing after Abort.
func TestNewList(t *testing.T) {
	s := testSite(t, "")
	text, err := NewConfig(nil, []string{"post=anyone"})
	if err != nil {
		t.Fatal(err)
	}
	dev := addr("dev@lists.example.org")
	d, err := Begin(lists.Of(s), dev, text)
	if err != nil {
		t.Fatal(err)
	}
	parent := filepath.Dir(d.Dir)
	if _, err := lists.Of(s).Open(dev); !errors.Is(err, lists.ReplyNoList) {
		t.Errorf("it is there already: %v", err)
	}
	lists.Of(s).All(func(l smtp.Path, _ *lists.List, _ error) bool {
		t.Errorf("there is %v", l)
		return true
	})
	for name, content := range map[string]string{"rules": "nonsense\n", "key": "short", "members": "", "../x": ""} {
		if err := d.Put(name, []byte(content)); err == nil {
			t.Errorf("%s took %q", name, content)
		}
	}
	key := strings.Repeat("ab", 32)
	for name, content := range map[string]string{"rules": "pass Subject: x\n", "key": key, "texts.toml": "[help]\n"} {
		if err := d.Put(name, []byte(content)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	r := roll("b@example.com", "a@example.com")
	r.Join(first)
	if err := d.Enrol(r); err != nil {
		t.Fatal(err)
	}

	// One that a dead process has left goes, once it is old; a living one stays.
	dead := filepath.Join(parent, ".new-dead")
	os.MkdirAll(filepath.Join(dead, "x"), 0o700)
	old := time.Now().Add(-2 * unbornAge)
	os.Chtimes(dead, old, old)
	os.Chtimes(d.Dir, old, old)
	second, err := Begin(lists.Of(s), dev, text)
	if err != nil {
		t.Fatal(err)
	}
	onlyThere(t, parent, filepath.Base(d.Dir), filepath.Base(second.Dir))

	l, err := d.Publish()
	if err != nil {
		t.Fatal(err)
	}
	d.Abort()
	onlyThere(t, l.Dir, "key", "list.toml", "members", "rules", "texts.toml")
	got, _ := os.ReadFile(l.MembersFile())
	if string(got) != "a@example.com\nb@example.com\n" || l.Post != lists.PostAnyone {
		t.Errorf("%s%+v", got, l.Config)
	}
	if _, err := second.Publish(); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second one: %v", err)
	}
	second.Abort()
	onlyThere(t, parent, "dev")
}
