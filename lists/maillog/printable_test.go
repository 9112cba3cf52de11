package maillog

import "testing"

// TestPrintable: what a terminal obeys, and what nobody sees, is shown as a
// question mark; letters of the world are not.
func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"a\x00b\tc\nd\re\x1b[2J":                           "a?b?c?d?e?[2J",
		"\x7f\u0080\u009b31m\u009f":                        "???31m?",
		"\x9b31m":                                          "\ufffd31m", // C1 as one byte
		"\u061c\u200e\u200f\u202a\u202e":                   "?????",
		"\u2066\u2069\u2028\u2029":                         "????",
		"a\u200b\u200c\u200d\u2060\ufeff\u00adb\U000e0041": "a??????b?",
		"José Müller 山田 مرحبا \u00a0e\u0301 😀":             "José Müller 山田 مرحبا \u00a0e\u0301 😀",
	} {
		if got := Printable(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
