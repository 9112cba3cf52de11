package queue

import (
	"encoding/hex"
	"errors"
	"os"
	"testing"
	"time"

	"superlist/queue/disk"
)

func TestTaken(t *testing.T) {
	s := &Spool{Dir: t.TempDir(), Host: "mx"}
	key, other := []byte("a key"), []byte("another")
	now := time.Now()
	if err := s.Take(key, "1.M1P1R1.mx", now); err == nil {
		t.Error("taken where there is no spool")
	}
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	if id, ok := s.Taken(key, now); ok {
		t.Errorf("taken as %s before it was", id)
	}
	if err := s.Take(key, "1.M1P1R1.mx", now); err != nil {
		t.Fatal(err)
	}
	for _, age := range []time.Duration{0, time.Minute, 24 * time.Hour, takenAge - time.Minute} {
		if id, ok := s.Taken(key, now.Add(age)); !ok || id != "1.M1P1R1.mx" {
			t.Errorf("after %v: %q, %t", age, id, ok)
		}
	}
	if id, ok := s.Taken(key, now.Add(takenAge+time.Minute)); ok {
		t.Errorf("it is remembered for too long: %s", id)
	}
	if id, ok := s.Taken(other, now); ok {
		t.Errorf("another message was taken as %s", id)
	}

	// Half written, or no id: as if it were not there.
	if err := os.WriteFile(s.path("taken", hex.EncodeToString(other)), []byte("../../x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if id, ok := s.Taken(other, now); ok {
		t.Errorf("taken as %q", id)
	}

	// One key in 256 has the old ones swept away, and leaves the others.
	sweep := []byte{0, 1}
	if err := s.Take(sweep, "2.M1P1R1.mx", now); err != nil {
		t.Fatal(err)
	}
	if names, _ := os.ReadDir(s.path("taken")); len(names) != 3 {
		t.Errorf("left: %v", names)
	}
	old := now.Add(-takenAge - time.Minute)
	if err := os.Chtimes(s.path("taken", hex.EncodeToString(key)), old, old); err != nil {
		t.Fatal(err)
	}
	if err := s.Take(sweep, "2.M1P1R1.mx", now); err != nil {
		t.Fatal(err)
	}
	if names, _ := os.ReadDir(s.path("taken")); len(names) != 2 {
		t.Errorf("left: %v", names)
	}
}

// TestTakeFails: a message is safe, whether it can be remembered or not.
func TestTakeFails(t *testing.T) {
	s := &Spool{Dir: t.TempDir(), Disk: &disk.Disk{Fault: func(call, path string) error { return errFault }}}
	if err := s.Take([]byte("k"), "1.M1P1R1.mx", time.Now()); !errors.Is(err, errFault) {
		t.Error(err)
	}
	if _, ok := s.Taken([]byte("k"), time.Now()); ok {
		t.Error("taken")
	}
}
