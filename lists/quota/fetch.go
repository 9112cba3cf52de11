package quota

import (
	"superlist/lists/ledger"
	"superlist/smtp"
)

// How much of what a list keeps is sent in a day, counted as sent: in total, to one
// person, because of one network. Letters count by their size.
const (
	// FetchUnit is how many bytes of a letter count as one; each started unit counts.
	FetchUnit = 256 << 10

	// MaxFetched is how much one person gets: enough to catch up, and too little to
	// fill somebody's mailbox in their name.
	MaxFetched = 50

	// maxFetchedStranger is how much somebody unknown to the list gets, if anyone may
	// ask: perhaps they did not ask, and want none of it.
	maxFetchedStranger = 4

	// maxFetchedNetwork is how much one network may request, and maxFetchedCustomer the
	// /48 that contains a /64: a fifth of the list's.
	maxFetchedNetwork  = 200
	maxFetchedCustomer = maxFetchedList / 5

	// maxFetchedList is how much a list sends.
	maxFetchedList = 5000
)

// Refusals of repeated requests, permanent as those of letters are.
var (
	replyFetched        = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the list has sent you as much today as one person gets in a day; ask again tomorrow"}
	replyFetchedNetwork = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "your network has asked the list for too many old posts today; try again tomorrow"}
	replyFetchedList    = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the list has sent too many old posts today; try again tomorrow"}
)

// keptLimits returns the limits for one letter with what the list keeps.
func (l List) keptLimits(a Request) []ledger.Limit {
	most := int64(MaxFetched)
	if a.Stranger {
		most = maxFetchedStranger
	}
	who, _ := person(a.To)
	limits := []ledger.Limit{
		{Counter: counter(l.Own, "sent", ledger.Day, ""), Most: maxFetchedList, Full: replyFetchedList},
		{Counter: counter(l.Own, "sent", ledger.Day, ledger.Hash("who", who)), Most: most, Full: replyFetched},
	}
	return append(limits, ofNetwork(l.Own, "sent", ledger.Day, "net-", a.Network, maxFetchedNetwork, maxFetchedCustomer, replyFetchedNetwork)...)
}
