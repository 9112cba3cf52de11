package archive

import (
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"superlist/lists/mail/charset"
	"superlist/lists/rewrite"
)

func TestEntryOf(t *testing.T) {
	long := strings.Repeat("ü", maxText)
	s := &Store{Words: charset.Words}
	for header, want := range map[string]Entry{
		"": {},
		"From: Alice\r\nSubject: x\r\nMessage-ID: <1@x>\r\n":            {From: "Alice", Subject: "x", MessageID: "<1@x>"},
		"Message-ID: 1@x\r\n":                                           {},
		"Message-ID: a <1@x> b <2@x>\r\n":                               {MessageID: "<1@x>"},
		"Message-ID: <1\r\n @x>\r\n":                                    {MessageID: "<1@x>"},
		"Message-ID: <1\t\x01\xff@x>\r\n":                               {MessageID: "<1??@x>"},
		"Message-ID: <>\r\nIn-Reply-To: <\r\n":                          {},
		"In-Reply-To: <1@x> <2@x>\r\nReferences: <3@x>\r\n":             {Parent: "<1@x>"},
		"References: <1@x> <2@x>\r\n\t<3@x>\r\n":                        {Parent: "<3@x>"},
		"Subject: =?utf-8?q?a=09b=0Ac=1B[0m=C2=9B=E2=80=AEd?=":          {Subject: "a b c [0m d"},
		"Subject: =?iso-8859-1?q?J=F6rg?=\r\n":                          {Subject: "Jörg"},
		"Subject: =?x-unknown?q?J=F6rg?=\r\n":                           {Subject: "Jörg"},
		"Subject: =?koi8-r?B?8NLJ18XU?=\r\n":                            {Subject: "Привет"},
		"Subject: a \xff b\r\n":                                         {Subject: "a ÿ b"},
		"Subject: \tmuch \t  space\r\n  folded \r\n":                    {Subject: "much space folded"},
		"Subject: " + long + "\r\n":                                     {Subject: long},
		"Subject: " + long + "x\r\n":                                    {Subject: long[:len(long)-2] + "…"},
		"Message-ID: <" + strings.Repeat("x", maxMessageID-2) + ">\r\n": {MessageID: "<" + strings.Repeat("x", maxMessageID-2) + ">"},
		"Message-ID: <" + strings.Repeat("x", maxMessageID-1) + ">\r\n": {MessageID: "<" + strings.Repeat("x", maxMessageID-2) + ">"},
	} {
		if got := s.entry(rewrite.Parse([]byte(header))); got != want {
			t.Errorf("%q:\n%+v, want\n%+v", header, got, want)
		}
	}
	refs := references(rewrite.Parse([]byte("In-Reply-To: <0@x>\r\nReferences:" + strings.Repeat(" <y@x>", 3*maxRefs) + "\r\n")))
	if len(refs) != maxRefs || refs[0] != "<0@x>" {
		t.Errorf("%d references: %v", len(refs), refs)
	}
}

// TestLongestLine: what an entry can be at most is still a line.
func TestLongestLine(t *testing.T) {
	id := "<" + strings.Repeat("x", maxMessageID-2) + ">"
	e := Entry{
		Number: 1<<62 - 1, Time: day, ID: strings.Repeat("x", maxEntryID), Size: 1<<62 - 1, RequireTLS: true, Thread: 1<<62 - 1,
		MessageID: id, Parent: id, From: strings.Repeat("𝒳", maxText), Subject: strings.Repeat("𝒳", maxText),
	}
	got, ok := parseEntry(strings.TrimSuffix(e.line(), "\n"))
	if !ok || got != e {
		t.Errorf("%d bytes: %+v, %v", len(e.line()), got, ok)
	}
	if _, ok := parseEntry(e.line()[:0] + strings.Repeat("x", maxLine)); ok {
		t.Error("too long, and read")
	}
}

