package bounce

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// An ordinary is a maker of mail that is no report, whatever it looks like.
type ordinary struct {
	*rand.Rand
	reports []string // real ones, which mail may quote, forward or contain
}

func (o ordinary) of(words ...string) string { return words[o.IntN(len(words))] }

func (o ordinary) who() string {
	return o.of("anna", "bert", "carol.smith", "d.weiß", "info", "sales+x", "j_doe") + fmt.Sprint(o.IntN(100)) + "@" + o.of("example.net", "example.org", "mail.example.com", "bücher.example")
}

func (o ordinary) person() string {
	return o.of("Anna Berg", `"Weiß, D."`, "=?UTF-8?B?5bGx55Sw?=", "Postmaster Smith", "J. Doe", "Mail Delivery GmbH") + " <" + o.who() + ">"
}

// header begins a mail; some of its fields make it look like a report.
func (o ordinary) header(from, subject string, more ...string) string {
	h := ""
	if o.IntN(2) == 0 {
		h = "Return-Path: <" + o.who() + ">\n"
	}
	h += "Received: from mx.example.net by lists.example.org; Tue, 1 Dec 2026 10:00:00 +0000\nFrom: " + from + "\nTo: " + o.of("dev@lists.example.org", o.who()) +
		"\nSubject: " + subject + "\nDate: Tue, 1 Dec 2026 10:00:00 +0000\nMessage-ID: <" + fmt.Sprint(o.Uint64()) + "@example.net>\nMIME-Version: 1.0\n"
	for _, f := range more {
		h += f + "\n"
	}
	return h
}

func (o ordinary) report() string { return o.reports[o.IntN(len(o.reports))] }

// body is a report's text without its header, and subject its Subject.
func body(report string) string {
	_, body, _ := strings.Cut(strings.ReplaceAll(report, "\r\n", "\n"), "\n\n")
	return body
}

func (o ordinary) reportSubject() string {
	return o.of("Undelivered Mail Returned to Sender", "failure notice", "Mail delivery failed: returning message to sender", "Delivery Status Notification (Failure)",
		"Returned mail: see transcript for details", "Undeliverable: minutes", "Unzustellbar: Protokoll", "Message delivery has been delayed", "DELIVERY FAILURE: User not listed in Domino Directory")
}

func marked(mark, text string) string {
	return mark + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+mark) + "\n"
}

const plainText8 = "Content-Type: text/plain; charset=utf-8\n"

