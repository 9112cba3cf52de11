package quota

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"superlist/lists/ledger"
	"superlist/smtp"
)

// Records of letters to people who have proved nothing. A list remembers whom it has
// written to about what, and counts, as all and net, its letters of a day and those
// caused by a client's network. The site counts them too, for all lists together, and
// as person and domain the unanswered ones to one person and to all people of a domain,
// and those that they have answered.
const (
	// AskAgain is how long somebody who does not answer is left alone: as long as
	// ledger.Asked remembers.
	AskAgain = 24 * time.Hour

	// maxAskedList is how many such letters a list writes in a day: more than a list of
	// ten thousand gains and loses, and too few to flood a mail system.
	maxAskedList = 2000

	// MaxAskedNetwork is how many of them one network causes: the /24 or /64 of a
	// school whose class subscribes. maxAskedCustomer is the limit for the /48 that
	// contains a /64: a fifth of the list's.
	MaxAskedNetwork  = 100
	maxAskedCustomer = maxAskedList / 5

	// askedLists is how many lists' worth of letters all lists together write, and one
	// network causes.
	askedLists = 10

	// maxAskedPerson is how many letters may be unanswered by one person, from all
	// lists: somebody who joins many lists answers in between.
	maxAskedPerson = 10

	// MaxAskedDomain is how many letters may be unanswered by all people of a domain,
	// plus one for each that any of them has answered. If nobody ever answers, somebody
	// else is asking; a domain with many subscribers, above all gmail.com, gains room
	// by their answers. maxKnown is how many answers count, for as long as ledger.Known
	// remembers the last one.
	MaxAskedDomain = 20
	maxKnown       = 2000
)

// Refusals of letters. Most are permanent: after a 4xx a person's mail system would try
// for days. In a domain people answer one after the other, and then there is room.
var (
	ReplyAskedNetwork = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "your network has asked the list for too much today; try again tomorrow"}
	replyAskedList    = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the list has been asked for too much today; try again tomorrow"}
	replyAskedPerson  = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "too many letters from lists here wait for an answer from this address; please look for them, also among the junk, answer some, or ask again tomorrow"}
	replyAskedDomain  = smtp.Reply{Code: 450, Enhanced: "4.7.1", Text: "people of that domain have too many unanswered letters from lists here; try again later"}
)

// A Request is for a letter that somebody who has proved nothing wants the list to write.
type Request struct {
	Kind    string       // subscribe, unsubscribe, help …: the verb
	To      smtp.Path    // where it would go
	Network netip.Prefix // of the client that asks; zero if unknown
	Cause   string       // id of the message that asks; empty if it has none yet

	Kept     bool  // the letter is or contains something that the list keeps
	Size     int64 // size of that, in bytes
	Stranger bool  // and the list does not know To
}

// person returns whom an address stands for, however it is written: the local part
// without +detail and dots, which many mail systems ignore.
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

// asked returns the name of a letter's record.
func asked(kind string, to smtp.Path) string {
	who, _ := person(to)
	return ledger.Hash(kind, who)
}

// unanswered returns the counters of unanswered letters to a person, and to the people
// of a domain.
func (l List) unanswered(to smtp.Path) []ledger.Counter {
	who, domain := person(to)
	return []ledger.Counter{
		counter(l.Site, "person", ledger.Day, ledger.Hash(who)),
		counter(l.Site, "domain", ledger.Day, ledger.Hash(domain)),
	}
}

// known returns the counter of letters that people of a domain have answered.
func (l List) known(to smtp.Path) ledger.Counter {
	_, domain := person(to)
	return ledger.Counter{Book: l.Site, Shelf: ledger.Known, Of: ledger.Hash(domain)}
}

// askedLimits returns the limits of a letter.
func (l List) askedLimits(a Request, now time.Time) []ledger.Limit {
	limits := []ledger.Limit{
		{Counter: counter(l.Own, "all", ledger.Day, ""), Most: maxAskedList, Full: replyAskedList},
		{Counter: counter(l.Site, "all", ledger.Day, ""), Most: askedLists * maxAskedList, Full: replyAskedList},
	}
	limits = append(limits, ofNetwork(l.Own, "net", ledger.Day, "", a.Network, MaxAskedNetwork, maxAskedCustomer, ReplyAskedNetwork)...)
	limits = append(limits, ofNetwork(l.Site, "net", ledger.Day, "", a.Network, askedLists*MaxAskedNetwork, askedLists*maxAskedCustomer, ReplyAskedNetwork)...)
	unanswered := l.unanswered(a.To)
	return append(limits,
		ledger.Limit{Counter: unanswered[0], Most: maxAskedPerson, Full: replyAskedPerson},
		ledger.Limit{Counter: unanswered[1], Most: MaxAskedDomain + min(l.known(a.To).Sum(now), maxKnown), Full: replyAskedDomain})
}

// MayAsk returns nil if the letter may be written now. A refusal is a smtp.Reply.
func (l List) MayAsk(a Request, now time.Time) error {
	if a.Kept {
		return ledger.Within(l.keptLimits(a), now)
	}
	r, there, err := l.Own.Recall(ledger.Asked, asked(a.Kind, a.To), now)
	if err != nil {
		return err
	}
	if there {
		return twice(a, r)
	}
	return l.MayAskAny(a, now)
}

// MayAskAny is MayAsk for a letter whose kind is not known yet. If deliver could not
// answer, the request would wait in the queue or come to nothing.
func (l List) MayAskAny(a Request, now time.Time) error {
	return ledger.Within(l.askedLimits(a, now), now)
}

// twice refuses a letter that somebody has already had, unless it is the same one,
// repeated after a crash.
func twice(a Request, had ledger.Record) error {
	if had.Cause() == a.Cause && a.Cause != "" {
		return nil
	}
	return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: fmt.Sprintf(
		"a letter about this went to %s on %s already; please look for it, also among the junk, or ask again tomorrow",
		a.To.Address(), had.At.UTC().Format("2 January, 15:04 UTC"))}
}

// Ask is MayAsk, and records the letter.
func (l List) Ask(w Writer, a Request, now time.Time) error {
	if a.Kept {
		return w.Count(l.keptLimits(a), 1+int(max(0, a.Size-1)/FetchUnit), now)
	}
	mine := ledger.Record{Name: asked(a.Kind, a.To), Text: a.Cause, At: now}
	r, err := w.First(l.Own, ledger.Asked, mine, l.askedLimits(a, now)...)
	if err != nil || r == mine {
		return err
	}
	return twice(a, r)
}

// Answered forgets that somebody was asked, since they have answered.
func (l List) Answered(w Writer, kind string, to smtp.Path, now time.Time) error {
	name := asked(kind, to)
	r, there, err := l.Own.Recall(ledger.Asked, name, now)
	if err != nil || !there {
		return err
	}
	if err := w.Forget(l.Own, ledger.Asked, name); err != nil {
		return err
	}
	if err := w.Uncount(l.unanswered(to), r.At); err != nil {
		return err
	}
	known := l.known(to)
	if known.Sum(now) >= maxKnown { // the last one is remembered from now on
		if err := w.Uncount([]ledger.Counter{known}, now); err != nil {
			return err
		}
	}
	return w.Count([]ledger.Limit{{Counter: known, Most: maxKnown}}, 1, now)
}
