package lists

import (
	"superlist/lists/ledger"
	"superlist/lists/token"
	"superlist/smtp"
)

// An import of an old file must not bring back people who have left the list. So a
// journal records each of them: the day, and a word that only the list's key can derive
// from the address, since the addresses of people who have left are not kept.

// Leaver returns the word for somebody who has left, from the list's key and theirs.
func Leaver(key []byte, memberKey string) string { return token.Make(key, "left", memberKey) }

// Leavers are the people who have left a list.
type Leavers struct {
	key  []byte
	days map[string]string
}

// Leavers reads the journal of those who have left the list.
func (l *List) Leavers() (*Leavers, error) {
	days, err := l.Book().Entries(ledger.Left)
	if err != nil || len(days) == 0 {
		return &Leavers{}, err
	}
	key, err := l.ReadKey()
	return &Leavers{key, days}, err
}

// BackSince reports whether somebody has left the list after a day. Whoever is a member has
// then joined again.
func (l *List) BackSince(p smtp.Path, day string) (bool, error) {
	if day == "" {
		return false, nil
	}
	left, err := l.Leavers()
	if err != nil {
		return false, err
	}
	last, ok := left.Day(p)
	return ok && last > day, nil
}

// Len returns how many there are.
func (l *Leavers) Len() int { return len(l.days) }

// Day returns when somebody last left.
func (l *Leavers) Day(p smtp.Path) (day string, ok bool) {
	if l.Len() == 0 {
		return "", false
	}
	day, ok = l.days[Leaver(l.key, p.Key())]
	return day, ok
}
