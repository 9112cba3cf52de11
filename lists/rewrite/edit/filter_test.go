package edit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"superlist/lists/parts"
	"superlist/lists/rewrite/edit/edittest"
)

// shape is what a message is made of: the types of its parts, and the beginning of what
// each text says.
func shape(t *testing.T, m *Message) string {
	t.Helper()
	list, doubt, err := leaves(open(t, whole(t, m)))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range list {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString(e.Type)
		if strings.HasPrefix(e.Type, "text/") {
			fmt.Fprintf(&b, " %q", strings.TrimSpace(decoded(open(t, whole(t, m)), e)))
		}
	}
	if doubt != "" {
		b.WriteString(" (" + doubt + ")")
	}
	return b.String()
}

const (
	plainPart = "Content-Type: text/plain\r\n\r\nplain\r\n"
	htmlPart  = "Content-Type: text/html\r\n\r\n<p>see <a href=\"https://x.example/\">this</a></p>\r\n"
	image     = "Content-Type: image/png\r\nContent-ID: <i@x>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBO\r\n"
	virus     = "Content-Type: application/octet-stream; name=\"a.EXE \"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nTVo=\r\n"
)

func multi(kind, boundary string, parts ...string) string {
	s := "Content-Type: multipart/" + kind + "; boundary=" + boundary + "\r\n\r\npreamble\r\n"
	for _, p := range parts {
		s += "--" + boundary + "\r\n" + p + "\r\n"
	}
	return s + "--" + boundary + "--\r\nepilogue\r\n"
}

func note(e *parts.Entity) string { return "[" + e.Type + " removed]" }

func exe(p parts.Part) bool {
	return slices.ContainsFunc(p.Names, func(n string) bool { return path.Ext(strings.ToLower(n)) == ".exe" })
}

// TestRemove: what is taken away leaves a note where it was, and nothing else changes.
func TestRemove(t *testing.T) {
	const gone = `text/plain "[application/octet-stream removed]"`
	for _, test := range []struct{ raw, want string }{
		{plainPart, `text/plain "plain"`},
		{virus, gone},
		{multi("mixed", "b", plainPart, virus), `text/plain "plain", ` + gone},
		{multi("mixed", "b", virus, plainPart, virus), gone + `, text/plain "plain", ` + gone},
		{multi("mixed", "b", virus), gone},
		{multi("mixed", "b", plainPart, multi("mixed", "bb", virus, image)), `text/plain "plain", ` + gone + `, image/png`},
		{multi("mixed", "b", plainPart, "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n"+virus), `text/plain "plain", ` + gone},
		{multi("mixed", "b", plainPart, "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n"+multi("mixed", "bb", plainPart, virus)), `text/plain "plain", text/plain "plain", ` + gone},
		{multi("signed", "b", virus, "Content-Type: application/pgp-signature\r\n\r\nx\r\n"), "application/octet-stream, application/pgp-signature"},
		{strings.Replace(multi("mixed", "b", plainPart, virus), "--b--\r\nepilogue\r\n", "", 1), `text/plain "plain", ` + gone},
	} {
		m := open(t, edittest.Head+"MIME-Version: 1.0\r\n"+test.raw)
		before := whole(t, m)
		n, err := m.Remove(exe, note)
		if err != nil {
			t.Errorf("%q: %v", test.raw, err)
		}
		if got := shape(t, m); got != test.want || n != strings.Count(test.want, "removed]") {
			t.Errorf("%q: %d gone: %s, want %s\n%q", test.raw, n, got, test.want, whole(t, m))
		}
		if n == 0 && whole(t, m) != before {
			t.Errorf("%q: changed", test.raw)
		}
	}
	for _, unclear := range []string{
		multi("mixed", "b", plainPart) + "--b\r\n" + virus + "\r\n--b--\r\n",
		"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + edittest.Wrapped("--b\r\n"+virus+"--b--", 76),
	} {
		m := open(t, edittest.Head+"MIME-Version: 1.0\r\n"+unclear)
		if _, err := m.Remove(exe, note); err != ErrUnclear {
			t.Errorf("%q: %v", unclear, err)
		}
	}
}

