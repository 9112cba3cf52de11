package archive

import (
	"errors"
	"slices"
	"testing"

	"superlist/lists/rewrite"
)

// optOut is a post that its author does not want kept.
func optOut(id, answers string) Post {
	p := post(id, "X-No-Archive: Yes\r\n"+message(id, answers))
	p.Time = day
	return p
}

// TestOptOut: of a post that is not to be kept there is a number and a place in its
// thread, and nothing more, nor does it come in later by an import.
func TestOptOut(t *testing.T) {
	s := newStore(t)
	add(t, s, "a", "")
	s.OptOut = true
	for range 2 { // as after a crash
		if n, err := s.Add(optOut("b", "a")); n != 2 || err != nil {
			t.Fatal(n, err)
		}
	}
	add(t, s, "c", "b")
	want := map[int]string{1: message("a", ""), 2: stub("<a@example.com>"), 3: message("c", "b")}
	for _, what := range []string{"added", "rebuilt"} {
		holds(t, s, what, want)
		e, err := s.Entry(2)
		if err != nil || !e.Removed || e.From+e.Subject+e.MessageID != "" || !e.Time.Equal(day) && what == "added" {
			t.Errorf("%s: %+v, %v", what, e, err)
		}
		if got := numbersOf(t, s, 1); !slices.Equal(got, []int{1, 2, 3}) {
			t.Errorf("%s: the thread is %v", what, got)
		}
		if _, err := s.Rebuild(); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := s.Removed(); err != nil || len(list) != 1 || list[0] != (Removal{2, day, MessageHash("<b@example.com>"), OptedOut}) {
		t.Errorf("%v, %v", list, err)
	}

	im, err := s.Import()
	if err != nil {
		t.Fatal(err)
	}
	if err := im.Add(4, optOut("b", "a")); !errors.Is(err, ErrRemoved) {
		t.Errorf("it comes back: %v", err)
	}
	if err := im.Add(4, optOut("d", "a")); err != nil {
		t.Error(err)
	}
	if err := im.Close(); err != nil {
		t.Fatal(err)
	}
	want[4] = stub("<a@example.com>")
	holds(t, s, "imported", want)

	s.OptOut = false
	if _, err := s.Add(optOut("e", "a")); err != nil {
		t.Fatal(err)
	}
	if e, err := s.Entry(5); err != nil || e.Removed || e.MessageID == "" {
		t.Errorf("a list that does not heed it: %+v, %v", e, err)
	}
}

func TestOptsOut(t *testing.T) {
	for field, want := range map[string]bool{
		"X-No-Archive: yes": true, "x-no-archive:YES": true, "Archive: no": true, "Archive: No; expires=x": true,
		"X-No-Archive: no": false, "X-No-Archive:": false, "Archive: yes": false, "Subject: X-No-Archive: yes": false,
	} {
		if got := OptsOut(rewrite.Parse([]byte(field + "\r\n"))); got != want {
			t.Errorf("%s: %t", field, got)
		}
	}
}
