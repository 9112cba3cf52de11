package stub

import (
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/smtp/mx/mxtest"
)

// TestTXT asks a real server: short answers, long ones, none, and failures.
func TestTXT(t *testing.T) {
	long := strings.Repeat(`"`+strings.Repeat("x", 250)+`" `, 20)
	server := mxtest.Serve(t, false, mxtest.New(t, "a.example.", false,
		`_dmarc.a.example. 3600 IN TXT "v=DMARC1; " "p=reject"`,
		`two.a.example. 3600 IN TXT "one"`, `two.a.example. 3600 IN TXT "two"`,
		`alias.a.example. 3600 IN CNAME _dmarc.a.example.`,
		`long.a.example. 3600 IN TXT `+long))
	server.Fail("broken.a.example. TXT")
	for name, want := range map[string]string{
		"_dmarc.a.example.": "v=DMARC1; p=reject", "two.a.example": "one|two", "alias.a.example.": "v=DMARC1; p=reject",
		"long.a.example.": strings.Repeat("x", 5000), "none.a.example.": "", "broken.a.example.": "!", "a..example": "!", strings.Repeat("x", 64) + ".example": "!",
	} {
		got, err := TXT(server.Addr, name, 10*time.Second)
		slices.Sort(got)
		text := strings.Join(got, "|")
		if err != nil {
			text = "!"
		}
		if text != want {
			t.Errorf("%s: %.60q, want %.60q (%v)", name, text, want, err)
		}
	}
	if _, err := TXT("nonsense", "a.example", time.Second); err == nil {
		t.Error("no resolver, and no error")
	}
}

// FuzzTexts: whatever a resolver says, nothing panics.
func FuzzTexts(f *testing.F) {
	f.Add([]byte("\x00\x00\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x01a\x00\x00\x10\x00\x01\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x00\x00\x02\x01x"))
	f.Fuzz(func(t *testing.T, m []byte) {
		query, err := question("a")
		if err != nil {
			t.Fatal(err)
		}
		if len(m) > 1 {
			copy(query, m[:2])
		}
		if answers(m, query) {
			texts(m, query)
		}
	})
}
