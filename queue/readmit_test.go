package queue

import (
	"errors"
	"os"
	"testing"

	"superlist/smtp"
)

// TestReadmit: what was set aside comes back as what a session may have written, or
// not at all.
func TestReadmit(t *testing.T) {
	aside := func(t *testing.T, s *Spool, h Head) Entry {
		t.Helper()
		w, err := s.Create(h)
		if err != nil {
			t.Fatal(err)
		}
		w.Rcpt(smtp.Rcpt{Path: smtp.Path{Local: "dev", Domain: "lists.example.org"}})
		w.Write([]byte(content))
		if err := w.Commit(Inbound); err != nil {
			t.Fatal(err)
		}
		list, err := s.List(Inbound)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		if err := s.SetAside(Inbound, list[0]); err != nil {
			t.Fatal(err)
		}
		if list, err = s.List(Failed); err != nil || len(list) != 1 || !list[0].IsAside() {
			t.Fatal(list, err)
		}
		return list[0]
	}
	author := smtp.Path{Local: "a", Domain: "example.com"}

	s := newSpool(t)
	e := aside(t, s, Head{From: author})
	id, err := s.Readmit(e)
	if list, lerr := s.List(Inbound); err != nil || lerr != nil || len(list) != 1 || list[0].ID != id {
		t.Errorf("%q %v, in inbound %v %v", id, err, list, lerr)
	}

	s = newSpool(t)
	e = aside(t, s, Head{From: author, List: smtp.Path{Local: "dev", Domain: "lists.example.org"}})
	if _, err := s.Readmit(e); !errors.Is(err, ErrDamaged) {
		t.Errorf("what no session may write: %v", err)
	}

	s = newSpool(t)
	e = aside(t, s, Head{From: author})
	taken := s.path(Inbound.fresh(), e.ID[:len(e.ID)-len(asideSuffix)])
	if err := os.WriteFile(taken, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Readmit(e); !errors.Is(err, ErrDamaged) {
		t.Errorf("its name is taken: %v", err)
	}
	if text, _ := os.ReadFile(taken); string(text) != "another" {
		t.Errorf("the other one has %q", text)
	}
	if list, _ := s.List(Failed); len(list) != 1 {
		t.Errorf("in failed: %v", list)
	}
}