// makers make one kind of mail each.
var makers = map[string]func(o ordinary) string{
	"post": func(o ordinary) string {
		return o.header(o.person(), o.of("Re: minutes", "mail to "+o.who()+" fails", "550 5.1.1 user unknown, why?", "bounce handling", "Delivery of the new servers"), "List-Id: <dev.lists.example.org>", plainText8) +
			o.of("Since yesterday my mail to "+o.who()+" comes back:\n\n  550 5.1.1 <"+o.who()+">: Recipient address rejected: User unknown\n\nWhat can I do?\n",
				"The message could not be delivered to "+o.who()+", says Postfix. Mailbox full?\n", "I am on vacation next week. Delivery failed twice.\n")
	},
	"reply that quotes a report": func(o ordinary) string {
		return o.header(o.person(), "Re: "+o.reportSubject(), "In-Reply-To: <1@mx.example.net>", plainText8) + "Your server says this. What is wrong?\n\n" + marked(o.of("> ", ">", "| "), body(o.report()))
	},
	"report forwarded as text": func(o ordinary) string {
		r := o.report()
		return o.header(o.person(), o.of("Fwd: ", "Fw: ", "WG: ", "TR: ", "RV: ")+o.reportSubject(), plainText8) + "Please help.\n\n" +
			o.of("---------- Forwarded message ---------", "-----Original Message-----", "-----Ursprüngliche Nachricht-----", "Begin forwarded message:") + "\nFrom: MAILER-DAEMON@mx.example.net\nSubject: failure\n\n" + body(r)
	},
	"report attached": func(o ordinary) string {
		return o.header(o.person(), o.of("Fwd: "+o.reportSubject(), "it came back", "bounce"), "Content-Type: multipart/mixed; boundary=fwd77") + "\n--fwd77\n" + plainText8 +
			"\nSee the attached report about " + o.who() + ".\n--fwd77\nContent-Type: message/rfc822\n" + o.of("", "Content-Disposition: attachment; filename=\"report.eml\"\n") + "\n" + o.report() + "\n--fwd77--\n"
	},
	"report in a digest": func(o ordinary) string {
		return o.header("dev-request@lists.example.org", "dev Digest, Vol 7, Issue 3", "Precedence: list", "List-Id: <dev.lists.example.org>", "Content-Type: multipart/mixed; boundary=dig77") + "\n--dig77\n" + plainText8 +
			"\nToday's Topics: 1. " + o.reportSubject() + "\n--dig77\nContent-Type: multipart/digest; boundary=in77\n\n--in77\n\n" + o.report() + "\n--in77--\n--dig77--\n"
	},
	"patch of a test": func(o ordinary) string {
		return o.header(o.person(), "[PATCH v2 3/7] bounce: "+o.of("parse Exim's text", "another sample", "delivery failure of qmail"), "X-Mailer: git-send-email 2.39.5", plainText8) +
			"The parser missed this one.\n\n---\n testdata/x.eml | 40 ++++\n\ndiff --git a/x.eml b/x.eml\n--- /dev/null\n+++ b/x.eml\n@@ -0,0 +1,40 @@\n" + marked("+", o.report()) + "-- \n2.39.5\n"
	},
	"bug report": func(o ordinary) string {
		return o.header("bugzilla-daemon@bugs.example.org", "[Bug "+fmt.Sprint(o.IntN(90000))+"] New: "+o.of("mail delivery failed for unknown user", "bounce not parsed", "User unknown in local recipient table"), "X-Bugzilla-Type: new", "Auto-Submitted: auto-generated", plainText8) +
			"https://bugs.example.org/show_bug.cgi?id=1\n\n            Bug ID: 1\n          Assignee: " + o.who() + "\n\nSteps to reproduce:\n" + marked("    ", body(o.report()))
	},
	"ticket": func(o ordinary) string {
		return o.header("Support <support@"+o.of("example.net", "helpdesk.example.org")+">", "[Ticket#"+fmt.Sprint(o.IntN(1e9))+"] "+o.of("RE: minutes", o.reportSubject()), o.of("Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated", "Precedence: bulk", "X-Auto-Response-Suppress: All"), plainText8) +
			"Thank you. We have received your request, and " + o.who() + " will answer it.\n\nYou wrote:\n" + marked("> ", body(o.report()))
	},
	"vacation": func(o ordinary) string {
		notes := []string{
			"Out of office: minutes|I am out of the office until Monday. In urgent cases write to ",
			"Abwesenheitsnotiz: Protokoll|Ich bin bis Montag nicht im Büro. In dringenden Fällen: ",
			"Réponse automatique : compte rendu|Je suis absente jusqu'à lundi. En cas d'urgence : ",
			"Respuesta automática: acta|Estoy fuera de la oficina hasta el lunes. Escriba a ",
			"Risposta automatica: verbale|Sono in ferie fino a lunedì. Scrivete a ",
			"Automatisch antwoord: notulen|Ik ben afwezig tot maandag. Mail naar ",
			"Automatická odpověď: zápis|Jsem na dovolené do pondělí. Pište na ",
			"Autosvar: referat|Jeg er på ferie til mandag. Skriv til ",
			"Automatyczna odpowiedź: protokół|Jestem na urlopie do poniedziałku. Proszę pisać na ",
			"自動応答: 議事録|月曜日まで休暇をいただいております。お急ぎの方は ",
			"自动回复: 纪要|我在休假中，请联系 ", "Автоответ: протокол|Я в отпуске до понедельника. Пишите на ",
			"Resposta automática: ata|Estou de férias até segunda-feira. Escreva para ", "Otomatik yanıt: tutanak|Pazartesiye kadar izindeyim. Acil durumda ",
			"Automatic reply: minutes|I no longer work here, my mailbox is not read. Please write to ",
		}
		subject, text, _ := strings.Cut(notes[o.IntN(len(notes))], "|")
		fields := []string{o.of("Auto-Submitted: auto-replied", "Auto-Submitted: auto-replied (vacation)", "X-Autoreply: yes", "Precedence: auto_reply"), "In-Reply-To: <1@lists.example.org>"}
		quoted := ""
		if o.IntN(3) == 0 {
			quoted = "\n" + marked("> ", body(o.report()))
		}
		return o.header(o.person(), subject, append(fields, plainText8)...) + text + o.who() + ".\n" + quoted
	},
	"read receipt": func(o ordinary) string {
		return o.header(o.person(), o.of("Read: ", "Not read: ", "Gelesen: ", "Disposition notification: ")+"minutes", "Content-Type: multipart/report; report-type=disposition-notification; boundary=mdn7") +
			"\n--mdn7\n" + plainText8 + "\nYour message to " + o.who() + " was " + o.of("read", "deleted without being read", "displayed; that does not mean it was understood") + ".\n--mdn7\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;" + o.who() +
			"\nOriginal-Message-ID: <1@lists.example.org>\nDisposition: manual-action/MDN-sent-manually; " + o.of("displayed", "deleted", "denied") + "\n--mdn7\nContent-Type: message/rfc822\n\n" + o.report() + "\n--mdn7--\n"
	},
	"cron": func(o ordinary) string {
		return o.header(o.of("root@mx.example.net (Cron Daemon)", "Cron Daemon <root@mx.example.net>", "logwatch@mx.example.net"), o.of("Cron <root@mx> /usr/sbin/newsletter", "Logwatch for mx (Linux)", "*** SECURITY information for mx ***"), "Auto-Submitted: auto-generated", "X-Cron-Env: <SHELL=/bin/sh>", plainText8) +
			fmt.Sprintf("%d   Undeliverable mails\n   550 5.1.1 User unknown %s: 3 Time(s)\n   delivery failed: %s: mailbox full\n", o.IntN(90), o.who(), o.who())
	},
	"newsletter": func(o ordinary) string {
		return o.header("News <news@shop.example.com>", o.of("Your parcel could not be delivered", "Delivery failed - choose a new date", "Last chance: account suspended soon", "Ihre Lieferung konnte nicht zugestellt werden"),
			"List-Unsubscribe: <https://shop.example.com/u>", "Precedence: bulk", o.of("Auto-Submitted: no", "X-Mailer: Mailchimp", "Auto-Submitted: auto-generated"), "Content-Type: text/html; charset=utf-8", "") +
			"<html><body><p>Dear " + o.who() + ",</p><p>the following address was not found: Main Street " + fmt.Sprint(o.IntN(99)) + ". We could not deliver your parcel; the recipient is unknown.</p><a href=\"mailto:" + o.who() + "\">help</a></body></html>\n"
	},
	"aggregate report": func(o ordinary) string {
		gz := base64.StdEncoding.EncodeToString([]byte(o.who() + " user unknown"))
		return o.header("noreply-dmarc@example.com", "Report Domain: example.org Submitter: example.com Report-ID: "+fmt.Sprint(o.IntN(9e9)), "Content-Type: multipart/"+o.of("mixed", "report; report-type=tlsrpt")+"; boundary=agg7") +
			"\n--agg7\n" + plainText8 + "\nThis is an aggregate report from example.com.\n--agg7\nContent-Type: application/" + o.of("gzip", "tlsrpt+gzip", "zip") + "\nContent-Transfer-Encoding: base64\n\n" + gz + "\n--agg7--\n"
	},
	"challenge": func(o ordinary) string {
		return o.header(o.person(), o.of("Please confirm your message", "Your message to "+o.who()+" is waiting", "Action required: verify yourself"), "Auto-Submitted: auto-replied", plainText8) +
			"Your message to " + o.who() + " was not delivered yet. It waits until you answer this one and so confirm that you are human.\n"
	},
	"monitor": func(o ordinary) string {
		return o.header(o.of("nagios@mon.example.net", "Zabbix <zabbix@mon.example.net>", "alerts@mon.example.net"), o.of("PROBLEM: mx/mail queue is CRITICAL", "Problem: delivery failed on mx", "[FIRING:1] MailDeliveryFailed mx"), o.of("Auto-Submitted: auto-generated", "X-Priority: 1"), plainText8) +
			"Service: mail queue\nState: CRITICAL\n\nDeferred: " + fmt.Sprint(o.IntN(900)) + ", last reason: host mx.example.com said: 450 4.2.2 mailbox full (in reply to RCPT TO command) for " + o.who() + "\n"
	},
	"invitation": func(o ordinary) string {
		return o.header(o.person(), o.of("Accepted: minutes", "Declined: minutes", "Invitation: review of failed deliveries"), "Content-Type: multipart/alternative; boundary=cal7") + "\n--cal7\n" + plainText8 + "\n" + o.who() +
			" has declined this invitation.\n--cal7\nContent-Type: text/calendar; method=REPLY\n\nBEGIN:VCALENDAR\nATTENDEE;PARTSTAT=DECLINED:mailto:" + o.who() + "\nEND:VCALENDAR\n--cal7--\n"
	},
	"postmaster's letter": func(o ordinary) string {
		return o.header("postmaster@"+o.of("example.net", "example.org"), o.of("our move to new servers", "your mail of Monday", "quota of "+o.who()), plainText8) +
			"Dear colleagues,\n\n" + o.of("mail to "+o.who()+" was delayed on Monday and is delivered now.", "please tell "+o.who()+" that the mailbox is nearly full.", "we close "+o.who()+" at the end of the month.") + "\n\nYour postmaster\n"
	},
}

// TestOrdinaryMail: of thousands of mails that look like reports, quote them, forward
// them or are about them, none counts as one.
func TestOrdinaryMail(t *testing.T) {
	o := ordinary{Rand: rand.New(rand.NewPCG(2026, 12))}
	for _, s := range corpus(t) {
		if s.want.Kind == Failure && len(s.mail) < 8000 {
			o.reports = append(o.reports, string(s.mail))
		}
	}
	const each = 480
	if n := each * len(makers); n < 7000 || len(o.reports) < 100 {
		t.Fatalf("%d mails, %d reports", n, len(o.reports))
	}
	for name, make := range makers {
		wrong := 0
		for range each {
			mail := make(o)
			switch r := Parse([]byte(mail)); r.Kind {
			case Failure, Delay, Relayed, Complaint:
				if wrong++; wrong == 1 {
					t.Errorf("%s: %s\n%.1500s", name, brief(r, true), mail)
				}
			}
		}
		if wrong > 0 {
			t.Errorf("%s: %d of %d count as reports", name, wrong, each)
		}
	}
}
