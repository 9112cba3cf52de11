package letter

import (
	"html"
	"mime/quotedprintable"
	"net/url"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/listtest"
	"superlist/smtp"
)

// TestKeyed: no address with a proof in it gets by, however a mail program wrote it.
func TestKeyed(t *testing.T) {
	site := listtest.Site(t, map[string]string{"lists/lists.example.org/dev/list.toml": ""})
	l, err := lists.Of(site).Open(smtp.Path{Local: "dev", Domain: "lists.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	for _, make := range []func() (smtp.Path, error){
		func() (smtp.Path, error) { return l.ProofAddress(confirmation.Publish, "dfc8e4a9b004", time.Now()) },
		func() (smtp.Path, error) {
			return l.ProofAddress(confirmation.Unsubscribe, "bob=example.net", time.Now())
		},
		func() (smtp.Path, error) { return l.BounceAddress(time.Now()) },
	} {
		path, err := make()
		if err != nil {
			t.Fatal(err)
		}
		address := path.Address()
		wide := strings.Map(func(c rune) rune {
			if '!' <= c && c <= '~' {
				return c + 0xfee0
			}
			return c
		}, address)
		half := len(address) / 2
		var soft strings.Builder
		q := quotedprintable.NewWriter(&soft)
		q.Write([]byte(strings.Repeat("x", 50) + " " + address))
		q.Close()
		for name, text := range map[string]string{
			"as it is":            address,
			"mailto":              "<mailto:" + address + "?subject=re>",
			"in capitals":         strings.ToUpper(address),
			"percent":             url.QueryEscape(address),
			"percent, all of it":  percent(address),
			"percent twice":       url.QueryEscape(percent(address)),
			"entities":            entities(address),
			"entities of percent": entities(percent(address)),
			"escaped HTML":        html.EscapeString(entities(address)),
			"named entities":      strings.NewReplacer("+", "&plus;", "-", "&hyphen;", "@", "&commat;").Replace(address),
			"quoted-printable":    strings.ReplaceAll(strings.ReplaceAll(address, "-", "=2D"), "+", "=2B"),
			"soft line breaks":    soft.String(),
			"a soft break in it":  address[:half] + "=\r\n" + address[half:],
			"wrapped":             address[:half] + "\n    " + address[half:],
			"wrapped, marked":     "> " + address[:half] + "\n> " + address[half:],
			"spaces in it":        strings.Join(strings.Split(address, ""), " "),
			"zero width":          strings.Join(strings.Split(address, ""), "\u200b"),
			"soft hyphen":         address[:half] + "\u00ad" + address[half:],
			"other hyphens":       strings.ReplaceAll(address, "-", "\u2011"),
			"dashes":              strings.ReplaceAll(address, "-", "–"),
			"wide letters":        wide,
			"bold":                "*" + address + "*",
			"cut":                 address[:strings.LastIndexByte(address[:40], '-')+8],
			"another site's":      strings.ReplaceAll(address, "lists.example.org", "lists.example.com"),
			"another delimiter":   strings.Replace(address, "+", "-", 1),
		} {
			if got := Unkeyed("words\n" + text + "\nmore"); got != "words" && got != "words\n"+strings.Repeat("x", 50) {
				t.Errorf("%s: %q", name, got)
			}
			if got := UnkeyedWord("Re: " + text); got != "…" {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

// FuzzKeyed: an address between two texts is found, if they do not run into it, and
// what is kept has none.
func FuzzKeyed(f *testing.F) {
	f.Add("words\n", "\nmore")
	f.Fuzz(func(t *testing.T, before, after string) {
		const address = "dev+confirm-pap5p-5h7ure3h41v16huh-dfc8e4a9b004@lists.example.org"
		text := before + "\n.\n" + address + "\n.\n" + after
		if kept := Unkeyed(text); strings.Contains(kept, address) || keyedLine(kept) >= 0 {
			t.Fatalf("%q", kept)
		}
	})
}

// TestUnkeyedKeeps: what is no such address stays.
func TestUnkeyedKeeps(t *testing.T) {
	for _, text := range []string{
		"Please confirm - please contact users@example.org",
		"confirm-please-contact-us",
		"dev+confirm@lists.example.org, dev+subscribe@lists.example.org",
		"the bounces-list-archive has it",
		"mail bounces - they say",
		"100 % = 5 & more; ünïcode",
	} {
		if got := Unkeyed(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteString("%" + string("0123456789ABCDEF"[s[i]>>4]) + string("0123456789ABCDEF"[s[i]&15]))
	}
	return b.String()
}

func entities(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteString("&#x" + string("0123456789abcdef"[s[i]>>4]) + string("0123456789abcdef"[s[i]&15]) + ";")
	}
	return b.String()
}
