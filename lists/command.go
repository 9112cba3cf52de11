package lists

import (
	"errors"
	"fmt"
	"strings"

	"superlist/lists/rewrite"
	"superlist/smtp"
)

// Verbs that an address of a list may have and a program answers.
const (
	VerbSubscribe   = "subscribe"
	VerbUnsubscribe = "unsubscribe"
	VerbConfirm     = "confirm"
	VerbHelp        = "help"
	VerbFAQ         = "faq"
	VerbRequest     = "request" // the command stands in the message
)

// A Command is what an address of a list asks for.
type Command struct {
	Verb     string
	Delivery Delivery  // subscribe: how the posts are to come
	Who      smtp.Path // whom it is about, where the address says so; else whoever writes
	Proof    Proof     // confirm

	From, To int // get, thread: the first and the last post; index: both the same, or 0
}

// alias gives our word for another program's: Mailman's join and leave, mlmmj's
// kinds of subscription, of which leaving leaves all. Empty: it is none.
func alias(word string) string {
	switch word {
	case "join":
		return VerbSubscribe
	case "who":
		return VerbList
	case "leave", "unsubscribe-nomail", "unsubscribe-digest":
		return VerbUnsubscribe
	}
	return ""
}

// Refusals of what a list does not give. mlmmj's -both is every post, and then
// every post again.
var (
	replyNoDigest = smtp.Reply{Code: 550, Enhanced: "5.1.1",
		Text: "this list sends no digests; subscribe without -digest, or with -nomail to get nothing"}
	replyNotBoth = smtp.Reply{Code: 550, Enhanced: "5.1.1",
		Text: "one address gets the posts one by one or in digests, not both; subscribe without -both, or with -digest"}
)

// parseCommand reads what stands behind the delimiter. ok is false for what is
// no command.
func parseCommand(verb string) (c Command, ok bool, err error) {
	folded := strings.ToLower(verb)
	if word, numbers, dot := strings.Cut(folded, "."); dot && fromArchive(word) { // ezmlm: dev+get.12_20
		folded = word + "-" + numbers
		verb = folded
	}
	if ours := alias(folded); ours != "" {
		return Command{Verb: ours}, true, nil
	}
	word, rest, dash := strings.Cut(verb, "-")
	if dash && rest == "" {
		return c, false, nil
	}
	c.Verb = strings.ToLower(word)
	switch c.Verb {
	case VerbGet, VerbIndex, VerbThread, VerbList:
		if c, ok = FetchCommand(c.Verb, rest); !ok && fromArchive(c.Verb) {
			err = replyWhichPost
		}
		return c, ok || err != nil, err
	case VerbHelp, VerbFAQ, VerbRequest:
		return c, rest == "", nil
	case VerbConfirm:
		if c.Proof, ok = parseProof(rest); !ok {
			return c, true, replyBadProof
		}
		return c, true, nil
	case VerbSubscribe:
		switch strings.ToLower(rest) {
		case "digest":
			c.Delivery = InDigests
			return c, true, nil
		case "both":
			return c, true, replyNotBoth
		case "nomail":
			c.Delivery = NoPosts
			return c, true, nil
		}
		fallthrough
	case VerbUnsubscribe:
		if rest != "" { // ezmlm: dev+subscribe-alice=example.com
			c.Who, ok = SubjectPath(rest)
			return c, ok, nil
		}
		return c, true, nil
	}
	return c, false, nil
}

// MaxCommand is the largest message that a command may come in: a line, in the
// mail of somebody who sends HTML and a picture below it.
const MaxCommand = 1 << 20

// maxMember is the longest local part of a member: RFC 5321, 4.5.3.1.1.
const maxMember = maxLocal

// Refusals of commands.
var (
	replyRobot     = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "automatic mail gets no answer here; a person must write this"}
	replyNoAuthor  = smtp.Reply{Code: 550, Enhanced: "5.6.0", Text: "the message has no From field that names one author, so nobody knows whom to answer"}
	replyNoCommand = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "a command needs a sender to answer to"}
	replySelf      = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "this is the list's own address, and it writes no letters to itself"}
	replyLongWho   = smtp.Reply{Code: 553, Enhanced: "5.1.3", Text: "an address whose local part is longer than 64 octets cannot be a member"}
	replyLiteral   = smtp.Reply{Code: 553, Enhanced: "5.1.3", Text: "an address whose domain is a number in brackets cannot be a member; write from one with a name"}
)

