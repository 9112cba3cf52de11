package policy

import (
	"errors"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/heldpost"
	"superlist/lists/quota"
)

// Of is the policy of a list on this host. Nothing else here knows that a list is files.
func Of(l *lists.List) *Policy {
	return &Policy{
		Config: &l.Config, Addr: l.Addr, Names: l, Finder: l.Lookup(), People: l,
		rules: l, posts: posts{l}, proofs: l, memory: memory{l}, quotas: quotas{l},
	}
}

type posts struct{ of *lists.List }

func (p posts) Range() (first, last int, err error) { return p.of.Posts().Range() }

type memory struct{ of *lists.List }

func (m memory) Unspent(p confirmation.Proof, now time.Time) error {
	return confirmation.Unspent(m.of.Book(), p, "", now)
}

func (m memory) Undecided(name string, now time.Time) error {
	return confirmation.Undecided(m.of.Book(), name, "", now)
}

func (m memory) Waits(name string) error {
	_, err := m.of.FindApplicant(name)
	return m.known(err)
}

func (m memory) Holds(name string) error { return m.known(heldpost.Has(m.of, name)) }

// known passes over what this host has not, where others may have it: a session does not ask
// them, and superlist deliver does.
func (m memory) known(err error) error {
	if errors.Is(err, confirmation.ReplyDecided) && m.of.IsShared() {
		return nil
	}
	return err
}

type quotas struct{ of *lists.List }

func (q quotas) MayAsk(r quota.Request, now time.Time) error {
	return q.of.Quota().MayAsk(q.of.WithWhat(r), now)
}

func (q quotas) MayAskAny(r quota.Request, now time.Time) error {
	return q.of.Quota().MayAskAny(r, now)
}
