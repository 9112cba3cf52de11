package lists

import (
	"crypto/subtle"
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"superlist/lists/confirmation"
	"superlist/lists/ledger"
)

// A page makes a request for somebody who has proved their identity there. It is sent
// to dev+signed-HOUR-SUM-SEAL: the time until which it is accepted, a sum of its text,
// and a seal of the list's key over both. Nobody gets to see such an address.
const (
	// signedLife is how long a request may take from the page into the spool, which is
	// at once.
	signedLife = 2 * time.Hour
	// sumLen is the length of the sum in characters: 96 bits.
	sumLen = 24
)

func signedSum(text string) string { return ledger.Hash("signed", text)[:sumLen] }

// SignedCommand returns the command for a request with this text.
func (l *List) SignedCommand(text string, now time.Time) (Command, error) {
	hour, sum := strconv.FormatInt(now.Add(signedLife).Unix()/3600, 36), signedSum(text)
	seal, err := l.Seal(VerbSigned, hour, sum)
	return Command{Verb: VerbSigned, Signed: hour + "-" + sum + "-" + seal}, err
}

// CheckSigned reports whether the list's key made a command of this kind, for this
// time. A refusal is a smtp.Reply.
func (l *List) CheckSigned(c Command, at time.Time) error {
	hour, rest, _ := strings.Cut(c.Signed, "-")
	sum, seal, _ := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(hour, 36, 64)
	if err != nil || at.Unix()/3600 > n {
		return confirmation.ReplyBad
	}
	if _, err := l.ReadKey(); errors.Is(err, fs.ErrNotExist) { // none was ever made
		return confirmation.ReplyBad
	}
	want, err := l.Seal(VerbSigned, hour, sum)
	if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(strings.ToLower(seal))) != 1 {
		return confirmation.ReplyBad
	}
	return err
}

// Signs reports whether the command is for a request with this text.
func (c Command) Signs(text string) bool {
	_, rest, _ := strings.Cut(c.Signed, "-")
	sum, _, _ := strings.Cut(rest, "-")
	return sum == signedSum(text)
}
