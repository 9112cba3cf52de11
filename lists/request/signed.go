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
	Enter    = "enter"    // whoever asks has used the link of a letter
	LogOut   = "logout"   // and goes again
	Leave    = "leave"    // whoever asks leaves the list, by the link in a copy of their own
	Set      = "set"      // members get the posts in another way; whoever asks, or for owners anybody
	Add      = "add"      // people become members
	Remove   = "remove"   // people are taken off the list
	Move     = "move"     // somebody has a new address, wherever the list has the old one
	Clear    = "clear"    // what came back from an address is forgotten
	Settings = "settings" // keys of list.toml are changed
	Decide   = "decide"   // a held post, or an applicant, is decided about
	Create   = "create"   // a list is made
	Rename   = "rename"   // it gets another address
	Delete   = "delete"   // a list is removed, with all that it has

	RemovePosts = "remove-posts" // posts are removed from the archive
	SendDigest  = "send-digest"  // what waits for the digest is sent
)

// A Signed is a request of somebody who has proved their identity to a page, or of a
// program with a token. Whether they may make it is checked when it is carried out.
type Signed struct {
	Verb     string   `json:"verb"`
	By       string   `json:"by,omitempty"`       // the address of whoever asks; empty: a token
	About    string   `json:"about,omitempty"`    // an address, empty: whoever asks; decide: the name of a post or an applicant; remove-posts: their author
	Words    string   `json:"words,omitempty"`    // set, add: what stands behind the member; decide: for the author; remove-posts: why
	Day      string   `json:"day,omitempty"`      // leave: when the link was made
	Members  []string `json:"members,omitempty"`  // add, set, remove: lines of the members file
	To       string   `json:"to,omitempty"`       // move, rename: the new address
	Posts    []int    `json:"posts,omitempty"`    // remove-posts: their numbers
	Settings []string `json:"settings,omitempty"` // settings, create: "key=value"
	Do       string   `json:"do,omitempty"`       // decide: the name of a Decision
	Link     string   `json:"link,omitempty"`     // enter: see weblink.Visit
	Visit    string   `json:"visit,omitempty"`    // enter, logout: the same
}

// A Decision is what can be decided about a held post or an applicant, by the word that
// pages and programs use.
type Decision struct {
	Name   string
	Action confirmation.Action
	Takes  bool // it removes something
}

// Decisions returns all decisions.
func Decisions() []Decision {
	return []Decision{
		{"accept", confirmation.Publish, false}, {"allow", confirmation.AllowAlways, false},
		{"reject", confirmation.SendBack, true}, {"discard", confirmation.Drop, true}, {"ban", confirmation.BanAuthor, true},
		{"letin", confirmation.Approve, false}, {"decline", confirmation.Decline, true},
	}
}

// DecisionNamed returns the decision with a name.
func DecisionNamed(name string) (Decision, bool) {
	for _, d := range Decisions() {
		if d.Name == name {
			return d, true
		}
	}
	return Decision{}, false
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
