package policy

import (
	"fmt"
	"strings"

	"superlist/lists"
	"superlist/smtp"
)

// Refusal says no to a post in words that help: what it was about, and whom to
// ask.
func (l *Policy) Refusal(enhanced, format string, args ...any) smtp.Reply {
	return smtp.Reply{Code: 550, Enhanced: enhanced,
		Text: fmt.Sprintf(format, args...) + "; the owners are at " + l.Verb("owner").Address()}
}

// Answerable leaves of a recipient what its sender may have reports on. Who is
// not known to the list gets none: anybody can write an address of somebody
// else's into MAIL, who would then get our mail. A command is answered anyway.
func Answerable(d lists.Destination, to smtp.Rcpt, sender smtp.Path) (smtp.Rcpt, error) {
	if to.Notify&(smtp.NotifySuccess|smtp.NotifyFailure) == 0 || sender.IsNull() {
		return to, nil
	}
	may, err := MayHear(d, sender)
	if err != nil {
		return to, err
	}
	if !may {
		to.Notify = smtp.NotifyNever
	}
	return to, nil
}

// MayHear says that a sender is one who gets reports: see Answerable. Who writes a
// report asks again, since what a session has written of it may be old or forged.
func MayHear(d lists.Destination, sender smtp.Path) (bool, error) {
	if d.Purpose != lists.Post && d.Purpose != lists.Owner || sender.IsNull() {
		return false, nil
	}
	return d.List.Knows(behindTag(sender))
}

// behindTag is the sender behind a BATV address, prvs=KDDDSSSSSS=local@domain,
// which changes every day (draft-levine-smtp-batv, 3). The tag is for who made
// it, and can be checked by nobody else.
func behindTag(sender smtp.Path) smtp.Path {
	kind, rest, _ := strings.Cut(sender.Local, "=")
	tag, local, ok := strings.Cut(rest, "=")
	if !ok || local == "" || !strings.EqualFold(kind, "prvs") || len(tag) != len("KDDDSSSSSS") ||
		strings.Trim(tag[:4], "0123456789") != "" || strings.Trim(tag[4:], "0123456789abcdefABCDEF") != "" {
		return sender
	}
	sender.Local = local
	return sender
}

// notInName lets somebody who has logged in write a From of his own: a role, a
// second address. It refuses one that says that another wrote the post, somebody
// whom the list knows: its readers would believe it, and have all reason to.
func (l *Policy) notInName(authors, proved []smtp.Path) error {
	for _, author := range authors {
		if smtp.ContainsPath(proved, author) {
			return nil
		}
	}
	for _, author := range authors {
		known, err := l.Knows(author)
		if err != nil {
			return err
		}
		if known {
			return l.Refusal("5.7.1", "you have logged in as %s, and From says %s, who is somebody else on %s",
				proved[0].Address(), author.Address(), l.Addr.Address())
		}
	}
	return nil
}
