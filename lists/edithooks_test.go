package lists

import (
	"fmt"
	"testing"

	"superlist/lists/members"
	"superlist/smtp"
)

// What changes a list imports this package, so its tests get it from lists_test.
var (
	EditCreate     func(s Directory, addr smtp.Path, owners []smtp.Path, settings []string) (*List, error)
	EditBegin      func(s Directory, addr smtp.Path, text string) (NewList, error)
	EditMove       func(s Directory, l *List, to smtp.Path) (*List, error)
	EditRemove     func(l *List) error
	EditSet        func(l *List, settings []string) error
	EditAddPattern func(l *List, key string, p smtp.Path) error
	EditAddToken   func(s Directory, name string) error
	EditMembers    func(l *List, change func(members.Set) error) error
)

// A NewList is a list that is being made.
type NewList interface {
	Put(name string, content []byte) error
	Publish() (*List, error)
	Abort()
}

// edit puts members in as superlist does.
func edit(t testing.TB, l *List, lines ...string) {
	t.Helper()
	err := EditMembers(l, func(set members.Set) error {
		for _, line := range lines {
			m, ok := members.Parse(line)
			if !ok {
				return fmt.Errorf("%q is not a member", line)
			}
			set.Add(m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
