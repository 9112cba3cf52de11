package parts

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"superlist/lists/rewrite"
)

// oneByOne is find as RFC 2046, 5.1.1 is read: it holds a line against each open
// multipart.
func oneByOne(open []multipart, line []byte) (i int, last bool) {
	word, ok := bytes.CutPrefix(line, []byte("--"))
	if !ok {
		return -1, false
	}
	word = bytes.TrimRight(word, " \t")
	for _, fits := range []func(boundary string) bool{
		func(b string) bool { return string(word) == b },
		func(b string) bool { last = string(word) == b+"--"; return last },
		func(b string) bool { return bytes.HasPrefix(word, []byte(b)) },
	} {
		for i := len(open) - 1; i >= 0; i-- {
			if fits(open[i].boundary) {
				return i, last
			}
		}
	}
	return -1, false
}

// TestFind: what is found is what is found one by one, whichever multiparts are open.
func TestFind(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		w := make([]byte, random.IntN(7))
		for i := range w {
			w[i] = "ab- "[random.IntN(4)]
		}
		return string(w)
	}
	for range 2000 {
		var b boundaries
		for range 20 {
			if boundary := strings.TrimRight(word(), " \t"); boundary != "" {
				b.push(multipart{boundary: boundary})
			}
			for range 5 {
				line := []byte("--" + word())
				i, last := b.find(line)
				if wantI, wantLast := oneByOne(b.open, line); i != wantI || last != wantLast {
					t.Fatalf("%q among %v: %d %v, want %d %v", line, b.open, i, last, wantI, wantLast)
				}
				if i >= 0 && random.IntN(2) == 0 {
					b.keep(i)
				}
			}
		}
	}
}

// deepest opens as many multiparts in each other as there may be, with boundaries
// that have all but their ends in common, or that begin each other.
func deepest(boundary func(i int) string) (rewrite.Header, string) {
	var body strings.Builder
	for i := range MaxDepth {
		fmt.Fprintf(&body, "--%s\r\nContent-Type: multipart/mixed; boundary=%s\r\n\r\n", boundary(i), boundary(i+1))
	}
	return rewrite.Parse([]byte("Content-Type: multipart/mixed; boundary=" + boundary(0) + "\r\n")), body.String()
}

// TestLinesAreCheap: what a line costs does not grow with the multiparts that are
// open.
func TestLinesAreCheap(t *testing.T) {
	const lines = 10000
	alike := func(i int) string { return strings.Repeat("x", 200) + fmt.Sprintf("%03d", i) }
	begun := func(i int) string { return strings.Repeat("x", i+1) }
	for name, test := range map[string]struct {
		boundary func(int) string
		line     string
	}{
		"one dash more": {alike, "---\r\n"},
		"two dashes":    {alike, "--\r\n"},
		"nearly one":    {alike, "--" + alike(0)[:202] + "-\r\n"},
		"before all":    {alike, "--!\r\n"},
		"behind all":    {alike, "--~\r\n"},
		"begun":         {begun, "--y" + begun(MaxDepth) + "\r\n"},
	} {
		h, body := deepest(test.boundary)
		w := newWalk(strings.NewReader(body+strings.Repeat(test.line, lines)), func(Part) error { return nil })
		if err := w.message(h); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if w.compared > 8*(lines+MaxDepth) { // 2^7 are more than MaxDepth
			t.Errorf("%s: %d lines were held against %d boundaries", name, lines, w.compared)
		}
	}
}

// TestFieldLimits: parameters and fields may be as many and as large as that.
func TestFieldLimits(t *testing.T) {
	params := func(n int) string { return "Content-Type: text/plain" + strings.Repeat(";a=b", n) + "\r\n" }
	size := func(n int) string {
		return "Content-Disposition: " + strings.Repeat("x", n) + "\r\n"
	}
	pieces := "Content-Disposition: attachment"
	for i := range MaxParams {
		pieces += fmt.Sprintf("; filename*%d=%d", i, i%10)
	}
	for name, test := range map[string]struct {
		header string
		ok     bool
	}{
		"parameters below": {params(MaxParams), true}, "parameters above": {params(MaxParams + 1), false},
		"size below": {size(MaxField), true}, "size above": {size(MaxField + 1), false},
		"fields below": {"Content-Type: message/rfc822\r\n", true}, "fields above": {"Content-Type: message/rfc822\r\n", false},
		"pieces": {pieces + "\r\n", true},
	} {
		names := ""
		body := strings.Repeat("a:b\r\n c\r\n", MaxFields)
		if name == "fields above" {
			body += "a:b\r\n"
		}
		err := Walk(rewrite.Parse([]byte(test.header)), strings.NewReader(body), func(p Part) error { names = strings.Join(p.Names, " "); return nil })
		if (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
		if name == "pieces" && names != strings.Repeat("0123456789", MaxParams/10) {
			t.Errorf("%s: %q", name, names)
		}
	}
}

var hostile = map[string]func() (rewrite.Header, io.Reader){
	"lines that nearly are a boundary": func() (rewrite.Header, io.Reader) {
		h, body := deepest(func(i int) string { return fmt.Sprintf("%03d", i) + strings.Repeat("x", 240) })
		return h, strings.NewReader(body + strings.Repeat("--099"+strings.Repeat("x", 230)+"\r\n", (24<<20)/237))
	},
	"three dashes": func() (rewrite.Header, io.Reader) {
		h, body := deepest(func(i int) string { return fmt.Sprintf("%03d", i) + strings.Repeat("x", 240) })
		return h, strings.NewReader(body + strings.Repeat("---\r\n", 5<<20))
	},
	"empty lines": func() (rewrite.Header, io.Reader) {
		h, body := deepest(func(i int) string { return fmt.Sprint(i) })
		return h, strings.NewReader(body + strings.Repeat("\r\n", 12<<20))
	},
	"large headers": func() (rewrite.Header, io.Reader) {
		return rewrite.Parse([]byte("Content-Type: multipart/mixed; boundary=b\r\n")),
			strings.NewReader(strings.Repeat("--b\r\n"+strings.Repeat("a:"+strings.Repeat(" \r\n", 11)+"\r\n", MaxFields)+"\r\n", MaxParts/3))
	},
	"names in words": func() (rewrite.Header, io.Reader) {
		return rewrite.Parse([]byte("Content-Type: multipart/mixed; boundary=b\r\n")),
			strings.NewReader(strings.Repeat("--b\r\nContent-Disposition: a; filename="+strings.Repeat("=?a?q? ", MaxField/7-10)+"\r\n\r\n", 1600))
	},
}

// BenchmarkHostile is what 24 MiB cost that are made to cost much.
func BenchmarkHostile(b *testing.B) {
	for name, make := range hostile {
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			for b.Loop() {
				h, body := make()
				if err := Walk(h, body, func(Part) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
