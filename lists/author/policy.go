package author

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/net/publicsuffix"

	"superlist/lists/dmarc"
	"superlist/smtp"
)

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
func PolicyOf(ctx context.Context, r Resolver, domain string) (dmarc.Policy, error) {
	domain, ok := smtp.ASCIIDomain(strings.TrimSuffix(domain, "."))
	if !ok || strings.HasPrefix(domain, "[") {
		return dmarc.Policy{Wants: dmarc.None}, nil
	}
	own, err := recordOf(ctx, r, domain)
	if err != nil || own.Found {
		return own.Policy(domain, "p"), err
	}
	top, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil || top == domain {
		return dmarc.Policy{Wants: dmarc.None}, nil
	}
	key := "sp"
	of, err := recordOf(ctx, r, top)
	if err != nil {
		return dmarc.Policy{}, err
	}
	if of.Tags["np"] != "" {
		if e, ok := r.(existence); ok {
			there, err := e.Exists(ctx, domain)
			if err != nil {
				return dmarc.Policy{}, err
			}
			if !there {
				key = "np"
			}
		}
	}
	policy := of.Policy(top, key)
	for range maxWalk {
		_, domain, _ = strings.Cut(domain, ".")
		if len(domain) <= len(top) {
			break
		}
		between, err := recordOf(ctx, r, domain)
		if err != nil {
			return dmarc.Policy{}, err
		}
		if between.Found {
			if other := between.Policy(domain, key); other.Severity() > policy.Severity() {
				return other, nil
			}
			break
		}
	}
	return policy, nil
}

// recordOf asks for the record of a domain.
func recordOf(ctx context.Context, r Resolver, domain string) (dmarc.Record, error) {
	texts, err := r.TXT(ctx, dmarc.Name(domain))
	if err != nil {
		return dmarc.Record{}, err
	}
	return dmarc.Parse(texts), nil
}

// IsAwaited reports whether an error only says that an answer is not here yet.
func IsAwaited(err error) bool { return errors.Is(err, ErrAwaited) || errors.Is(err, replyKeys) }