// TestPlainText: html = "to-text" and "remove".
func TestPlainText(t *testing.T) {
	const text, said = `text/plain "plain"`, `text/plain "see this <https://x.example/>"`
	related := multi("related", "rel", htmlPart, image)
	for _, test := range []struct{ raw, toText, remove string }{
		{plainPart, text, text},
		{htmlPart, said, said},
		{multi("alternative", "b", plainPart, htmlPart), text, text},
		{multi("alternative", "b", htmlPart, plainPart), text, text},
		{multi("alternative", "b", htmlPart, htmlPart, plainPart), text, text},
		{multi("alternative", "b", plainPart, htmlPart, htmlPart), text, text},
		{multi("alternative", "b", htmlPart, plainPart, htmlPart), text, text},
		{multi("alternative", "b", htmlPart), said, said},
		{multi("alternative", "b", "Content-Type: text/plain\r\n\r\n", htmlPart), `text/plain "", ` + said, `text/plain "", ` + said},
		{multi("alternative", "b", plainPart, related), text, text},
		{multi("alternative", "b", plainPart, multi("mixed", "m", htmlPart, virus)), text + ", " + said + ", application/octet-stream",
			text + `, text/plain "[text/html removed]", application/octet-stream`},
		{related, said + ", image/png", said + ", image/png"},
		{multi("mixed", "b", plainPart, htmlPart), text + ", " + said, text + `, text/plain "[text/html removed]"`},
		{multi("mixed", "b", htmlPart, virus), said + ", application/octet-stream", said + ", application/octet-stream"},
		{multi("mixed", "b", plainPart, strings.Replace(htmlPart, "text/html", "text/html; name=page.html", 1)),
			text + ", text/html " + `"<p>see <a href=\"https://x.example/\">this</a></p>"`, text + ", text/html " + `"<p>see <a href=\"https://x.example/\">this</a></p>"`},
		{multi("signed", "b", htmlPart, "Content-Type: application/pgp-signature\r\n\r\nx\r\n"), `text/html "<p>see <a href=\"https://x.example/\">this</a></p>", application/pgp-signature`,
			`text/html "<p>see <a href=\"https://x.example/\">this</a></p>", application/pgp-signature`},
	} {
		for remove, want := range map[bool]string{false: test.toText, true: test.remove} {
			m := open(t, edittest.Head+"MIME-Version: 1.0\r\n"+test.raw)
			if _, err := m.PlainText(remove, note); err != nil {
				t.Errorf("%q: %v", test.raw, err)
			}
			if got := shape(t, m); got != want {
				t.Errorf("%q, remove %t: %s, want %s\n%q", test.raw, remove, got, want, whole(t, m))
			}
		}
	}
}

// TestFilteredDefects: Python's email finds nothing wrong with what is left that it did
// not find before.
func TestFilteredDefects(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	var in bytes.Buffer
	out := json.NewEncoder(&in)
	for _, s := range edittest.Corpus() {
		for _, what := range []string{"html", "remove", "images"} {
			m := open(t, s.Raw)
			before := whole(t, m)
			var n int
			var err error
			switch what {
			case "images":
				n, err = m.Remove(func(p parts.Part) bool { return strings.HasPrefix(p.Type, "image/") }, note)
			default:
				n, err = m.PlainText(what == "remove", note)
			}
			if err != nil && err != ErrUnclear {
				t.Errorf("%s: %v", s.Name, err)
			}
			if after := whole(t, m); n == 0 && after != before {
				t.Errorf("%s: changed for nothing", s.Name)
			}
			out.Encode(map[string]any{"name": s.Name + ", " + what, "before": []byte(before), "after": []byte(whole(t, m)), "outcome": "defects"})
		}
	}
	c := exec.Command(python, "testdata/compare.py")
	c.Stdin = &in
	if found, err := c.CombinedOutput(); err != nil || len(found) > 0 {
		t.Errorf("%v\n%s", err, found)
	}
}

// TestMemory: what is in memory does not grow with the message.
func TestMemory(t *testing.T) {
	big := edittest.Head + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + plainPart + "\r\n--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
	line := strings.Repeat("QUJD", 19) + "\r\n"
	tail := "\r\n--b--\r\n"
	const lines = 200_000 // 15 MB
	body := &repeated{head: big, line: line, n: lines, tail: tail}
	m, err := Open(io.NewSectionReader(body, 0, body.size()))
	if err != nil {
		t.Fatal(err)
	}
	allocated := testing.Benchmark(func(b *testing.B) {
		for b.Loop() {
			again := *m
			if outcome, err := again.Footer(footer, "x", Manner{}); outcome != Inside || err != nil {
				b.Fatal(outcome, err)
			}
			if n, err := io.Copy(io.Discard, again.Reader()); err != nil || n < body.size() {
				b.Fatal(n, err)
			}
		}
	}).AllocedBytesPerOp()
	if allocated > 2<<20 {
		t.Errorf("%d bytes for a message of %d", allocated, body.size())
	}
}

// A repeated is a large message that is nowhere.
type repeated struct {
	head, line, tail string
	n                int64
}

func (r *repeated) size() int64 {
	return int64(len(r.head)) + r.n*int64(len(r.line)) + int64(len(r.tail))
}

func (r *repeated) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		var from string
		switch at := off - int64(len(r.head)); {
		case at < 0:
			from = r.head[off:]
		case at < r.n*int64(len(r.line)):
			from = r.line[at%int64(len(r.line)):]
		default:
			if at -= r.n * int64(len(r.line)); at >= int64(len(r.tail)) {
				return n, io.EOF
			}
			from = r.tail[at:]
		}
		k := copy(p[n:], from)
		n, off = n+k, off+int64(k)
	}
	return n, nil
}
