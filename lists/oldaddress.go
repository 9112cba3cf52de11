package lists

import (
	"errors"
	"strings"

	"superlist/lists/members"
	"superlist/smtp"
)

// The addresses that Mailman and ezmlm give a list have a dash where ours have the
// delimiter: dev-request@, dev-leave@, dev-owner@. They stand in old mail, in
// bookmarks and address books, for years after a list has moved in. They are
// understood where there is no list of that very name, and so cost nothing where
// there is one.

// Values of Config.OldAddresses.
const (
	OldAuto = "auto" // where the domain has nothing but lists
	OldOn   = "on"
	OldOff  = "off"
)

// maxOld is at how many lists is looked for one address: a name with dashes in it
// may be read in more ways than one.
const maxOld = 4

var replyOldProof = smtp.Reply{Code: 550, Enhanced: "5.7.1",
	Text: "this confirmation is of the program that had the list before, and good no more; ask for a new one"}

// resolveOld understands an old address. ok is false where it is none: the longest
// name that is a list counts.
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

// takesOld says whether a list goes by the old addresses, too. In a domain that
// people have addresses in as well dev-help@ may be somebody.
func (s Directory) takesOld(l *List) bool {
	return l.OldAddresses == OldOn || l.OldAddresses == OldAuto && (s.Shares == nil || !s.Shares(l.Addr.Domain))
}

// parseOld reads what stands behind the dash.
func parseOld(rest, delimiter string) (d Destination, ok bool, err error) {
	word, _, more := strings.Cut(strings.ToLower(rest), delimiter)
	first, _, _ := strings.Cut(word, "-")
	cookie, _, dot := strings.Cut(word, ".")
	switch {
	case word == "bounces", first == "return":
		// The return paths of what the other program has sent. Nothing proves a
		// report that comes there; it gave the owners what it did not understand.
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
	case !ok, c.Verb == VerbList: // dev-list@ is a list that there is not
		return d, false, nil
	case digest && c.Verb == VerbSubscribe:
		c.Delivery = members.InDigests
	}
	return Destination{Purpose: Ask, Verb: strings.ToLower(rest), Command: c}, true, err
}
