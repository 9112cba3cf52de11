package bounces

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"superlist/lists/ledger"
	"superlist/lists/mail/bounce"
	"superlist/smtp"
)

// TestWordsHaveRoom: whatever hosts say, and however often, it can be kept. A record that
// cannot stops the reports that are judged with it.
func TestWordsHaveRoom(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for _, letter := range []string{"<", "&", "\"", "\u2028", "a"} {
		why := Reason{Class: bounce.Gone, Status: "5.1.1", Words: strings.Repeat(letter, maxWords), Reporter: strings.Repeat(letter, 255)}
		r := Record{Address: "a@example.com"}
		p := new(Post)
		for i := range 400 {
			at := now.AddDate(0, 0, i)
			r.Count(at, why, at)
			r.happened(at, Forwarded, why.Words+why.Words, true)
			p.refused(smtp.Path{Local: "a", Domain: fmt.Sprintf("d%d.example", i)}, why)
			text, err := r.Text()
			if err != nil || len(text) > ledger.MaxRecord {
				t.Fatalf("%q: a record of %d bytes, %v", letter, len(text), err)
			}
			if text, err = p.text(); err != nil || len(text) > ledger.MaxRecord {
				t.Fatalf("%q: a post of %d bytes, %v", letter, len(text), err)
			}
		}
		if len(r.Days) == 0 || p.N != 400 {
			t.Errorf("%q: %d days, %d refusals", letter, len(r.Days), p.N)
		}
	}
}
