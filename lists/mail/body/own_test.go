package body

import (
	"strings"
	"testing"
)

// letter is what a moderator's program quotes.
const letter = `Hello,

eve@example.net has written to dev@lists.example.org. The post is attached and
waits for you: eve@example.net is not a member.

    To send it to all, just answer this letter; the answer goes to
        dev+confirm-pap5p-5h7ure3h41v16huh-dfc8e4a9b004@lists.example.org`

// TestOwn: the words above, below and between what each program quotes. LETTER stands
// for the quoted letter, and >LETTER for it with "> " before each line.
func TestOwn(t *testing.T) {
	const words = "Please write to users@ about this.\n\nThank you"
	for name, quoted := range map[string]string{
		"Outlook, in the web and the phone":  "________________________________\nFrom: dev@lists.example.org <dev+owner@lists.example.org>\nSent: Monday, November 30, 2026 11:00 AM\nTo: mod@example.org\nSubject: To decide: first\n\nLETTER",
		"Outlook, 2010":                      "-----Original Message-----\nFrom: dev@lists.example.org [mailto:dev+owner@lists.example.org] \nSent: Monday, November 30, 2026 11:00 AM\nTo: mod@example.org\nSubject: To decide: first\n\nLETTER",
		"Outlook, without a line":            "From: dev@lists.example.org <dev+owner@lists.example.org>\nSent: Monday, November 30, 2026 11:00 AM\nTo: mod@example.org\nSubject: To decide: first\n\nLETTER",
		"Outlook, German":                    "Von: dev@lists.example.org <dev+owner@lists.example.org>\nGesendet: Montag, 30. November 2026 11:00\nAn: mod@example.org\nBetreff: Zu entscheiden: first\n\nLETTER",
		"Outlook, German, old":               "-----Ursprüngliche Nachricht-----\nVon: dev@lists.example.org\n\nLETTER",
		"Outlook, bold":                      "*Von:* dev@lists.example.org <dev+owner@lists.example.org>\n*Gesendet:* Montag, 30. November 2026 11:00\n*An:* mod@example.org\n*Betreff:* first\n\nLETTER",
		"Outlook, French":                    "De : dev@lists.example.org <dev+owner@lists.example.org>\nEnvoyé : lundi 30 novembre 2026 11:00\nÀ : mod@example.org\nObjet : first\n\nLETTER",
		"Outlook, French, old":               "-----Message d'origine-----\nDe : dev@lists.example.org\nLETTER",
		"Outlook, Spanish":                   "De: dev@lists.example.org <dev+owner@lists.example.org>\nEnviado: lunes, 30 de noviembre de 2026 11:00\nPara: mod@example.org\nAsunto: first\n\nLETTER",
		"Outlook, Italian":                   "Da: dev@lists.example.org <dev+owner@lists.example.org>\nInviato: lunedì 30 novembre 2026 11:00\nA: mod@example.org\nOggetto: first\n\nLETTER",
		"Outlook, Dutch":                     "Van: dev@lists.example.org <dev+owner@lists.example.org>\nVerzonden: maandag 30 november 2026 11:00\nAan: mod@example.org\nOnderwerp: first\n\nLETTER",
		"Outlook, Swedish":                   "Från: dev@lists.example.org <dev+owner@lists.example.org>\nSkickat: den 30 november 2026 11:00\nTill: mod@example.org\nÄmne: first\n\nLETTER",
		"Outlook, Danish":                    "Fra: dev@lists.example.org <dev+owner@lists.example.org>\nSendt: 30. november 2026 11:00\nTil: mod@example.org\nEmne: first\n\nLETTER",
		"Outlook, Polish":                    "Od: dev@lists.example.org <dev+owner@lists.example.org>\nWysłano: poniedziałek, 30 listopada 2026 11:00\nDo: mod@example.org\nTemat: first\n\nLETTER",
		"Outlook, Russian":                   "От: dev@lists.example.org <dev+owner@lists.example.org>\nОтправлено: 30 ноября 2026 г. 11:00\nКому: mod@example.org\nТема: first\n\nLETTER",
		"Outlook, Japanese":                  "差出人: dev@lists.example.org <dev+owner@lists.example.org>\n送信日時: 2026年11月30日 11:00\n宛先: mod@example.org\n件名: first\n\nLETTER",
		"Outlook, Chinese":                   "发件人: dev@lists.example.org <dev+owner@lists.example.org>\n发送时间: 2026年11月30日 11:00\n收件人: mod@example.org\n主题: first\n\nLETTER",
		"Outlook, in a language of nobody's": "Zyx: dev@lists.example.org <dev+owner@lists.example.org>\nWvut: 30 2026 11:00\nQpo: mod@example.org\nNml: first\n\nLETTER",
		"Lotus Notes":                        "-----\"dev@lists.example.org\" <dev+owner@lists.example.org> wrote: -----\nTo: mod@example.org\nFrom: \"dev@lists.example.org\" <dev+owner@lists.example.org>\n\nLETTER",
		"Lotus Notes, German":                "Von:    dev@lists.example.org\nAn:     mod@example.org\nDatum:  30.11.2026 11:00\nBetreff:        first\n\nLETTER",
		"Lotus Notes, a form":                "From:\n  dev@lists.example.org\nTo: mod@example.org\nDate: 30.11.2026 11:00\nSubject: first\n\nLETTER",
		"Gmail":                              "On Mon, Nov 30, 2026 at 11:00 AM dev@lists.example.org <\ndev+owner@lists.example.org> wrote:\n\n>LETTER",
		"Gmail, without marks":               "On Mon, Nov 30, 2026 at 11:00 AM dev@lists.example.org <\ndev+owner@lists.example.org> wrote:\n\nLETTER",
		"Gmail, German":                      "Am Mo., 30. Nov. 2026 um 11:00 Uhr schrieb dev@lists.example.org <\ndev+owner@lists.example.org>:\n\nLETTER",
		"Gmail, Japanese":                    "2026年11月30日(月) 11:00 dev@lists.example.org <dev+owner@lists.example.org>:\n\nLETTER",
		"Gmail, Chinese":                     "dev@lists.example.org <dev+owner@lists.example.org> 于2026年11月30日周一 11:00写道：\n\nLETTER",
		"Gmail, Korean":                      "2026년 11월 30일 (월) 오전 11:00, dev@lists.example.org <dev+owner@lists.example.org>님이 작성:\n\nLETTER",
		"Gmail, forwarded":                   "---------- Forwarded message ---------\nFrom: dev@lists.example.org <dev+owner@lists.example.org>\n\nLETTER",
		"Apple Mail":                         "> On 30 Nov 2026, at 11:00, dev@lists.example.org <dev+owner@lists.example.org> wrote:\n> \n>LETTER",
		"Apple Mail, German":                 "Am 30.11.2026 um 11:00 schrieb dev@lists.example.org:\n\nLETTER",
		"Apple Mail, French":                 "Le 30 nov. 2026 à 11:00, dev@lists.example.org a écrit :\n\nLETTER",
		"Apple Mail, Spanish":                "El 30 nov 2026, a las 11:00, dev@lists.example.org escribió:\n\nLETTER",
		"Apple Mail, Japanese":               "2026/11/30 11:00、dev@lists.example.orgのメール：\n\nLETTER",
		"Apple Mail, Chinese":                "在 2026年11月30日，11:00，dev@lists.example.org 写道：\n\nLETTER",
		"Apple Mail, forwarded":              "Begin forwarded message:\n\nFrom: dev@lists.example.org\nLETTER",
		"Apple Mail, forwarded, German":      "Anfang der weitergeleiteten Nachricht:\n\nVon: dev@lists.example.org\nLETTER",
		"iPhone":                             "Sent from my iPhone\n\n> On Nov 30, 2026, at 11:00 AM, dev@lists.example.org wrote:\n>LETTER",
		"iPhone, German":                     "Von meinem iPhone gesendet\n\n> Am 30.11.2026 um 11:00 schrieb dev@lists.example.org:\n>LETTER",
		"Outlook for iOS":                    "Get Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\nFrom: dev@lists.example.org\nLETTER",
		"Samsung":                            "Gesendet von Outlook für Android<https://aka.ms/AAb9ysg>\n________________________________\nVon: dev@lists.example.org\nLETTER",
		"Thunderbird":                        "On 30.11.26 11:00, dev@lists.example.org wrote:\n>LETTER",
		"Thunderbird, German":                "Am 30.11.26 um 11:00 schrieb dev@lists.example.org:\n>LETTER",
		"Thunderbird, forwarded":             "-------- Weitergeleitete Nachricht --------\nBetreff: first\nLETTER",
		"Yahoo":                              "    On Monday, November 30, 2026 at 11:00:00 AM GMT, dev@lists.example.org <dev+owner@lists.example.org> wrote:  \n \n LETTER",
		"QQ":                                 "------------------ 原始邮件 ------------------\n发件人: \"dev\";\nLETTER",
		"163":                                "在 2026-11-30 11:00:00，\"dev@lists.example.org\" <dev+owner@lists.example.org> 写道：\n\nLETTER",
		"Zoho":                               "---- On Mon, 30 Nov 2026 11:00:00 +0000 dev <dev+owner@lists.example.org> wrote ----\n\nLETTER",
		"Proton":                             "------- Original Message -------\nOn Monday, November 30th, 2026 at 11:00 AM, dev <dev+owner@lists.example.org> wrote:\n\n>LETTER",
		"Gnus":                               "dev@lists.example.org writes:\n\n>LETTER",
		"signature":                          "-- \nMod\n\nOn 30.11.26 11:00, dev@lists.example.org wrote:\nLETTER",
	} {
		marked := "> " + strings.ReplaceAll(letter, "\n", "\n> ")
		quoted = strings.NewReplacer(">LETTER", marked, "LETTER", letter).Replace(quoted)
		if got := Own(words + "\n\n" + quoted + "\n"); got != words {
			t.Errorf("%s: %q", name, got)
		}
		if got := Own(quoted + "\n"); got != "" && name != "Gnus" {
			t.Errorf("%s, nothing above: %q", name, got)
		}
	}
}

