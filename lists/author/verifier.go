package author

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"golang.org/x/sys/unix"

	"superlist/lists/rewrite"
	"superlist/lists/signature"
	"superlist/smtp"
	"superlist/smtp/mx"
)

// A signature says who wrote a message, and not who sends it now. Anybody who has
// got one can send it on, so it counts for a list only where the field that names
// the list is signed too: what a moderator wrote to somebody else is not a word of theirs
// to the list. And it counts not for long, and once: see Verifier.Names.

const (
	// MaxSignatures is how many signatures of a message are verified: its author's
	// domain's, and those of the hosts that have sent it on.
	MaxSignatures = 5
	// maxNames is how many names of a message are remembered; one with more signatures
	// of its author's domain has been made up.
	maxNames = 20
	// signatureTime is how long that may take for one message.
	signatureTime = 15 * time.Second
	// SignatureLife is how old a signature, or the Date that it is over, may be when
	// the message arrives: mail that is under way for longer than anybody keeps trying
	// somebody sends again.
	SignatureLife = 14 * 24 * time.Hour
	// ClockSkew is by how much a clock elsewhere may be ahead of ours.
	ClockSkew = 24 * time.Hour
)

// A Resolver gives the text records of a name: mx.Resolver, or a Keyring.
type Resolver interface {
	TXT(ctx context.Context, name string) ([]string, error)
}

// DNS is the resolver at an address, or where that is empty the first one that
// /etc/resolv.conf names, which may change while we run.
type DNS string

// ErrNoDNS is a host that reaches no name server, and has not been told of one.
var ErrNoDNS = errors.New("this host reaches no name server")

// TXT asks the resolver.
func (d DNS) TXT(ctx context.Context, name string) (texts []string, err error) {
	resolver, err := mx.At(string(d))
	if err == nil {
		texts, err = resolver.TXT(ctx, name)
	}
	return texts, d.failed(err)
}

// Exists reports whether there is a name.
func (d DNS) Exists(ctx context.Context, name string) (there bool, err error) {
	resolver, err := mx.At(string(d))
	if err == nil {
		there, err = resolver.Exists(ctx, name)
	}
	return there, d.failed(err)
}

// failed is an error as it is, or ErrNoDNS.
func (d DNS) failed(err error) error {
	if err == nil || d != "" {
		return err
	}
	for _, unreachable := range []error{fs.ErrNotExist, unix.ECONNREFUSED, unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EPERM} {
		if errors.Is(err, unreachable) {
			return fmt.Errorf("%w: %w", ErrNoDNS, err)
		}
	}
	return err
}

// Trust is what proves something at a site.
type Trust struct {
	ServID string   // of the mail system in front of us, whose results count; empty: nobody's do
	DKIM   bool     // signatures are verified
	Keys   Resolver // for their keys
}

// A Message is what somebody has written, and we have got.
type Message struct {
	Header  rewrite.Header
	Content *io.SectionReader // with the header
	Binary  bool              // BINARYMIME: there are no lines in it, which DKIM counts on
	Arrived time.Time
}

// A Verifier knows how an author of a message for a list is known to be who From
// says: by what the mail system before us has found out and, where the site wants it,
// by DKIM.
type Verifier struct {
	trust   Trust
	m       Message
	naming  []string // the fields that name the list
	asked   bool     // signatures have been verified
	domains []string // of those that are good
	waits
}

// Verifier gives the verifier of a message for a list, whose addresses isList knows.
func (t Trust) Verifier(m Message, isList func(smtp.Path) bool) *Verifier {
	return &Verifier{trust: t, m: m, naming: naming(m.Header, isList)}
}

// How says what proves that the message is from this author: dkim, dmarc, spf; empty
// where nothing does.
func (v *Verifier) How(author smtp.Path) string {
	addressed := len(v.naming) > 0 && v.recent(v.date())
	if how := authenticated(v.m.Header, v.trust.ServID, author, addressed); how != "" {
		return how
	}
	if v.trust.DKIM && !v.m.Binary && len(v.naming) > 0 && !v.asked {
		v.asked = true
		v.domains = v.signers()
	}
	if slices.ContainsFunc(v.domains, func(d string) bool { return aligned(d, author.Domain) }) {
		return "dkim"
	}
	return ""
}

