package author

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"superlist/lists/dmarc"
	"superlist/lists/rewrite"
	"superlist/smtp"
)

// A Survey knows whether a message passes DMARC at those who get it from us: by a
// signature that is good now and is still good when we have changed something.
type Survey struct {
	m    Message
	keys Resolver

	asked bool
	good  []goodSignature
	waits
}

// NewSurvey gives the survey of a message that has come in.
func NewSurvey(keys Resolver, m Message) *Survey { return &Survey{m: m, keys: keys} }

// Policy is PolicyOf, and remembers what it has to wait for.
func (s *Survey) Policy(domain string) (dmarc.Policy, error) {
	return PolicyOf(context.Background(), s, domain)
}

// TXT asks, and remembers what has no answer yet.
func (s *Survey) TXT(ctx context.Context, name string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, signatureTime)
	defer cancel()
	texts, err := s.keys.TXT(ctx, name)
	s.hear(name, err)
	return texts, err
}

// Exists asks whether there is a name.
func (s *Survey) Exists(ctx context.Context, name string) (bool, error) {
	e, ok := s.keys.(existence)
	if !ok {
		return true, nil
	}
	there, err := e.Exists(ctx, name)
	s.hear(existing+name, err)
	return there, err
}

// A goodSignature is one that has been verified.
type goodSignature struct {
	domain string
	keys   []string // h=
	field  []byte
}

// soon is how much longer a signature has to be good: a receiver may look at it only
// when the mail has been under way for a while.
const soon = 24 * time.Hour

// verified returns the signatures of the authors' domains that are good now and stay good
// for a while.
func (s *Survey) verified() []goodSignature {
	if !s.asked && !s.m.Binary {
		s.asked = true
		fields := s.m.Header.All("DKIM-Signature")
		for i, v := range s.verify(s.m, s.keys) {
			if v.Err != nil || i >= len(fields) || !v.Expiration.IsZero() && v.Expiration.Before(s.m.Arrived.Add(soon)) {
				continue
			}
			s.good = append(s.good, goodSignature{v.Domain, v.HeaderKeys, fields[i].Raw})
		}
	}
	return s.good
}

// Holds reports whether a signature speaks for a domain (strict: of that domain itself)
// that is still good over another header and, if the body is the same, that body.
func (s *Survey) Holds(domain string, strict bool, after rewrite.Header, sameBody bool) bool {
	if !sameBody {
		return false // also with l=, which those do not trust who know what it is
	}
	for _, sig := range s.verified() {
		if AlignedWith(sig.domain, domain, strict) && sig.holds(s.m.Header, after) {
			return true
		}
	}
	return false
}

// Signed reports whether the message came with a signature that speaks for a domain.
func (s *Survey) Signed(domain string) bool {
	return slices.ContainsFunc(s.verified(), func(sig goodSignature) bool { return aligned(sig.domain, domain) })
}

// holds reports whether each field that a signature covers is the same in two headers.
func (s goodSignature) holds(before, after rewrite.Header) bool {
	if !slices.ContainsFunc(after, func(f rewrite.Field) bool { return bytes.Equal(f.Raw, s.field) }) {
		return false
	}
	seen := make(map[string]int)
	for _, key := range s.keys {
		key = strings.ToLower(key)
		if !bytes.Equal(pick(before, key, seen[key]), pick(after, key, seen[key])) {
			return false
		}
		seen[key]++
	}
	return true
}

// pick is the field of a name that stands n fields above the last: RFC 6376, 5.4.2. nil:
// there is none.
func pick(h rewrite.Header, name string, n int) []byte {
	fields := h.All(name)
	if n >= len(fields) {
		return nil
	}
	return fields[len(fields)-1-n].Raw
}

// AlignedWith reports whether a domain speaks for an author's: it is the same, or, unless
// that is asked for (strict), of the same organisation.
func AlignedWith(domain, author string, strict bool) bool {
	if !strict {
		return aligned(domain, author)
	}
	a, ok := smtp.ASCIIDomain(domain)
	b, ok2 := smtp.ASCIIDomain(author)
	return ok && ok2 && a == b
}

// SPF reports whether a domain says by which hosts its mail leaves (RFC 7208). That it
// leaves by one of them is for its postmaster to see to.
func (s *Survey) SPF(domain string) bool {
	domain, ok := smtp.ASCIIDomain(domain)
	if !ok {
		return false
	}
	texts, _ := s.TXT(context.Background(), domain+".")
	return slices.ContainsFunc(texts, func(text string) bool { return text == "v=spf1" || strings.HasPrefix(text, "v=spf1 ") })
}
