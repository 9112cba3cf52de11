package lists

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"superlist/smtp"
)

// What is remembered of the letters that lists have sent to people who have not
// proved anything, so that nobody can have them write to a stranger again and
// again. A list's asked/ has
//
//	who-HASH          one for each person and kind of letter; the id of the
//	                  message that caused it; good for AskAgain from its mtime on
//	all-DAY           a byte for each letter of the day
//	net-DAY-HASH      a byte for each letter that a client's network caused
//	sent-DAY[-HASH]   a byte for each FetchUnit of old posts that was sent: in all,
//	                  to one person, because of one network
//
// and lists_dir/.asked has, of all lists together, all-DAY and net-DAY-HASH too, and
//
//	person-DAY-HASH   a byte for each letter to one person that is not answered
//	domain-DAY-HASH   the same for all people of a domain
//	known-HASH        a byte for each letter that somebody of the domain has answered
const (
	// AskAgain is how long somebody who does not answer is left alone.
	AskAgain = 24 * time.Hour

	// MaxAskedList is how many such letters a list writes in a day: more than
	// a list of ten thousand wins and loses, and too few to be of use to
	// whoever wants to flood somebody's mail system.
	MaxAskedList = 2000

	// MaxAskedNetwork is how many of them one network causes: the /24 or /64 of
	// a school whose class subscribes. MaxAskedCustomer is how many the /48 does
	// in which a /64 lies: a fifth of the list's.
	MaxAskedNetwork  = 100
	MaxAskedCustomer = MaxAskedList / 5

	// AskedLists is how many lists' letters all lists together write, and have one
	// network cause.
	AskedLists = 10

	// MaxAskedPerson is how many letters lie unanswered with one person, from all
	// lists: who joins many at a time answers in between.
	MaxAskedPerson = 10

	// MaxAskedDomain is how many lie unanswered with all people of a domain, beside
	// one for each that any of them has answered: where nobody ever does somebody
	// else is asking, and a domain with many subscribers, gmail.com above all, has
	// as much room as they have made. MaxKnown is how many answers count, and
	// KnownAge how long after the last one.
	MaxAskedDomain = 20
	MaxKnown       = 2000
	KnownAge       = 90 * 24 * time.Hour
)

// Refusals of letters. Most are for good: whoever is told to try again later by
// a 4xx has his mail system try for days. Of a domain one after the other answers,
// and then there is room.
var (
	replyAskedNetwork = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "your network has asked the list for too much today; try again tomorrow"}
	replyAskedList    = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the list has been asked for too much today; try again tomorrow"}
	replyAskedPerson  = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "too many letters from lists here wait for an answer from this address; please look for them, also among the junk, answer some, or ask again tomorrow"}
	replyAskedDomain  = smtp.Reply{Code: 450, Enhanced: "4.7.1", Text: "too many letters from lists here wait for an answer from people of that domain; try again later"}
)

// A Letter is what somebody wants the list to write to him.
type Letter struct {
	Kind    string       // subscribe, unsubscribe, help …: the verb
	To      smtp.Path    // where it would go
	Network netip.Prefix // of the client that asks; zero where it says nothing
	Cause   string       // id of the message that asks; empty while it has none
	Size    int64        // of what Fetches: in bytes
}

// person is whom an address stands for, however it is written: its local part without
// +detail and without dots, which for many mail systems is the same mailbox.
func person(p smtp.Path) (who, domain string) {
	local, domain := p.LooseKey(), ""
	if at := strings.LastIndexByte(local, '@'); at >= 0 {
		local, domain = local[:at], local[at+1:]
	}
	if plus := strings.IndexByte(local, '+'); plus > 0 {
		local = local[:plus]
	}
	if plain := strings.ReplaceAll(local, ".", ""); plain != "" {
		local = plain
	}
	return local + "@" + domain, domain
}

func (l *List) whoFile(kind string, to smtp.Path) string {
	who, _ := person(to)
	return filepath.Join(l.askedDir(), "who-"+hash(kind, who))
}

