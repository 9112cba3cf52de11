package deliver

import (
	"io"
	"strings"

	"superlist/lists"
	"superlist/lists/rewrite"
	"superlist/mail/body"
	"superlist/mail/charset"
	"superlist/queue"
)

// maxLooked is how much of a body is read to see whether everybody is meant.
const maxLooked = 64 << 10

// notForAll says why a post that the list takes is hardly meant for everybody, and a
// moderator had better see it; empty where it may go. One is nothing but the wish to
// leave the list: its text, or its Subject with hardly a word of text; what it quotes
// says nothing of that. Another quotes a letter with an address that confirms or
// decides, which is good for whoever reads it.
func notForAll(m *queue.Message, bodyAt int64, l *lists.List, h rewrite.Header) (reason string, err error) {
	content := io.NewSectionReader(m.Content(), bodyAt, min(m.Size-bodyAt, maxLooked))
	text, err := body.Text(h.Get("Content-Type"), h.Get("Content-Transfer-Encoding"), content)
	if err != nil {
		return "", err
	}
	if strings.Contains(text, lists.VerbConfirm+"-") && keyedLine(text) >= 0 {
		return "it quotes an address that confirms or decides for whoever writes to it", nil
	}
	own, list := body.Own(text), l.Addr.Address()
	if lists.AsksToLeave(own, list) || len(strings.Fields(own)) <= lists.MaxLeavingWords && lists.AsksToLeave(charset.Words(h.Get("Subject")), list) {
		return "it only asks to leave the list, which " + l.Verb(lists.VerbUnsubscribe).Address() + " is for", nil
	}
	return "", nil
}
