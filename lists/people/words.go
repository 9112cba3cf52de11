package people

import (
	"io"
	"strings"

	"superlist/lists/letter"
	"superlist/lists/mail/body"
	"superlist/lists/rewrite"
)

// maxWords is how many bytes of a moderator's words go to the author of a post.
const maxWords = 4 << 10

// wordsIn returns what somebody has written in a mail, for passing it on: without
// quotes, without a signature, and never with an address that contains a proof. It may
// be empty.
func wordsIn(h rewrite.Header, content io.Reader) (string, error) {
	text, err := body.Text(h.Get("Content-Type"), h.Get("Content-Transfer-Encoding"), content)
	if err != nil {
		return "", err
	}
	return passedOn(text), nil
}

// passedOn returns of a text what may go to somebody else.
func passedOn(text string) string {
	words := letter.Unkeyed(body.Own(text))
	if len(words) > maxWords {
		words = strings.ToValidUTF8(words[:maxWords], "") + "…"
	}
	return words
}
