package edit

import (
	"io"
	"strings"
	"testing"

	"superlist/lists/parts"
	"superlist/lists/rewrite/edit/edittest"
)

// leaves are the parts of a message that have none.
func leaves(m *Message) (list []*parts.Entity, doubt string, err error) {
	root, err := m.tree()
	if err != nil {
		return nil, "", err
	}
	root.All(func(e *parts.Entity) bool {
		if len(e.Parts) == 0 {
			list = append(list, e)
		}
		return true
	})
	return list, root.Doubt, nil
}

func raw(m *Message, e *parts.Entity) string {
	b, _ := io.ReadAll(io.NewSectionReader(m.Body, e.Body, e.End-e.Body))
	return string(b)
}

// decoded is the text of a part.
func decoded(m *Message, e *parts.Entity) string {
	d := newDecoder(e, m.Body)
	if d == nil {
		return ""
	}
	var b strings.Builder
	for {
		text, err := d.next()
		if err != nil || len(text) == 0 {
			return b.String()
		}
		b.Write(text)
	}
}

// FuzzInsert: a text that is put into a message is in it, what was there is there as it
// was, and the message has the parts that it had, and one more where that is said.
func FuzzInsert(f *testing.F) {
	for _, s := range edittest.Corpus() {
		f.Add(s.Raw, false, false)
		f.Add(s.Raw, true, true)
	}
	f.Fuzz(func(t *testing.T, text string, first, beyond bool) {
		m, err := Open(io.NewSectionReader(strings.NewReader(text), 0, int64(len(text))))
		if err != nil || strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") || strings.Contains(text, "=_sealed") {
			t.Skip()
		}
		for _, f := range m.Header {
			if f.Name == "" { // which no list takes
				t.Skip()
			}
		}
		if !m.Header.Clean() {
			t.Skip()
		}
		said := "The list: https://lists.example.org"
		if beyond {
			said = "Grüße: https://lists.example.org"
		}
		before, doubt, err := leaves(m)
		if err != nil {
			t.Skip()
		}
		was := *m
		outcome, err := m.insert(said, "=_sealed", first, Manner{BesideSigned: beyond})
		if err != nil {
			t.Fatal(err)
		}
		undo(t, m, &was)
		if outcome == Nowhere {
			if whole(t, &was) != whole(t, m) {
				t.Fatal("changed, though nothing was put in")
			}
			return
		}
		again := open(t, whole(t, m))
		after, nowDoubt, err := leaves(again)
		if err != nil || doubt != nowDoubt {
			t.Fatalf("%v, doubt %q and then %q", err, doubt, nowDoubt)
		}
		if outcome == Apart {
			own := after[len(after)-1]
			after = after[:len(after)-1]
			if first {
				all, _, _ := leaves(again)
				own, after = all[0], all[1:]
			}
			if !strings.Contains(decoded(again, own), said) {
				t.Fatalf("the part of its own has %q", raw(again, own))
			}
		}
		if len(before) != len(after) {
			t.Fatalf("%d parts, and then %d:\n%q", len(before), len(after), whole(t, again))
		}
		changed := 0
		for i, e := range before {
			u, v := raw(&was, e), raw(again, after[i])
			if u == v {
				continue
			}
			changed++
			du, dv := decoded(&was, e), decoded(again, after[i])
			kept := strings.TrimRight(du, " \t\r\n")
			if e.Type == "text/plain" && e.Encoding != "quoted-printable" {
				if !first && !strings.HasPrefix(dv, kept) || first && !strings.HasSuffix(dv, du) && !strings.HasPrefix(dv, du) &&
					!strings.HasPrefix(du, "\xef\xbb\xbf") && !strings.HasPrefix(du, "\xff\xfe") && !strings.HasPrefix(du, "\xfe\xff") {
					t.Fatalf("%q became %q", du, dv)
				}
			}
		}
		if outcome == Inside && changed == 0 {
			t.Fatal("nothing is in it")
		}
		if outcome == Apart && changed > 0 {
			t.Fatal("another part has changed")
		}
	})
}

// FuzzTree: the parts of a message lie in each other and in the message.
func FuzzTree(f *testing.F) {
	for _, s := range edittest.Corpus() {
		f.Add(s.Raw)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Open(io.NewSectionReader(strings.NewReader(text), 0, int64(len(text))))
		if err != nil {
			t.Skip()
		}
		root, err := m.tree()
		if err != nil {
			return
		}
		root.All(func(e *parts.Entity) bool {
			if e.At > e.Body || e.Body > e.End || e.End > m.Body.Size() {
				t.Fatalf("%+v in %d", e, m.Body.Size())
			}
			at := e.Body
			for _, p := range e.Parts {
				if p.At < at || p.End > e.End {
					t.Fatalf("%+v in %+v", p, e)
				}
				at = p.End
			}
			return true
		})
	})
}

// FuzzPlainText: no HTML that was shown is left, nothing else is lost, and the message
// is as sure of its parts as it was.
func FuzzPlainText(f *testing.F) {
	for _, s := range edittest.Corpus() {
		f.Add(s.Raw, false)
		f.Add(s.Raw, true)
	}
	f.Fuzz(func(t *testing.T, text string, remove bool) {
		m, err := Open(io.NewSectionReader(strings.NewReader(text), 0, int64(len(text))))
		if err != nil || strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") || !m.Header.Clean() {
			t.Skip()
		}
		if n, _ := m.Header.NoField(); n > 0 {
			t.Skip()
		}
		n, err := m.PlainText(remove, func(*parts.Entity) string { return "[HTML]" })
		if err != nil {
			return
		}
		again := open(t, whole(t, m))
		list, doubt, err := leaves(again)
		if err != nil || doubt != "" && n > 0 {
			t.Fatalf("%v, doubt: %s: %q", err, doubt, whole(t, again))
		}
		for _, e := range list {
			signed := false
			for of := e; of != nil; of = of.Parent {
				signed = signed || stays(of) || of != e && of.Message()
			}
			if e.Type == "text/html" && prose(e) && !signed {
				t.Fatalf("HTML is left: %q", whole(t, again))
			}
		}
	})
}