// Author is who wrote a command: the one author in From, where the answer goes.
// It proves nothing.
func Author(h rewrite.Header) (smtp.Path, error) {
	authors, err := rewrite.Mailboxes(h.Get("From"))
	switch {
	case len(authors) > 1 || errors.Is(err, rewrite.ErrNobody):
		return smtp.Path{}, replyNoAuthor
	case err != nil:
		return smtp.Path{}, refuseForm("%s", unreadable(h, err))
	}
	return authors[0].Path, nil
}

// mayAsk decides on a command as far as its address tells, at RCPT.
func (l *List) mayAsk(c Command) error {
	if c.Verb == VerbSubscribe && l.Subscribe == SubscribeClosed {
		return l.refusal("5.7.1", "nobody can subscribe to %s by mail", l.Addr.Address())
	}
	if c.Delivery == InDigests && l.Digest == DigestOff {
		return replyNoDigest
	}
	if err := c.unfit(c.Who); err != nil {
		return err
	}
	if Fetches(c.Verb) {
		return l.mayFetch(c)
	}
	return nil
}

// MayCommand decides on a command once its message is there. It is asked in the
// session, so that whoever hears no is still on the line, and again before the
// command is done.
func (l *List) MayCommand(h rewrite.Header, c Command) (who smtp.Path, err error) {
	if Automatic(h) {
		return smtp.Path{}, replyRobot
	}
	who, err = Author(h)
	if err != nil {
		return smtp.Path{}, err
	}
	if !c.Who.IsNull() {
		who = c.Who
	}
	if err := c.unfit(who); err != nil {
		return smtp.Path{}, err
	}
	if l.isOwn(who) {
		return smtp.Path{}, replySelf
	}
	if err := l.aloneWith(h, who, c.Proof); err != nil {
		return smtp.Path{}, err
	}
	if err := l.mayAsk(c); err != nil || !Fetches(c.Verb) {
		return who, err
	}
	return who, l.mayGet(c, who)
}

// aloneWith refuses a yes that goes to others who decide, or to the list, as well: it
// is part of their talk about it, and "No! What do you think?" to all would say yes.
func (l *List) aloneWith(h rewrite.Header, author smtp.Path, p Proof) error {
	if p.Action != Publish && p.Action != Approve {
		return nil
	}
	decider, err := l.Decider(p)
	if err != nil {
		return err
	}
	for _, name := range [...]string{"To", "Cc"} {
		for _, f := range h.All(name) {
			named, _ := rewrite.Addresses(f.Value())
			for _, to := range named {
				_, verb, _ := strings.Cut(to.Local, l.delimiter)
				_, isYes := cutFold(verb, VerbConfirm+"-")
				others := contains(l.owners, to) || contains(l.mods, to) || l.isOwn(to) && !isYes
				if others && to.Key() != author.Key() && to.Key() != decider.Key() {
					return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: fmt.Sprintf(
						"this answer also goes to %s, so it counts as talk and decides nothing; to say yes, answer to the list's address alone", to.Address())}
				}
			}
		}
	}
	return nil
}

// unfit says why somebody cannot be what the command is about.
func (c Command) unfit(who smtp.Path) error {
	switch {
	case len(who.Local) > maxMember:
		return replyLongWho
	case c.Verb == VerbSubscribe && strings.HasPrefix(who.Domain, "["):
		return replyLiteral
	}
	return nil
}

// isOwn says that an address is the list's, or of its commands and owners.
func (l *List) isOwn(p smtp.Path) bool {
	name, _, _ := strings.Cut(p.Local, l.delimiter)
	if l.IsAddress(smtp.Path{Local: name, Domain: p.Domain}) {
		return true
	}
	for i, c := range p.Local {
		if c == '-' && l.IsAddress(smtp.Path{Local: p.Local[:i], Domain: p.Domain}) {
			if _, old, _ := parseOld(p.Local[i+1:], l.delimiter); old {
				return true
			}
		}
	}
	return false
}

// fitsCommand holds the size of a command against MaxCommand.
func (l *List) fitsCommand(size int64) error {
	if size <= MaxCommand {
		return nil
	}
	return smtp.Reply{Code: 552, Enhanced: "5.3.4", Text: fmt.Sprintf("the message has %d bytes, and a command needs no more than a line", size)}
}
