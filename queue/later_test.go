package queue

import (
	"errors"
	"os"
	"testing"
	"time"
)

// TestLater: a message of a later version is no damaged one: nobody may set it aside.
func TestLater(t *testing.T) {
	s := &Spool{Dir: t.TempDir(), Host: "x"}
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	file := s.path("inbound", "new", "1.M1")
	if err := os.WriteFile(file, []byte("superlist-message 2\nid: 1.M1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	entries, err := s.List(Inbound)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	entries[0].Due = time.Now().Add(-time.Minute)
	if _, err := s.Claim(Inbound, entries[0]); !errors.Is(err, ErrLater) || errors.Is(err, ErrDamaged) {
		t.Errorf("claimed: %v", err)
	}
	if _, err := s.Open(Inbound, "1.M1"); !errors.Is(err, ErrLater) {
		t.Errorf("opened: %v", err)
	}
}
