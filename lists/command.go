package lists

import (
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
	Verb   string
	NoMail bool      // subscribe: as a member who gets no posts
	Who    smtp.Path // whom it is about, where the address says so; else whoever writes
	Proof  Proof     // confirm
}

// alias gives our word for another program's: Mailman's join and leave, mlmmj's
// kinds of subscription, of which leaving leaves all. Empty: it is none.
func alias(word string) string {
	switch word {
	case "join":
		return VerbSubscribe
	case "leave", "unsubscribe-nomail", "unsubscribe-digest":
		return VerbUnsubscribe
	}
	return ""
}

// replyNoDigest refuses what a list here cannot give.
var replyNoDigest = smtp.Reply{Code: 550, Enhanced: "5.1.1",
	Text: "this list sends no digests; subscribe without -digest, or with -nomail to get nothing"}

// parseCommand reads what stands behind the delimiter. ok is false for what is
// no command.
func parseCommand(verb string) (c Command, ok bool, err error) {
	folded := strings.ToLower(verb)
	if ours := alias(folded); ours != "" {
		return Command{Verb: ours}, true, nil
	}
	word, rest, dash := strings.Cut(verb, "-")
	if dash && rest == "" {
		return c, false, nil
	}
	c.Verb = strings.ToLower(word)
	switch c.Verb {
	case VerbHelp, VerbFAQ, VerbRequest:
		return c, rest == "", nil
	case VerbConfirm:
		if c.Proof, ok = parseProof(rest); !ok {
			return c, true, replyBadProof
		}
		return c, true, nil
	case VerbSubscribe:
		switch strings.ToLower(rest) {
		case "digest", "both":
			return c, true, replyNoDigest
		case "nomail":
			c.NoMail = true
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
	replyLongWho   = smtp.Reply{Code: 553, Enhanced: "5.1.3", Text: "an address whose local part is longer than 64 octets cannot be a member"}
)

// Author is who wrote a command: the one author in From, where the answer goes.
// It proves nothing.
func Author(h rewrite.Header) (smtp.Path, error) {
	authors, ok := rewrite.Addresses(h.Get("From"))
	if !ok || len(authors) != 1 {
		return smtp.Path{}, replyNoAuthor
	}
	return authors[0], nil
}

// automatic says that a message was not written by a person, or was sent to
// many: RFC 3834, 2. Such mail gets no answer, or two programs would write to
// each other for ever.
func automatic(h rewrite.Header) bool {
	if word := autoSubmitted(h); word != "" && word != "no" {
		return true
	}
	switch strings.ToLower(h.Get("Precedence")) {
	case "bulk", "junk", "list", "auto_reply":
		return true
	}
	return len(h.All("List-Id")) > 0 || len(h.All("X-Autoreply")) > 0 || len(h.All("X-Autorespond")) > 0
}

// autoSubmitted is the word of Auto-Submitted, in lower case: RFC 3834, 5.
func autoSubmitted(h rewrite.Header) string {
	word := h.Get("Auto-Submitted")
	if i := strings.IndexAny(word, "; \t("); i >= 0 { // a parameter or a comment
		word = word[:i]
	}
	return strings.ToLower(word)
}

// mayAsk decides on a command as far as its address tells, at RCPT.
func (l *List) mayAsk(c Command) error {
	if c.Verb == VerbSubscribe && l.Subscribe == SubscribeClosed {
		return l.refusal("5.7.1", "nobody can subscribe to %s by mail", l.Addr.Address())
	}
	if len(c.Who.Local) > maxMember {
		return replyLongWho
	}
	return nil
}

// MayCommand decides on a command once its message is there. It is asked in the
// session, so that whoever hears no is still on the line, and again before the
// command is done.
func (l *List) MayCommand(h rewrite.Header, c Command) (who smtp.Path, err error) {
	if automatic(h) {
		return smtp.Path{}, replyRobot
	}
	author, err := Author(h)
	switch {
	case err != nil:
		return smtp.Path{}, err
	case len(author.Local) > maxMember:
		return smtp.Path{}, replyLongWho
	case !c.Who.IsNull():
		return c.Who, l.mayAsk(c)
	}
	return author, l.mayAsk(c)
}

// fitsCommand holds the size of a command against MaxCommand.
func (l *List) fitsCommand(size int64) error {
	if size <= MaxCommand {
		return nil
	}
	return smtp.Reply{Code: 552, Enhanced: "5.3.4", Text: fmt.Sprintf("the message has %d bytes, and a command needs no more than a line", size)}
}
