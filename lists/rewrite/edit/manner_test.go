package edit

import (
	"strings"
	"testing"

	"superlist/lists/rewrite/edit/edittest"
)

// TestBesideSigned: what is signed or encrypted stays as it is to the byte, in a part of
// its own beside the text. Reports, invitations and what cannot be told have none.
func TestBesideSigned(t *testing.T) {
	apart := map[string]bool{
		"signed": true, "encrypted": true, "S/MIME": true, "S/MIME, clear-signed": true, "S/MIME, encrypted": true, "PGP/MIME over alternatives": true,
		"inline PGP": true, "inline PGP in base64": true, "inline PGP in mixed": true,
		"signed, in capitals": true, "PGP in quoted-printable": true, "S/MIME by its name alone": true, "S/MIME of old": true,
	}
	for _, s := range edittest.Corpus() {
		if s.Want != edittest.Nowhere {
			continue
		}
		m := open(t, s.Raw)
		outcome, err := m.Footer(footer, "=_sealed", Manner{BesideSigned: true})
		if err != nil || (outcome == Apart) != apart[s.Name] {
			t.Errorf("%s: %s %v", s.Name, outcome, err)
		}
		_, body, _ := strings.Cut(s.Raw, "\r\n\r\n")
		if got := whole(t, m); outcome == Apart && !strings.Contains(got, strings.TrimSuffix(body, "--b--\r\nThis is an epilogue.\r\n")) {
			t.Errorf("%s: %s", s.Name, got)
		}
	}
}

// TestAboveSignature: a footer stands above the last line that begins a signature, in each
// encoding, and else at the end.
func TestAboveSignature(t *testing.T) {
	const said = "The list"
	for _, test := range []struct{ fields, text, want string }{
		{"", "Hello.\r\n-- \r\nAlice\r\n", "Hello.\r\nThe list\r\n-- \r\nAlice\r\n"},
		{"", "-- \r\nAlice\r\n", "The list\r\n-- \r\nAlice\r\n"},
		{"", "Hello.\r\n-- \r\nfirst\r\n-- \r\nlast", "Hello.\r\n-- \r\nfirst\r\nThe list\r\n-- \r\nlast"},
		{"", "Hello.\r\n> -- \r\n> Bob\r\n", "Hello.\r\n> -- \r\n> Bob\r\nThe list\r\n"},
		{"", "Hello.\r\n--\r\nAlice\r\n", "Hello.\r\n--\r\nAlice\r\nThe list\r\n"},
		{"", "Hello.\r\n-- ", "Hello.\r\nThe list\r\n-- "},
		{"Content-Type: text/plain; format=flowed\r\n", "Hello \r\n-- \r\nAlice\r\n", "Hello \r\n\r\nThe list\r\n-- \r\nAlice\r\n"},
		{"Content-Type: text/plain; charset=iso-2022-jp\r\n", "\x1b$B$3\r\n-- \r\n$3\x1b(B\r\n", "\x1b$B$3\r\n-- \r\n$3\x1b(B\r\nThe list\r\n"},
	} {
		for _, encoding := range []string{"7bit", "quoted-printable", "base64"} {
			written := test.text
			switch encoding {
			case "quoted-printable":
				written = quotedLines(written)
			case "base64":
				written = edittest.Wrapped(written, 76)
			}
			m := open(t, edittest.Head+"MIME-Version: 1.0\r\n"+test.fields+"Content-Transfer-Encoding: "+encoding+"\r\n\r\n"+written)
			if outcome, err := m.Footer(said, "=_sealed", Manner{AboveSignature: true}); outcome != Inside || err != nil {
				t.Fatal(outcome, err)
			}
			again := open(t, whole(t, m))
			list, _, _ := leaves(again)
			got := decoded(again, list[0])
			if encoding == "base64" { // it may be filled up with empty lines
				got = strings.ReplaceAll(strings.ReplaceAll(got, "The list\r\n\r\n\r\n", "The list\r\n"), "The list\r\n\r\n", "The list\r\n")
			}
			if strings.TrimSuffix(got, "\r\n") != strings.TrimSuffix(test.want, "\r\n") {
				t.Errorf("%s: %q, want %q", encoding, got, test.want)
			}
		}
	}
}

// TestBothApart: where neither can stand in the text a text on top is on top, and a footer at
// the end.
func TestBothApart(t *testing.T) {
	for _, entity := range []string{
		"Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\nmiddle\r\n--s\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--s--\r\n",
		"Content-Type: text/markdown\r\n\r\nmiddle\r\n",
		"Content-Type: text/plain; charset=x-klingon\r\n\r\nmiddle\xfc\r\n",
		"Content-Type: text/plain\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nmiddle\r\n-----BEGIN PGP SIGNATURE-----\r\nx\r\n-----END PGP SIGNATURE-----\r\n",
	} {
		m := open(t, edittest.Head+"MIME-Version: 1.0\r\n"+entity)
		how := Manner{BesideSigned: true}
		if _, err := m.Footer("the end", "=_0", how); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Top("the top", "=_1", how); err != nil {
			t.Fatal(err)
		}
		got := whole(t, m)
		top, middle, end := strings.Index(got, "the top"), strings.Index(got, "middle"), strings.Index(got, "the end")
		if top < 0 || top > middle || middle > end {
			t.Errorf("%s", got)
		}
	}
}

// TestQuotedPage: a page that is quoted within the text is not the text.
func TestQuotedPage(t *testing.T) {
	for page, want := range map[string]string{
		"Hi<blockquote><html><body>old</body></html></blockquote>bye":     "<div>top</div>\r\nHi<blockquote><html><body>old</body></html></blockquote>bye<div>end</div>\r\n",
		"<html><head><title>x</title></head><body>Hi</body></html>\n":     "<html><head><title>x</title></head><body><div>top</div>\r\nHi<div>end</div>\r\n</body></html>\n",
		"<html><body>Hi<html><body>old</body></html></body></html>":       "<html><body><div>top</div>\r\nHi<html><body>old</body></html><div>end</div>\r\n</body></html>",
		"<style>p {}</style><body>Hi</body><script>1 </script><!-- x -->": "<style>p {}</style><body><div>top</div>\r\nHi<div>end</div>\r\n</body><script>1 </script><!-- x -->",
		"<html><body>Hi</body></html>Scanned by a virus scanner.":         "<html><body><div>top</div>\r\nHi</body></html>Scanned by a virus scanner.<div>end</div>\r\n",
	} {
		m := open(t, edittest.Head+"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"+page)
		for _, err := range []error{second(m.Footer("end", "=_0", Manner{})), second(m.Top("top", "=_1", Manner{}))} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, got, _ := strings.Cut(whole(t, m), "\r\n\r\n"); got != want {
			t.Errorf("%q: %q, want %q", page, got, want)
		}
	}
}

func second(_ Outcome, err error) error { return err }
