// Package dmarc parses what a domain wants done with mail in its name that nothing
// authenticates (DMARC, RFC 7489 and its successor). It makes no queries itself: Walk
// calls a function that it is given. It is small, since a session links it.
package dmarc

import "strings"

// A Policy is what a domain wants done with mail in its name that fails.
type Policy struct {
	Wants      string // None, Quarantine or Reject
	Where      string // the domain with the record; empty: there is none
	StrictDKIM bool   // a signature must be of the author's domain itself (adkim=s)
	StrictSPF  bool
}

// Values of Policy.Wants.
const (
	None       = "none"
	Quarantine = "quarantine"
	Reject     = "reject"
)

// Enforced reports whether failing mail is refused or put aside.
func (p Policy) Enforced() bool { return p.Wants == Quarantine || p.Wants == Reject }

// Severity returns a number for comparison; negative for anything but the three values.
func (p Policy) Severity() int {
	switch p.Wants {
	case None:
		return 0
	case Quarantine:
		return 1
	case Reject:
		return 2
	}
	return -1
}

// A Record is the record at _dmarc of a domain.
type Record struct {
	Found bool // one record, or several, which count as none
	Tags  map[string]string
}

// Name returns the name of a domain's record.
func Name(domain string) string { return "_dmarc." + domain + "." }

// Parse finds the record among the texts at that name.
func Parse(texts []string) Record {
	var r Record
	for _, text := range texts {
		tags, ok := tagsOf(text)
		switch {
		case !ok:
		case r.Found:
			return Record{Found: true} // RFC 7489, 6.6.3: then none applies
		default:
			r = Record{true, tags}
		}
	}
	return r
}

// tagsOf parses a record: RFC 7489, 6.3 and 6.4. ok is false for a text of another
// kind.
func tagsOf(text string) (tags map[string]string, ok bool) {
	tags = make(map[string]string)
	for i, tag := range strings.Split(text, ";") {
		name, value, is := strings.Cut(tag, "=")
		name, value = strings.ToLower(strings.Trim(name, " \t\r\n")), strings.Trim(value, " \t\r\n")
		if i == 0 && (name != "v" || !strings.EqualFold(value, "DMARC1")) {
			return nil, false
		}
		if _, twice := tags[name]; is && !twice {
			tags[name] = strings.ToLower(value)
		}
	}
	return tags, true
}

// Policy returns what a record says for its own domain (p), for subdomains (sp), or for
// subdomains that do not exist (np).
func (r Record) Policy(where, key string) Policy {
	p := Policy{Wants: None}
	if r.Tags == nil {
		return p
	}
	p.Where, p.StrictDKIM, p.StrictSPF = where, r.Tags["adkim"] == "s", r.Tags["aspf"] == "s"
	keys := []string{"p"}
	switch key {
	case "sp":
		keys = []string{"sp", "p"}
	case "np":
		keys = []string{"np", "sp", "p"}
	}
	for _, k := range keys {
		if v, there := r.Tags[k]; there {
			if p.Wants = v; p.Severity() < 0 { // RFC 7489, 6.6.3: as if it only asked for reports
				p.Wants = None
			}
			break
		}
	}
	// A policy on trial counts as the next lower one: pct=0, and t=y in its successor.
	if r.Tags["pct"] == "0" || r.Tags["t"] == "y" {
		switch p.Wants {
		case Reject:
			p.Wants = Quarantine
		case Quarantine:
			p.Wants = None
		}
	}
	return p
}

// maxWalk is how many domains above an author's are asked.
const maxWalk = 5

// Walk returns the policy of a domain, given in ASCII, by asking for it and its parents
// up to the last but one label: the tree walk of DMARC's successor, without the public
// suffix list. txt looks names up, which end with a dot.
func Walk(txt func(name string) ([]string, error), domain string) (Policy, error) {
	strictest := Policy{Wants: None}
	for i := 0; i <= maxWalk; i++ {
		texts, err := txt(Name(domain))
		if err != nil {
			return Policy{}, err
		}
		key := "p"
		if i > 0 {
			key = "sp"
		}
		r := Parse(texts)
		if p := r.Policy(domain, key); p.Severity() > strictest.Severity() {
			strictest = p
		}
		_, above, _ := strings.Cut(domain, ".")
		if r.Found && i == 0 || !strings.Contains(above, ".") {
			break
		}
		domain = above
	}
	return strictest, nil
}
