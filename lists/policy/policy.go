package policy

import (
	"superlist/lists"
	"superlist/lists/members"
	"superlist/smtp"
)

// A Policy decides for one list.
type Policy struct {
	*lists.List
	who Finder
}

// A Finder says who is on a list.
type Finder interface {
	Find(smtp.Path) (member members.Member, ok bool, err error)
	// Together looks several people up before Find is asked for each.
	Together([]smtp.Path) error
	// Behind is the member for whom another address of theirs stands on the list.
	Behind(other members.Member) (member members.Member, ok bool, err error)
}

// Of is the policy of a list.
func Of(l *lists.List) *Policy { return &Policy{List: l, who: l.Lookup()} }
