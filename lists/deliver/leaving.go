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

// maxLeaving is how much of a body is read to see whether it only asks to leave.
const maxLeaving = 64 << 10

// asksToLeave says that a post is nothing but the wish to leave the list: its text, or
// its Subject with hardly a word of text. What it quotes says nothing of that.
func asksToLeave(m *queue.Message, bodyAt int64, l *lists.List, h rewrite.Header) (bool, error) {
	content := io.NewSectionReader(m.Content(), bodyAt, min(m.Size-bodyAt, maxLeaving))
	text, err := body.Text(h.Get("Content-Type"), h.Get("Content-Transfer-Encoding"), content)
	if err != nil {
		return false, err
	}
	own, list := body.Own(text), l.Addr.Address()
	if lists.AsksToLeave(own, list) {
		return true, nil
	}
	return len(strings.Fields(own)) <= lists.MaxLeavingWords && lists.AsksToLeave(charset.Words(h.Get("Subject")), list), nil
}
