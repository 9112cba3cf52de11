package deliver

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"golang.org/x/net/publicsuffix"

	"superlist/lists"
	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// A post that would be held because nothing proves who wrote it is taken by the
// session, and its DKIM signatures (RFC 6376) are verified here, before the list is
// asked again: a session asks no name server. What nobody can say in time proves
// nothing.
//
// A signature says who wrote a message, and not who sends it now. Anybody who has
// got one can send it on, so it counts for a list only where the field that names
// the list is signed too: what a moderator wrote to somebody else is no word of his
// to the list. And it counts once, and not for long: see Runner.judge.

const (
	// maxSignatures is how many signatures of a message are verified: its author's
	// domain's, and those of the hosts that have sent it on.
	maxSignatures = 5
	// maxNames is how many names of a message are remembered; one with more signatures
	// of its author's domain has been made up.
	maxNames = 20
	// signatureTime is how long that may take for one message.
	signatureTime = 15 * time.Second
	// signatureLife is how old a signature, or the Date that it is over, may be when
	// the message arrives: mail that is under way for longer than anybody keeps trying
	// somebody sends again.
	signatureLife = 14 * 24 * time.Hour
	// clockSkew is by how much a clock elsewhere may be ahead of ours.
	clockSkew = 24 * time.Hour
)

// A txtResolver gives the text records of a name.
type txtResolver interface {
	TXT(ctx context.Context, name string) ([]string, error)
}

// A Verifier knows how an author of a message for a list is known to be who From
// says: by what the mail system before us has found out and, where the site wants it,
// by DKIM.
type Verifier struct {
	site    *lists.Site
	header  rewrite.Header
	content *io.SectionReader
	arrived time.Time
	naming  []string // the fields that name the list
	dkim    bool     // signatures are to be verified
	asked   bool     // they have been
	domains []string // of those that are good

	resolver txtResolver
	mu       sync.Mutex
	awaited  []string // names of keys that are not here yet
	failed   error    // why none can be asked for now
}

// NewVerifier gives the verifier of a message that arrived at this time.
func NewVerifier(site *lists.Site, l *lists.List, h rewrite.Header, content *io.SectionReader, arrived time.Time) *Verifier {
	v := &Verifier{site: site, header: h, content: content, arrived: arrived, naming: namingFields(h, l), resolver: siteResolver{site}}
	v.dkim = site.VerifyDKIM && len(v.naming) > 0
	return v
}

// How is lists.Posting.Verified.
func (v *Verifier) How(author smtp.Path) string {
	addressed := len(v.naming) > 0 && v.recent(v.date())
	if how := authenticated(v.header, v.site.AuthservID, author, addressed); how != "" {
		return how
	}
	if v.dkim && !v.asked {
		v.asked = true
		v.domains = v.signers(v.resolver)
	}
	if slices.ContainsFunc(v.domains, func(d string) bool { return aligned(d, author.Domain) }) {
		return "dkim"
	}
	return ""
}

// date is what Date says; zero where it says nothing.
func (v *Verifier) date() time.Time {
	t, _ := mail.ParseDate(v.header.Get("Date"))
	return t
}

// recent says that a message of this time may well be under way only now.
func (v *Verifier) recent(t time.Time) bool {
	age := v.arrived.Sub(t)
	return !t.IsZero() && age <= signatureLife && age >= -clockSkew
}

// names are what the message is known by, should it be sent again: its Message-ID
// and, since a signature need not be over that, the signatures themselves. Who changes
// one of them has nothing that proves anything.
func (v *Verifier) names(author smtp.Path) (names []string) {
	if id := v.header.Get("Message-ID"); id != "" {
		names = append(names, "Message-ID "+id)
	}
	for _, f := range v.header.All("DKIM-Signature") {
		tags := make(map[string]string)
		for tag := range strings.SplitSeq(f.Value(), ";") {
			name, value, _ := strings.Cut(tag, "=")
			tags[strings.TrimSpace(name)] = strings.Join(strings.Fields(value), "")
		}
		if b, err := base64.StdEncoding.DecodeString(tags["b"]); err == nil && aligned(tags["d"], author.Domain) {
			names = append(names, "DKIM "+string(b))
		}
	}
	if len(names) > maxNames {
		return nil
	}
	return names
}

