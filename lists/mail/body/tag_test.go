package body

import (
	"slices"
	"strings"
	"testing"

	tokens "golang.org/x/net/html"
)

// FuzzTag: texts and attributes are those that x/net/html finds.
func FuzzTag(f *testing.F) {
	for _, s := range []string{
		`<a href="https://x.example/?a=1&copy=2&amp;b=3&lt=4&lt" title='&quot;x&quot;' x>a &lt;b&gt; &copy;right &notit;</a>`,
		"<p class=a\rid=b/>one\r\ntwo\rthree", `<a/b=c =d e= f g="h"i='j'k=l>`, "<xmp>&amp;\x00</xmp>&amp;\x00", "<iframe/>&lt;</iframe>",
		"<textarea>&lt;</textarea><plaintext>&lt;", `<a b="&semi;&fjlig;&#38;&#x26&#38 &&;&nosuch;&ampx;&amp" B=c>`, "<a b=c", `<a b="c`, "<a / b>", "<a b\x00=\x00>", "<a\x00 b>", "<!-- &amp; --><!doctype &amp;>",
		"<A HREF=//X/>", "<a b==c>", "<a b=/c/>", "<a =>", "<a >",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ours, theirs := tokens.NewTokenizer(strings.NewReader(s)), tokens.NewTokenizer(strings.NewReader(s))
		for raw := false; ; {
			kind := ours.Next()
			theirs.Next()
			if kind == tokens.ErrorToken {
				return
			}
			literal := string(ours.Raw())
			want := theirs.Token()
			switch kind {
			case tokens.TextToken:
				if got := text(ours, raw); got != want.Data {
					t.Errorf("%q: text %q, want %q", s, got, want.Data)
				}
			case tokens.StartTagToken, tokens.SelfClosingTagToken:
				var list []tokens.Attribute
				for name, value := range (tag{want.DataAtom, literal}).attributes() {
					list = append(list, tokens.Attribute{Key: name, Val: value})
				}
				if !slices.Equal(list, want.Attr) {
					t.Errorf("%q: %q has %q, want %q", s, literal, list, want.Attr)
				}
			}
			raw = rawText(want.DataAtom) && kind != tokens.EndTagToken
		}
	})
}
