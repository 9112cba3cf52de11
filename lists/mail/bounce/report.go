package bounce

import (
	"bytes"
	"strings"
	"sync"

	"superlist/lists/mail/charset"
)

// report combines what the parts say.
func (m *message) report() Report {
	if len(m.feedback) > 0 {
		return m.complaint()
	}
	if a, ok := m.hotmail(); ok {
		return a
	}
	source := m.plain.String()
	if strings.TrimSpace(source) == "" || !strings.Contains(source, "@") && strings.Contains(m.html.String(), "@") {
		source += m.html.String()
	}
	list := m.fields()
	boxbe := strings.Contains(source, "oxbe") && strings.Contains(strings.ToLower(source), "boxbe") // challenges as reports do
	if len(list) > 0 && !boxbe {
		return m.withFields(list, source)
	}
	l := m.look(source)
	switch {
	case m.receipt && len(list) == 0, l.says["other"] && len(list) == 0:
		return Report{Kind: Other}
	case l.says["challenge"] && (len(list) == 0 && !l.daemon || boxbe):
		return Report{Kind: Challenge}
	case len(list) > 0:
		return m.withFields(list, source)
	case len(m.status) == 0 && !m.looksLikeReport(l):
		if m.away(l) {
			return Report{Kind: Vacation}
		}
		return Report{Kind: Other}
	}
	report := m.withText(source, l)
	if l.vague(report) && !m.has("x-failed-recipients") && m.reportType == "" {
		if m.away(l) {
			return Report{Kind: Vacation}
		}
		return Report{Kind: Other}
	}
	return report
}

// hotmail parses a complaint as Outlook.com sends it: without a feedback report, but
// with a field before the returned message.
func (m *message) hotmail() (Report, bool) {
	if !bytes.Contains(m.returned, []byte("ecipient")) { // reading every header would be for nothing
		return Report{}, false
	}
	h, _ := readHeader(m.returned)
	value := h.get("x-hmxmroriginalrecipient")
	if value == "" {
		return Report{}, false
	}
	report := Report{Kind: Complaint, Feedback: "abuse"}
	if a := fieldAddress(value); a != "" {
		report.Recipients = []Recipient{{Address: a, Action: "abuse", Class: Unknown}}
	}
	return report, true
}

// withFields completes the fields from the text, where needed.
func (m *message) withFields(list []Recipient, source string) Report {
	told := sync.OnceValue(func() *told { return m.told(source) })
	made := strings.Contains(source, "expanded from") || strings.Contains(source, "generated from")
	report := Report{}
	seen := make(map[string]bool)
	for _, r := range list {
		if r.Address == "" && len(list) == 1 {
			r.Address, r.Final = told().only()
		}
		if r.Final == "" && made { // Postfix before ORCPT
			if of, ok := told().from[strings.ToLower(r.Address)]; ok && !strings.EqualFold(of, r.Address) {
				r.Address, r.Final = of, r.Address
			}
		}
		if r.Address == "" && len(list) == 1 {
			r.Address = m.elsewhere()
		}
		name := strings.ToLower(r.Address)
		if r.Address == "" || seen[name] {
			report.Kind = worse(report.Kind, r.Action)
			continue
		}
		seen[name] = true
		r.judge(m.words, told, len(list) == 1)
		report.Kind = worse(report.Kind, r.Action)
		report.Recipients = append(report.Recipients, r)
	}
	return report
}

// A told is what the text says in addition to the fields.
type told struct {
	*text
	list []Recipient
	of   map[string]*Recipient // by address
}

func (m *message) told(source string) *told {
	t := &told{text: readText(source, m.own()), of: make(map[string]*Recipient)}
	t.list = t.recipients()
	for i, r := range t.list {
		t.of[strings.ToLower(r.Address)] = &t.list[i]
		if r.Final != "" {
			t.of[strings.ToLower(r.Final)] = &t.list[i]
		}
	}
	return t
}

// only returns the recipient, if the text names exactly one.
func (t *told) only() (address, final string) {
	if len(t.list) == 1 {
		address, final = t.list[0].Address, t.list[0].Final
	}
	return address, final
}

// about returns the words about a recipient: those of their paragraph or, if they are
// the only recipient, what a host answered.
func (t *told) about(r *Recipient, single bool) string {
	of := t.of[strings.ToLower(r.Address)]
	if of == nil && r.Final != "" {
		of = t.of[strings.ToLower(r.Final)]
	}
	switch {
	case of != nil && of.Diagnostic != "":
		return of.Diagnostic
	case single:
		return t.reply(0, len(t.lines))
	}
	return ""
}

// judge sets the class of a recipient with fields. The words of the host come first; if
// they say nothing, the text decides.
func (r *Recipient) judge(words *Words, told func() *told, single bool) {
	if r.Action == "delivered" || r.Action == "relayed" || r.Action == "expanded" {
		r.Class = Unknown
		return
	}
	status := r.Status
	if strings.HasPrefix(status, "2.") {
		status = ""
	}
	r.Class = words.Classify(0, status, r.Diagnostic)
	if r.Class == Unknown || len(normal(r.Diagnostic)) <= 3 {
		if said := told().about(r, single); said != "" {
			if c := words.Classify(0, status, said); c != Unknown {
				r.Class = c
				if r.Diagnostic == "" {
					r.Diagnostic = cut(said)
				}
			}
		}
	}
	if r.Action == "delayed" && r.Class == Gone {
		r.Class = Temporary
	}
}

