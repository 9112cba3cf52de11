package policy

import (
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/members"
	"superlist/lists/quota"
	"superlist/smtp"
)

// A Policy decides for one list. It has what the list's list.toml says, and asks for the
// rest.
type Policy struct {
	*lists.Config
	Addr smtp.Path // the list's

	Names
	Finder
	People
	rules  Rules
	posts  Posts
	proofs Proofs
	memory Memory
	quotas Quotas
}

// A Finder knows who is on a list.
type Finder interface {
	Find(smtp.Path) (member members.Member, ok bool, err error)
	// Together looks up several people at once, before Find is called for each.
	Together([]smtp.Path) error
	// Behind returns the member whose other address stands on the list.
	Behind(other members.Member) (member members.Member, ok bool, err error)
}

// People says who belongs to a list, and who leads it.
type People interface {
	// Knows reports whether somebody is an owner, a moderator or a member.
	Knows(smtp.Path) (bool, error)
	// Leads reports whether somebody is an owner or a moderator.
	Leads(smtp.Path) bool
	OwnerPaths() []smtp.Path
}

// Names says which addresses are a list's.
type Names interface {
	Verb(verb string) smtp.Path
	VerbOf(smtp.Path) string
	// IsOwn reports whether an address is the list's, or one of its commands or owners'.
	IsOwn(smtp.Path) bool
	// Named reports whether one of these addresses is the list's, or of a list above it.
	Named([]smtp.Path) bool
}

// Rules is where the text of a list's rules is from.
type Rules interface {
	RulesText() (string, error)
	RulesFile() string // for errors
}

// Posts says which posts are in a list's archive.
type Posts interface {
	Range() (first, last int, err error)
}

// Proofs says what a proof is worth. A refusal is a smtp.Reply.
type Proofs interface {
	CheckProof(p confirmation.Proof, now time.Time, from ...smtp.Path) (subject string, err error)
	Decider(p confirmation.Proof) (smtp.Path, error)
	CheckSigned(c lists.Command, at time.Time) error
}

// Memory says whether there is still anything to decide. A refusal is a smtp.Reply.
type Memory interface {
	Unspent(p confirmation.Proof, now time.Time) error
	Undecided(name string, now time.Time) error
	// Waits refuses a name that is no applicant's.
	Waits(name string) error
	// Holds refuses a name that is no held post's.
	Holds(name string) error
}

// Quotas says whether a letter may be written to somebody who has proved nothing. It
// counts nothing. A refusal is a smtp.Reply.
type Quotas interface {
	MayAsk(r quota.Request, now time.Time) error
	MayAskAny(r quota.Request, now time.Time) error
}
