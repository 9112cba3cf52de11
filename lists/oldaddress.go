package lists

import (
	"errors"
	"strings"

	"superlist/lists/members"
	"superlist/smtp"
)

// Mailman and ezmlm write a dash where we write the delimiter: dev-request@,
// dev-leave@, dev-owner@. Such addresses live on in old mail, bookmarks and address
// books for years after a list has moved here. They are understood unless a list has
// that very name, and so cost nothing otherwise.

// Values of Config.OldAddresses.
const (
	OldAuto = "auto" // if the domain has only lists
	OldOn   = "on"
	OldOff  = "off"
)

// maxOld is how many lists are tried for one address: a name with dashes can be split
// in several ways.
const maxOld = 4

var replyOldProof = smtp.Reply{Code: 550, Enhanced: "5.7.1",
	Text: "this confirmation is of the program that had the list before, and good no more; ask for a new one"}

// resolveOld resolves an old address. The longest name that is a list counts. ok is
// false if it is not such an address.
func (s Directory) resolveOld(to smtp.Path) (d Destination, ok bool, err error) {
	looked := 0
	for i := strings.LastIndexByte(to.Local, '-'); i > 0 && looked < maxOld; i = strings.LastIndexByte(to.Local[:i], '-') {
		d, ok, err := parseOld(to.Local[i+1:], s.Delimiter)
		if !ok || !s.validName(strings.ToLower(to.Local[:i])) {
			continue
		}
		looked++
		l, noList := s.Open(smtp.Path{Local: to.Local[:i], Domain: to.Domain})
		if errors.Is(noList, ReplyNoList) || noList == nil && !s.takesOld(l) {
			continue
		}
		if noList != nil {
			return d, true, noList
		}
		d.List = l
		if err == nil && d.Purpose == Owner {
			err = l.hasOwners(to)
		}
		return d, true, err
	}
	return d, false, nil
}

// takesOld reports whether a list also uses the old addresses. In a domain that also
// has people, dev-help@ may be somebody.
func (s Directory) takesOld(l *List) bool {
	return l.OldAddresses == OldOn || l.OldAddresses == OldAuto && (s.Shares == nil || !s.Shares(l.Addr.Domain))
}

// parseOld parses what follows the dash.
func parseOld(rest, delimiter string) (d Destination, ok bool, err error) {
	word, _, more := strings.Cut(strings.ToLower(rest), delimiter)
	first, _, _ := strings.Cut(word, "-")
	cookie, _, dot := strings.Cut(word, ".")
	switch {
	case word == "bounces", first == "return":
		// These are return paths of messages sent by the other program. Nothing
		// authenticates a report that arrives there; that program passed to the owners
		// what it did not understand.
		return Destination{Purpose: Owner, Verb: "owner"}, true, nil
	case first == "confirm", dot && (cookie == "sc" || cookie == "uc" || cookie == "tc" || cookie == "vc"):
		return Destination{Purpose: Ask, Verb: VerbConfirm, Command: Command{Verb: VerbConfirm}}, true, replyOldProof
	case more:
		return d, false, nil
	case word == "owner", word == "admin":
		return Destination{Purpose: Owner, Verb: "owner"}, true, nil
	case word == "info":
		rest = VerbHelp
	}
	digest := len(rest) > len("digest-") && strings.EqualFold(rest[:len("digest-")], "digest-") // ezmlm: dev-digest-subscribe
	if digest {
		rest = rest[len("digest-"):]
	}
	c, ok, err := parseCommand(rest)
	switch {
	case !ok, c.Verb == VerbList: // dev-list@ is a list that does not exist
		return d, false, nil
	case digest && c.Verb == VerbSubscribe:
		c.Delivery = members.InDigests
	}
	return Destination{Purpose: Ask, Verb: strings.ToLower(rest), Command: c}, true, err
}
