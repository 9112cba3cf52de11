package edit

import (
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"testing"

	"superlist/lists/parts"
	"superlist/lists/rewrite"
	"superlist/lists/rewrite/edit/edittest"
)

// A stretch is a part of an edited body: what was put in, or what is the author's.
type stretch struct {
	put      string
	at, size int64 // in the original
}

// stretches takes a body apart into what was put in and what was there.
func stretches(b Body, original Body, off, size int64) (list []stretch) {
	if b == original {
		return []stretch{{at: off, size: size}}
	}
	e := b.(*edited)
	for _, p := range e.pieces {
		from, to := max(off, p.at), min(off+size, p.at+p.size)
		if from >= to {
			continue
		}
		at := p.off + from - p.at
		switch of := p.from.(type) {
		case *strings.Reader:
			text := make([]byte, to-from)
			of.ReadAt(text, at)
			list = append(list, stretch{put: string(text)})
		case Body:
			list = append(list, stretches(of, original, at, to-from)...)
		}
	}
	return list
}

// undo takes what was put into a message away again: what is left has to be the
// message that it was, but for a group of base64 that was filled up, whose bytes have
// to stand in what was put there, and for a field of a part that says its character
// set or encoding.
func undo(t *testing.T, m, was *Message) {
	t.Helper()
	var body, put strings.Builder
	at := int64(0)
	text := func(from, to int64) string {
		b, err := io.ReadAll(io.NewSectionReader(was.Body, from, to-from))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	var instead string
	replaced := func(to int64) {
		if gone := text(at, to); gone != "" && !refilled(gone, instead) && !relabelled(gone, instead) {
			t.Errorf("%q is gone, and %q is there", gone, instead)
		}
		body.WriteString(text(at, to))
		instead = ""
	}
	for _, s := range stretches(m.Body, was.Body, 0, m.Body.Size()) {
		if s.put != "" {
			put.WriteString(s.put)
			instead += s.put
			continue
		}
		if s.at < at {
			t.Fatalf("bytes from %d stand behind those before %d", s.at, at)
		}
		replaced(s.at)
		body.WriteString(text(s.at, s.at+s.size))
		at = s.at + s.size
	}
	replaced(was.Body.Size())
	if body.String() != text(0, was.Body.Size()) {
		t.Errorf("%q", body.String())
	}
	var kept rewrite.Header
	for _, f := range was.Header {
		same := func(g rewrite.Field) bool { return string(f.Raw) == string(g.Raw) }
		switch {
		case isContent(f.Name) && strings.Contains(put.String(), string(f.Raw)): // it has gone into a part
		case slices.ContainsFunc(m.Header, same):
			kept = append(kept, f)
		case f.Is("MIME-Version") && f.Value() == "": // it said nothing
		case !relabelled(string(f.Raw), string(m.Header.Bytes(""))):
			t.Errorf("the header has lost %q", f.Raw)
		}
	}
	left := slices.Clone(kept)
	for _, f := range m.Header {
		if len(left) > 0 && string(left[0].Raw) == string(f.Raw) {
			left = left[1:]
		} else if !isContent(f.Name) && !f.Is("MIME-Version") {
			t.Errorf("the header has got %q", f.Raw)
		}
	}
	if len(left) > 0 {
		t.Errorf("in another order: %q", left)
	}
}

// refilled reports whether what stood there is a group of base64, whose bytes are the
// first and the last of what stands there now.
func refilled(gone, now string) bool {
	decode := func(s string) (string, error) {
		b, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\r", "", "\n", "", " ", "", "\t", "").Replace(s))
		return string(b), err
	}
	old, err := decode(gone)
	text, err2 := decode(now)
	if err != nil || err2 != nil || len(old) > 3 {
		return false
	}
	for i := range len(old) + 1 {
		if strings.HasPrefix(text, old[:i]) && strings.HasSuffix(text, old[i:]) {
			return true
		}
	}
	return false
}

// relabelled reports whether a field that was there is there, with another character
// set or encoding.
func relabelled(gone, now string) bool {
	for _, f := range rewrite.Parse([]byte(now)) {
		for _, old := range rewrite.Parse([]byte(gone)) {
			kind, params, err := parts.ContentType(old.Value())
			kind2, params2, err2 := parts.ContentType(f.Value())
			delete(params, "charset")
			delete(params2, "charset")
			if !strings.Contains(kind, "/") {
				kind = "text/plain"
			}
			switch {
			case !f.Is(old.Name):
			case f.Is("Content-Transfer-Encoding"):
				return (old.Value() == "" || strings.EqualFold(old.Value(), "7bit")) && f.Value() == "8bit"
			case f.Is("Content-Type") && err == nil && err2 == nil && kind == kind2 && len(params) == len(params2):
				return true
			}
		}
	}
	return false
}

// TestUndo: what a footer and a text on top have put into a message can be taken away
// again, and what is left are the bytes that were there.
func TestUndo(t *testing.T) {
	for _, s := range edittest.Corpus() {
		for _, text := range []string{footer, german, "Your own: " + Mark + "\n"} {
			t.Run(s.Name, func(t *testing.T) {
				m := open(t, s.Raw)
				for _, first := range []bool{true, false} {
					was := *m
					if _, err := m.insert(text, "=_sealed", first, Manner{AboveSignature: len(text)%2 == 0, BesideSigned: len(text)%2 == 0}); err != nil {
						t.Fatal(err)
					}
					undo(t, m, &was)
				}
			})
		}
	}
}
