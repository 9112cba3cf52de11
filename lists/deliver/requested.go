package deliver

import (
	"io"
	"strings"

	"golang.org/x/text/unicode/norm"

	"superlist/lists"
	"superlist/lists/rewrite"
	"superlist/mail/body"
	"superlist/mail/charset"
)

// maxRequestLines is how far into a message to +request is looked for a command.
const maxRequestLines = 5

// requested is the command that stands in a message to +request: in its Subject, or in
// one of its first lines, in whatever form a mail program sends them. Anything else
// asks for help.
func requested(h rewrite.Header, content io.Reader) (lists.Command, error) {
	if c, ok := commandLine(behindTags(charset.Words(h.Get("Subject")))); ok {
		return c, nil
	}
	text, err := body.Text(h.Get("Content-Type"), h.Get("Content-Transfer-Encoding"), content)
	if err != nil {
		return lists.Command{}, err
	}
	n := 0
	for line := range strings.Lines(body.Own(text)) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		if n++; n > maxRequestLines {
			break
		}
		if c, ok := commandLine(line); ok {
			return c, nil
		}
	}
	return lists.Command{Verb: lists.VerbHelp}, nil
}

const (
	// maxTags is how many tags stand before a Subject: each hop adds one.
	maxTags = 8
	// maxTag is how long such a word is, in characters: Antwort, Doorgestuurd.
	maxTag = 14
)

// behindTags is a Subject without what programs put before it: Re:, AW:, SV:, Antw:,
// Re[2]:, [EXTERN], and so on in any language. No command has a colon or a bracket.
func behindTags(subject string) string {
	for range maxTags {
		subject = strings.TrimSpace(subject)
		for _, brackets := range [...][2]string{{"[", "]"}, {"【", "】"}, {"(", ")"}, {"{", "}"}} {
			if inner, ok := strings.CutPrefix(subject, brackets[0]); ok {
				if _, after, ok := strings.Cut(inner, brackets[1]); ok {
					subject = strings.TrimSpace(after)
				}
			}
		}
		i := strings.IndexAny(subject, ":：")
		if i < 0 || len([]rune(subject[:i])) > maxTag || strings.Contains(strings.TrimSpace(subject[:i]), " ") {
			break
		}
		subject = strings.TrimLeft(subject[i:], ":：")
	}
	return subject
}

// deliveries are the words behind subscribe, join and set: ours, those of Mailman 2
// (its password, which nobody has here, left out) and of Mailman 3.
var deliveries = map[string]lists.Delivery{
	"": lists.Each, "nodigest": lists.Each, "digest=no": lists.Each, "digest off": lists.Each, "delivery on": lists.Each,
	"digest": lists.InDigests, "digest=mime": lists.InDigests, "digest=plain": lists.InDigests,
	"digest mime": lists.InDigests, "digest plain": lists.InDigests, "digest on": lists.InDigests,
	"nomail": lists.NoPosts, "delivery off": lists.NoPosts,
}

// commandLine reads a command as Mailman's users write it.
func commandLine(line string) (lists.Command, bool) {
	line = strings.Trim(norm.NFKC.String(line), " \t\r\n\"'.,;!<>*_-`“”„«»「」。") // as people set words off
	words := strings.Fields(strings.ToLower(line))
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
