package bounces

import (
	"bytes"

	"superlist/lists"
	"superlist/smtp"
)

// maxReturnPaths is how many addresses in a complaint are looked up.
const maxReturnPaths = 20

// ReturnPaths returns the addresses in a text that may be return paths of lists: a
// complaint returns the message, in some form.
func ReturnPaths(text []byte, delimiter string) (paths []smtp.Path) {
	text = bytes.ReplaceAll(text, []byte("=\r\n"), nil) // quoted-printable
	text = bytes.ReplaceAll(text, []byte("=\n"), nil)
	text = bytes.ReplaceAll(text, []byte("=3D"), []byte("="))
	lower := bytes.ToLower(text)
	seen := make(map[string]bool)
	for _, verb := range []string{lists.VerbBounces, lists.VerbProbe} {
		mark := []byte(delimiter + verb)
		for at := 0; len(paths) < maxReturnPaths; {
			i := bytes.Index(lower[at:], mark)
			if i < 0 {
				break
			}
			at += i
			begin, end := at, at
			for begin > 0 && !ends(text[begin-1]) && text[begin-1] != '=' && at-begin < smtp.MaxPath {
				begin--
			}
			for end < len(text) && !ends(text[end]) && end-at < smtp.MaxPath {
				end++
			}
			at = max(end, at+len(mark))
			p, ok := smtp.ParseAddress(string(text[begin:end]))
			if ok && !seen[p.Key()] {
				seen[p.Key()] = true
				paths = append(paths, p)
			}
		}
	}
	return paths
}

// ends reports whether a character cannot be in an address without quotes.
func ends(c byte) bool {
	return c <= ' ' || c == 0x7f || bytes.IndexByte([]byte(`<>()[],;:"`), c) >= 0
}
