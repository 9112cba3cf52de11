package bounce

import (
	"strings"
	"testing"
	"unicode/utf8"
)

const ownRows = "\ufeff# ours\r\n\r\ngone  This person has LEFT the college\nfull\tbox * has no more room\nunknown user unknown to marketing\ncontent wrote * to <anna@example.net>\npolicy unerwünscht*\n"

// TestOwnWords: a postmaster's rows come first, with codes or without, in a report and in
// a reply.
func TestOwnWords(t *testing.T) {
	w, err := ParseWords([]byte(ownRows))
	if err != nil {
		t.Fatal(err)
	}
	for said, want := range map[string]Class{
		"450 4.2.0 this person has left the college":                            Gone,
		"550 5.1.1 user unknown":                                                Gone, // the package's
		"550 5.1.1 user unknown to marketing":                                   Unknown,
		"550 5.1.1 the box of anna has no more room, user unknown":              Full,
		"550 5.1.1 box has no more room":                                        Full,
		"550 5.1.1 wrote too much to <bert@example.com>":                        Content,
		"550 5.0.0 unerwünschte Werbung":                                        Policy,
		"550 5.0.0 this person has left the college, user unknown to marketing": Unknown, // the milder
	} {
		if got := w.Classify(0, "", said); got != want {
			t.Errorf("%s: %s, want %s", said, got, want)
		}
	}
	report := "From: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail Returned to Sender\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; anna@example.net\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 this person has left the college\n\n--b--\n"
	if got := brief(w.Parse([]byte(report)), false); got != "failure: anna@example.net failed gone" {
		t.Error(got)
	}
	if got := brief(Parse([]byte(report)), false); got != "failure: anna@example.net failed unknown" {
		t.Error(got)
	}
}

// TestOwnWordsMistakes: a mistake names the line.
func TestOwnWordsMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"gone left us\nlost in the mail\n": `line 2: "lost" is not a class`,
		"gone\n":                           "line 1: words are missing",
		"gone * at the end of it\n":        "line 1: words are missing",
		"gone one * * two\n":               "line 1: words are missing",
		"\n\ngone 550 5.1.1\n":             "line 3: words are missing",
		"gone ab\n":                        `line 1: "ab" would fit nearly everything`,
		"gone? perhaps away\n":             `line 1: "gone?" is not a class`,
	} {
		if _, err := ParseWords([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// FuzzOwnWords: whatever a postmaster writes and a host says, there is a class, and a
// mistake is one line.
func FuzzOwnWords(f *testing.F) {
	f.Add(ownRows, "550 5.1.1 this person has left the college")
	f.Add("gone a*b c*d", "a*b c*d")
	f.Add("full * x", "x")
	f.Fuzz(func(t *testing.T, rows, said string) {
		w, err := ParseWords([]byte(rows))
		if err != nil {
			if w != nil || strings.ContainsAny(err.Error(), "\r\n\x1b") || !utf8.ValidString(err.Error()) {
				t.Errorf("%q", err)
			}
			return
		}
		if c := w.Classify(0, "", said); !ranked(c) {
			t.Errorf("%q", c)
		}
		if empty := (len(w.rows.rows) == 0); empty && w.Classify(0, "", said) != Classify(0, "", said) {
			t.Error("no rows say something")
		}
	})
}
