package queue

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// TestForgedInbound: what no session writes is not read as a session's, whatever
// box it ends in, and Retry makes no mail of it.
func TestForgedInbound(t *testing.T) {
	const head = "superlist-message 1\nid: ID\ncontent: CONTENT\narrived: 2026-11-30T11:00:00.000000Z\nclient: x\n"
	for name, forged := range map[string]string{
		"list":        head + "list: <news@lists.example.org>\nfrom: <ceo@bank.example>\nT <victim@else.example>\n\n",
		"verp":        head + "verp: yes\nfrom: <a@example.com>\nT <news@lists.example.org>\n\n",
		"why":         head + "why: approve: a moderator\nfrom: <a@example.com>\nT <news@lists.example.org>\n\n",
		"body":        head + "body: 8BITMIME AUTH=<>\nfrom: <a@example.com>\nT <news@lists.example.org>\n\n",
		"ret":         head + "ret: FULL ENVID=x\nfrom: <a@example.com>\nT <news@lists.example.org>\n\n",
		"envid":       head + "envid: a b\nfrom: <a@example.com>\nT <news@lists.example.org>\n\n",
		"escape":      head + "hold: \x1b]0;x\x07\nfrom: <a@example.com>\nT <news@lists.example.org>\n\n",
		"notes":       head + "from: <a@example.com>\nT <news@lists.example.org>\n\n",
		"other id":    strings.Replace(head, "ID", "1.other", 1) + "from: <a@example.com>\nT <news@lists.example.org>\n\n",
		"damaged":     strings.Replace(head, "ID", "1.forged.damaged", 1) + "list: <news@lists.example.org>\nfrom: <a@example.com>\nT <victim@else.example>\n\n",
		"digest-1-x":  head + "from: <a@example.com>\nT <news@lists.example.org>\n\n",
		"long":        head + "from: <a@example.com>\nT <news@lists.example.org>\n\n",
		"honest":      head + "from: <a@example.com>\nT <news@lists.example.org>\n\n",
		"no line end": head + "from: <a@example.com>",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSpool(t)
			id := "1.forged"
			switch name {
			case "digest-1-x":
				id = name
			case "long":
				id = "1" + strings.Repeat("x", maxID-1)
			}
			text, notes := forged, ""
			if name == "notes" {
				notes = "2026-11-30T11:00:00Z all is well\n"
			}
			content := contentLine(0, 0)
			text = strings.Replace(strings.Replace(text, "ID", id, 1), "content: CONTENT\n", content, 1)
			text = strings.Replace(text, content, contentLine(int64(len(text)), 3), 1) + "x\r\n" + notes
			if err := os.WriteFile(s.path("inbound/new", id), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			list, err := s.List(Inbound)
			if err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			m, err := s.Claim(Inbound, list[0])
			if name == "honest" && err == nil {
				m.Close()
				return
			}
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("claimed: %v", err)
			}
			if err := s.SetAside(Inbound, list[0]); err != nil {
				t.Fatal(err)
			}
			if list, err = s.List(Failed); err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			if m, err := s.Claim(Failed, list[0]); !errors.Is(err, ErrDamaged) {
				t.Fatalf("from failed: %+v, %v", m, err)
			}
			if err := s.Discard(Failed, list[0]); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOwnNames: what a session calls its messages is taken as a session's, on a
// host with the longest name as well, and tried again too.
func TestOwnNames(t *testing.T) {
	s := newSpool(t)
	s.Host = strings.Repeat("x", 63) + "." + strings.Repeat("y", 63) + "." + strings.Repeat("z", 63)
	id := put(t, s, Inbound, Head{}, "a@example.com")
	m := claim(t, s, Inbound, id)
	if err := m.GiveUp(); err != nil {
		t.Fatal(err)
	}
	list, _ := s.List(Failed)
	failed, err := s.Claim(Failed, list[0])
	if err != nil {
		t.Fatal(err)
	}
	again, err := failed.Retry(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	claim(t, s, Inbound, again).Close()
}

// TestDueTooLate: what would wait longer than anything does is due now, in every
// order of clocks, and what waits as it should is left alone.
func TestDueTooLate(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		at  time.Duration
		now bool
	}{{-time.Hour, false}, {RetryMax, false}, {RetryMax + clockSlack - time.Second, false}, {RetryMax + clockSlack + time.Second, true}, {30 * 24 * time.Hour, true}} {
		s := newSpool(t)
		s.Now = func() time.Time { return now }
		id := put(t, s, Outbound, Head{}, "a@example.com")
		at := now.Add(test.at)
		if err := os.Chtimes(s.path("outbound/new", id), at, at); err != nil {
			t.Fatal(err)
		}
		list, err := s.List(Outbound)
		if err != nil || len(list) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		if got := list[0].Due.Equal(now); got != test.now {
			t.Errorf("%s: due at %s, which is now: %t", test.at, list[0].Due, got)
		}
		m, err := s.Claim(Outbound, list[0])
		if err != nil {
			t.Errorf("%s: %v", test.at, err)
			continue
		}
		m.Close()
	}
	s := newSpool(t)
	s.Backoff.Max = 24 * time.Hour
	id := put(t, s, Outbound, Head{}, "a@example.com")
	os.Chtimes(s.path("outbound/new", id), now, now.Add(20*time.Hour))
	if list, _ := s.List(Outbound); !list[0].Due.After(now) {
		t.Error("the site's own limit does not count")
	}
	if at, ok := s.Backoff.Next(now.AddDate(100, 0, 0), now); !ok || !at.After(now) {
		t.Errorf("arrived in a hundred years: %s, %t", at, ok)
	}
}

// TestTakenName: a message of a name that another has, which waits or was given up,
// takes the place of neither.
func TestTakenName(t *testing.T) {
	for _, box := range []Box{Inbound, Failed} {
		s := newSpool(t)
		id := put(t, s, Inbound, Head{}, "first@example.com")
		m := claim(t, s, Inbound, id)
		if box == Failed {
			if err := m.GiveUp(); err != nil {
				t.Fatal(err)
			}
		}
		m.Close()
		put(t, s, Inbound, Head{ID: id}, "second@example.com")
		list, err := s.List(Inbound)
		if err != nil {
			t.Fatal(err)
		}
		refused := 0
		for _, e := range list {
			if m, err := s.Claim(Inbound, e); errors.Is(err, ErrDamaged) {
				refused++
				if err := s.SetAside(Inbound, e); err != nil {
					t.Fatal(err)
				}
			} else if err != nil {
				t.Fatal(err)
			} else {
				m.Close()
			}
		}
		if refused != 1 {
			t.Errorf("%s: %d of %d were refused", box, refused, len(list))
		}
		first, err := s.Open(box, id)
		if err != nil {
			t.Fatal(err)
		}
		for rcpt := range first.Recipients() {
			if rcpt.Path.Local != "first" {
				t.Errorf("%s has the message for %s", box, rcpt.Path)
			}
		}
		first.Close()
	}
}
