package edit

import (
	"strings"
	"testing"

	"superlist/lists/mail/charset"
	"superlist/lists/rewrite"
)

func TestPrefix(t *testing.T) {
	for _, test := range []struct{ subject, prefix, want string }{
		{"Subject: hello\r\n", "[dev]", "Subject: [dev] hello\r\n"},
		{"Subject:hello\r\n", "[dev]", "Subject: [dev] hello\r\n"},
		{"subject:   hello  world\r\n", "[dev]", "subject: [dev] hello  world\r\n"},
		{"Subject:\r\n", "[dev]", "Subject: [dev]\r\n"},
		{"Subject: \r\n \r\n", "[dev]", "Subject: [dev]\r\n"},
		{"", "[dev]", "Subject: [dev]\r\n"},
		{"Subject:\r\n hello\r\n", "[dev]", "Subject: [dev]\r\n hello\r\n"},
		{"Subject: hello\r\n world\r\n", "[dev]", "Subject: [dev] hello\r\n world\r\n"},
		{"Subject: Re: hello\r\n", "[dev]", "Subject: [dev] Re: hello\r\n"},
		{"Subject: Re: [dev] hello\r\n", "[dev]", ""},
		{"Subject: RE: AW: [Dev]  hello\r\n", "[dev]", ""},
		{"Subject: SV: Antw: =?utf-8?q?=5Bdev=5D_hello?=\r\n", "[dev]", ""},
		{"Subject: =?utf-8?b?W2Rldl0gaGVsbG8=?=\r\n", "[dev]", ""},
		{"Subject: =?utf-8?b?5Zue5aSNOiBbZGV2XSBoaQ==?=\r\n", "[dev]", ""},
		{"Subject: =?utf-8?q?=5Bd?= =?iso-8859-1?q?ev=5D_hi?=\r\n", "[dev]", ""},
		{"Subject: =?utf-8?q?=5Bdev=5D?=\r\n =?utf-8?q?_hi?=\r\n", "[dev]", ""},
		{"Subject: [my\r\n list] hello\r\n", "[my list]", ""},
		{"Subject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n", "[dev]", "Subject: [dev] =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n"},
		{"Subject: hello\r\n", "[grüße]", "Subject: =?utf-8?b?W2dyw7zDn2Vd?= hello\r\n"},
		{"Subject: =?utf-8?q?=C3=BC?=\r\n", "[grüße]", "Subject: =?utf-8?b?W2dyw7zDn2VdIA==?= =?utf-8?q?=C3=BC?=\r\n"},
		{"Subject: AW: =?iso-8859-1?q?=5Bgr=FC=DFe=5D?= x\r\n", "[grüße]", ""},
		{"Subject: hello\r\n", "[dev {number}]", "Subject: [dev 12] hello\r\n"},
		{"Subject: Re: [dev 7] hello\r\n", "[dev {number}]", ""},
		{"Subject: Re: [dev x] hello\r\n", "[dev {number}]", "Subject: [dev 12] Re: [dev x] hello\r\n"},
		{"Subject: dev\r\n", "dev:", "Subject: dev: dev\r\n"},
		{"Subject: (a.b) x\r\n", "(a*b)", "Subject: (a*b) (a.b) x\r\n"},
		{"Subject: Re: =?utf-8?b?QVc6IFtkZXZdIGhp?=\r\n", "[dev]", ""},
		{"Subject: =?utf-8?q?R=C3=A9f_=3A_?= =?iso-8859-15?q?=5BDEV=5D_=A4?=\r\n", "[dev]", ""},
		{"Subject: =?gb2312?B?tPC4tDo=?= [dev] x\r\n", "[dev]", ""},
		{"Subject: =?iso-2022-jp?B?UmU6IFtkZXZdIBskQjQzGyhC?=\r\n", "[dev]", ""},
		{"Subject: VS: Vs: Odp: YNT: Re[2]: Re(3): FW: [dev] x\r\n", "[dev]", ""},
		{"Subject: Re: [other] [dev] x\r\n", "[dev]", ""},
		{"Subject: [devel] x\r\n", "[dev]", "Subject: [dev] [devel] x\r\n"},
		{"Subject: =?UTF-8?Q?=5Bde?=\r\n\t=?UTF-8?Q?v=5D?= x\r\n", "[dev]", ""},
		{"Subject: =?utf-8?q?a?==?utf-8?q?b?=\r\n", "[dev]", "Subject: [dev] =?utf-8?q?a?==?utf-8?q?b?=\r\n"},
		{"Subject: =?utf-8*en?q?=5Bdev=5D?= x\r\n", "[dev]", ""},
		{"Subject: \xe4\xf6 [dev]\r\n", "[dev]", ""},
		{"Subject: gr\xc3\xbcn\r\n", "[dev]", "Subject: [dev] gr\xc3\xbcn\r\n"},
		{"Subject: =?x-none?q?=5Bdev=5D?=\r\n", "[dev]", ""},
		{"Subject: =?utf-8?q?broken\r\n", "[dev]", "Subject: [dev] =?utf-8?q?broken\r\n"},
		{"Subject: =?utf-8?q?=5Bgr=C3=BC=C3?= =?utf-8?q?=9Fe=5D?= x\r\n", "[grüße]", ""},
		{"Subject: [GRÜSSE] x\r\n", "[grüsse]", ""},
		{"Subject: [gru\u0308n] x\r\n", "[grün]", ""},
	} {
		h := rewrite.Parse([]byte("From: a@example.com\r\n" + test.subject + "To: b@example.com\r\n"))
		want := "From: a@example.com\r\n" + test.want + "To: b@example.com\r\n"
		switch {
		case test.want == "":
			want = string(h.Bytes(""))
		case test.subject == "":
			want = "From: a@example.com\r\nTo: b@example.com\r\n" + test.want
		}
		got := Prefix(h, test.prefix, 12)
		if string(got.Bytes("")) != want {
			t.Errorf("%q: %q, want %q", test.subject, got.Bytes(""), want)
		}
		if again := Prefix(got, test.prefix, 13); string(again.Bytes("")) != string(got.Bytes("")) {
			t.Errorf("%q: twice: %q", test.subject, again.Bytes(""))
		}
	}
}

