package policy

import (
	"fmt"

	"superlist/lists"
	"superlist/lists/quota"
	"superlist/smtp"
)

// Fits checks a message's size against what the address accepts.
func Fits(d lists.Destination, size int64) error {
	switch d.Purpose {
	case lists.Bounce, lists.Feedback:
		return nil
	case lists.Ask:
		return Of(d.List).fitsCommand(size)
	case lists.Owner:
		return quota.FitsOwner(size, d.List.Addr)
	}
	return Of(d.List).fits(size)
}

// fitsCommand refuses a message that is larger than MaxCommand.
func (l *Policy) fitsCommand(size int64) error {
	if size <= lists.MaxCommand {
		return nil
	}
	return smtp.Reply{Code: 552, Enhanced: "5.3.4", Text: fmt.Sprintf("the message has %d bytes, and a command needs no more than a line", size)}
}

// fits checks a size against the list's limit.
func (l *Policy) fits(size int64) error {
	if size <= int64(l.MaxMessageSize) {
		return nil
	}
	return smtp.Reply{Code: 552, Enhanced: "5.3.4", Text: fmt.Sprintf(
		"the message has %d bytes, and %s accepts at most %s", size, l.Addr.Address(), l.MaxMessageSize)}
}
