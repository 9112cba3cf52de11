package lists

import (
	"fmt"
	"net/netip"
	"strings"

	"superlist/lists/confirmation"
	"superlist/lists/members"
	"superlist/lists/verp"
	"superlist/smtp"
)

// Verbs in an address of a list that a program answers.
const (
	VerbSubscribe   = "subscribe"
	VerbUnsubscribe = "unsubscribe"
	VerbConfirm     = "confirm"
	VerbHelp        = "help"
	VerbFAQ         = "faq"
	VerbRequest     = "request" // the command is in the message
	VerbSigned      = "signed"  // so it does, and a page of ours has made it
	VerbOptions     = "options" // a letter with a link to pages
)

// A Command is what somebody asks of a list: what its address says and, once it is
// known, who asks.
type Command struct {
	Verb     string
	Delivery members.Delivery   // subscribe: how to get the posts
	Who      smtp.Path          // whom it is about; null: the person who asks
	Proof    confirmation.Proof // confirm
	Signed   string             // signed: what stands behind the verb

	From, To int // get, thread: the first and the last post; index: both the same, or 0

	Author  smtp.Path    // who asks, by From, which proves nothing; null: not known yet
	Sender  smtp.Path    // the envelope's sender: a question may have gone there
	Network netip.Prefix // of the client that asks; zero: unknown
}

// alias translates a word of another program: Mailman's join and leave, and mlmmj's
// kinds of subscription, which all end when somebody leaves. It returns an empty string
// if there is nothing to translate.
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

// Refusals of what a list does not offer. mlmmj's -both sends every post twice, by
// itself and in a digest.
var (
	replyNotBoth = smtp.Reply{Code: 550, Enhanced: "5.1.1",
		Text: "one address gets the posts one by one or in digests, not both; subscribe without -both, or with -digest"}
)

// parseCommand parses what follows the delimiter; ok is false if it is not a command.
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
	case VerbHelp, VerbFAQ, VerbRequest, VerbOptions:
		return c, rest == "", nil
	case VerbSigned:
		c.Signed = strings.ToLower(rest)
		return c, rest != "", nil
	case VerbConfirm:
		if c.Proof, ok = confirmation.Parse(rest); !ok {
			return c, true, confirmation.ReplyBad
		}
		return c, true, nil
	case VerbSubscribe:
		switch strings.ToLower(rest) {
		case "digest":
			c.Delivery = members.InDigests
			return c, true, nil
		case "both":
			return c, true, replyNotBoth
		case "nomail":
			c.Delivery = members.NoPosts
			return c, true, nil
		}
		fallthrough
	case VerbUnsubscribe:
		if rest != "" { // ezmlm: dev+subscribe-alice=example.com
			c.Who, ok = verp.Path(rest)
			return c, ok, nil
		}
		return c, true, nil
	}
	return c, false, nil
}

// CommandAddress returns the address of a command, which parseCommand can read; false
// if no address expresses it.
func (l *List) CommandAddress(c Command) (smtp.Path, bool) {
	verb := c.Verb
	other := !c.Who.IsNull() && c.Who.Key() != c.Author.Key()
	switch {
	case verb == VerbConfirm:
		verb += "-" + c.Proof.String()
	case verb == VerbSigned:
		verb += "-" + c.Signed
	case verb == VerbSubscribe && c.Delivery != members.Each:
		if other { // no address expresses both
			return smtp.Path{}, false
		}
		verb += map[members.Delivery]string{members.InDigests: "-digest", members.NoPosts: "-nomail"}[c.Delivery]
	case verb == VerbSubscribe || verb == VerbUnsubscribe:
		if other {
			verb += "-" + verp.Word(c.Who)
		}
	case verb == VerbGet || verb == VerbThread:
		verb += fmt.Sprintf("-%d-%d", c.From, c.To)
	case verb == VerbIndex && c.From > 0:
		verb += fmt.Sprintf("-%d", c.From)
	}
	_, ok, err := parseCommand(verb)
	return l.Verb(verb), ok && err == nil
}

// MaxCommand is the largest message that may contain a command. A command is one line,
// but some people's mail adds HTML and a picture.
const MaxCommand = 1 << 20

// About returns the person whom a command is about; null if not known yet.
func (c Command) About() smtp.Path {
	if c.Who.IsNull() {
		return c.Author
	}
	return c.Who
}
