package trace

import (
	"iter"
	"strings"
	"testing"
	"time"

	"superlist/lists/logfile"
)

// lines is a log: PROGRAM TEXT, a line a second.
type lines string

func (s lines) Lines() iter.Seq2[logfile.Line, error] {
	return func(yield func(logfile.Line, error) bool) {
		at := time.Unix(1796040000, 0)
		for line := range strings.Lines(string(s)) {
			program, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
			at = at.Add(time.Second)
			if !yield(logfile.Line{At: at, Program: program, Text: text}, nil) {
				return
			}
		}
	}
}

const two = `superlist-spawn accepted id=1.M1P1Ra.mx.example from=<a@example.com> to=<dev@l.example> message-id=<m@x>
superlist post id=1.M1P1Ra.mx.example list=<dev@l.example> from=<a@example.com> message-id=<m@x> members=2 number=3
superlist-spawn accepted id=2.M1P1Rb.mx.example from=<b@example.com> to=<dev@l.example> message-id=<n@x>
postfix/smtp 4A: to=<Bob@example.NET>, relay=x, status=sent (250 ok)
postfix/smtp 4A: to=<eve@example.net>, relay=x, status=deferred (450 later)
superlist sent id=1.M1P1Ra.mx.example.0 post=1.M1P1Ra.mx.example list=<dev@l.example> recipients=2 reply="250 2.0.0 Ok: queued as 4A"
superlist sent id=2.M1P1Rb.mx.example.0 list=<dev@l.example> recipients=2 reply="250 2.0.0 Ok: queued as 4B"
postfix/smtp 4B: to=<eve@example.net>, relay=x, status=bounced (550 no: to=<bob@example.net>, status=sent)
superlist-spawn refused from=<eve@example.net> to=<dev@l.example> at=RCPT reply="550 no id=1.M1P1Ra.mx.example"
`

// TestFind: which mails a query is about, and how many of Postfix's lines each has.
func TestFind(t *testing.T) {
	for query, want := range map[string]string{
		"1.M1P1Ra.mx.example":   "1.M1P1Ra.mx.example:3+2",
		"1.M1P1Ra.mx.example.0": "1.M1P1Ra.mx.example:3+2",
		"a":                     "1.M1P1Ra.mx.example:3+2",
		"4B":                    "2.M1P1Rb.mx.example:2+1",
		"<n@x>":                 "2.M1P1Rb.mx.example:2+1",
		"n@x":                   "2.M1P1Rb.mx.example:2+1",
		"bob@example.net":       "1.M1P1Ra.mx.example:3+1",
		"eve@example.net":       "1.M1P1Ra.mx.example:3+1 2.M1P1Rb.mx.example:2+1 :1+0",
		"b@example.com":         "2.M1P1Rb.mx.example:2+1",
		"nobody@example.com":    "",
		"3":                     "",
	} {
		mails, err := Find(lines(two), NewQuery(query), "mx.example", 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range mails {
			got = append(got, m.ID+":"+string(rune('0'+len(m.Steps)))+"+"+string(rune('0'+len(m.Deliver))))
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	if mails, err := Find(lines(two), NewQuery("eve@example.net"), "mx.example", 1); err != nil || len(mails) != 1 || mails[0].ID != "" {
		t.Errorf("the last: %v, %v", mails, err)
	}
}

// TestDigest: what is said of a digest is said of each post in it, once for each line.
func TestDigest(t *testing.T) {
	const log = `superlist post id=1.M1P1Ra.mx.example list=<dev@l.example> from=<a@example.com> members=0 number=3 digests=1
superlist post id=2.M1P1Rb.mx.example list=<dev@l.example> from=<a@example.com> members=0 number=4 digests=1
superlist digest id=3.mx.example list=<dev@l.example> issue=1 posts=3-4 members=1
superlist digest id=3.mx.example list=<dev@l.example> issue=1 posts=3-4 members=1
superlist sent id=3.mx.example list=<dev@l.example> recipients=1 reply="250 2.0.0 Ok: queued as 4A"
postfix/smtp 4A: to=<dora@example.net>, relay=x, status=sent (250 ok)
`
	mails, err := Find(lines(log), NewQuery("a@example.com"), "mx.example", 10)
	if err != nil || len(mails) != 2 {
		t.Fatalf("%d mails, %v", len(mails), err)
	}
	for _, m := range mails {
		if len(m.Steps) != 4 || len(m.Deliver) != 1 {
			t.Errorf("%s: %d steps, %d delivered", m.ID, len(m.Steps), len(m.Deliver))
		}
	}
}

// FuzzFind: whatever is in a log, it is told or passed over, and each step has words.
func FuzzFind(f *testing.F) {
	f.Add(two, "eve@example.net")
	f.Add("superlist digest id=1.mx.example list=<dev@l.example> posts=1-\nsuperlist post id= number=9 digests=9\n", "1")
	f.Fuzz(func(t *testing.T, log, query string) {
		mails, err := Find(lines(log), NewQuery(query), "mx.example", 5)
		if err != nil || len(mails) > 5 {
			t.Errorf("%d mails, %v", len(mails), err)
		}
		for _, m := range mails {
			for _, s := range m.Steps {
				if s.Words == "" && s.Line != "" {
					t.Errorf("no words for %q", s.Line)
				}
			}
		}
	})
}
