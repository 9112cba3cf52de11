package queue

import (
	"testing"
	"time"
)

// TestListBut: what is known already is left out, wherever it is.
func TestListBut(t *testing.T) {
	s := newSpool(t)
	var ids []string
	for range 3 {
		ids = append(ids, put(t, s, Inbound, Head{Arrived: time.Now()}, "anna@example.net"))
	}
	all, err := s.List(Inbound)
	if err != nil || len(all) != 3 {
		t.Fatal(all, err)
	}
	m, err := s.Claim(Inbound, all[0])
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	rest, err := s.ListBut(Inbound, map[string]bool{all[0].ID: true, all[2].ID: true})
	if err != nil || len(rest) != 1 || rest[0].ID != all[1].ID {
		t.Errorf("%v, %v of %v", rest, err, ids)
	}
	if p, err := s.Peek(Inbound, rest[0]); err != nil || p.ID != all[1].ID {
		t.Errorf("%v, %v", p, err)
	} else {
		p.Close()
	}
}
