package author

import "testing"

// TestAligned: a domain speaks for an author of its own organisation, and a registry for nobody.
func TestAligned(t *testing.T) {
	for _, test := range []struct {
		signer, author string
		want           bool
	}{
		{"example.com", "example.com", true},
		{"example.com", "Example.COM", true},
		{"mail.example.com", "example.com", true},
		{"a.example.com", "b.example.com", true},
		{"example.com", "example.net", false},
		{"example.com", "badexample.com", false},
		{"co.uk", "example.co.uk", false},
		{"one.co.uk", "two.co.uk", false},
		{"mail.one.co.uk", "one.co.uk", true},
		{"one.github.io", "two.github.io", false},
		{"xn--bcher-kva.example", "bücher.example", true},
		{"com", "com", true},
		{"example.com", "[192.0.2.1]", false},
	} {
		if got := aligned(test.signer, test.author); got != test.want {
			t.Errorf("%s for %s: %v", test.signer, test.author, got)
		}
	}
}
