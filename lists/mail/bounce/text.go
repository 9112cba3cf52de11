package bounce

import (
	"strings"
	"unicode/utf8"
)

// A mention is an address in the text of a report.
type mention struct {
	address string
	rank    int
	line    int // where it stands
}

// Ranks of mentions: how certain it is that the address is a recipient who failed. Only
// the mentions with the highest rank count.
const (
	alone    = iota // no more than there
	judged          // in a sentence that says what was wrong
	listed          // at the beginning of a line below "the following recipients"
	labelled        // "<anna@example.net>:", as qmail and Postfix have it
)

// A text is the part of a report that people read, without the returned message.
type text struct {
	lines    []string
	mentions []mention
	from     map[string]string // an address: of which it was made
}

// maxLine is how much of a line is read.
const maxLine = 2000

// readText returns the lines before the returned message, without quoted ones. own are
// the addresses of the report's own header.
func readText(source string, own map[string]bool) *text {
	t := &text{from: make(map[string]string)}
	section, dialogue := false, false
	blank := 0
	for line := range strings.Lines(source) {
		line = strings.TrimRight(line[:min(len(line), maxLine)], " \t\n")
		lower := strings.ToLower(strings.TrimSpace(line))
		if len(t.lines) > 0 && beginsCopy(lower) {
			break
		}
		if strings.HasPrefix(line, ">") && !strings.HasPrefix(line, ">>>") {
			continue
		}
		n := len(t.lines)
		t.lines = append(t.lines, line)
		if lower == "" {
			if blank++; blank > 1 && section && len(t.mentions) > 0 {
				section = false
			}
			continue
		}
		dialogue = dialogue || strings.Contains(lower, "transcript of session")
		if dialogue {
			section = false
		}
		t.read(line, lower, n, section, own)
		if !dialogue && strings.ContainsAny(lower, ":@,") && kinds().judge(normal(lower)).said["list"] || !dialogue && len(t.mentions) == 0 && kinds().judge(normal(lower)).said["list"] {
			section, blank = true, 0
		}
	}
	return t
}

// beginsCopy reports whether the returned message begins with this line.
func beginsCopy(lower string) bool {
	trimmed := strings.TrimLeft(lower, "-=_*# |")
	if trimmed == "" {
		return false
	}
	for i, form := range [2]string{lower, trimmed} {
		if i == 1 && form == lower && !strings.HasSuffix(lower, ":") && !strings.HasPrefix(lower, "received:") {
			return strings.HasPrefix(lower, "return-path:")
		}
		begins := false
		kinds().at(form, func(r row) { begins = begins || r.class == "copy" && r.fits(form) })
		if begins {
			return true
		}
	}
	return false
}

// read collects the mentions in a line.
func (t *text) read(line, lower string, n int, section bool, own map[string]bool) {
	if !strings.Contains(line, "@") {
		return
	}
	made := strings.Contains(lower, "(expanded from") || strings.Contains(lower, "generated from")
	first := ""
	said := ""
	for a := range addresses(line) {
		if a = unglued(a); a == "" {
			continue
		}
		if len(t.mentions) >= 2*MaxRecipients {
			return
		}
		if made && first != "" || made && strings.HasPrefix(lower, "(") {
			if first == "" && len(t.mentions) > 0 {
				first = t.mentions[len(t.mentions)-1].address
			}
			if first != "" {
				t.from[strings.ToLower(first)] = a
			}
			return
		}
		at := strings.Index(line, a)
		before := strings.TrimSpace(line[:max(at, 0)])
		if first == "" && formerly(before) && len(t.mentions) > 0 && n-t.mentions[len(t.mentions)-1].line <= 2 {
			t.from[strings.ToLower(t.mentions[len(t.mentions)-1].address)] = a
			return
		}
		after := line[at+len(a):]
		m := mention{address: a, line: n}
		switch {
		case before == "<" && !strings.HasPrefix(line, " ") && (strings.HasPrefix(after, ">:") || strings.HasPrefix(after, "> (")):
			m.rank = labelled
		case section && first == "" && leads(before):
			m.rank = listed
		case own[strings.ToLower(a)] || service(a) || aside(lower):
			first = a
			continue
		default:
			if said == "" {
				said = "no"
				v := words().judge(normal(line))
				if v.said["gone"] || v.said["full"] || v.said["nohost"] {
					said = "yes"
				} else if kinds().judge(normal(line)).said["failure"] {
					said = "yes"
				}
			}
			if said == "yes" {
				m.rank = judged
			}
			if labelOf(before) {
				m.rank = listed
			}
		}
		if first == "" {
			first = a
		}
		t.mentions = append(t.mentions, m)
	}
}

