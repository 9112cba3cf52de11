package edit

import (
	"time"

	"superlist/lists"
	"superlist/lists/ledger"
)

// noteLeft records the keys of members who have left. The caller holds the list's lock.
func noteLeft(l *lists.List, keys []string, now time.Time) error {
	if len(keys) == 0 {
		return nil
	}
	secret, err := l.Key()
	if err != nil {
		return err
	}
	words := make([]string, len(keys))
	for i, key := range keys {
		words[i] = lists.Leaver(secret, key)
	}
	return l.Ledger.Enter(l.Book(), ledger.Left, words, now)
}