// FuzzEntry: a line that is read is the line that is written, is one line, and
// steers no screen; and so is what any header makes.
func FuzzEntry(f *testing.F) {
	f.Add("12\t2026-11-24T10:00:00Z\t1.0\t345\t\t3\t<1@x>\t<0@x>\tAlice <a@x>\tGrüße", "From: a\r\nSubject: b\r\n")
	f.Add("1\t2026-11-24T10:00:00Z\t\t0\trequiretls\t1\t\t\t\t", "Subject: =?utf-8?b?AAEC?=\r\nMessage-ID: <\x00>\r\n")
	f.Add("01\t2026-11-24T10:00:00Z\t\t-1\t\t2\t\t\t\x1b\t\u202e", "")
	holds := func(t *testing.T, e Entry) {
		line := e.line()
		if len(line) > maxLine || strings.Count(line, "\n") != 1 || strings.Count(line, "\t") != 9 || !utf8.ValidString(line) {
			t.Errorf("%+v makes %q", e, line)
		}
		for _, c := range strings.NewReplacer("\t", "", "\n", "").Replace(line) {
			if unicode.IsControl(c) || '\u202a' <= c && c <= '\u202e' || '\u2028' <= c && c <= '\u2029' {
				t.Errorf("%+v makes %q", e, line)
			}
		}
		again, ok := parseEntry(strings.TrimSuffix(line, "\n"))
		if !ok || again != e {
			t.Errorf("%+v is read as %+v, %t", e, again, ok)
		}
	}
	f.Fuzz(func(t *testing.T, line, header string) {
		if e, ok := parseEntry(line); ok {
			if e.line() != line+"\n" {
				t.Errorf("%q is written as %q", line, e.line())
			}
			holds(t, e)
		}
		e := (&Store{Words: charset.Words}).entry(rewrite.Parse([]byte(header)))
		e.Number, e.Thread, e.Time = 1, 1, day
		holds(t, e)
	})
}

// manyLines writes an index with so many lines, and one file: that of the last.
func manyLines(t testing.TB, s *Store, n int) {
	t.Helper()
	add(t, s, "first", "")
	var b strings.Builder
	b.WriteString(head(0))
	e := Entry{Time: day, Size: 1000, From: "Alice Liddell <alice@example.com>", Subject: "Re: what we talked about the other day"}
	for i := range n {
		e.Number, e.Thread = i+1, max(1, i-i%7)
		e.MessageID, e.Parent = fmt.Sprintf("<%d.aaaaaaaaaaaaaaaaaaaaaaaa@mail.example.com>", i), fmt.Sprintf("<%d.aaaaaaaaaaaaaaaaaaaaaaaa@mail.example.com>", i-1)
		b.WriteString(e.line())
	}
	if err := os.WriteFile(s.index(), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A counter counts what is read of an index.
type counter struct {
	r     io.ReaderAt
	bytes int
}

func (c *counter) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.r.ReadAt(p, at)
	c.bytes += n
	return n, err
}

// TestLargeIndex: who asks about one post among a hundred thousand has little of
// the index read.
func TestLargeIndex(t *testing.T) {
	s := newStore(t)
	const many = 100000
	manyLines(t, s, many)
	x, err := s.openIndex()
	if err != nil {
		t.Fatal(err)
	}
	defer x.close()
	for _, n := range []int{1, 2, 77777, many - 1, many} {
		c := &counter{r: x.f}
		x.r = c
		at, err := x.seek(n)
		if err != nil {
			t.Fatal(err)
		}
		for e, err := range x.entries(at) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Number == n {
				break
			}
		}
		if c.bytes > 300<<10 {
			t.Errorf("post %d: %d bytes of %d are read", n, c.bytes, x.to)
		}
		if e, err := s.Entry(n); err != nil || e.Number != n {
			t.Errorf("entry %d: %+v, %v", n, e, err)
		}
	}
	began := time.Now()
	const rounds = 100
	for range rounds {
		if first, last, err := s.Range(); first != 1 || last != many || err != nil {
			t.Fatal(first, last, err)
		}
		if _, err := s.Entry(many / 3); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("range and entry among %d: %v", many, time.Since(began)/rounds)
	began = time.Now()
	if posts, err := s.Thread(7); err != nil || len(posts) == 0 {
		t.Error(posts, err)
	}
	t.Logf("the thread of an old post among %d: %v", many, time.Since(began))
}