// TestOwnKeeps: words of a moderator's that look a little like what programs write.
func TestOwnKeeps(t *testing.T) {
	for _, text := range []string{
		"Sent from the wrong address; please use the one that is subscribed.",
		"Our rules:\n\n1. No HTML.\n2. No attachments.\n\nWrite to users@example.org instead.",
		"Paul wrote on 5 May 2026 that these go elsewhere:\n\nusers@example.org",
		"The rules of 2026 are at rules@example.org:\nplease read them.",
		"Write to Bob <bob@example.org> before 10.12.\nHe knows.",
		"Note: the list is about Go.\nSee https://example.org/: the rules.",
		"--- rules ---\nNo HTML.",
		"To: the author. You wrote to the wrong list.",
		"On Monday we decided that such posts wait.\n\nSorry",
		"Bitte an users@, schöne Grüße",
		"Von meinem Vorgänger weiß ich, dass das nicht geht.",
		"a > b is not a quotation; neither is\nx -> y.",
	} {
		if got := Own(text); got != text {
			t.Errorf("%q\nbecame\n%q", text, got)
		}
	}
}

// TestOwnBetween: an answer that stands between what is quoted.
func TestOwnBetween(t *testing.T) {
	got := Own("Hello,\n\nOn 30.11.26 11:00, eve wrote:\n> one?\n\nNo.\n\n> two?\n\nAsk users@.\n\n-- \nMod\n")
	if want := "Hello,\n\n\nNo.\n\n\nAsk users@."; got != want {
		t.Errorf("%q", got)
	}
}

func FuzzOwn(f *testing.F) {
	f.Add(letter)
	f.Add("a\n> b\n-----x-----\nFrom: a@b\nTo: c\nSubject: d")
	f.Fuzz(func(t *testing.T, text string) {
		rest := text
		for line := range strings.SplitSeq(Own(text), "\n") {
			i := strings.Index(rest, line)
			if i < 0 {
				t.Fatalf("%q is not in %q", line, text)
			}
			rest = rest[i+len(line):]
		}
	})
}