// date is what Date says; zero where it says nothing.
func (v *Verifier) date() time.Time {
	t, _ := mail.ParseDate(v.m.Header.Get("Date"))
	return t
}

// recent says that a message of this time may well be under way only now.
func (v *Verifier) recent(t time.Time) bool {
	age := v.m.Arrived.Sub(t)
	return !t.IsZero() && age <= SignatureLife && age >= -ClockSkew
}

// Names are what the message is known by, should it be sent again: its Message-ID
// and, since a signature need not be over that, the signatures themselves. Who changes
// one of them has nothing that proves anything.
func (v *Verifier) Names(author smtp.Path) (names []string) {
	if id := v.m.Header.Get("Message-ID"); id != "" {
		names = append(names, "Message-ID "+id)
	}
	for _, f := range v.m.Header.All("DKIM-Signature") {
		tags := signature.Tags(f.Value())
		if b, err := base64.StdEncoding.DecodeString(tags["b"]); err == nil && aligned(tags["d"], author.Domain) {
			names = append(names, "DKIM "+string(b))
		}
	}
	if len(names) > maxNames {
		return nil
	}
	return names
}

// naming are the fields of a header that name a list.
func naming(h rewrite.Header, isList func(smtp.Path) bool) (fields []string) {
	for _, name := range []string{"To", "Cc"} {
		paths, _ := rewrite.Addresses(h.Get(name))
		if slices.ContainsFunc(paths, isList) {
			fields = append(fields, name)
		}
	}
	return fields
}

// signers returns the authors' domains that have signed the message well, recently, and
// over one of the fields that name the list.
func (v *Verifier) signers() (domains []string) {
	for _, s := range v.verify(v.m, v.trust.Keys) {
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

// verify verifies the signatures of a message. It asks only for the keys of domains that
// are aligned with an author's; the other signatures fail with errNoMatter.
func (w *waits) verify(m Message, resolver Resolver) []*dkim.Verification {
	authors, _ := rewrite.Addresses(m.Header.Get("From"))
	ctx, cancel := context.WithTimeout(context.Background(), signatureTime)
	defer cancel()
	// What is wrong with one signature stands with it. Any other error leaves some
	// without one.
	found, err := dkim.VerifyWithOptions(io.NewSectionReader(m.Content, 0, m.Content.Size()), &dkim.VerifyOptions{
		MaxVerifications: MaxSignatures,
		LookupTXT: func(name string) ([]string, error) {
			if _, domain, _ := strings.Cut(name, "._domainkey."); !slices.ContainsFunc(authors, func(p smtp.Path) bool { return aligned(domain, p.Domain) }) {
				return nil, errNoMatter
			}
			records, err := keys(ctx, resolver, name)
			w.hear(name, err)
			return records, err
		},
	})
	if err != nil && !errors.Is(err, dkim.ErrTooManySignatures) {
		return nil
	}
	return found
}

// waits are the records that a message waits for.
type waits struct {
	mu      sync.Mutex
	awaited []string // names that have no answer yet
	failed  error    // why none can be asked for now
}

// hear remembers of a record that it is not here yet, or cannot be asked for.
func (w *waits) hear(name string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(err, ErrAwaited):
		w.awaited = append(w.awaited, name)
	case errors.Is(err, replyKeys):
		w.failed = err
	}
}

// Awaits are the records that are not here yet and would help, with ErrAwaited; or the
// error says why none can be asked for now.
func (w *waits) Awaits() (names []string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.awaited) > 0 {
		return w.awaited, ErrAwaited
	}
	return nil, w.failed
}

var errNoMatter = errors.New("this domain does not speak for the author")

// keys returns the records of a key, without those that are only on trial (t=y): by RFC
// 6376, 3.6.1 a signature with such a key counts no more than none.
func keys(ctx context.Context, resolver Resolver, name string) ([]string, error) {
	records, err := resolver.TXT(ctx, name)
	return slices.DeleteFunc(records, func(r string) bool { return signature.Tags(r).OnTrial() }), err
}
