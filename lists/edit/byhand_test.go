package edit

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"superlist/lists/members"
)

// wide is a text in UTF-16, little endian, as Notepad's "Unicode" is.
func wide(s string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		b.Write([]byte{byte(unit), byte(unit >> 8)})
	}
	return b.String()
}

// TestMembersByHand: a members file is read whatever an editor has made of it, by
// everybody who reads it, and the next edit keeps it.
func TestMembersByHand(t *testing.T) {
	long := strings.Repeat("x", 16<<10/100)
	var many strings.Builder
	for i := range 200 {
		many.WriteString("y" + strings.Repeat("0", i%50) + "@example.com name=" + long + "\r\n")
	}
	for name, text := range map[string]string{
		"a byte order mark and CRLF": "\ufeffalice@example.com\r\nBob@example.net nomail name=Bob Müller\r\n",
		"no last line break":         "# people\nalice@example.com\nbob@example.net nomail name=Bob Müller",
		"tabs and spaces":            "\talice@example.com  \t\nbob@example.net\t nomail   name=Bob Müller \t\r\n\t\r\n",
		"spaces that do not break":   "\u00a0alice@example.com\u00a0\nbob@example.net\u00a0nomail\u00a0name=Bob Müller\u00a0\n",
		"pasted from the web":        "\u202aalice@example.com\u202c\n\u200bbob@example.net nomail name=Bob Müller\u200e\n",
		"two files in one":           "alice@example.com\n\ufeffbob@example.net nomail name=Bob Müller\n\ufeff# end\n",
		"UTF-16":                     "\xff\xfe" + wide("alice@example.com\r\nbob@example.net nomail name=Bob Müller\r\n"),
		"UTF-16 without a mark":      wide("alice@example.com\r\nbob@example.net nomail name=Bob Müller\r\n"),
		"an old Macintosh":           "alice@example.com\rbob@example.net nomail name=Bob Müller\r",
		"large, in UTF-16":           "\xff\xfe" + wide("alice@example.com\r\n"+many.String()+"bob@example.net nomail name=Bob Müller\r\n"),
		"large, with a mark":         "\ufeffalice@example.com\r\n" + many.String() + "bob@example.net nomail name=Bob Müller\r\n",
	} {
		l := testList(t, testSite(t, ""), "")
		byHand(t, l, text)
		check := func(when string) {
			t.Helper()
			if _, ok := find(t, l, "ALICE@example.com"); !ok {
				t.Errorf("%s, %s: alice is not found", name, when)
			}
			bob, ok := find(t, l, "bob@example.net")
			if !ok || !bob.NoMail || !slices.Equal(bob.Words, []string{"nomail", "name=Bob Müller"}) {
				t.Errorf("%s, %s: bob is %q, %v", name, when, bob, ok)
			}
			if _, ok := find(t, l, "eve@example.net"); ok {
				t.Errorf("%s, %s: eve is found", name, when)
			}
			for _, who := range []string{"alice@example.com", "Bob@example.net nomail name=Bob Müller"} {
				if !slices.ContainsFunc(all(t, l), func(line string) bool { return strings.EqualFold(line, who) }) {
					t.Errorf("%s, %s: %s is not among all", name, when, who)
				}
			}
			m, err := l.Members()
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			wrong, _, err := m.Lint()
			if wrong = slices.DeleteFunc(wrong, func(s string) bool { return strings.HasSuffix(s, "is there twice") }); err != nil || len(wrong) > 0 {
				t.Errorf("%s, %s: check says %q, %v", name, when, wrong, err)
			}
		}
		check("as it is")
		edit(t, l, "zoe@example.com")
		check("after an edit")
		raw, _ := os.ReadFile(l.MembersFile())
		if strings.ContainsAny(string(raw), "\r\x00\ufeff") || strings.Contains(string(raw), "not understood") {
			t.Errorf("%s: %.200q", name, raw)
		}
	}
}

// TestOddMembers: an address is an address, whatever its local part: it stands in
// the file, is found there, and is nobody else.
func TestOddMembers(t *testing.T) {
	l := testList(t, testSite(t, ""), "")
	odd := []string{
		"#hash@example.com", "!bang@example.com", "a#b@example.com", `"a b"@example.com`, `" "@example.com`, `"#"@example.com`, `"# x"@example.com`,
		`"a\"b"@example.com`, `"a\\b"@example.com`, `"a@b"@example.com`, `"a,b"@example.com`, `"<a>"@example.com`, `"a..b"@example.com`, `".a"@example.com`,
		"o'neil@example.com", "a=b@example.com", "a+b@example.com", "$%&'*/?^_`{|}~-@example.com", "#ä@example.com", `"ä ö"@bücher.example`, "name=x@example.com",
	}
	edit(t, l, odd...)
	for range 2 {
		for _, who := range odd {
			m, ok := find(t, l, who)
			if !ok || m.Path != addr(who) {
				t.Errorf("%s is %q, %v", who, m.Path, ok)
			}
		}
		if got := all(t, l); len(got) != len(odd) {
			t.Errorf("%d of %d are there: %q", len(got), len(odd), got)
		}
		edit(t, l, odd...) // once more is nothing new
	}
	for _, stranger := range []string{"hash@example.com", "a@example.com", "b@example.com", `"a  b"@example.com`, "ab@example.com"} {
		if m, ok := find(t, l, stranger); ok {
			t.Errorf("%s is %s", stranger, m)
		}
	}
	var roll members.Roster
	for _, who := range odd {
		m, _ := members.Parse(who)
		roll.Add(m)
	}
	roll.Join(first)
	if added, err := Enrol(l, &roll); added != 0 || err != nil {
		t.Errorf("%d are added again, %v", added, err)
	}
}
