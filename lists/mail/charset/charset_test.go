package charset

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for _, test := range []struct{ label, bytes, want string }{
		{"utf-8", "grüße", "grüße"},
		{"", "grüße", "grüße"},
		{"us-ascii", "gr\xfc\xdfe", "grüße"},
		{"utf-8", "gr\xfc\xdfe", "grüße"},
		{"ISO-8859-1", "gr\xfc\xdfe", "grüße"},
		{"iso-8859-1", "grüße", "grÃ¼Ã\u0178e"}, // it may well be what it says
		{"iso_8859-15", "\xa4", "€"},
		{"iso8859-2", "\xb3\xf3d\xbc", "łódź"},
		{"windows-1250", "\xb3\xf3d\x9f", "łódź"},
		{"cp1251", "\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"},
		{"windows-1253", "\xc3\xe5\xe9\xe1", "Γεια"},
		{"windows-1255", "\xf9\xec\xe5\xed", "שלום"},
		{"iso-8859-8-i", "\xf9\xec\xe5\xed", "שלום"},
		{"windows-1256", "\xd3\xe1\xc7\xe3", "سلام"},
		{"windows-874", "\xca\xc7\xd1\xca\xb4\xd5", "สวัสดี"},
		{"tis-620", "\xca\xc7\xd1\xca\xb4\xd5", "สวัสดี"},
		{"koi8-r", "\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"},
		{"KOI8-U", "\xa6", "і"},
		{"gb2312", "\xc4\xe3\xba\xc3", "你好"},
		{"gbk", "\xc4\xe3\xba\xc3", "你好"},
		{"cp936", "\xc4\xe3\xba\xc3", "你好"},
		{"gb18030", "\xc4\xe3\xba\xc3", "你好"},
		{"hz-gb-2312", "~{Dc:C~}", "你好"},
		{"big5", "\xa7A\xa6n", "你好"},
		{"big5-hkscs", "\xa7A\xa6n", "你好"},
		{"shift_jis", "\x82\xb1\x82\xf1", "こん"},
		{"cp932", "\x82\xb1\x82\xf1", "こん"},
		{"euc-jp", "\xa4\xb3\xa4\xf3", "こん"},
		{"iso-2022-jp", "\x1b$B$3$s\x1b(B", "こん"},
		{"iso-2022-jp-ms", "\x1b$B$3$s\x1b(B", "こん"},
		{"euc-kr", "\xbe\xc8\xb3\xe7", "안녕"},
		{"ks_c_5601-1987", "\xbe\xc8\xb3\xe7", "안녕"},
		{"ibm850", "gr\x81\xe1e", "grüße"},
		{"macintosh", "gr\x9f\xa7e", "grüße"},
		{"utf-16le", "h\x00i\x00", "hi"},
		{"iso-2022-kr", "hello", "hello"},
		{"x-klingon", "gr\xfc\xdfe", "grüße"},
		{"koi8-r\" x", "a", "a"},
		{"gbk", "\xc4\xe3\xba", "你\uFFFD"},
	} {
		if got := Text(test.label, []byte(test.bytes)); got != test.want {
			t.Errorf("%s: %q is %q, want %q", test.label, test.bytes, got, test.want)
		}
	}
}

func TestWords(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                                                "plain",
		"=?koi8-r?B?8NLJ18XU?=":                                "Привет",
		"=?gbk?b?xOO6ww==?=":                                   "你好",
		"=?gb2312?B?xOO6ww?= x":                                "你好 x", // no padding
		"=?utf-8?q?Gr=C3=BC=C3=9Fe_an_alle?=":                  "Grüße an alle",
		"=?utf-8?Q?Gr=C3=BC=C3=9Fe an alle?=":                  "Grüße an alle", // a space that may not be there
		"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=":                "ab",
		"=?ISO-8859-1?Q?a?=\r\n =?UTF-8?Q?b?=":                 "ab",
		"=?ISO-8859-1?Q?a?= b =?ISO-8859-1?Q?c?=":              "a b c",
		"=?utf-8?B?w?= =?utf-8?B?/A==?=":                       "ü",     // half a letter of base64, and a byte that is no UTF-8
		"=?utf-8?Q?Gr=C3?= =?utf-8?Q?=BC=C3=9Fe?=":             "Grüße", // a character in two words
		"=?iso-2022-jp?B?GyRCJDMkcxsoQg==?=":                   "こん",
		"=?utf-8*de?Q?Gr=C3=BC=C3=9Fe?=":                       "Grüße",
		"=?x-unknown?Q?Gr=FC=DFe?=":                            "Grüße",
		"Re: =?windows-1251?B?z/Do4uXy?=, =?big5?B?p0Gmbg==?=": "Re: Привет, 你好",
		"\"=?koi8-r?B?8NLJ18XU?=\" <a@example.com>":            "\"Привет\" <a@example.com>",
		"gr\xfc\xdfe":                                          "grüße",
		"=?":                                                   "=?", "=?x": "=?x", "=?utf-8?X?a?=": "=?utf-8?X?a?=", "=?=?utf-8?q?a?=": "=?a", "a =? b": "a =? b",
		"=?utf-8?Q??=": "", "=?utf-8?Q?=?=": "=", "=?utf-8?Q?a=?=b?=": "a=b?=",
	} {
		if got := Words(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

// FuzzWords: whatever comes, valid UTF-8 leaves, and what has no encoded word is left
// as it was.
func FuzzWords(f *testing.F) {
	f.Add("=?koi8-r?B?8NLJ18XU?= x =?gbk?q?=C4=E3?=")
	f.Fuzz(func(t *testing.T, s string) {
		got := Words(s)
		if !utf8.ValidString(got) {
			t.Fatalf("%q", got)
		}
		if utf8.ValidString(s) && !strings.Contains(s, "=?") && got != s {
			t.Fatalf("%q became %q", s, got)
		}
	})
}

// TestAliases: IANA's other names of US-ASCII and Latin-1 are those sets, and not
// Windows-1252, as in browsers.
func TestAliases(t *testing.T) {
	for _, label := range []string{"us-ascii", "ANSI_X3.4-1968", "iso-ir-6", "csASCII", "cp367"} {
		if b, ok := Encode(label, "grün"); ok || !ASCII(label) {
			t.Errorf("%s: %q", label, b)
		}
	}
	for _, label := range []string{"iso-8859-1", "ISO_8859-1:1987", "iso-ir-100", "csISOLatin1", "cp819"} {
		if b, ok := Encode(label, "grün"); !ok || string(b) != "gr\xfcn" {
			t.Errorf("%s: %q", label, b)
		}
		if b, ok := Encode(label, "5 €"); ok {
			t.Errorf("%s: %q", label, b)
		}
	}
}
