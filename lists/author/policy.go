package author

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"superlist/smtp"
)

// A Policy is what a domain wants done with mail in its name for which nothing speaks
// (DMARC, RFC 7489 and its successor).
type Policy struct {
	Wants      string // none, quarantine or reject
	Where      string // the domain whose record says so; empty: there is none
	StrictDKIM bool   // a signature must be of the author's domain itself (adkim=s)
	StrictSPF  bool
}

// Enforced reports whether mail that fails is refused or put aside.
func (p Policy) Enforced() bool { return p.Wants == Quarantine || p.Wants == Rejects }

// Values of Policy.Wants.
const (
	Asks       = "none"
	Quarantine = "quarantine"
	Rejects    = "reject"
)

// severity is for comparing.
func (p Policy) severity() int { return slices.Index([]string{Asks, Quarantine, Rejects}, p.Wants) }

// An existence says whether there is a name: mx.Resolver, DNS and a Keyring.
type existence interface {
	Exists(ctx context.Context, name string) (bool, error)
}

// maxWalk is how many domains are asked between an author's and its organisation's.
const maxWalk = 5

// PolicyOf finds the policy for mail of an author's domain. The organisation is the one
// that the public suffix list knows (RFC 7489, 3.2). A domain between may have a record
// too, which only the successor looks at: where the two come to different ends it is the
// stricter one, for there are receivers of both kinds. An error says that nobody can
// tell.
func PolicyOf(ctx context.Context, r Resolver, domain string) (Policy, error) {
	domain, ok := smtp.ASCIIDomain(strings.TrimSuffix(domain, "."))
	if !ok || strings.HasPrefix(domain, "[") {
		return Policy{Wants: Asks}, nil
	}
	own, err := recordOf(ctx, r, domain)
	if err != nil || own.found {
		return own.policy(domain, "p"), err
	}
	top, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil || top == domain {
		return Policy{Wants: Asks}, nil
	}
	key := "sp"
	of, err := recordOf(ctx, r, top)
	if err != nil {
		return Policy{}, err
	}
	if of.tags["np"] != "" {
		if e, ok := r.(existence); ok {
			there, err := e.Exists(ctx, domain)
			if err != nil {
				return Policy{}, err
			}
			if !there {
				key = "np"
			}
		}
	}
	policy := of.policy(top, key)
	for range maxWalk {
		_, domain, _ = strings.Cut(domain, ".")
		if len(domain) <= len(top) {
			break
		}
		between, err := recordOf(ctx, r, domain)
		if err != nil {
			return Policy{}, err
		}
		if between.found {
			if other := between.policy(domain, key); other.severity() > policy.severity() {
				return other, nil
			}
			break
		}
	}
	return policy, nil
}

// A record is what stands at _dmarc of a domain.
type record struct {
	found bool // one, or several, which mean none
	tags  map[string]string
}

func recordOf(ctx context.Context, r Resolver, domain string) (record, error) {
	texts, err := r.TXT(ctx, "_dmarc."+domain+".")
	if err != nil {
		return record{}, err
	}
	var all []record
	for _, text := range texts {
		if tags, ok := dmarcTags(text); ok {
			all = append(all, record{true, tags})
		}
	}
	switch len(all) {
	case 0:
		return record{}, nil
	case 1:
		return all[0], nil
	}
	return record{found: true}, nil // RFC 7489, 6.6.3: then nothing is applied
}

// dmarcTags takes a record apart: RFC 7489, 6.3 and 6.4. ok is false for a text of
// another kind.
func dmarcTags(text string) (tags map[string]string, ok bool) {
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

// policy is what a record says for its own domain (p), those below it (sp), or those
// below it that there are not (np).
func (r record) policy(where, key string) Policy {
	p := Policy{Wants: Asks}
	if r.tags == nil {
		return p
	}
	p.Where, p.StrictDKIM, p.StrictSPF = where, r.tags["adkim"] == "s", r.tags["aspf"] == "s"
	for _, k := range map[string][]string{"p": {"p"}, "sp": {"sp", "p"}, "np": {"np", "sp", "p"}}[key] {
		if v, there := r.tags[k]; there {
			if p.Wants = v; p.severity() < 0 { // RFC 7489, 6.6.3: as if it only asked for reports
				p.Wants = Asks
			}
			break
		}
	}
	// Being tried out, a policy is the next lower one: pct=0, and t=y in its place.
	if r.tags["pct"] == "0" || r.tags["t"] == "y" {
		switch p.Wants {
		case Rejects:
			p.Wants = Quarantine
		case Quarantine:
			p.Wants = Asks
		}
	}
	return p
}

// IsAwaited reports whether an error only says that an answer is not here yet.
func IsAwaited(err error) bool { return errors.Is(err, ErrAwaited) || errors.Is(err, replyKeys) }
