package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"superlist/lists/archive"
	"superlist/lists/request"
	"superlist/smtp"
)

// What is sent about a list as a whole, and answered.
type (
	NewList struct {
		Address  string            `json:"address"`
		Owners   []string          `json:"owners" doc:"addresses"`
		Settings map[string]string `json:"settings" doc:"keys of list.toml, as superlist list set takes their values"`
	}
	ListChange struct {
		Address string `json:"address" doc:"the new address"`
	}
	NewRemoval struct {
		Posts  []int  `json:"posts,omitempty" doc:"their numbers, at most 1000; or author"`
		Author string `json:"author,omitempty" doc:"an address, of which all posts are removed"`
		Reason string `json:"reason,omitempty" doc:"what the note in their place says, for everybody; one line"`
	}
	PostList struct {
		Posts []Post `json:"posts" doc:"those that would be removed"`
	}
	Post struct {
		Number  int       `json:"number"`
		At      time.Time `json:"at" doc:"when it was sent"`
		From    string    `json:"from"`
		Subject string    `json:"subject"`
	}
)

// maxRemoved is how many posts one request names.
const maxRemoved = 1000

func (c *call) create() {
	var n NewList
	if !c.read(&n) {
		return
	}
	addr, ok := smtp.ParseAddress(n.Address)
	switch {
	case !ok:
		c.wrong("address must be a mail address")
		return
	case len(n.Owners) == 0:
		c.wrong("owners must name somebody: somebody has to answer for the list")
		return
	case !c.token.Covers(addr):
		c.problem(http.StatusForbidden, "the token is not for this address; superlist token ls says for which lists it is")
		return
	}
	if text := request.ReachesOut(given(n.Settings), &c.token); text != "" {
		c.problem(http.StatusForbidden, text)
		return
	}
	for _, owner := range n.Owners {
		if _, ok := smtp.ParseAddress(owner); !ok {
			c.wrong("owners: " + strconv.Quote(owner) + " is not a mail address")
			return
		}
	}
	c.order(addr.Address(), request.Signed{Verb: request.Create, Members: n.Owners, Settings: given(n.Settings)})
}

func (c *call) rename() {
	var n ListChange
	if !c.read(&n) {
		return
	}
	to, ok := smtp.ParseAddress(n.Address)
	switch {
	case !ok:
		c.wrong("address must be a mail address")
	case !c.token.Covers(to):
		c.problem(http.StatusForbidden, "the token is not for the new address; superlist token ls says for which lists it is")
	default:
		c.order(c.list.Addr.Address(), request.Signed{Verb: request.Rename, To: to.Address()})
	}
}

func (c *call) remove() { c.order(c.list.Addr.Address(), request.Signed{Verb: request.Delete}) }

func (c *call) sendDigest() {
	c.order(c.list.Addr.Address(), request.Signed{Verb: request.SendDigest})
}

func (c *call) removePosts() {
	var n NewRemoval
	if !c.read(&n) {
		return
	}
	switch {
	case (len(n.Posts) == 0) == (n.Author == ""):
		c.wrong("send either posts or author")
		return
	case len(n.Posts) > maxRemoved:
		c.wrong(fmt.Sprintf("send at most %d posts at once", maxRemoved))
		return
	case strings.ContainsAny(n.Reason, "\r\n"):
		c.wrong("reason must be one line")
		return
	}
	dry, ok := c.dryRun()
	if !ok {
		return
	}
	entries, ok := c.posts(n)
	switch {
	case !ok:
	case dry:
		list := PostList{Posts: []Post{}}
		for _, e := range entries {
			list.Posts = append(list.Posts, Post{e.Number, e.Time.UTC(), e.From, e.Subject})
		}
		c.ok(list)
	default:
		c.order(c.list.Addr.Address(), request.Signed{Verb: request.RemovePosts, Posts: n.Posts, About: n.Author, Words: n.Reason})
	}
}

// posts returns the posts that are to be removed, without those that have been; false once
// it has answered that one is not there.
func (c *call) posts(n NewRemoval) (entries []archive.Entry, ok bool) {
	var err error
	if n.Author != "" {
		who, is := smtp.ParseAddress(n.Author)
		if !is {
			c.wrong("author must be a mail address")
			return nil, false
		}
		if entries, err = c.list.Posts().By(who); err != nil {
			c.trouble(err)
			return nil, false
		}
	}
	for _, number := range n.Posts {
		e, err := c.list.Posts().Entry(number)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			c.wrong("there is no post " + strconv.Itoa(number))
			return nil, false
		case err != nil:
			c.trouble(err)
			return nil, false
		case !e.Removed:
			entries = append(entries, e)
		}
	}
	return entries, true
}
