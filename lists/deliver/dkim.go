package deliver

import (
	"context"
	"io"
	"slices"
	"strings"
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
// to the list.

const (
	// maxSignatures is how many signatures of a message are verified: its author's
	// domain's, and those of the hosts that have sent it on.
	maxSignatures = 5
	// signatureTime is how long that may take for one message.
	signatureTime = 15 * time.Second
	// signatureLife is how old a signature may be when the message arrives: mail
	// that is under way for longer than anybody keeps trying somebody sends again.
	signatureLife = 14 * 24 * time.Hour
)

// A txtResolver gives the text records of a name.
type txtResolver interface {
	TXT(ctx context.Context, name string) ([]string, error)
}

// Verifier says how an author is known to be who From says, by what the mail system
// before us has found out and, where the site wants it, by DKIM.
func Verifier(site *lists.Site, l *lists.List, h rewrite.Header, content *io.SectionReader, arrived time.Time) func(smtp.Path) string {
	before := site.Verifier(h)
	naming := namingFields(h, l.Addr)
	if !site.VerifyDKIM || len(naming) == 0 {
		return before
	}
	var domains []string
	verified := false
	return func(author smtp.Path) string {
		if how := before(author); how != "" {
			return how
		}
		if !verified {
			verified = true
			if resolver, err := (&dialer{site: site}).resolver(); err == nil {
				domains = signers(resolver, naming, content, arrived)
			}
		}
		if slices.ContainsFunc(domains, func(d string) bool { return aligned(d, author.Domain) }) {
			return "dkim"
		}
		return ""
	}
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

// verifier is Verifier of a message from the spool. In what is BINARYMIME there are
// no lines, which DKIM counts on.
func (r *Runner) verifier(m *queue.Message, l *lists.List, h rewrite.Header) func(smtp.Path) string {
	if m.Body == smtp.BinaryMIME {
		return r.Site.Verifier(h)
	}
	return Verifier(r.Site, l, h, m.Content(), m.Arrived)
}

// namingFields are the fields of a header that name a list.
func namingFields(h rewrite.Header, list smtp.Path) (fields []string) {
	for _, name := range []string{"To", "Cc"} {
		paths, _ := rewrite.Addresses(h.Get(name))
		if slices.ContainsFunc(paths, func(p smtp.Path) bool { return p.Key() == list.Key() }) {
			fields = append(fields, name)
		}
	}
	return fields
}

// signers are the domains whose signatures a message has, over one of these fields,
// and which are good.
func signers(resolver txtResolver, naming []string, content *io.SectionReader, arrived time.Time) (domains []string) {
	ctx, cancel := context.WithTimeout(context.Background(), signatureTime)
	defer cancel()
	// What is wrong with one signature stands with it; that there are more than
	// are looked at, or that the file cannot be read, proves nothing.
	found, _ := dkim.VerifyWithOptions(io.NewSectionReader(content, 0, content.Size()), &dkim.VerifyOptions{
		MaxVerifications: maxSignatures,
		LookupTXT:        func(name string) ([]string, error) { return keys(ctx, resolver, name) },
	})
	for _, v := range found {
		signed := func(field string) bool {
			return slices.ContainsFunc(v.HeaderKeys, func(key string) bool { return strings.EqualFold(key, field) })
		}
		if v.Err != nil || !slices.ContainsFunc(naming, signed) || !v.Time.IsZero() && arrived.Sub(v.Time) > signatureLife {
			continue
		}
		if d, ok := smtp.ASCIIDomain(v.Domain); ok {
			domains = append(domains, d)
		}
	}
	return domains
}

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

// aligned says that a domain that has signed speaks for an author: it is his, or
// both are of one organisation (RFC 7489, 3.1.1, relaxed).
func aligned(signer, author string) bool {
	author, ok := smtp.ASCIIDomain(author)
	if !ok {
		return false
	}
	if signer == author {
		return true
	}
	a, err := publicsuffix.EffectiveTLDPlusOne(signer)
	if err != nil {
		return false
	}
	b, err := publicsuffix.EffectiveTLDPlusOne(author)
	return err == nil && a == b
}
