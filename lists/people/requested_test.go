package people

import (
	"strings"
	"testing"

	"superlist/lists"
	"superlist/lists/rewrite"
	"superlist/smtp"
)

// TestRequested: the command in a mail to +request, in each form that programs send.
func TestRequested(t *testing.T) {
	const help, join, leave = lists.VerbHelp, lists.VerbSubscribe, lists.VerbUnsubscribe
	dev := &lists.List{Addr: smtp.Path{Local: "dev", Domain: "lists.example.org"}}
	for message, want := range map[string]string{
		"\n\nsubscribe\n": "subscribe",
		"\n\nx" + strings.Repeat("\n", maxRequest-len("xsubscribe")) + "subscribe":   "subscribe",
		"\n\nx" + strings.Repeat("\n", maxRequest-len("xsubscribe")+1) + "subscribe": help, // beyond maxRequest
		"Subject: subscribe\n\n":                                  "subscribe",
		"Subject: Re: Subscribe\n\n":                              "subscribe",
		"Subject: AW: unsubscribe\n\n":                            "unsubscribe",
		"Subject: Antwort: leave\n\n":                             "unsubscribe",
		"Subject: Re: SV: Re[2]: join\n\n":                        "subscribe",
		"Subject: RE : faq\n\n":                                   "faq",
		"Subject: [EXTERNAL] unsubscribe\n\n":                     "unsubscribe",
		"Subject: [EXTERN] AW: [dev] leave\n\n":                   "unsubscribe",
		"Subject: EXTERNAL: Re: unsubscribe\n\n":                  "unsubscribe",
		"Subject: =?utf-8?B?5Zue5aSN77yadW5zdWJzY3JpYmU=?=\n\n":   "unsubscribe", // 回复：unsubscribe
		"Subject: =?gb2312?B?u9i4tDogc3Vic2NyaWJl?=\n\n":          "subscribe",
		"Subject: =?iso-2022-jp?B?GyRCSlY/LhsoQjogaGVscA==?=\n\n": help,
		"Subject: \"unsubscribe\".\n\n":                           "unsubscribe",
		"Subject: index 3\n\n":                                    "index",
		"Subject: hello\n\nunsubscribe\n":                         "unsubscribe",
		"Content-Transfer-Encoding: base64\n\nc3Vic2NyaWJlCg==\n": "subscribe",
		"Content-Type: text/plain; charset=utf-16le\nContent-Transfer-Encoding: base64\n\nagBvAGkAbgA=\n":                                                                   "subscribe",
		"Content-Transfer-Encoding: quoted-printable\n\nunsub=\nscribe=20\n":                                                                                                "unsubscribe",
		"Content-Type: text/html\n\n<html><head><style>p {x}</style></head><body><p class=x>un<b>subscribe</b></p></body></html>\n":                                         "unsubscribe",
		"Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\nPGRpdj5qb2luPC9kaXY+\n":                                                               "subscribe",
		"Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>no</p>\n--b\nContent-Transfer-Encoding: base64\n\nam9pbg==\n--b--\n":         "subscribe",
		"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\nContent-Type: text/html\n\n<p>leave</p>\n--c--\n--b--\n": "unsubscribe",
		"\n\nunsubscribe\n\n-- \nBob\n": "unsubscribe",
		"\n\n> subscribe\n":             help, // somebody else's word
		"\n\nThanks\n\nOn 1.1.2026 10:00, dev@lists.example.org wrote:\n> subscribe\n": help,
		"\n\na\nb\nc\nd\nsubscribe\n":       "subscribe",
		"\n\na\nb\nc\nd\ne\nsubscribe\n":    help,
		"\n\nI want to subscribe, please\n": help,

		// Majordomo's users name the list, others say it in their own words, and
		// mail systems put more in front.
		"Subject: [EXTERNAL] Re[3]: unsubscribe dev\n\n": leave, "\n\nsubscribe DEV\n": join, "\n\nsubscribe dev@lists.example.org\n": join, "\n\nunsubscribe other\n": help,
		"Subject: please unsubscribe me\n\n": leave, "Subject: signoff\n\n": leave, "Subject: abmelden\n\n": leave, "Subject: x\n\nHello,\n\nPlease take me off the list.\n\nBob Brown\n": leave,
		"Subject: 回复: 退订\n\n": leave, "Subject: please remove the old driver\n\n": help,
		"Subject: ***SPAM*** unsubscribe\n\n": leave, "Subject: CAUTION: External Email: join\n\n": join, "Subject: sub\u00adscribe\n\n": join, "Subject: x\n\n\u200bleave\u200b\n": leave,
		"Subject: WG: TR: RV: I: Fwd: SV: VS: Vá: Odp: YNT: ENC: RES: unsubscribe\n\n": leave, "Subject: **\n\n": help, "Subject: ***: leave\n\n": leave,
	} {
		header, body, _ := strings.Cut(strings.ReplaceAll(message, "\n", "\r\n"), "\r\n\r\n")
		c, err := requested(dev, rewrite.Parse([]byte(header+"\r\n")), strings.NewReader(body))
		if err != nil || c.Verb != want {
			t.Errorf("%q asks for %s, want %s; %v", message, c.Verb, want, err)
		}
	}
}

// FuzzBehindTags: what is left of a Subject is its end, and has no tag in front of it
// that would go if it were read again, but for many.
func FuzzBehindTags(f *testing.F) {
	for _, subject := range []string{"Re: AW: unsubscribe", "***SPAM*** [EXTERN] 回复：退订", "****", "**:**", "[[a]]: b", "**0**[]", "RE : x", "CAUTION: External Email: join"} {
		f.Add(subject)
	}
	f.Fuzz(func(t *testing.T, subject string) {
		rest := behindTags(subject)
		if !strings.HasSuffix(strings.TrimSpace(subject), rest) && rest != "" {
			t.Errorf("%q: %q is not its end", subject, rest)
		}
		if len(subject) < maxTags && behindTags(rest) != rest {
			t.Errorf("%q: %q, and then %q", subject, rest, behindTags(rest))
		}
	})
}
