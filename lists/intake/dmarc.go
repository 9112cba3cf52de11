package intake

import (
	"fmt"
	"time"

	"superlist/lists"
	"superlist/lists/dmarc"
	"superlist/lists/policy"
	"superlist/lists/rewrite"
	"superlist/lists/stub"
	"superlist/smtp"
)

// policyTimeout is how long a session waits for a domain's policy. A client waits ten
// minutes for the answer to its message (RFC 5321, 4.5.3.2.6).
const policyTimeout = 10 * time.Second

// refusesByDMARC returns the refusal of a post to a list with dmarc = "reject", if an
// author's domain wants failing mail refused. Without a resolver in superlist.toml a
// session looks nothing up; deliver then asks a moderator.
func (m *Incoming) refusesByDMARC(h rewrite.Header, l *lists.List) error {
	resolver := m.in.Site.DNS()
	if l.DMARC != lists.DMARCReject || l.Anonymous || resolver == "" {
		return nil
	}
	authors, _ := rewrite.Addresses(h.Get("From"))
	asked := make(map[string]bool)
	end := time.Now().Add(policyTimeout)
	for _, a := range authors {
		domain, ok := smtp.ASCIIDomain(a.Domain)
		if !ok || asked[domain] {
			continue
		}
		asked[domain] = true
		p, err := dmarc.Walk(func(name string) ([]string, error) { return stub.TXT(resolver, name, time.Until(end)) }, domain)
		if err != nil {
			return fmt.Errorf("%w: %w", smtp.Reply{Code: 451, Enhanced: "4.4.3", Text: fmt.Sprintf(
				"%s takes no posts of authors whose domain has mail refused (DMARC), and nobody can say now what %s wants; please try again later", l.Addr.Address(), domain)}, err)
		}
		if p.Enforced() {
			return policy.Of(l).Refusal("5.7.1", "%s asks others to refuse mail in its name that does not come from its own hosts (DMARC, p=%s), and %s passes on no such posts; write from an address of another domain",
				domain, p.Wants, l.Addr.Address())
		}
	}
	return nil
}
