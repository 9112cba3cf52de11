package token

import (
	"strings"
	"testing"
)

func TestMake(t *testing.T) {
	key := []byte(strings.Repeat("k", 32))
	proof := Make(key, "bounces", "dev@lists.example.org", "abc123")
	if len(proof) != Len || strings.Trim(proof, "0123456789abcdefghijklmnopqrstuv") != "" {
		t.Errorf("%q", proof)
	}
	// What was made yesterday must be good tomorrow.
	if want := "346v22gbjsef1l5c"; proof != want {
		t.Errorf("%q, want %q", proof, want)
	}
	seen := map[string]string{}
	for _, parts := range [][]string{
		{}, {""}, {"", ""}, {"a"}, {"a", ""}, {"", "a"}, {"ab"}, {"a", "b"}, {"b", "a"}, {"a\x00b"}, {"a", "b", ""},
	} {
		proof, name := Make(key, parts...), strings.Join(parts, ",")
		if other, ok := seen[proof]; ok {
			t.Errorf("%q and %q have the same proof", name, other)
		}
		seen[proof] = name
	}
}

func TestCheck(t *testing.T) {
	key, other := []byte(strings.Repeat("k", 32)), []byte(strings.Repeat("l", 32))
	proof := Make(key, "a", "b")
	for _, test := range []struct {
		name  string
		key   []byte
		proof string
		parts []string
		want  bool
	}{
		{"as made", key, proof, []string{"a", "b"}, true},
		{"in upper case", key, strings.ToUpper(proof), []string{"a", "b"}, true},
		{"another key", other, proof, []string{"a", "b"}, false},
		{"no key", nil, proof, []string{"a", "b"}, false},
		{"another part", key, proof, []string{"a", "c"}, false},
		{"a part less", key, proof, []string{"a"}, false},
		{"empty", key, "", []string{"a", "b"}, false},
		{"cut short", key, proof[:Len-1], []string{"a", "b"}, false},
		{"longer", key, proof + "a", []string{"a", "b"}, false},
	} {
		if got := Check(test.key, test.proof, test.parts...); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}