// unanswered are the counts of letters to a person, and to the people of a domain,
// that are not answered, and of those that people of the domain have answered.
func (l *List) unanswered(to smtp.Path, day string) (whose, domains, known string) {
	who, domain := person(to)
	in := func(name string) string { return filepath.Join(l.siteDir(), name) }
	return in("person-" + day + "-" + hash(who)), in("domain-" + day + "-" + hash(domain)), in("known-" + hash(domain))
}

// askedLimits are those of a letter.
func (l *List) askedLimits(a Letter, now time.Time) []limit {
	day := dayOf(now)
	list, site := l.askedDir(), l.siteDir()
	whose, domains, known := l.unanswered(a.To, day)
	limits := []limit{
		{filepath.Join(list, "all-"+day), MaxAskedList, replyAskedList},
		{filepath.Join(site, "all-"+day), AskedLists * MaxAskedList, replyAskedList},
	}
	limits = append(limits, ofNetwork(list, "net-"+day, a.Network, MaxAskedNetwork, MaxAskedCustomer, replyAskedNetwork)...)
	limits = append(limits, ofNetwork(site, "net-"+day, a.Network, AskedLists*MaxAskedNetwork, AskedLists*MaxAskedCustomer, replyAskedNetwork)...)
	return append(limits,
		limit{whose, MaxAskedPerson, replyAskedPerson},
		limit{domains, MaxAskedDomain + min(size(known), MaxKnown), replyAskedDomain})
}

func hash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// mayWrite says whether the letter may be written now. A refusal is a smtp.Reply.
// It changes nothing.
func (l *List) mayWrite(a Letter, now time.Time) error {
	if Fetches(a.Kind) {
		return within(l.fetchLimits(a, now))
	}
	who := l.whoFile(a.Kind, a.To)
	info, err := os.Lstat(who)
	switch {
	case err == nil && now.Sub(info.ModTime()) < AskAgain && now.Sub(info.ModTime()) > -AskAgain:
		cause, err := os.ReadFile(who)
		if err != nil {
			return err
		}
		if string(cause) == a.Cause && a.Cause != "" {
			return nil // done again after a crash
		}
		return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: fmt.Sprintf(
			"a letter about this went to %s on %s already; please look for it, also among the junk, or ask again tomorrow",
			a.To.Address(), info.ModTime().UTC().Format("2 January, 15:04 UTC"))}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return within(l.askedLimits(a, now))
}

// mayWriteAny is mayWrite of a letter that is not known yet. What deliver could not
// answer waits in the queue, or comes to nothing there.
func (l *List) mayWriteAny(a Letter, now time.Time) error { return within(l.askedLimits(a, now)) }

// Ask is mayWrite, and remembers the letter.
func (l *List) Ask(a Letter, now time.Time) error {
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.mayWrite(a, now); err != nil {
		return err
	}
	if Fetches(a.Kind) {
		return l.add(l.fetchLimits(a, now), 1+int(max(0, a.Size-1)/FetchUnit), now)
	}
	who := l.whoFile(a.Kind, a.To)
	if old, err := os.ReadFile(who); err == nil && string(old) == a.Cause && a.Cause != "" {
		return nil // counted already
	}
	if err := l.add(l.askedLimits(a, now), 1, now); err != nil {
		return err
	}
	// Synced last: what a crash takes with it is a count.
	b, err := l.disk.Beside(who)
	if err != nil {
		return err
	}
	if _, err = b.WriteString(a.Cause); err == nil {
		err = l.disk.Touch(b.Name(), now)
	}
	if err != nil {
		b.Abort()
		return err
	}
	return b.Commit()
}

// Answered forgets that somebody was asked, since he has answered.
func (l *List) Answered(kind string, to smtp.Path) {
	who := l.whoFile(kind, to)
	info, err := os.Lstat(who)
	if err != nil || l.disk.Remove(who) != nil {
		return
	}
	whose, domains, known := l.unanswered(to, dayOf(info.ModTime()))
	l.take(whose)
	l.take(domains)
	if size(known) < MaxKnown {
		l.disk.Append(known, ".")
	} else {
		now := time.Now()
		l.disk.Touch(known, now)
	}
}
