package lists

import (
	"path/filepath"

	"superlist/lists/ledger"
	"superlist/lists/quota"
)

// Book is what the list remembers.
func (l *List) Book() ledger.Book { return ledger.OfList(l.Dir) }

// Quota is how much the list does for people who have proved nothing.
func (l *List) Quota() quota.List {
	return quota.List{Own: l.Book(), Site: ledger.OfSite(filepath.Dir(filepath.Dir(l.Dir)))}
}

// WithWhat adds to a request what the list knows of its letter: whether it has something
// in it that is kept here, and whether it goes to a stranger.
func (l *List) WithWhat(r quota.Request) quota.Request {
	r.Kept = Fetches(r.Kind)
	if r.Kept && l.ArchiveAccess == ArchiveAnyone {
		known, err := l.Knows(r.To)
		r.Stranger = !known || err != nil
	}
	return r
}
