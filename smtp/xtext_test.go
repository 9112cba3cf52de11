package smtp

import "testing"

func TestXtext(t *testing.T) {
	for _, test := range []struct{ plain, encoded string }{
		{"", ""},
		{"mail.example.com", "mail.example.com"},
		{"a+b=c@example.com", "a+2Bb+3Dc@example.com"},
		{"two words", "two+20words"},
		{"\r\n\x00\x7f", "+0D+0A+00+7F"},
		{"ü", "+C3+BC"},
		{"!~", "!~"}, // the first and the last that need nothing
	} {
		if got := encodeXtext(test.plain); got != test.encoded {
			t.Errorf("encode %q: %q, want %q", test.plain, got, test.encoded)
		}
		if got, ok := decodeXtext(test.encoded); !ok || got != test.plain {
			t.Errorf("decode %q: %q, %v, want %q", test.encoded, got, ok, test.plain)
		}
	}
	if got, ok := decodeXtext("+c3+bC+2b"); !ok || got != "ü+" {
		t.Errorf("lower case: %q, %v", got, ok)
	}
	// What need not be encoded may be.
	if got, ok := decodeXtext("+41"); !ok || got != "A" {
		t.Errorf("+41: %q, %v", got, ok)
	}
	for _, s := range []string{"+", "+4", "a+", "+4G", "+G4", "++41", "a b", "a=b", "\x7f", "ü", "a\rb", "\x00"} {
		if got, ok := decodeXtext(s); ok {
			t.Errorf("decode %q: %q, want a refusal", s, got)
		}
	}
}

// FuzzXtext: whatever is encoded comes back, without a byte that could end a
// word of a command, and what is taken as xtext means the same encoded anew.
func FuzzXtext(f *testing.F) {
	for _, s := range []string{"", "mail.example.com", "a+b=c", "+41", "+4", "\r\n", "ü", "+c3+BC"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		encoded := encodeXtext(s)
		for i := range len(encoded) {
			if c := encoded[i]; c <= ' ' || c > '~' || c == '=' {
				t.Fatalf("%q encoded has %q in it", s, c)
			}
		}
		if got, ok := decodeXtext(encoded); !ok || got != s {
			t.Fatalf("%q comes back as %q, %v", s, got, ok)
		}
		plain, ok := decodeXtext(s)
		if !ok {
			return
		}
		if got, ok := decodeXtext(encodeXtext(plain)); !ok || got != plain {
			t.Fatalf("%q means %q, and then %q", s, plain, got)
		}
	})
}
