package body

import (
	"strings"
	"testing"
)

// TestText: the first text of a mail, in each wrapping.
func TestText(t *testing.T) {
	part := func(contentType, rest, text string) string {
		return "--b\nContent-Type: " + contentType + "\n" + rest + "\n" + text + "\n"
	}
	html := part("text/html; charset=utf-8", "", "<p>html</p>")
	for _, test := range []struct{ name, contentType, encoding, body, want string }{
		{"nothing said", "", "", "hello\n", "hello"},
		{"CRLF", "text/plain", "7bit", "a\r\nb\r\n", "a\nb"},
		{"base64", "text/plain; charset=utf-8", "base64", "c3Vic2NyaWJlCg==\n", "subscribe"},
		{"base64 with no padding", "text/plain", "BASE64 ", "c3Vic2NyaWJlCg\n", "subscribe"},
		{"base64 with a footer in the clear", "text/plain", "base64", "c3Vic2NyaWJlCg==\n--\n", "subscribe"},
		{"quoted-printable", "text/plain; charset=utf-8", "quoted-printable", "sch=C3=B6n =\nhier=\n", "schön hier"},
		{"quoted-printable, damaged", "text/plain; charset=utf-8", "quoted-printable", "50=% =ZZ =C3=B6", "50=% =ZZ ö"},
		{"Latin-1", "text/plain; charset=\"iso-8859-1\"", "quoted-printable", "sch=F6ne Gr=FC=DFe", "schöne Grüße"},
		{"KOI8-R", "text/plain; charset=koi8-r", "8bit", "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"},
		{"a character set that nobody knows", "text/plain; charset=x-klingon", "8bit", "gr\xfc\xdfe", "grüße"},
		{"a broken Content-Type", "text/plain; charset=iso-8859-1; ; name", "8bit", "gr\xfc\xdfe", "grüße"},
		{"HTML", "text/html", "", "<html><head><style>p{}</style><title>x</title></head><body><p>Hello&nbsp;&amp;\n welcome</p><div>b<br>c</div></body></html>", "Hello & welcome\n\nb\nc"},
		{"HTML that quotes", "text/html", "", "<div>no</div><blockquote><div>x<p>y</div></blockquote><div>z</div>", "no\n> x\n> y\nz"},
		{"HTML of Gmail's", "text/html", "", `<div dir="ltr">no</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On … wrote:<br></div><blockquote class="gmail_quote"><div>x</div></blockquote></div>`, "no\n\n>> On … wrote:\n>> x"},
		{"HTML of Outlook's", "text/html", "", `<div>no</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> dev<br></div><div>x</div>`, "no\n" + cutLine + "\n" + cutLine + "\nFrom: dev\nx"},
		{"HTML with pre", "text/html", "", "<pre>a\n  b\n</pre>", "a\n  b"},
		{"alternative", "multipart/alternative; boundary=b", "", part("text/plain", "", "plain") + html + "--b--\n", "plain"},
		{"alternative, HTML first", "multipart/alternative; boundary=b", "", html + part("text/plain", "", "plain") + "--b--\n", "plain"},
		{"alternative, the plain one empty", "multipart/alternative; boundary=b", "", part("text/plain", "", " ") + html + "--b--\n", "html"},
		{"mixed, an attachment first", "multipart/mixed; boundary=b", "", part("text/plain", "Content-Disposition: attachment; filename=x\n", "x") + part("text/plain", "", "text") + "--b--\n", "text"},
		{"signed, in it alternative", "multipart/signed; boundary=\"b\"", "", "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nin\n--c--\n--b--\n", "in"},
		{"without an end", "multipart/mixed; boundary=b", "", part("text/plain", "", "text"), "text"},
		{"a report is no text", "multipart/report; boundary=b", "", part("text/plain", "", "text") + "--b--\n", ""},
		{"a picture", "image/png", "base64", "AAAA", ""},
		{"flowed", "text/plain; format=flowed", "", "a \nb\n\n> c \n> d\ne\n-- \nm \n", "a b\n\n> c d\ne\n-- \nm "},
		{"flowed, delsp", "text/plain; format=flowed; delsp=yes", "", "con \nfirm \n", "confirm"},
		{"a byte order mark", "text/plain; charset=utf-8", "", "\xef\xbb\xbfhelp", "help"},
	} {
		got, err := Text(test.contentType, test.encoding, strings.NewReader(strings.ReplaceAll(strings.ReplaceAll(test.body, "\r\n", "\n"), "\n", "\r\n")))
		if err != nil || got != test.want {
			t.Errorf("%s: %q, %v; want %q", test.name, got, err, test.want)
		}
	}
}

// TestTextIsBounded: parts, depth and size have limits, on both sides of which is a
// text or none.
func TestTextIsBounded(t *testing.T) {
	nested := func(depth int) string {
		body := "\r\ndeep\r\n"
		for i := depth; i > 0; i-- {
			bound := strings.Repeat("b", i)
			body = "--" + bound + "\r\n" + body + "--" + bound + "--\r\n"
			if i > 1 {
				body = "Content-Type: multipart/mixed; boundary=" + bound + "\r\n\r\n" + body
			}
		}
		return body
	}
	empty := func(n int) string {
		return strings.Repeat("--b\r\nContent-Type: image/png\r\n\r\n\r\n", n) + "--b\r\n\r\ndeep\r\n--b--\r\n"
	}
	long := strings.Repeat("x", maxPart)
	for name, test := range map[string]struct{ body, want string }{
		"parts":           {empty(maxParts - 1), "deep"},
		"a part too many": {empty(maxParts), ""},
		"size":            {"--b\r\n\r\n" + long + "yyy\r\n--b--\r\n", long},
		"depth":           {nested(maxDepth), "deep"},
		"too deep":        {nested(maxDepth + 1), ""},
	} {
		if got, err := Text("multipart/mixed; boundary=b", "", strings.NewReader(test.body)); err != nil || got != test.want {
			t.Errorf("%s: %.40q, %v", name, got, err)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("multipart/mixed; boundary=b", "", "--b\r\n\r\nx\r\n--b--\r\n")
	f.Add("text/html", "quoted-printable", "<blockquote>a</div><b>c")
	f.Fuzz(func(t *testing.T, contentType, encoding, body string) {
		text, err := Text(contentType, encoding, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if strings.ToValidUTF8(text, "") != text || strings.Contains(text, "\r") {
			t.Fatalf("%q", text)
		}
	})
}
