package bounce

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"superlist/lists/mail/charset"
)

// FuzzParse: whatever comes, an address that comes out stood in the report, and
// everything is text.
func FuzzParse(f *testing.F) {
	for _, s := range corpus(f) {
		f.Add(s.mail)
	}
	f.Fuzz(func(t *testing.T, mail []byte) {
		r := Parse(mail)
		if len(r.Recipients) > MaxRecipients {
			t.Fatalf("%d recipients", len(r.Recipients))
		}
		// A return path has = for the last @, and an address may have one of its own.
		plain := strings.NewReplacer("@", "=")
		stood := plain.Replace(readable(mail))
		for _, r := range r.Recipients {
			if !strings.Contains(stood, plain.Replace(strings.ToLower(strings.ToValidUTF8(r.Address, "\uFFFD")))) {
				t.Errorf("%q did not stand there", r.Address)
			}
			if !utf8.ValidString(r.Diagnostic) || len(r.Diagnostic) > 3*maxDiagnostic {
				t.Errorf("%q", r.Diagnostic)
			}
			if r.Class == "" || r.Action == "" {
				t.Errorf("%+v", r)
			}
		}
	})
}

// readable is all that somebody could read in a mail, however it is encoded.
func readable(mail []byte) string {
	m := readMessage(mail[:min(len(mail), MaxSize)])
	all := []string{string(mail), m.plain.String(), m.html.String()}
	all = append(all, append(m.status, m.feedback...)...)
	returned, _ := readHeader(m.returned)
	for _, f := range append(m.header, returned...) {
		all = append(all, f.value)
	}
	for _, s := range all {
		if h, _ := readHeader([]byte(s)); len(h) > 0 {
			for _, f := range h {
				all = append(all, f.value)
			}
		}
	}
	for _, s := range all[:len(all):len(all)] {
		words := charset.Words(s)
		plain := unescape(words)
		all = append(all, words, plain, strings.NewReplacer("+40", "@", "+2B", "+", "+3D", "=").Replace(plain))
	}
	return strings.ToLower(strings.ToValidUTF8(strings.Join(all, "\n"), "\uFFFD"))
}

// TestHostile: what was made to be dear is not.
func TestHostile(t *testing.T) {
	head := "From: MAILER-DAEMON@example.net\nSubject: failure notice\n"
	nested := func(n int) string {
		var b strings.Builder
		b.WriteString("Content-Type: multipart/mixed; boundary=b\n\n")
		for range n {
			b.WriteString("--b\nContent-Type: multipart/mixed; boundary=b\n\n")
		}
		return b.String()
	}
	for name, mail := range map[string]string{
		"nested":       head + nested(20000),
		"deeper":       head + "Content-Type: multipart/mixed; boundary=b0\n\n" + nestedApart(5000),
		"ats":          head + "\n" + strings.Repeat("@", MaxSize),
		"addresses":    head + "\nfollowing recipients failed:\n" + strings.Repeat("a@b.c ", MaxSize/6),
		"quotes":       head + "\n" + strings.Repeat("\"@", MaxSize/2),
		"words":        head + "\n" + strings.Repeat("mailbox user no sender ", MaxSize/23),
		"lines":        head + "\nfailed:\n" + strings.Repeat("user a@b.example unknown\n", MaxSize/25),
		"paragraphs":   head + "\nfailed:\n" + strings.Repeat("x\n\n", MaxSize/3),
		"labelled":     head + "\n" + strings.Repeat("<a@b.example>:\n\n\n", MaxSize/17),
		"tags":         head + "Content-Type: text/html\n\n" + strings.Repeat("<style>", MaxSize/7),
		"open tags":    head + "Content-Type: text/html\n\n" + strings.Repeat("<", MaxSize),
		"escapes":      head + "Content-Type: message/delivery-status\n\nFinal-Recipient: utf-8; " + strings.Repeat(`\x{41`, MaxSize/5),
		"words of it":  head + "Subject: " + strings.Repeat("=?utf-8?q?a?= ", MaxSize/14) + "\n\nfailed",
		"fields":       head + "Content-Type: message/delivery-status\n\n" + strings.Repeat("Action: failed\n\n", MaxSize/16),
		"led by space": head + "Content-Type: message/delivery-status\n\n" + strings.Repeat(" x\n", MaxSize/3),
		"empty folds":  head + "Content-Type: message/delivery-status\n\n" + strings.Repeat(" \n", MaxSize/2),
		"of an mbox":   head + "Content-Type: message/delivery-status\n\n" + strings.Repeat("From \n", MaxSize/6),
		"folded":       head + "X: y\n" + strings.Repeat(" z\n", MaxSize/3),
		"headers":      strings.Repeat("To: <a+bounces-1-2+b=c.example@d.example>\n", MaxSize/42),
		"no boundary":  head + "Content-Type: multipart/report\n\n" + strings.Repeat("--\n", MaxSize/3),
	} {
		began := time.Now()
		Parse([]byte(mail))
		if took := time.Since(began); took > 20*time.Second { // hundredths, on an idle machine
			t.Errorf("%s took %v", name, took)
		} else {
			t.Logf("%s: %v", name, took)
		}
	}
}

// nestedApart is multiparts in each other, each with a boundary of its own.
func nestedApart(n int) string {
	var b strings.Builder
	name := func(i int) string {
		return "b" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i%11)
	}
	b.WriteString("--b0\n")
	for i := range n {
		b.WriteString("Content-Type: multipart/mixed; boundary=" + name(i) + "\n\n--" + name(i) + "\n")
	}
	return b.String()
}

// TestLimits: one below each limit, and one above.
func TestLimits(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString("Final-Recipient:;a" + strings.Repeat("b", i%3) + string(rune('a'+i%26)) + itoa(i) + "@b.c\n\n")
		}
		return "From: MAILER-DAEMON@example.net\nContent-Type: message/delivery-status\n\n" + b.String()
	}
	for _, n := range []int{MaxRecipients - 5000, 5001} {
		if got := len(Parse([]byte(many(n))).Recipients); got != n {
			t.Errorf("%d recipients of %d", got, n)
		}
	}
	list := make([]string, MaxRecipients+1)
	for i := range list {
		list[i] = itoa(i) + "@b.c"
	}
	header := "From: MAILER-DAEMON@example.net\nX-Failed-Recipients: " + strings.Join(list, ",") + "\n\nfailed to deliver\n"
	if got := len(Parse([]byte(header)).Recipients); got != MaxRecipients {
		t.Errorf("%d of X-Failed-Recipients, want %d", got, MaxRecipients)
	}
	report := func(before int) string {
		return "From: MAILER-DAEMON@example.net\nSubject: failure notice\n\n" + strings.Repeat("x\n", before/2) + "\nfollowing addresses failed:\n<anna@example.net>:\nno mailbox here\n"
	}
	if got := Parse([]byte(report(maxText / 2))); len(got.Recipients) != 1 {
		t.Errorf("below: %+v", got)
	}
	if got := Parse([]byte(report(MaxSize))); len(got.Recipients) != 0 {
		t.Errorf("beyond what is read: %+v", got)
	}
}

func itoa(n int) string {
	s := ""
	for ; n > 0 || s == ""; n /= 10 {
		s = string(rune('0'+n%10)) + s
	}
	return s
}