// unglued returns an address without its punctuation, and without the adjoining words
// of scripts that write no spaces: "您寄給anna@example.net的郵件".
func unglued(address string) string {
	at := strings.LastIndexByte(address, '@')
	local, domain := address[:at], address[at+1:]
	foreign := func(c rune) bool { return c >= 0x2000 }
	if i := strings.LastIndexFunc(local, foreign); i >= 0 {
		if _, n := utf8.DecodeRuneInString(local[i:]); i+n < len(local) {
			local = local[i+n:]
		}
	}
	if i := strings.IndexFunc(domain, foreign); i > 0 && domain[i-1] != '.' && !foreign([]rune(domain)[0]) {
		domain = strings.TrimRight(domain[:i], ".-")
	}
	if !isDomain(domain) {
		return ""
	}
	return local + "@" + domain
}

// leads reports whether only marks and labels precede an address.
func leads(before string) bool {
	before = strings.ToLower(strings.Trim(before, "<>()[]{}*-=|.:;,#'\"0123456789 \t"))
	switch before {
	case "", "to", "rcpt to", "recipient", "recipients", "smtp", "rfc822", "address", "user", "name", "mailto", "for", "e-mail", "email", "an", "à", "para", "empfänger", "final-recipient", "failed", "failed recipient", "550", "error", "local", "mailbox", "unknown user":
		return true
	}
	return len(before) < 30 && strings.Count(before, " ") < 3 && !strings.ContainsAny(before, ".:@") // a name
}

// formerly reports whether the text before an address says that the recipient above was
// derived from it, as Sun's server and PMDF write.
func formerly(before string) bool {
	switch strings.ToLower(strings.TrimRight(before, "<:; ")) {
	case "original address", "original recipient", "original-recipient":
		return true
	}
	return false
}

// labelsOf are the labels that hosts write before a recipient.
var labelsOf = [...]string{
	"recipient:", "recipients:", "recipient address:", "failed recipient:", "user unknown:", "to address:", "rcpt to:", "envelope-to:",
	"final-recipient: rfc822;", "destination:", "unknown user:", "delivery to:", "undeliverable address:", "mailbox for:", "message to:",
	"宛先:", "宛先：", "受信者:", "受信者：", "送信先:", "送信先：", "收件人:", "收件人：", "收件者:", "收件者：", "받는 사람:", "수신자:",
}

// labelOf reports whether the text before an address says that it is a recipient.
func labelOf(before string) bool {
	before = strings.ToLower(strings.TrimRight(before, "<('\" "))
	for _, label := range labelsOf {
		if strings.HasSuffix(before, label) {
			return true
		}
	}
	return false
}

// service reports whether an address belongs to a host rather than to a person.
func service(address string) bool {
	local, _, _ := strings.Cut(strings.ToLower(address), "@")
	switch local {
	case "postmaster", "mailer-daemon", "abuse", "hostmaster", "support", "helpdesk", "noreply", "no-reply", "admin", "administrator", "webmaster", "noc":
		return true
	}
	return strings.HasPrefix(local, "postmaster")
}

