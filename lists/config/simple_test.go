package config

import (
	"reflect"
	"testing"

	"github.com/BurntSushi/toml"

	"superlist/lists/settings"
)

// simples are texts, and whether simple decodes them.
var simples = map[string]bool{
	"":                                     true,
	settings.Site:                          true,
	settings.List:                          true,
	"a = \"b\"\nc = 12 # why\n\n[d]\ne=[]": true,
	"a = [ \"b\" , \"c\",]\n":              true,
	"a = true\r\n":                         false,
	"a = 0\nb = false\n":                   true,
	"a-b_C9 = \"ä \t#\" # ä":               true,
	"a = \"b\\n\"":                         false,
	"a = \"\"\"b\"\"\"":                    false,
	"a = \"\"":                             true,
	"a = 'b'":                              false,
	"a = 1.5":                              false,
	"a = 1_000":                            false,
	"a = 007":                              false,
	"a = -1":                               false,
	"a = 999999999999999999":               true,
	"a = 9999999999999999999":              false,
	"a.b = 1":                              false,
	"\"a\" = 1":                            false,
	"[a.b]\nc = 1":                         false,
	"[[a]]\nb = 1":                         false,
	"[a]\n[a]":                             false,
	"a = 1\na = 2":                         false,
	"a = 1\n[a]":                           false,
	"a = {b = 1}":                          false,
	"a = [\"b\",\n\"c\"]":                  false,
	"a = [[\"b\"]]":                        false,
	"a = [1]":                              false,
	"a = [\"b\" \"c\"]":                    false,
	"a = [,]":                              false,
	"a = \"b":                              false,
	"a = \"b\" c":                          false,
	"a = true1":                            false,
	"a = truefalse":                        false,
	"a":                                    false,
	"= 1":                                  false,
	"a = ":                                 false,
	"[a":                                   false,
	"[a] b":                                false,
	"#\r":                                  false,
	"# a\r\nb = 1\r\n":                     false,
	"# \x01":                               false,
	"# \xff":                               false,
	"a = \"\x7f\"":                         false,
	"a = \"\xff\"":                         false,
	"\ufeffa = 1":                          false,
	"a\x00 = 1":                            false,
}

// checkSimple holds that simple decodes as the decoder does, or leaves it to that.
func checkSimple(t *testing.T, text string) bool {
	got, ok := simple(text)
	if !ok {
		return false
	}
	var want any
	if _, err := toml.Decode(text, &want); err != nil {
		t.Fatalf("%q has %v, and the decoder says %v", text, got, err)
	}
	if !reflect.DeepEqual(any(got), want) {
		t.Fatalf("%q is %#v, and to the decoder %#v", text, got, want)
	}
	return true
}

func TestSimple(t *testing.T) {
	for text, want := range simples {
		if got := checkSimple(t, text); got != want {
			t.Errorf("%q is simple: %t, want %t", text, got, want)
		}
	}
}

func FuzzSimple(f *testing.F) {
	for text := range simples {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkSimple(t, text) })
}