// TestPrefixLong: no line becomes longer than a line may be, nor one with encoded words
// longer than those may stand on.
func TestPrefixLong(t *testing.T) {
	for _, value := range []string{strings.Repeat("x", 990), strings.Repeat("x y ", 240), "=?utf-8?q?" + strings.Repeat("a", 60) + "?="} {
		h := Prefix(rewrite.Parse([]byte("Subject: "+value+"\r\n")), "[developers]", 0)
		for line := range strings.SplitSeq(string(h[0].Raw), "\r\n") {
			if len(line) > rewrite.MaxLine || strings.Contains(line, "=?") && len(line) > lineWidth {
				t.Errorf("%d: %q", len(line), line)
			}
		}
		if got := h.Get("Subject"); got != "[developers] "+strings.TrimSpace(value) {
			t.Errorf("%q", got)
		}
	}
}

// FuzzPrefix: the prefix is there once, what the author wrote is as it was, and the
// field is one field.
func FuzzPrefix(f *testing.F) {
	f.Add("Re: =?utf-8?q?=5Bdev=5D_hello?=", "[dev]")
	f.Add("=?iso-2022-jp?b?GyRCJDMbKEI=?= x", "[grüße {number}]")
	f.Add("\r\n a", "d")
	f.Fuzz(func(t *testing.T, value, prefix string) {
		raw := "Subject:" + value + "\r\n"
		h := rewrite.Parse([]byte(raw))
		if string(h.Bytes("")) != raw || len(h) != 1 || h[0].Name == "" || !h.Clean() || strings.TrimSpace(prefix) == "" || len(prefix) > 100 ||
			strings.ContainsFunc(prefix, func(c rune) bool { return c < ' ' || c == 0x7f || c == 0xfffd || c > 0xffff }) || strings.Contains(prefix, "=?") || flat(prefix) == "" {
			t.Skip()
		}
		before, _ := h.NoField()
		got := Prefix(h, prefix, 7)
		if after, _ := got.NoField(); before != after || len(got) != 1 || len(rewrite.Parse(got.Bytes(""))) != 1 {
			t.Fatalf("%q with %q: %q", raw, prefix, got.Bytes(""))
		}
		if !prefixed(charset.Words(got.Get("Subject")), prefix) {
			t.Fatalf("%q with %q has none: %q", raw, prefix, got.Bytes(""))
		}
		if kept := strings.TrimLeft(value, " \t\r\n"); !strings.HasSuffix(string(got[0].Raw), kept+"\r\n") {
			t.Fatalf("%q with %q: %q", raw, prefix, got[0].Raw)
		}
	})
}
