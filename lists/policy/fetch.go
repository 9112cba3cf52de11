package policy

import (
	"errors"

	"superlist/lists"
	"superlist/lists/archive"
	"superlist/smtp"
)

// mayFetch judges a command that Fetches by its address alone. Only here does a session
// open an archive.
func (l *Policy) mayFetch(c lists.Command) error {
	switch {
	case c.Verb == lists.VerbList:
		return nil
	case !l.Archive:
		return l.Refusal("5.7.1", "%s keeps no posts", l.Addr.Address())
	case l.ArchiveAccess == lists.ArchiveNobody:
		return l.Refusal("5.7.1", "old posts of %s are not sent by mail", l.Addr.Address())
	}
	first, last, err := l.posts.Range()
	if errors.Is(err, archive.ErrDamaged) {
		return nil // deliver finds another way, or reports it
	}
	switch {
	case err != nil:
		return err
	case first > last:
		return l.Refusal("5.1.1", "%s has no old posts yet", l.Addr.Address())
	case c.From > last || c.From > 0 && c.To < first:
		return l.Refusal("5.1.1", "%s has no post %d; it has posts %d to %d", l.Addr.Address(), c.From, first, last)
	}
	return nil
}

// mayGet judges whether the list sends something to the author of a command. The author
// has proved nothing, but whoever asks, the answer goes to that address.
func (l *Policy) mayGet(c lists.Command) error {
	author := c.Author
	if c.Verb == lists.VerbList {
		if smtp.ContainsPath(l.OwnerPaths(), author) {
			return nil
		}
		return l.Refusal("5.7.1", "only owners may see the members of %s, and %s is not an owner", l.Addr.Address(), author.Address())
	}
	if l.ArchiveAccess == lists.ArchiveAnyone {
		return nil
	}
	known, err := l.Knows(author)
	if err == nil && !known {
		err = l.Refusal("5.7.1", "only members get old posts of %s, and %s is not a member", l.Addr.Address(), author.Address())
	}
	return err
}
