package message

import (
	"io"
	"strings"
	"testing"
	"time"

	"superlist/queue"
)

// stored is a message in a spool.
func stored(t *testing.T, content string) *queue.Message {
	t.Helper()
	s := &queue.Spool{Dir: t.TempDir(), Host: "lists.example.org"}
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	w, err := s.Create(queue.Head{Arrived: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, content)
	if err := w.Commit(queue.Inbound); err != nil {
		t.Fatal(err)
	}
	m, err := s.Open(queue.Inbound, w.ID())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

// TestMessage: header and body are those of the message, and the header is read once.
func TestMessage(t *testing.T) {
	m := Of(stored(t, "From: a@example.com\r\nSubject: x\r\n\r\nbody\r\n"))
	h, err := m.Header()
	if err != nil || h.Get("Subject") != "x" {
		t.Fatal(h, err)
	}
	again, _ := m.Header()
	if raw, _ := m.Raw(); &again[0] != &h[0] || string(raw) != "From: a@example.com\r\nSubject: x\r\n" {
		t.Errorf("it was read again: %q", raw)
	}
	body, err := m.BodyReader()
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := io.ReadAll(body); string(text) != "body\r\n" {
		t.Errorf("the body is %q", text)
	}
}

// TestTooLarge: a header that cannot be taken apart is an error for whoever asks.
func TestTooLarge(t *testing.T) {
	m := Of(stored(t, "X: "+strings.Repeat("x", 1<<20)+"\r\n\r\nbody\r\n"))
	for range 2 {
		if h, err := m.Header(); err == nil || h != nil {
			t.Errorf("%d fields, %v", len(h), err)
		}
		if _, err := m.Raw(); err == nil {
			t.Error("no error")
		}
		if _, err := m.BodyReader(); err == nil {
			t.Error("no error")
		}
	}
}
