package people

import (
	"io"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"superlist/lists"
	"superlist/lists/mail/body"
	"superlist/lists/mail/charset"
	"superlist/lists/members"
	"superlist/lists/policy"
	"superlist/lists/rewrite"
)

// maxRequestLines is how many lines of a message to +request are searched for a command.
const maxRequestLines = 5

// maxRequest is how many bytes of its text are searched: anybody may send one, and
// deliver reads them one after the other.
const maxRequest = 16 << 10

// requested finds the command in a message to +request: in its Subject, or in one of its
// first lines, in any form that a mail program sends them. A wish to leave counts in any
// words. Anything else asks for help.
func requested(l *lists.List, h rewrite.Header, content io.Reader) (lists.Command, error) {
	subject := behindTags(seen(charset.Words(h.Get("Subject"))))
	if c, ok := commandLine(l, subject); ok {
		return c, nil
	}
	text, err := body.Text(h.Get("Content-Type"), h.Get("Content-Transfer-Encoding"), content)
	if err != nil {
		return lists.Command{}, err
	}
	n := 0
	own := seen(body.Own(text[:min(len(text), maxRequest)]))
	for line := range strings.Lines(own) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if n++; n > maxRequestLines {
			break
		}
		if c, ok := commandLine(l, line); ok {
			return c, nil
		}
	}
	if list := l.Addr.Address(); policy.AsksToLeave(subject, list) || policy.OnlyAsksToLeave(strings.TrimSpace(own), list) {
		return lists.Command{Verb: lists.VerbUnsubscribe}, nil
	}
	return lists.Command{Verb: lists.VerbHelp}, nil
}

const (
	// maxTags is how many tags may precede a Subject: each hop adds one.
	maxTags = 16
	// maxTag is the longest such tag, in characters: Doorgestuurd, External Email.
	maxTag = 24
)

// seen removes the invisible characters of a text: zero width, soft hyphens,
// directions.
func seen(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Cf, c) {
			return -1
		}
		return c
	}, text)
}

// behindTags removes what programs put in front of a Subject: Re:, AW:, SV:, Antw:,
// Re[2]:, [EXTERN], and so on in any language. No command has a colon or a bracket.
func behindTags(subject string) string {
	for range maxTags {
		before := subject
		subject = strings.TrimSpace(subject)
		for _, marks := range [...][2]string{{"[", "]"}, {"【", "】"}, {"(", ")"}, {"{", "}"}, {"**", "**"}} {
			if inner, ok := strings.CutPrefix(subject, marks[0]); ok {
				if _, after, ok := strings.Cut(strings.TrimLeft(inner, "*"), marks[1]); ok { // ***SPAM***
					subject = strings.TrimLeft(after, "* ")
				}
			}
		}
		if i := strings.IndexAny(subject, ":："); i >= 0 && len([]rune(subject[:i])) <= maxTag {
			subject = strings.TrimLeft(subject[i:], ":：")
		}
		if subject == before {
			break
		}
	}
	return subject
}

// deliveries are the words after subscribe, join and set: ours, those of Mailman 2
// (without its password, which nobody has here) and of Mailman 3.
var deliveries = map[string]members.Delivery{
	"": members.Each, "nodigest": members.Each, "digest=no": members.Each, "digest off": members.Each, "delivery on": members.Each,
	"digest": members.InDigests, "digest=mime": members.InDigests, "digest=plain": members.InDigests,
	"digest mime": members.InDigests, "digest plain": members.InDigests, "digest on": members.InDigests,
	"nomail": members.NoPosts, "delivery off": members.NoPosts,
}

// commandLine parses a command as users of Mailman and Majordomo write it. They may
// name the list after the first word.
func commandLine(l *lists.List, line string) (lists.Command, bool) {
	line = strings.Trim(norm.NFKC.String(line), " \t\r\n\"'.,;!<>*_-`“”„«»「」。") // marks with which people set words off
	words := strings.Fields(strings.ToLower(line))
	if len(words) > 1 && (words[1] == strings.ToLower(l.Addr.Local) || words[1] == strings.ToLower(l.Addr.Address())) {
		words = slices.Delete(words, 1, 2)
	}
	if len(words) == 0 || len(words) > 3 {
		return lists.Command{}, false
	}
	second := strings.Join(words[1:], " ")
	switch words[0] {
	case "subscribe", "join", "set":
		delivery, ok := deliveries[second]
		return lists.Command{Verb: lists.VerbSubscribe, Delivery: delivery}, ok && !(words[0] == "set" && second == "")
	case "unsubscribe", "leave":
		return lists.Command{Verb: lists.VerbUnsubscribe}, second == ""
	case "help":
		return lists.Command{Verb: lists.VerbHelp}, second == ""
	case "faq":
		return lists.Command{Verb: lists.VerbFAQ}, second == ""
	case "who":
		return lists.FetchCommand(lists.VerbList, second)
	}
	if lists.Fetches(words[0]) {
		return lists.FetchCommand(words[0], second)
	}
	return lists.Command{}, false
}
