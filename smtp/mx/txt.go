package mx

import (
	"context"
	"strings"

	"github.com/miekg/dns"
)

// TXT gives the text records of a name, each in one piece: RFC 7208, 3.3. That
// there are none is not an error.
func (r *Resolver) TXT(ctx context.Context, name string) (texts []string, err error) {
	a, err := r.ask(ctx, name, dns.TypeTXT)
	if err != nil {
		return nil, err
	}
	for _, rr := range a.rrs {
		texts = append(texts, strings.Join(rr.(*dns.TXT).Txt, ""))
	}
	return texts, nil
}

// Exists reports whether there is a name, whatever it has.
func (r *Resolver) Exists(ctx context.Context, name string) (bool, error) {
	a, err := r.ask(ctx, name, dns.TypeTXT)
	return err == nil && !a.nobody, err
}
