package postfix

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// setting merges a setting of the way into the one in main.cf.
func (p *Plan) setting(s Setting) {
	shown := s.Value
	s.Value = p.forDomains(shown)
	s.Was, s.Given = p.facts.Given[s.Name]
	now := p.facts.Value(s.Name)
	switch s.Name {
	case "relay_domains", "smtpd_discard_ehlo_keywords", "smtpd_restriction_classes":
		p.set(s, union(p.raw(s), Words(s.Value)))
	case "transport_maps", "smtpd_recipient_restrictions":
		p.prepend(s, tableLike(shown))
	case "smtpd_milters", "non_smtpd_milters":
		p.milter(s)
	case "milter_default_action": // of all mail filters; see milter
		if now != s.Value && !p.otherMilters() {
			p.set(s, []string{s.Value})
		}
	case "message_size_limit":
		if n := p.limit(); n > 0 {
			p.set(s, []string{fmt.Sprint(n)})
		}
	case "smtpd_forbid_bare_newline": // whatever somebody wants of it
		if !s.Given && p.facts.Known(s.Name) && now != s.Value {
			p.set(s, []string{s.Value})
		}
	case "relay_transport":
		p.relayTransport(s)
	case "relay_recipient_maps": // see recipients
	case "lmtp_line_length_limit", "lmtp_send_xforward_command", "smtpd_reject_unlisted_recipient":
		if s.Given && now != s.Value {
			p.note("%s was %s: it is changed for all mail", s.Name, s.Was)
		}
		p.set(s, []string{s.Value})
	default:
		if s.Given && now != "" && now != s.Value {
			p.refuse("%s is %s already", s.Name, s.Was)
			return
		}
		p.set(s, []string{s.Value})
	}
}

// raw returns the words of a setting in main.cf or, if main.cf lacks it, of Postfix's
// default.
func (p *Plan) raw(s Setting) []string {
	if s.Given {
		return Words(s.Was)
	}
	return Words(p.facts.Value(s.Name))
}

// set adds a setting, unless it has this value already.
func (p *Plan) set(s Setting, words []string) {
	s.Value = strings.Join(words, ", ")
	if s.Given && slices.Equal(Words(s.Was), Words(s.Value)) {
		return
	}
	p.Settings = append(p.Settings, s)
}

// prepend puts a table in front of the existing ones, and removes a table of
// superlist's for other domains.
func (p *Plan) prepend(s Setting, ours *regexp.Regexp) {
	was := s.Was
	if !s.Given {
		was = p.facts.Value(s.Name)
	}
	if rest := strings.Trim(ours.ReplaceAllString(was, ""), ", \t"); rest != "" {
		s.Value += ", " + rest
	}
	if s.Value != was {
		p.Settings = append(p.Settings, s)
	}
}

// tableLike returns a pattern that matches a table of superlist's, as in the example,
// for any domains.
func tableLike(value string) *regexp.Regexp {
	before, rest, _ := strings.Cut(value, "inline:{ ")
	entry, _, _ := strings.Cut(rest, " }")
	_, to, _ := strings.Cut(entry, "=")
	return regexp.MustCompile(regexp.QuoteMeta(before) + `inline:\{ (?:[^\s,={}]+=` + regexp.QuoteMeta(to) + `,? )+\}`)
}

// union returns the words of a, followed by those of b that a lacks.
func union(a, b []string) []string {
	for _, w := range b {
		if !slices.Contains(a, w) {
			a = append(slices.Clip(a), w)
		}
	}
	return a
}

// forDomains returns a value for the domains of this host's lists. If the value is a
// table, each domain gets an entry.
func (p *Plan) forDomains(value string) string {
	before, rest, table := strings.Cut(value, "inline:{ ")
	entry, after, _ := strings.Cut(rest, " }")
	if !table {
		return strings.ReplaceAll(value, example, strings.Join(p.Domains, ", "))
	}
	var entries []string
	for _, domain := range p.Domains {
		entries = append(entries, strings.ReplaceAll(entry, example, domain))
	}
	return before + "inline:{ " + strings.Join(slices.Compact(entries), ", ") + " }" + after
}

// otherMilters reports whether other mail filters are configured.
func (p *Plan) otherMilters() bool {
	for _, name := range []string{"smtpd_milters", "non_smtpd_milters"} {
		for _, m := range Words(p.facts.Value(name)) {
			if !strings.Contains(m, "superlist-milter") && !strings.Contains(m, milterPort) {
				return true
			}
		}
	}
	return false
}

// milterPort is the address at which systemd and xinetd start superlist-milter.
const milterPort = "inet:127.0.0.1:10030"

// milter puts superlist last, since a message that another filter refuses must not have
// reached the lists already. If there are others, only superlist gets its default
// action.
func (p *Plan) milter(s Setting) {
	if p.facts.Kick == "" {
		if s.Value = milterPort; s.Name == "non_smtpd_milters" {
			p.note("mail from programs on this machine reaches lists by transport_maps: docs/launchers.md has no second milter")
			return
		}
	}
	words := p.raw(s)
	if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, s.Value) }) {
		return
	}
	own := s.Value
	if p.otherMilters() {
		own = "{ " + own + ", default_action=tempfail }"
	}
	p.set(s, append(slices.Clip(words), own))
}

// relayTransport sets the transport for mail to the lists that Postfix itself has.
// Other relayed domains keep theirs.
func (p *Plan) relayTransport(s Setting) {
	if p.facts.Value(s.Name) == s.Value {
		return
	}
	if len(p.facts.Others("relay_domains")) == 0 && !s.Given {
		p.set(s, []string{s.Value})
		return
	}
	p.setting(Setting{Name: "transport_maps", Value: "inline:{ " + example + "=" + s.Value + " }"})
}

// recipients makes the lists' addresses known if Postfix has a list of the recipients
// that it relays for.
func (p *Plan) recipients() {
	const name = "relay_recipient_maps"
	s := Setting{Name: name}
	s.Was, s.Given = p.facts.Given[name]
	now := p.facts.Value(name)
	if p.Way == Proxy { // behind superlist, the lists' addresses are nobody's
		others := p.facts.Others("relay_domains")
		if now != "" {
			return
		}
		entries := []string{"nobody@invalid=OK"}
		for _, domain := range others {
			if strings.ContainsAny(domain, ":/") {
				p.refuse("relay_domains has %s, and way D needs the recipients of other relay domains in relay_recipient_maps", domain)
				return
			}
			entries = append(entries, "@"+domain+"=OK")
		}
		p.set(s, []string{"inline:{ " + strings.Join(entries, ", ") + " }"})
		return
	}
	if now == "" {
		return // all are taken
	}
	var entries []string
	for _, domain := range p.Domains {
		entries = append(entries, "@"+domain+"=OK")
	}
	p.set(s, union(p.raw(s), []string{"inline:{ " + strings.Join(entries, ", ") + " }"}))
}