// AskResolver asks the resolver that Verifier would ask, for a name that need not be
// there, and says which it is.
func AskResolver(ctx context.Context, site *lists.Site) (addr string, err error) {
	resolver, err := (&dialer{site: site}).resolver()
	if err != nil {
		return "", err
	}
	_, err = resolver.TXT(ctx, "_domainkey."+site.Hostname)
	return resolver.Addr, err
}

// verifier is NewVerifier of a message from the spool. In what is BINARYMIME there
// are no lines, which DKIM counts on.
func (r *Runner) verifier(m *queue.Message, l *lists.List, h rewrite.Header) *Verifier {
	v := NewVerifier(r.Site, l, h, m.Content(), m.Arrived)
	v.dkim = v.dkim && m.Body != smtp.BinaryMIME
	if r.keys != nil {
		v.resolver = r.keys
	}
	return v
}

// namingFields are the fields of a header that name a list.
func namingFields(h rewrite.Header, l *lists.List) (fields []string) {
	for _, name := range []string{"To", "Cc"} {
		paths, _ := rewrite.Addresses(h.Get(name))
		if slices.ContainsFunc(paths, l.IsAddress) {
			fields = append(fields, name)
		}
	}
	return fields
}

// signers are the domains whose signatures the message has, over one of the fields
// that name the list, and which are good. Of a domain that speaks for none of its
// authors nobody is asked.
func (v *Verifier) signers(resolver txtResolver) (domains []string) {
	ctx, cancel := context.WithTimeout(context.Background(), signatureTime)
	defer cancel()
	authors, _ := rewrite.Addresses(v.header.Get("From"))
	matters := func(domain string) bool {
		return slices.ContainsFunc(authors, func(p smtp.Path) bool { return aligned(domain, p.Domain) })
	}
	// What is wrong with one signature stands with it. Any other error leaves some
	// without one.
	found, err := dkim.VerifyWithOptions(io.NewSectionReader(v.content, 0, v.content.Size()), &dkim.VerifyOptions{
		MaxVerifications: maxSignatures,
		LookupTXT: func(name string) ([]string, error) {
			if _, domain, _ := strings.Cut(name, "._domainkey."); !matters(domain) {
				return nil, errNoMatter
			}
			records, err := keys(ctx, resolver, name)
			v.hear(name, err)
			return records, err
		},
	})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		return nil
	}
	for _, s := range found {
		signed := func(field string) bool {
			return slices.ContainsFunc(s.HeaderKeys, func(key string) bool { return strings.EqualFold(key, field) })
		}
		if s.Err != nil || !slices.ContainsFunc(v.naming, signed) {
			continue
		}
		if at := s.Time; at.IsZero() && !(signed("Date") && v.recent(v.date())) || !at.IsZero() && !v.recent(at) {
			continue
		}
		domains = append(domains, s.Domain)
	}
	return domains
}

// hear remembers of a key that it is not here yet, or cannot be asked for.
func (v *Verifier) hear(name string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case errors.Is(err, errAwaited):
		v.awaited = append(v.awaited, name)
	case errors.Is(err, replyKeys):
		v.failed = err
	}
}

var errNoMatter = errors.New("this domain does not speak for the author")

// keys are the records of a key, but for one that is only being tried out: RFC
// 6376, 3.6.1 has t=y mean no more than no signature.
func keys(ctx context.Context, resolver txtResolver, name string) ([]string, error) {
	records, err := resolver.TXT(ctx, name)
	return slices.DeleteFunc(records, onTrial), err
}

func onTrial(record string) bool {
	for tag := range strings.SplitSeq(record, ";") {
		name, value, _ := strings.Cut(tag, "=")
		if strings.TrimSpace(name) != "t" {
			continue
		}
		for flag := range strings.SplitSeq(value, ":") {
			if strings.TrimSpace(flag) == "y" {
				return true
			}
		}
	}
	return false
}

// aligned says that a domain for which something was proved speaks for an author: it
// is theirs, or both are of one organisation (RFC 7489, 3.1.1, relaxed).
func aligned(domain, author string) bool {
	domain, ok := smtp.ASCIIDomain(domain)
	author, ok2 := smtp.ASCIIDomain(author)
	if !ok || !ok2 {
		return false
	}
	if domain == author {
		return true
	}
	a, err := publicsuffix.EffectiveTLDPlusOne(domain)
	if err != nil {
		return false
	}
	b, err := publicsuffix.EffectiveTLDPlusOne(author)
	return err == nil && a == b
}
