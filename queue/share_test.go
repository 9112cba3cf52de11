package queue

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"superlist/smtp"
)

// TestShare: one network has a tenth of the queue, what follows from its messages
// included, and nobody else is kept from the rest.
func TestShare(t *testing.T) {
	s := newSpool(t)
	s.MaxMessages, s.MinMessages = 50, 40
	mine, other := ShareOf("192.0.2.0/24"), ShareOf("198.51.100.0/24")
	admitted := func(share Share) bool {
		t.Helper()
		err := s.Admit(0, share)
		if err != nil && smtp.ReplyTo(err) != replyShare {
			t.Fatal(err)
		}
		return err == nil
	}
	var ids []string
	for i := range 5 {
		if !admitted(mine) {
			t.Fatalf("refused with %d messages", i)
		}
		id := put(t, s, Inbound, Head{Share: mine}, "a@example.com")
		if i == 0 { // expanded already
			if err := claim(t, s, Inbound, id).Remove(); err != nil {
				t.Fatal(err)
			}
			put(t, s, Outbound, Head{ID: id + ".0"}, "a@example.com")
		}
		ids = append(ids, id)
	}
	if admitted(mine) {
		t.Error("admitted with a tenth of the queue")
	}
	if !admitted(other) || !admitted("") {
		t.Error("others are refused too")
	}
	if err := claim(t, s, Inbound, ids[2]).Remove(); err != nil {
		t.Fatal(err)
	}
	if !admitted(mine) {
		t.Error("refused with less than a tenth")
	}
	// The water marks come first.
	for range 46 {
		put(t, s, Inbound, Head{Share: other}, "a@example.com")
	}
	for _, share := range []Share{mine, other, ""} {
		if err := s.Admit(0, share); smtp.ReplyTo(err) != replyFull {
			t.Errorf("%q at the high-water mark: %v", share, err)
		}
	}
}

// TestShareOf: an id tells the shares apart, and has none where there is none.
func TestShareOf(t *testing.T) {
	s := newSpool(t)
	if ShareOf("") != "" || ShareOf("a") == ShareOf("b") || len(ShareOf("a")) != 4 {
		t.Errorf("%q %q %q", ShareOf(""), ShareOf("a"), ShareOf("b"))
	}
	if name := s.newName(time.Now(), ""); strings.Contains(name, "N") {
		t.Errorf("nobody's: %s", name)
	}
	if name := s.newName(time.Now(), ShareOf("a")); !strings.Contains(name, string(ShareOf("a"))+".mx1") || !validID(name) {
		t.Errorf("a's: %s", name)
	}
}

// TestShareIsCheap: while the queue is small nothing is read to see that a share is
// not used up: its directories could not hold that much.
func TestShareIsCheap(t *testing.T) {
	s := newSpool(t)
	s.MaxMessages, s.MinMessages = 1<<20, 1<<19
	put(t, s, Inbound, Head{Share: ShareOf("a")}, "a@example.com")
	n, mine, err := s.count(s.MaxMessages, s.MaxMessages/shares, ShareOf("a"), 20)
	if fmt.Sprint(n, mine, err) != "0 0 <nil>" {
		t.Errorf("%d, %d, %v", n, mine, err)
	}
}
