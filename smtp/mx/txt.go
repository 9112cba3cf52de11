package mx

import (
	"context"
	"strings"

	"github.com/miekg/dns"
)

// TXT returns the text records of a name, each as one string: RFC 7208, 3.3. Having
// none is not an error.
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

// Exists reports whether a name exists, with records of any type.
func (r *Resolver) Exists(ctx context.Context, name string) (bool, error) {
	a, err := r.ask(ctx, name, dns.TypeTXT)
	return err == nil && !a.nobody, err
}
