package postfix

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Facts are what is known about this host.
type Facts struct {
	Domains []string // that have lists

	Given     map[string]string          // what main.cf sets
	Value     func(name string) string   // a parameter with what it refers to; empty: there is no such parameter, or it is empty
	Known     func(name string) bool     // this Postfix has such a parameter
	Services  []Service                  // of master.cf
	Class     func(domain string) string // the parameter by which Postfix takes mail for a domain; empty: it takes none
	Transport func(domain string) string // what transport_maps says of a domain
	Others    func(list string) []string // of a list of domains: those that are neither the lists' nor names of this host
	Own       []string                   // names of this host for which it takes mail, but localhost

	Bin         string // where superlist's programs are
	Config      string // superlist.toml, where it has another place than usual; else empty
	MaxMessage  int64  // max_message_size
	Kick, Relay string // the addresses in superlist.toml
	NextHop     string
}

// A Plan says what has to change.
type Plan struct {
	Way      string    `json:"way"`
	Why      string    `json:"why"`
	Doubt    string    `json:"doubt,omitempty"` // what nobody but the administrator knows, as a question; yes: Milter fits
	Domains  []string  `json:"domains"`
	Settings []Setting `json:"settings"` // of main.cf
	Services []string  `json:"services"` // lines for master.cf
	Options  []string  `json:"options"`  // service/type/name=value: of services that there are
	Notes    []string  `json:"notes"`
	Refused  []string  `json:"refused"` // why it must not be done

	facts *Facts
	door  Service // smtpd for mail from the world
}

// Changes reports whether anything has to change.
func (p *Plan) Changes() bool { return len(p.Settings)+len(p.Services)+len(p.Options) > 0 }

// Behind returns a plan that does what first did, and then this one.
func (p *Plan) Behind(first *Plan) *Plan {
	both := *p
	both.Services = append(slices.Clone(first.Services), p.Services...)
	both.Options = append(slices.Clone(first.Options), p.Options...)
	both.Settings = nil
	for _, s := range p.Settings {
		if i := slices.IndexFunc(first.Settings, func(f Setting) bool { return f.Name == s.Name }); i >= 0 {
			s.Was, s.Given = first.Settings[i].Was, first.Settings[i].Given
		}
		both.Settings = append(both.Settings, s)
	}
	for _, f := range first.Settings {
		if !slices.ContainsFunc(both.Settings, func(s Setting) bool { return s.Name == f.Name }) {
			both.Settings = append(both.Settings, f)
		}
	}
	return &both
}

func (p *Plan) refuse(format string, a ...any) {
	p.Refused = append(p.Refused, fmt.Sprintf(format, a...))
}

func (p *Plan) note(format string, a ...any) { p.Notes = append(p.Notes, fmt.Sprintf(format, a...)) }

// New plans a way, or the way that fits if way is "".
func New(f *Facts, way string) *Plan {
	p := &Plan{Way: way, facts: f, Domains: f.Domains, Settings: []Setting{}, Services: []string{}, Options: []string{}, Notes: []string{}, Refused: []string{}}
	open := p.frontDoor()
	fits, why := p.fits()
	switch {
	case way == "":
		p.Way, p.Why = fits, why
		if fits == ListsOnly && len(f.Own) > 0 {
			p.Doubt = fmt.Sprintf("mydestination has %s: does mail come in from outside for people there, such as root@%s?", strings.Join(f.Own, ", "), f.Own[0])
			p.note("way A refuses mail from outside for people at %s; if some comes: superlist setup postfix --way C", strings.Join(f.Own, ", "))
		}
	case way == fits:
		p.Why = why
	default:
		p.Why = fmt.Sprintf("asked for; %s would fit, since %s", fits, why)
	}
	switch {
	case len(f.Domains) == 0:
		p.refuse("there are no lists yet: make one, or name a domain with --domain")
		return p
	case !open:
		p.refuse("master.cf has no smtpd or postscreen on port 25, so mail from the world does not come in here")
		return p
	}
	p.mayBe()
	for _, s := range settingsOf(p.Way) {
		p.setting(s)
	}
	p.recipients()
	p.services()
	p.submission()
	return p
}

// frontDoor finds the smtpd for mail from the world, which may be behind a postscreen.
func (p *Plan) frontDoor() bool {
	find := func(is func(Service) bool) bool {
		i := slices.IndexFunc(p.facts.Services, is)
		if i >= 0 {
			p.door = p.facts.Services[i]
		}
		return i >= 0
	}
	if find(func(s Service) bool {
		return s.Kind == "inet" && s.Command == "smtpd" && (s.Port() == "smtp" || s.Port() == "25")
	}) {
		return true
	}
	return find(func(s Service) bool { return s.Kind == "inet" && s.Command == "postscreen" }) &&
		find(func(s Service) bool { return s.Kind == "pass" && s.Command == "smtpd" })
}

// otherMail says what other mail comes here; "" if there is none.
func (p *Plan) otherMail() string {
	var what []string
	for _, list := range []string{"mydestination", "relay_domains", "virtual_mailbox_domains", "virtual_alias_domains"} {
		if others := p.facts.Others(list); len(others) > 0 {
			what = append(what, fmt.Sprintf("%s has %s", list, strings.Join(others[:min(len(others), 3)], ", ")))
		}
	}
	for _, s := range p.facts.Services {
		if s.submits() {
			what = append(what, "people send mail through the service "+s.Name)
		}
	}
	return strings.Join(what, "; ")
}

