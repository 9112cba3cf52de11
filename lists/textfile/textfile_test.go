package textfile

import (
	"bytes"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"":                                    "",
		"a":                                   "a",
		"a\n":                                 "a\n",
		"a\r\nb\r\n":                          "a\nb\n",
		"a\rb":                                "a\nb",
		"\xef\xbb\xbfä\r\n":                   "ä\n",
		"\xef\xbb\xbf":                        "",
		"\xff\xfe":                            "",
		"\xff\xfea\x00\r\x00\n\x00\xe4\x00":   "a\nä",
		"\xfe\xff\x00a\x00\n\xd8\x3d\xde\x00": "a\n\U0001f600",
		"a\x00b\x00":                          "ab",
		"\x00a\x00b":                          "ab",
		"\xff\xfea\x00b":                      "a\ufffd",
		"\xff\xfe\x00\xd8":                    "\ufffd",
		"M\xfcller\n":                         "M\xfcller\n",
	} {
		if got := string(Plain([]byte(in))); got != want {
			t.Errorf("%q is read as %q, want %q", in, got, want)
		}
	}
}

// FuzzPlain: what is in UTF-16 is what it was in UTF-8, and what has been read is
// read as itself.
func FuzzPlain(f *testing.F) {
	f.Add("alice@example.com\r\nbob")
	f.Add("ä\n")
	f.Fuzz(func(t *testing.T, s string) {
		once := Plain([]byte(s))
		if bytes.IndexByte(once, '\r') >= 0 {
			t.Errorf("%q keeps a CR: %q", s, once)
		}
		if !utf8.ValidString(s) {
			return
		}
		for _, little := range []bool{true, false} {
			var wide []byte
			for _, unit := range utf16.Encode([]rune("\ufeff" + s)) {
				if little {
					wide = append(wide, byte(unit), byte(unit>>8))
				} else {
					wide = append(wide, byte(unit>>8), byte(unit))
				}
			}
			if got, want := UTF8(wide), UTF8([]byte("\ufeff"+s)); !bytes.Equal(got, want) && len(s) > 0 {
				t.Errorf("%q is read as %q", s, got)
			}
		}
	})
}
