package queue

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/queue/disk/disktest"
	"superlist/smtp"
)

const keptHeader = "From: a@example.com\r\nSubject: x\r\n\r\n"

// given is an outbound message of which one recipient has failed.
func given(t testing.TB, s *Spool, body string) *Message {
	t.Helper()
	w, err := s.Create(Head{From: path(t, "dev+bounces@lists.example.org"), List: path(t, "dev@lists.example.org"), VERP: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"a@example.com", "b@example.com"} {
		if err := w.Rcpt(smtp.Rcpt{Path: path(t, to)}); err != nil {
			t.Fatal(err)
		}
	}
	io.WriteString(w, body)
	if err := w.Commit(Outbound); err != nil {
		t.Fatal(err)
	}
	m := claim(t, s, Outbound, w.ID())
	i := 0
	for r := range m.Recipients() {
		m.Mark(r, "DF"[i])
		i++
	}
	m.Note(time.Now(), "<b@example.com> 550 5.1.1 no such user")
	return m
}

func TestGiveUpHeader(t *testing.T) {
	s := newSpool(t)
	for _, test := range []struct {
		message, kept string
	}{
		{keptHeader + strings.Repeat("y", 100000), keptHeader},
		{keptHeader, keptHeader},
		{"no header at all", ""},
		{strings.Repeat("x: y\r\n", maxKeptHeader) + "\r\n", ""},
	} {
		m := given(t, s, test.message)
		if err := m.GiveUpHeader(); err != nil {
			t.Fatal(err)
		}
		id := m.ID
		if there, _ := s.Exists(Outbound, id); there {
			t.Error("still in outbound")
		}
		m = claim(t, s, Failed, id)
		got, _ := io.ReadAll(m.Content())
		notes, _ := m.Notes()
		if string(got) != test.kept || m.Gone != int64(len(test.message)-len(test.kept)) || states(t, m) != "DF" || m.List.Local != "dev" || !m.VERP {
			t.Errorf("%.30q: kept %.100q, gone %d, %s, %+v", test.message, got, m.Gone, states(t, m), m.Head)
		}
		if len(notes) != 1 || !strings.HasSuffix(notes[0], " <b@example.com> 550 5.1.1 no such user") {
			t.Errorf("notes: %q", notes)
		}
		if _, err := m.Retry(time.Now()); (m.Gone > 0) != errors.Is(err, ErrNoBody) {
			t.Errorf("retry: %v", err)
		}
		m.Close()
	}
}

// TestSweepFailed: too old, too large together and too many, each on both sides of
// its limit. Bodies go before messages, and the oldest first.
func TestSweepFailed(t *testing.T) {
	now := time.Now()
	old := func(age time.Duration) time.Time { return now.Add(-age) }
	file := func(s *Spool, name string, size int64, at time.Time) {
		if err := errors.Join(os.WriteFile(s.path("failed", name), nil, 0o600), os.Truncate(s.path("failed", name), size), os.Chtimes(s.path("failed", name), at, at)); err != nil {
			t.Fatal(err)
		}
	}
	sweep := func(s *Spool) (gone []string, left int) {
		t.Helper()
		err := s.SweepFailed(now, func(id string, body bool) { gone = append(gone, fmt.Sprint(id, " ", body)) })
		entries, err2 := s.List(Failed)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		return gone, len(entries)
	}
	s := newSpool(t)
	file(s, "age-below", 1, old(FailedAge))
	file(s, "age-above", 1, old(FailedAge+time.Second))
	if gone, left := sweep(s); fmt.Sprint(gone) != "[age-above false]" || left != 1 {
		t.Errorf("age: %v, %d left", gone, left)
	}

	s = newSpool(t)
	file(s, "older", MaxFailedBytes/2, old(2*time.Hour))
	file(s, "newer", MaxFailedBytes/2, old(time.Hour))
	if gone, left := sweep(s); len(gone) > 0 || left != 2 {
		t.Errorf("bytes below: %v, %d left", gone, left)
	}
	m := given(t, s, keptHeader+strings.Repeat("y", 10000))
	if err := m.GiveUp(); err != nil {
		t.Fatal(err)
	}
	at := old(3 * time.Hour).Truncate(time.Second)
	os.Chtimes(s.path("failed", m.ID), at, at)
	if gone, left := sweep(s); fmt.Sprint(gone) != fmt.Sprintf("[%s true %s false]", m.ID, m.ID) || left != 2 {
		t.Errorf("bytes above: %v, %d left", gone, left)
	}

	s = newSpool(t)
	m = given(t, s, keptHeader+strings.Repeat("y", 10000))
	if err := m.GiveUp(); err != nil {
		t.Fatal(err)
	}
	os.Chtimes(s.path("failed", m.ID), at, at)
	file(s, "large", MaxFailedBytes-5000, old(time.Hour))
	if gone, left := sweep(s); fmt.Sprint(gone) != fmt.Sprintf("[%s true]", m.ID) || left != 2 {
		t.Errorf("a body: %v, %d left", gone, left)
	}
	if e, _ := s.List(Failed); !e[0].Due.Equal(at) {
		t.Errorf("without its body it is of %v", e[0].Due)
	}
	if gone, _ := sweep(s); len(gone) > 0 {
		t.Errorf("and then %v", gone)
	}

	s = newSpool(t)
	for i := range MaxFailed {
		file(s, fmt.Sprint("n", i), 0, old(time.Duration(i)*time.Second))
	}
	if gone, left := sweep(s); len(gone) > 0 || left != MaxFailed {
		t.Errorf("number below: %v, %d left", gone, left)
	}
	file(s, "oldest", 0, old(24*time.Hour))
	if gone, left := sweep(s); fmt.Sprint(gone) != "[oldest false]" || left != MaxFailed {
		t.Errorf("number above: %v, %d left", gone, left)
	}
}

// TestSweepFailedBusy: what an operator is at is left alone.
func TestSweepFailedBusy(t *testing.T) {
	s := newSpool(t)
	m := given(t, s, keptHeader)
	if err := m.GiveUp(); err != nil {
		t.Fatal(err)
	}
	claim(t, s, Failed, m.ID)
	if err := s.SweepFailed(time.Now().Add(2*FailedAge), func(string, bool) { t.Error("it is gone") }); err != nil {
		t.Error(err)
	}
}

// TestFaultGiveUpHeader fails every system call in turn: the message is in one of
// the two boxes, whole or without its body, and doing it again ends it.
func TestFaultGiveUpHeader(t *testing.T) {
	disktest.Each(t, 6, func(f *disktest.Fault) {
		s := newSpool(t)
		m := given(t, s, keptHeader+strings.Repeat("y", 100000))
		id := m.ID
		s.Disk = f.Disk()
		err := m.GiveUpHeader()
		m.Close()
		s.Disk = nil
		failed, _ := s.Open(Failed, id)
		outbound, _ := s.Exists(Outbound, id)
		if failed == nil && !outbound || err == nil && failed == nil {
			t.Errorf("%s: %v, in failed: %t, in outbound: %t", f, err, failed != nil, outbound)
		}
		if failed != nil && states(t, failed) != "DF" {
			t.Errorf("%s: %s", f, states(t, failed))
		}
		if left, _ := os.ReadDir(s.path("tmp")); len(left) > 0 {
			t.Errorf("%s: left in tmp: %v", f, left)
		}
		if outbound {
			if err := claim(t, s, Outbound, id).GiveUpHeader(); err != nil {
				t.Error(err)
			}
			if m := claim(t, s, Failed, id); m.Gone == 0 || states(t, m) != "DF" {
				t.Errorf("%s, and done again: %+v", f, m.Head)
			}
		}
	})
}
