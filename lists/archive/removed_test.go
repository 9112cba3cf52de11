package archive

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// stub is what stands in the place of a post that was removed.
func stub(refs ...string) string {
	s := "Removed: " + day.Format(timeFormat) + "\r\n"
	if len(refs) > 0 {
		s += "References: " + strings.Join(refs, "\r\n ") + "\r\n"
	}
	return s + "\r\nThis post was removed from the archive.\r\n"
}

func numbersOf(t *testing.T, s *Store, n int) (list []int) {
	t.Helper()
	posts, err := s.Thread(n)
	if err != nil {
		t.Error(err)
	}
	for _, e := range posts {
		list = append(list, e.Number)
	}
	return list
}

// TestRemove: nothing of a post is left but its number, its time and its place; what
// answers it stays in its thread, also what comes later, and it does not come back.
func TestRemove(t *testing.T) {
	s := newStore(t)
	for _, p := range [][2]string{{"a", ""}, {"b", "a"}, {"c", "b"}, {"other", ""}} {
		add(t, s, p[0], p[1])
	}
	if n, err := s.Remove([]int{2, 2, 9}, "asked\tby\nher", day); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := s.Remove([]int{2}, "again", day); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	list, err := s.Removed()
	if want := (Removal{2, day, MessageHash("<b@example.com>"), "asked by her"}); err != nil || len(list) != 1 || list[0] != want {
		t.Errorf("%v, %v", list, err)
	}
	add(t, s, "d", "b")
	want := map[int]string{1: message("a", ""), 2: stub("<a@example.com>"), 3: message("c", "b"), 4: message("other", ""), 5: message("d", "b")}
	for round := range 2 {
		holds(t, s, "removed", want)
		e, err := s.Entry(2)
		if err != nil || !e.Removed || e.From+e.Subject+e.MessageID != "" || e.Thread != 1 || e.Time.IsZero() {
			t.Errorf("round %d: %+v, %v", round, e, err)
		}
		if got := numbersOf(t, s, 1); !slices.Equal(got, []int{1, 2, 3, 5}) {
			t.Errorf("round %d: the thread is %v", round, got)
		}
		for _, file := range []string{s.index(), s.removedFile(), s.file(2)} {
			text, _ := os.ReadFile(file)
			for _, word := range []string{"about b", "<b@example.com>", "body of b"} {
				if file != s.index() && strings.Contains(string(text), word) || file == s.index() && strings.Contains(string(text), "about b") {
					t.Errorf("round %d: %s has %q", round, file, word)
				}
			}
		}
		if _, err := s.Rebuild(); err != nil {
			t.Fatal(err)
		}
	}
	if n := add(t, s, "b", "a"); n != 2 {
		t.Errorf("sent again after a crash, it is %d", n)
	}
	im, err := s.Import()
	if err != nil {
		t.Fatal(err)
	}
	back := Post{Time: day, Content: strings.NewReader(message("b", "a"))}
	if err := im.Add(10, back); !errors.Is(err, ErrRemoved) {
		t.Errorf("it comes back: %v", err)
	}
	if err := im.Add(10, Post{Time: day, Content: strings.NewReader(message("e", "b"))}); err != nil {
		t.Error(err)
	}
	if err := im.Close(); err != nil {
		t.Error(err)
	}
	want[10] = message("e", "b")
	holds(t, s, "import", want)
	if e, _ := s.Entry(10); e.Thread != 1 {
		t.Errorf("what answers it and was imported is in thread %d", e.Thread)
	}
}

// TestLateParent: posts that come before the one that they answer are in its thread
// once it is there, in whatever order all of them came, and by whatever way.
func TestLateParent(t *testing.T) {
	// Two threads, and what each post answers.
	posts := [][2]string{{"a", ""}, {"b", "a"}, {"c", "b"}, {"d", "b"}, {"e", "d"}, {"x", ""}, {"y", "x"}, {"z", "y"}}
	for seed := range 40 {
		order := slices.Clone(posts)
		r := rand.New(rand.NewPCG(uint64(seed), 0))
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		added, imported := newStore(t), newStore(t)
		im, err := imported.Import()
		if err != nil {
			t.Fatal(err)
		}
		want := map[bool][]int{}
		for i, p := range order {
			add(t, added, p[0], p[1])
			if err := im.Add(i+1, Post{Time: day, Content: strings.NewReader(message(p[0], p[1]))}); err != nil {
				t.Fatal(err)
			}
			first := p[0] < "m"
			want[first] = append(want[first], i+1)
		}
		if err := im.Close(); err != nil {
			t.Fatal(err)
		}
		for way, s := range map[string]*Store{"added": added, "imported": imported} {
			for round := range 2 {
				for _, list := range want {
					for _, n := range list {
						if got := numbersOf(t, s, n); !slices.Equal(got, list) {
							t.Errorf("seed %d, %s, round %d: the thread of %d is %v, not %v\n%v", seed, way, round, n, got, list, order)
						}
					}
				}
				if _, err := s.Rebuild(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestDamagedMIDs: what the file says is held against the index; one that is cut, old
// or somebody else's does no harm.
func TestDamagedMIDs(t *testing.T) {
	s := newStore(t)
	manyLines(t, s, 2*midsEvery)
	add(t, s, "new", "")
	good, err := os.ReadFile(s.midsFile())
	if err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprintf("<%d.aaaaaaaaaaaaaaaaaaaaaaaa@mail.example.com>", 4710)
	for what, file := range map[string][]byte{
		"good": good, "empty": {}, "cut": good[:len(good)-5], "head": good[:midsHead], "letters": []byte(strings.Repeat("x", len(good))),
		"zeros": make([]byte, len(good)), "longer": append(slices.Clone(good), 0), "other key": append(append(slices.Clone(good[:20]), 'x'), good[21:]...),
	} {
		if err := os.WriteFile(s.midsFile(), file, 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := s.ByMessageID(id)
		found := err == nil && len(list) == 1 && list[0].Number == 4711
		if !found && what != "other key" || err != nil { // with another key nothing is found, and nothing false
			t.Errorf("%s: %v, %v", what, list, err)
		}
	}
}
