package access

import (
	"os"
	"strings"
	"testing"
	"time"

	"superlist/smtp"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func token(name string, seed byte, lists ...string) (Token, Secret) {
	s := NewSecret([32]byte{seed})
	return Token{Name: name, Scopes: []Scope{Read}, Lists: lists, Made: now, Expires: now.AddDate(0, 1, 0), By: "ann", Key: s.Public()}, s
}

// TestOf: a word is good for its token, until that ends; any other word is unknown.
func TestOf(t *testing.T) {
	one, secret := token("one", 1, "dev@lists.example.org")
	two, _ := token("two", 2, AllLists)
	tokens := []Token{one, two}
	word := secret.Word()
	if got, s, err := Of(tokens, word, now); err != nil || got.Name != "one" || !got.Signed("text", s.Sign("text")) || got.Signed("text.", s.Sign("text")) || two.Signed("text", s.Sign("text")) {
		t.Errorf("%+v %v", got, err)
	}
	if len(word) != 62 || strings.Contains(string(secret.Public()), word) {
		t.Errorf("%q", word)
	}
	_, stranger := token("three", 3)
	for _, bad := range []string{"", mark, word[1:], word + "a", word[:len(word)-1], strings.ToUpper(word), stranger.Word(), mark + strings.Repeat("a", 52), mark + strings.Repeat("1", 52)} {
		if _, _, err := Of(tokens, bad, now); err != ErrUnknown {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for at, want := range map[time.Time]error{one.Expires.Add(-1): nil, one.Expires: ErrUnknown} {
		if _, _, err := Of(tokens, word, at); err != want {
			t.Errorf("at %v: %v", at, err)
		}
		if _, err := Named(tokens, "one", at); err != want {
			t.Errorf("by its name, at %v: %v", at, err)
		}
	}
	if _, err := Named(tokens, "three", now); err != ErrUnknown {
		t.Error(err)
	}
}

// TestCovers: a token is for the lists that its patterns name.
func TestCovers(t *testing.T) {
	dev := smtp.Path{Local: "dev", Domain: "lists.example.org"}
	for pattern, want := range map[string]bool{
		"dev@lists.example.org": true, "DEV@Lists.example.org": true, "lists.example.org": true, "*@lists.example.org": true, AllLists: true,
		"users@lists.example.org": false, "example.org": false, "*.example.org": true, "dev@example.org": false,
	} {
		if one, _ := token("one", 1, pattern); one.Covers(dev) != want {
			t.Errorf("%s: %t", pattern, !want)
		}
	}
}

// TestCheck holds what a token may be, on each side.
func TestCheck(t *testing.T) {
	good, _ := token("panel-1", 1, "dev@lists.example.org")
	for name, test := range map[string]struct {
		change func(*Token)
		good   bool
	}{
		"as it is":         {func(*Token) {}, true},
		"no name":          {func(t *Token) { t.Name = "" }, false},
		"a long name":      {func(t *Token) { t.Name = strings.Repeat("a", maxName) }, true},
		"a longer name":    {func(t *Token) { t.Name = strings.Repeat("a", maxName+1) }, false},
		"an odd name":      {func(t *Token) { t.Name = "../x" }, false},
		"no scope":         {func(t *Token) { t.Scopes = nil }, false},
		"another scope":    {func(t *Token) { t.Scopes = []Scope{Read, "root"} }, false},
		"of all lists too": {func(t *Token) { t.Lists, t.Scopes = []string{AllLists}, []Scope{"root"} }, false},
		"all scopes":       {func(t *Token) { t.Scopes = Scopes() }, true},
		"no list":          {func(t *Token) { t.Lists = nil }, false},
		"all lists":        {func(t *Token) { t.Lists = []string{AllLists} }, true},
		"an odd list":      {func(t *Token) { t.Lists = []string{"a b"} }, false},
		"as long as may":   {func(t *Token) { t.Expires = t.Made.Add(MaxLife) }, true},
		"longer":           {func(t *Token) { t.Expires = t.Made.Add(MaxLife + 1) }, false},
		"no time":          {func(t *Token) { t.Expires = t.Made }, false},
	} {
		one := good
		test.change(&one)
		if what := one.Check(); (what == "") != test.good {
			t.Errorf("%s: %q", name, what)
		}
	}
}

// TestLoad: what is written is read; a file that others may change does not count.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	if tokens, err := Load(dir); tokens != nil || err != nil {
		t.Error(tokens, err)
	}
	one, secret := token("one", 1, AllLists)
	text, err := Text([]Token{one})
	if err == nil {
		err = os.WriteFile(File(dir), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), strings.TrimPrefix(secret.Word(), mark)) {
		t.Errorf("the file has the word: %s", text)
	}
	tokens, err := Load(dir)
	if _, _, unknown := Of(tokens, secret.Word(), now); err != nil || unknown != nil {
		t.Error(err, unknown)
	}
	for mode, good := range map[os.FileMode]bool{0o644: true, 0o620: false, 0o602: false} {
		os.Chmod(File(dir), mode)
		if tokens, err := Load(dir); (err == nil) != good || !good && tokens != nil {
			t.Errorf("mode %o: %v %v", mode, tokens, err)
		}
	}
	os.Chmod(File(dir), 0o600)
	os.WriteFile(File(dir), []byte("nonsense"), 0o600)
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), File(dir)) {
		t.Error(err)
	}
}

// FuzzOf: of all words only that of a token is good for it, and what is read is the word.
func FuzzOf(f *testing.F) {
	one, secret := token("one", 1, AllLists)
	for _, word := range []string{secret.Word(), "", mark, strings.ToUpper(secret.Word()), secret.Word() + "a", secret.Word()[:61] + "b"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if s, ok := ReadSecret(word); ok && len(s.Public()) != 32 {
			t.Errorf("%q is read as a key of %d bytes", word, len(s.Public()))
		}
		_, s, err := Of([]Token{one}, word, now)
		if err == nil != (word == secret.Word()) || err == nil && s.Word() != word {
			t.Errorf("%q: %v", word, err)
		}
	})
}