// worse combines the kind of a report with what happened to one more recipient.
func worse(kind Kind, action string) Kind {
	switch {
	case kind == Failure || action == "failed":
		return Failure
	case kind == Delay || action == "delayed":
		return Delay
	}
	return Relayed
}

// withText parses a report without fields.
func (m *message) withText(source string, l look) Report {
	if list := m.fieldsInText(source); len(list) > 0 {
		return m.withFields(list, source)
	}
	t := readText(source, m.own())
	list := t.recipients()
	if failed := m.failedRecipients(); len(failed) > 0 {
		list = merge(failed, list, t)
	}
	report := Report{Kind: Failure}
	action := "failed"
	if l.says["delay"] && !strings.Contains(strings.ToLower(source), "permanent") {
		report.Kind, action = Delay, "delayed"
	} else if l.says["relayed"] && !l.body["failure"] {
		report.Kind, action = Relayed, "relayed"
	}
	if len(list) == 0 {
		if a := m.elsewhere(); a != "" {
			list = []Recipient{{Address: a, Class: Unknown}}
		}
	}
	subject := charset.Words(m.get("subject"))
	for _, r := range list {
		r.Action = action
		code, status := codes(r.Diagnostic)
		r.Class = m.words.Classify(code, status, r.Diagnostic)
		if r.Class == Unknown && len(list) == 1 {
			if reply := t.reply(0, len(t.lines)); reply != "" {
				if r.Class = m.words.Classify(0, "", reply); r.Class != Unknown || r.Diagnostic == "" {
					r.Diagnostic = cut(reply)
					_, status = codes(reply)
				}
			}
		}
		if r.Class == Unknown && len(list) == 1 {
			r.Class = m.words.plainly(firstLines(source))
		}
		if r.Class == Unknown {
			if r.Class = m.words.plainly(subject); r.Class != Unknown && r.Diagnostic == "" {
				r.Diagnostic = cut(subject)
			}
		}
		if action == "delayed" && r.Class == Gone {
			r.Class = Temporary
		}
		if action == "relayed" {
			r.Class = Unknown
		}
		r.Status = status
		report.Recipients = append(report.Recipients, r)
	}
	return report
}

// fieldsInText parses fields that a gateway has moved into the text.
func (m *message) fieldsInText(source string) []Recipient {
	at := strings.Index("\n"+source, "\nFinal-Recipient:")
	if at < 0 || !strings.Contains(source, "\nAction:") {
		return nil
	}
	in := &message{status: []string{source[at:]}}
	return in.fields()
}

// failedRecipients parses X-Failed-Recipients, a field of Exim and Google.
func (m *message) failedRecipients() (list []string) {
	for _, f := range m.header {
		if f.name == "x-failed-recipients" {
			for a := range addresses(f.value) {
				list = append(list, a)
			}
		}
	}
	return list
}

// merge gives the addresses of X-Failed-Recipients the words of the text.
func merge(failed []string, told []Recipient, t *text) (list []Recipient) {
	seen := make(map[string]bool)
	for _, a := range failed {
		r := Recipient{Address: a, Class: Unknown}
		for _, s := range told[:min(len(told), 50)] {
			if strings.EqualFold(s.Address, a) || strings.EqualFold(s.Final, a) {
				r = s
			}
		}
		if r.Diagnostic == "" && len(told) == 1 {
			r.Diagnostic = told[0].Diagnostic
		}
		if !seen[strings.ToLower(r.Address)] && len(list) < MaxRecipients {
			seen[strings.ToLower(r.Address)] = true
			list = append(list, r)
		}
	}
	return list
}

// own returns the addresses in the report's header. The text may mention them without
// meaning a recipient.
func (m *message) own() map[string]bool {
	own := make(map[string]bool)
	for _, name := range [...]string{"to", "delivered-to", "from", "reply-to", "return-path", "x-original-to", "errors-to", "sender"} {
		n := 0
		for a := range addresses(m.get(name)) {
			if n++; n > 20 {
				break
			}
			own[strings.ToLower(a)] = true
		}
	}
	return own
}

// elsewhere returns the recipient of a report whose body names none.
func (m *message) elsewhere() string {
	for _, a := range m.to() {
		if who := verpAddress(a); who != "" {
			return who
		}
	}
	return ""
}

// maxTo is the largest number of addresses that a report came to.
const maxTo = 20

// to returns the addresses that the report came to.
func (m *message) to() (list []string) {
	for _, f := range m.header {
		if f.name != "to" && f.name != "delivered-to" && f.name != "x-original-to" {
			continue
		}
		for a := range addresses(f.value) {
			if len(list) == maxTo {
				return list
			}
			list = append(list, a)
		}
	}
	return list
}
