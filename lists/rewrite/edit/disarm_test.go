package edit

import (
	"fmt"
	"strings"
	"testing"

	"superlist/lists/rewrite/edit/edittest"
	"superlist/lists/token"
)

// TestDisarm: the proof of a link is gone from wherever a program quotes it, and nothing
// else has changed.
func TestDisarm(t *testing.T) {
	const base = "https://lists.example.org/leave"
	proof := "kz3-" + strings.Repeat("a1b2c3d4", 9)[:token.Len]
	link := base + "/dev@lists.example.org/bob=example.net/" + proof
	gone := strings.Replace(link, proof, "kz3-"+strings.Repeat("x", len(proof)-4), 1)
	for _, test := range []struct{ text, want string }{
		{"Leave: " + link + "\r\n", "Leave: " + gone + "\r\n"},
		{link, gone},
		{"> " + link + "\r\n> more", "> " + gone + "\r\n> more"},
		{"<a href=\"" + link + "\">" + link + "</a>", "<a href=\"" + gone + "\">" + gone + "</a>"},
		{"<" + link + ">, <" + link + ">", "<" + gone + ">, <" + gone + ">"},
		{"> " + link[:50] + "\r\n> " + link[50:90] + "\r\n> " + link[90:] + "\r\n> x", ""},
		{"> " + link[:len(link)-5] + "\r\n> " + link[len(link)-5:] + "\r\nHello", "> " + gone[:len(link)-5] + "\r\n> xxxxx\r\nHello"},
		{"HTTPS://LISTS.EXAMPLE.ORG/leave" + strings.TrimPrefix(link, base), "HTTPS://LISTS.EXAMPLE.ORG/leave" + strings.TrimPrefix(gone, base)},
		{strings.Replace(link, "dev@", "dev%40", 1), strings.Replace(gone, "dev@", "dev%40", 1)},
		{"https://https://lists.example.org/leave" + strings.TrimPrefix(link, base), "https://https://lists.example.org/leave" + strings.TrimPrefix(gone, base)},
		{"See " + base + "/help\r\n" + link + "\r\n", "See " + base + "/help\r\n" + gone + "\r\n"},
		{base + "/" + link, base + "/" + gone},
		{base + "/help and " + base, base + "/help and " + base},
		{"https://other.example.org/dev/bob/" + proof, "https://other.example.org/dev/bob/" + proof},
		{"no link", "no link"},
	} {
		if test.want == "" {
			test.want = "> " + gone[:50] + "\r\n> " + gone[50:90] + "\r\n> " + gone[90:] + "\r\n> x"
		}
		for _, encoding := range []string{"7bit", "quoted-printable", "base64", "base64 of 7"} {
			written := test.text
			switch encoding {
			case "quoted-printable":
				written = quotedLines(written)
			case "base64":
				written = edittest.Wrapped(written, 76)
			case "base64 of 7":
				written = edittest.Wrapped(written, 7)
			}
			name, _, _ := strings.Cut(encoding, " ")
			raw := edittest.Head + "MIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: " + name + "\r\n\r\n" + written
			m := open(t, raw)
			n, err := m.Disarm(base)
			if err != nil {
				t.Fatal(err)
			}
			again := open(t, whole(t, m))
			list, _, _ := leaves(again)
			got := decoded(again, list[0])
			if strings.TrimRight(got, "\r\n") != strings.TrimRight(test.want, "\r\n") || (n > 0) != (test.want != test.text) {
				t.Errorf("%s: %q: %d, %q, want %q", encoding, test.text, n, got, test.want)
			}
			if len(whole(t, m)) != len(raw) || n == 0 && whole(t, m) != raw {
				t.Errorf("%s: %q: more has changed: %q", encoding, test.text, whole(t, m))
			}
		}
	}
	attached := "Content-Type: message/rfc822\r\n\r\nList-Unsubscribe: <" + link + ">,\r\n <mailto:x@y.example>\r\n\r\n" + link + "\r\n"
	m := open(t, edittest.Head+"MIME-Version: 1.0\r\n"+attached)
	if n, err := m.Disarm(base); n != 2 || err != nil || strings.Contains(whole(t, m), proof) {
		t.Errorf("%d %v %s", n, err, whole(t, m))
	}
	signed := fmt.Sprintf("%sMIME-Version: 1.0\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n%s\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n", edittest.Head, link)
	m = open(t, signed)
	if n, err := m.Disarm(base); n != 0 || err != nil || whole(t, m) != signed {
		t.Errorf("signed: %d %v", n, err)
	}
	for _, s := range edittest.Corpus() {
		m := open(t, s.Raw)
		if n, err := m.Disarm(base); n != 0 || err != nil {
			t.Errorf("%s: %d %v", s.Name, n, err)
		}
	}
}

// TestDisarmAnyHost: the base is found whatever of it comes right before it.
func TestDisarmAnyHost(t *testing.T) {
	for _, base := range []string{"https://h.example/leave", "https://htt.example", "https://https.example/https", "https://lists.example.org/leave"} {
		for i := range len(base) + 1 {
			link := base[:i] + base + "/dev/kz3-" + strings.Repeat("a", token.Len) + "\r\n"
			m := open(t, edittest.Head+"\r\n"+link)
			if n, err := m.Disarm(base); n == 0 || err != nil || strings.Contains(whole(t, m), "aaaa") {
				t.Errorf("%q: %d, %v", link, n, err)
			}
		}
	}
}