// aside reports whether a line is about others: whom to ask, or the sender.
func aside(lower string) bool {
	for _, word := range [...]string{"from:", "message-id", "contact ", "received:", "reply-to", "sender:", "subject:", "if you ", "mail from", "return-path", "questions", "assistance", "by sending", "send mail to", "send an e", "forward", "list-", "cc:", "references:", "in-reply-to"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	return false
}

// recipients returns the mentions of the highest rank, each with the words about it.
func (t *text) recipients() (list []Recipient) {
	best := -1
	for _, m := range t.mentions {
		best = max(best, m.rank)
	}
	var sure []mention
	seen := make(map[string]bool)
	for _, m := range t.mentions {
		if m.rank != best || seen[strings.ToLower(m.address)] {
			continue
		}
		seen[strings.ToLower(m.address)] = true
		sure = append(sure, m)
	}
	if best == alone && len(sure) > 1 {
		return nil
	}
	for i, m := range sure {
		end := len(t.lines)
		if i+1 < len(sure) {
			end = max(sure[i+1].line, m.line+1)
		}
		r := Recipient{Address: m.address, Action: "failed", Class: Unknown, sure: best >= listed}
		if of, ok := t.from[strings.ToLower(m.address)]; ok && !strings.EqualFold(of, m.address) {
			if seen[strings.ToLower(of)] {
				continue
			}
			r.Address, r.Final = of, m.address
		}
		r.Diagnostic = cut(t.words(m.line, end, m.address))
		list = append(list, r)
		if len(list) == MaxRecipients {
			break
		}
	}
	// Exim gives a reason once for several consecutive recipients.
	for i := len(list) - 2; i >= 0; i-- {
		if list[i].Diagnostic == "" {
			list[i].Diagnostic = list[i+1].Diagnostic
		}
	}
	return list
}

// words returns the words between one mention and the next: the paragraph or, if that
// says nothing, what the host answered.
func (t *text) words(from, to int, address string) string {
	var b strings.Builder
	asked := false
	for i := from; i < min(to, from+maxAbout) && b.Len() < maxDiagnostic; i++ {
		line := strings.TrimSpace(t.lines[i])
		if i == from {
			line = besides(line, address)
		}
		if strings.Contains(strings.ToLower(line), "transcript of session") {
			break
		}
		if line != "" {
			b.WriteString(line + " ")
			continue
		}
		if b.Len() > 0 && !asked {
			if asked = true; plainly(b.String()) != Unknown {
				break
			}
			if reply := t.reply(i, to); reply != "" {
				return reply
			}
		}
	}
	return strings.TrimSpace(b.String())
}

// maxAbout is how many lines below an address are about it.
const maxAbout = 100

// besides returns a line without the address that it is about.
func besides(line, address string) string {
	before, after, _ := strings.Cut(line, address)
	switch {
	case labelOf(before) && !strings.Contains(strings.ToLower(before), "unknown") && strings.Trim(after, " >:.,;)") == "":
		return ""
	case strings.Trim(before, " <(*-\"'") == "" && strings.Trim(after, " >:.,;)") != "":
		return strings.TrimLeft(after, "> ):")
	case strings.Trim(before+after, " <>():,;*-.\"'0123456789") == "":
		return ""
	}
	return line
}

// reply returns what a host answered within these lines: the lines marked as an answer,
// otherwise the first lines with a code.
func (t *text) reply(from, to int) string {
	for _, marks := range [...]func(string) bool{
		func(l string) bool { return strings.HasPrefix(l, "<<< 4") || strings.HasPrefix(l, "<<< 5") },
		func(l string) bool { return strings.HasPrefix(l, "(reason:") },
		func(l string) bool { code, status := codes(l); return code != 0 || status != "" },
	} {
		for i := from; i < min(to, from+10*maxAbout); i++ {
			line := strings.TrimSpace(t.lines[i])
			if line == "" || !marks(line) {
				continue
			}
			var b strings.Builder
			for ; i < to && b.Len() < maxDiagnostic; i++ {
				line := strings.TrimSpace(t.lines[i])
				if line == "" || strings.HasPrefix(line, ">>>") {
					break
				}
				b.WriteString(strings.TrimPrefix(line, "<<< ") + " ")
			}
			return strings.TrimSpace(b.String())
		}
	}
	return ""
}
