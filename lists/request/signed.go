package request

import (
	"encoding/json"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
)

// Verbs of signed requests.
const (
	Leave  = "leave"  // whoever asks leaves the list, by the link in a copy of their own
	Set    = "set"    // whoever asks, a member, gets the posts in another way
	Add    = "add"    // an owner makes somebody a member
	Remove = "remove" // an owner takes somebody off the list
)

// A Signed is a request of somebody who has proved their identity to a page. Whether
// they may make it is checked when it is carried out.
type Signed struct {
	Verb  string `json:"verb"`
	By    string `json:"by"`              // the address of whoever asks
	About string `json:"about,omitempty"` // a member's address; empty: whoever asks
	Words string `json:"words,omitempty"` // set, add: what stands behind the member
	Day   string `json:"day,omitempty"`   // leave: when the link was made
}

// Sign adds a signed request to a Request that says who asks, and from where.
func (r Request) Sign(s Signed) (Request, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return r, err
	}
	c, err := r.List.SignedCommand(string(text), r.At)
	if err != nil {
		return r, err
	}
	c.Author, c.Sender, c.Network = r.Author, r.Sender, r.Network
	r.Command, r.Words = c, string(text)
	return r, nil
}

// ReadSigned parses the text of a message to the address of a signed request. The text
// must be the one that the address was made for. A refusal is a smtp.Reply.
func ReadSigned(l *lists.List, c lists.Command, text string, at time.Time) (s Signed, err error) {
	text = strings.TrimSpace(text)
	if err := l.CheckSigned(c, at); err != nil {
		return s, err
	}
	if !c.Signs(text) {
		return s, confirmation.ReplyBad
	}
	if json.Unmarshal([]byte(text), &s) != nil {
		return s, confirmation.ReplyBad
	}
	return s, nil
}