// fits returns the way that fits, and the reason.
func (p *Plan) fits() (way, why string) {
	other := p.otherMail()
	_, milters := p.door.Option("smtpd_milters")
	switch {
	case other == "" && !p.taken("smtpd_proxy_filter"):
		return ListsOnly, "nothing but lists gets mail here, so superlist can decide on each post during the session"
	case milters:
		return LMTP, "other mail comes here too (" + other + "), and smtpd has mail filters of its own in master.cf, to which main.cf cannot add one"
	case other == "":
		return Milter, "another filter stands in front of this Postfix (smtpd_proxy_filter), and a milter works beside it"
	}
	return Milter, "other mail comes here too (" + other + "), and a milter leaves that alone while posts are refused during the session"
}

// taken reports whether a parameter has a value that is not superlist's.
func (p *Plan) taken(name string) bool {
	value := p.facts.Value(name)
	return value != "" && !slices.ContainsFunc(Ways, func(way string) bool {
		return slices.ContainsFunc(settingsOf(way), func(s Setting) bool { return s.Name == name && s.Value == value })
	})
}

// mayBe refuses a way that would break other mail.
func (p *Plan) mayBe() {
	if other := p.otherMail(); p.Way == ListsOnly && other != "" {
		p.refuse("way A refuses all mail that is not for a list, and other mail comes here: %s; take C", other)
	}
	if p.Way == Proxy && p.facts.NextHop == "" {
		p.refuse("way D needs its next hop in superlist.toml first, or lists take no other mail:\n\n[proxy]\nnext_hop = \"127.0.0.1:10028\"\n")
	}
	for _, domain := range p.Domains {
		switch class := p.facts.Class(domain); class {
		case "", "relay_domains":
		default:
			p.refuse("%s is in %s, so it has other addresses, whose mail would go to superlist; give the lists a domain of their own, or see docs/postfix.md", domain, class)
		}
		if to := p.facts.Transport(domain); to != "" && to != "lmtp:"+sessions {
			p.refuse("transport_maps sends mail for %s to %s", domain, to)
		}
	}
	for _, s := range settingsOf(p.Way) {
		value, own := p.door.Option(s.Name)
		if own && value != s.Value {
			p.refuse("the service %s in master.cf has its own -o %s=%s, so what main.cf says does not count", p.door.Name, s.Name, value)
		}
	}
}

// sessions is the address at which superlist-spawn is started.
const sessions = "[127.0.0.1]:10025"

// services adds the services that the way needs and master.cf lacks.
func (p *Plan) services() {
	for _, s := range Services(master) {
		if !p.needs(s) {
			continue
		}
		s = p.here(s)
		i := slices.IndexFunc(p.facts.Services, s.same)
		if i < 0 {
			p.Services = append(p.Services, s.line)
			continue
		}
		there := p.facts.Services[i]
		name, _ := s.Option("syslog_name")
		if named, _ := there.Option("syslog_name"); there.does() != s.does() || named != name {
			p.refuse("master.cf has another service, %s, at %s, which superlist needs for %s", there.does(), there.Name, s.does())
		}
	}
}

// needs reports whether the way needs a service of the example.
func (p *Plan) needs(s Service) bool {
	bySpawn := p.facts.Kick != "" // else systemd or xinetd starts the programs
	switch s.does() {
	case "superlist-spawn":
		return bySpawn
	case "superlist":
		return loopback(p.facts.Kick)
	case "superlist-milter":
		return bySpawn && p.Way == Milter
	case "superlist-policy":
		return p.Way == LMTP
	}
	if s.Port() == "10028" {
		return p.Way == Proxy
	}
	return loopback(p.facts.Relay)
}

// loopback reports whether an address is a port of this host only.
func loopback(address string) bool {
	return strings.HasPrefix(address, "127.") || strings.HasPrefix(address, "localhost:") || strings.HasPrefix(address, "[::1]:")
}

// here adapts a service of the example to this host's programs, configuration and
// ports.
func (p *Plan) here(s Service) Service {
	line := strings.ReplaceAll(s.line, "/usr/local/bin/", strings.TrimSuffix(p.facts.Bin, "/")+"/")
	if at := s.Program(); at != "" && p.facts.Config != "" {
		argv := "argv=" + strings.TrimSuffix(p.facts.Bin, "/") + "/" + s.does()
		line = strings.Replace(line, argv, argv+" -c "+p.facts.Config, 1)
	}
	for from, to := range map[string]string{"127.0.0.1:10027": p.facts.Kick, "127.0.0.1:10026": p.facts.Relay} {
		if s.Name == from {
			line = strings.Replace(line, from, to, 1)
		}
	}
	return Services(line)[0]
}

// submission routes mail submitted by the host's users through Postfix's queue, if it
// would otherwise go through superlist: docs/postfix.md, Submission.
func (p *Plan) submission() {
	if p.Way != ListsOnly && p.Way != Proxy {
		return
	}
	for _, s := range p.facts.Services {
		_, own := s.Option("smtpd_proxy_filter")
		if s.submits() && !own {
			p.Options = append(p.Options, s.key()+"/smtpd_proxy_filter=")
		}
	}
}

// limit returns the message_size_limit to set; 0 if it can stay.
func (p *Plan) limit() int64 {
	now, err := strconv.ParseInt(p.facts.Value("message_size_limit"), 10, 64)
	need := p.facts.MaxMessage + 1<<20 // and room for the headers of a list
	if err == nil && (now == 0 || now >= need) {
		return 0
	}
	return need
}
