package verp

import (
	"testing"

	"superlist/smtp"
)

// TestWord: an address and its word stand for the same person, however either is spelt.
func TestWord(t *testing.T) {
	for address, want := range map[string]string{
		"alice@example.com": "alice=example.com", "a=b@example.com": "a=b=example.com", `"a b"@example.com`: "a b=example.com",
		"jörg@bücher.example": "jörg=xn--bcher-kva.example",
	} {
		p, ok := smtp.ParseAddress(address)
		if !ok {
			t.Fatal(address)
		}
		word := Word(p)
		if word != want {
			t.Errorf("%s is %s, want %s", address, word, want)
		}
		if back, ok := Path(word); !ok || back.Key() != p.Key() {
			t.Errorf("%s is %v, %t", word, back, ok)
		}
	}
	for word, want := range map[string]string{
		"Alice=Example.COM": "alice=example.com", "JÖRG=xn--bcher-kva.example": "jörg=xn--bcher-kva.example", "jörg=BÜCHER.example": "jörg=xn--bcher-kva.example",
		"0A1B": "0a1b", "": "",
	} {
		if got := Fold(word); got != want {
			t.Errorf("%s is folded to %s, want %s", word, got, want)
		}
	}
	for _, word := range []string{"", "alice", "alice=", "alice=exa mple.com"} {
		if p, ok := Path(word); ok {
			t.Errorf("%q is %s", word, p)
		}
	}
}
