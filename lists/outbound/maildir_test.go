package outbound

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
)

// TestLFWriter: however a message is cut into pieces its lines end alike, and a CR
// that ends none stays.
func TestLFWriter(t *testing.T) {
	const text = "a\r\n\r\nb\rc\r\r\n\nd\r\n\r"
	want := strings.ReplaceAll(text, "\r\n", "\n")
	for size := 1; size <= len(text); size++ {
		var out bytes.Buffer
		w := &lfWriter{w: bufio.NewWriter(&out)}
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			if m, err := w.Write([]byte(rest[:n])); m != n || err != nil {
				t.Fatal(m, err)
			}
			rest = rest[n:]
		}
		if err := w.Flush(); err != nil || out.String() != want {
			t.Errorf("in pieces of %d: %q, %v", size, out.String(), err)
		}
	}
}
