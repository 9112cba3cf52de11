package policy

import (
	"fmt"
	"strings"

	"superlist/lists"
	"superlist/smtp"
)

// Refusal refuses a post in words that help: what it was about, and whom to ask.
func (l *Policy) Refusal(enhanced, format string, args ...any) smtp.Reply {
	return smtp.Reply{Code: 550, Enhanced: enhanced,
		Text: fmt.Sprintf(format, args...) + "; the owners are at " + l.Verb("owner").Address()}
}

// Answerable returns the recipient without the reports that its sender may not get.
// Somebody unknown to the list gets none: anybody can write another's address into
// MAIL, who would then get our mail. A command is answered anyway.
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

// behindTag returns the sender in a BATV address, prvs=KDDDSSSSSS=local@domain, which
// changes every day (draft-levine-smtp-batv, 3). Only the site that made the tag can
// check it.
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

// notInName lets a logged-in user write another From of their own: a role, a second
// address. It refuses a From that names another person the list knows: readers would
// believe that this person wrote the post, and with good reason.
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
			return l.Refusal("5.7.1", "you have logged in as %s, but From names %s, who is somebody else on %s",
				proved[0].Address(), author.Address(), l.Addr.Address())
		}
	}
	return nil
}
