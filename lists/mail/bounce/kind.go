package bounce

import (
	_ "embed"
	"strings"
	"sync"

	"superlist/lists/mail/charset"
)

//go:embed kinds.txt
var kindsFile string

var kinds = sync.OnceValue(func() *table { return readTable(kindsFile) })

// A look is what the header and the first words of a message suggest about its kind.
type look struct {
	daemon, mta, null, automatic, subject bool
	says                                  map[string]bool // in subject or text
	body                                  map[string]bool // in the text
}

// vague reports whether a text without a reason could be a person's as well as a
// program's: a postmaster's letter that mentions an address.
func (l look) vague(r Report) bool {
	if l.mta || r.Kind != Failure {
		return false
	}
	for _, r := range r.Recipients {
		if r.Class != Unknown || r.Status != "" || r.sure && l.subject {
			return false
		}
	}
	return true
}

// look reads the parts of the header and text that the kind depends on.
func (m *message) look(source string) look {
	subject := charset.Words(m.get("subject"))
	head := firstLines(source)
	l := look{says: kinds().judge(normal(subject)).said, body: kinds().judge(normal(head)).said}
	l.subject = l.says["subject"]
	from := kinds().judge(normal(strings.Replace(charset.Words(m.get("from")), "@", " ", 1)))
	l.daemon, l.mta = from.said["daemon"] || m.has("x-mailgenerated-server") || m.has("x-ms-exchange-message-is-ndr"), from.said["mta"]
	l.null = m.has("return-path") && strings.Trim(m.get("return-path"), "<> \t") == ""
	auto := strings.ToLower(m.get("auto-submitted"))
	l.automatic = auto != "" && !strings.HasPrefix(auto, "no")
	if l.says == nil {
		l.says = make(map[string]bool)
	}
	for k := range l.body {
		l.says[k] = true
	}
	return l
}

// firstLines returns the first words of a text, which say what it is about, without
// quotations.
func firstLines(source string) string {
	var b strings.Builder
	for line := range strings.Lines(source) {
		line = strings.TrimSpace(line)
		if b.Len() > 1500 || beginsCopy(strings.ToLower(line)) && b.Len() > 0 {
			break
		}
		if !strings.HasPrefix(line, ">") {
			b.WriteString(line[:min(len(line), 300)] + "\n")
		}
	}
	return b.String()
}

// looksLikeReport reports whether a message without fields is a report. No single sign
// is sufficient: spam has an empty sender, and postmasters write letters.
func (m *message) looksLikeReport(l look) bool {
	if m.receipt {
		return false
	}
	answer, forward := answered(charset.Words(m.get("subject")))
	if answer && (!l.daemon || m.has("in-reply-to") && !l.null) || forward && !l.null || m.byList(l) || m.elseBy() {
		return false
	}
	failed := l.body["failure"] || l.body["delay"] || l.body["relayed"]
	if !l.daemon && (l.says["vacation"] || m.has("in-reply-to") && !l.null) {
		return false
	}
	switch {
	case m.has("x-failed-recipients"):
		return l.daemon || l.null || failed
	case m.reportType == "delivery-status":
		return l.daemon || l.null || l.subject
	case l.daemon:
		return failed && (l.subject || l.null || l.automatic) || l.subject && (l.null || l.automatic || m.parts > 1) || l.subject && !m.has("in-reply-to")
	case l.null:
		return failed && l.subject
	}
	return failed && l.subject && !m.has("return-path") && strings.HasPrefix(strings.ToLower(m.get("auto-submitted")), "auto-replied")
}

// byList reports whether a message is a list's post or a newsletter. A report that came
// through a list has its fields too; a postmaster may be a person who posts.
func (m *message) byList(l look) bool {
	has := m.has("list-unsubscribe") || m.has("list-id") && !l.null
	return has && !l.mta && !(l.daemon && (l.null || l.automatic))
}

// elseBy reports whether a program wrote a message that mails patches, bugs or
// jobs: they may have a report's words in them, and no mail server writes these fields.
func (m *message) elseBy() bool {
	for _, name := range [...]string{"x-cron-env", "x-bugzilla-type", "x-github-reason", "x-gitlab-project", "x-jira-fingerprint"} {
		if m.has(name) {
			return true
		}
	}
	return strings.HasPrefix(m.get("x-mailer"), "git-send-email")
}

// answered reports whether a message with this subject is an answer, and whether it was
// forwarded.
func answered(subject string) (answer, forward bool) {
	mark, _, ok := strings.Cut(strings.ToLower(subject), ":")
	switch mark {
	case "re", "aw", "sv", "vs":
		return ok, false
	case "fw", "fwd", "wg", "rv", "tr", "i", "enc", "doorst", "pd", "vb":
		return ok, ok
	}
	return false, false
}

// away reports whether a message is an automatic answer.
func (m *message) away(l look) bool {
	auto := strings.ToLower(m.get("auto-submitted"))
	answers := strings.HasPrefix(auto, "auto-replied") || m.has("x-autoreply") || m.has("x-autorespond") || m.has("x-autoresponder") ||
		strings.EqualFold(m.get("precedence"), "auto_reply") || strings.EqualFold(m.get("x-precedence"), "auto_reply") || m.has("x-mail-autoreply")
	subject := kinds().judge(normal(charset.Words(m.get("subject")))).said["vacation"]
	return answers && !l.daemon || subject && !m.has("list-id") && (answers || l.null || l.automatic || l.body["vacation"])
}
