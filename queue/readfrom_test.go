package queue

import (
	"io"
	"strings"
	"testing"

	"superlist/queue/disk"
)

// TestReadFrom: what is read from somewhere comes behind what was written, and goes to the
// disk in pieces of a buffer's size.
func TestReadFrom(t *testing.T) {
	writes := 0
	s := &Spool{Dir: t.TempDir(), Host: "mx.example.org", Disk: &disk.Disk{Fault: func(op, _ string) error {
		if op == "write" {
			writes++
		}
		return nil
	}}}
	if err := s.Init(); err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 64 << 10, 1 << 20} {
		w, err := s.Create(Head{})
		if err != nil {
			t.Fatal(err)
		}
		writes = 0
		text := strings.Repeat("0123456789abcde\n", size/16+1)[:size]
		io.WriteString(w, "first\r\n")
		n, err := io.Copy(w, struct{ io.Reader }{strings.NewReader(text)})
		if err != nil || n != int64(size) {
			t.Fatal(n, err)
		}
		io.WriteString(w, "last\r\n")
		content, err := w.Content()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(content)
		if err != nil || string(got) != "first\r\n"+text+"last\r\n" || w.Size() != int64(len(got)) {
			t.Errorf("%d: %d bytes, said to be %d, %v", size, len(got), w.Size(), err)
		}
		if most := size/(64<<10) + 3; writes > most {
			t.Errorf("%d bytes took %d writes, want at most %d", size, writes, most)
		}
		w.Abort()
	}
}
