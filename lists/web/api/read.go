package api

import (
	"errors"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/access"
	"superlist/lists/acts"
	"superlist/lists/confirmation"
	"superlist/lists/heldpost"
	"superlist/lists/ledger"
	"superlist/lists/members"
	"superlist/lists/request"
	"superlist/smtp"
)

// Limits of an answer.
const (
	usual = 100 // items, if limit is not given
	most  = 1000
)

// What is answered.
type (
	TokenInfo struct {
		Name    string         `json:"name"`
		Scopes  []access.Scope `json:"scopes"`
		Lists   []string       `json:"lists" doc:"addresses, domains and patterns; * is every list"`
		Expires time.Time      `json:"expires"`
	}
	ListRow struct {
		Address     string `json:"address"`
		State       string `json:"state" doc:"open, suspended, held or closed; empty: its list.toml cannot be read"`
		Post        string `json:"post" doc:"who may post"`
		Description string `json:"description"`
	}
	ListPage struct {
		Lists []ListRow `json:"lists"`
		Next  string    `json:"next,omitempty" doc:"for after, if there are more"`
	}
	ListInfo struct {
		ListRow
		Members int `json:"members" doc:"how many"`
		Posts   int `json:"posts" doc:"the number of the last one that is kept"`
		Held    int `json:"held" doc:"how many posts wait for a decision"`
		Waiting int `json:"waiting" doc:"how many people wait for the owners"`
	}
	SettingList struct {
		Settings []Setting `json:"settings"`
	}
	MemberPage struct {
		Members []Member `json:"members"`
		All     int      `json:"all" doc:"how many there are, whatever was searched for"`
		Next    string   `json:"next,omitempty" doc:"for after, if there are more"`
	}
	Applicant struct {
		Name    string    `json:"name" doc:"for deciding about it"`
		Address string    `json:"address"`
		Since   time.Time `json:"since"`
	}
	ApplicantList struct {
		Applicants []Applicant `json:"applicants"`
	}
	BouncedList struct {
		Bounces []Bounced `json:"bounces"`
		Limit   int       `json:"limit" doc:"on how many days mail must have come back before something is done"`
	}
	HeldList struct {
		Held []Held `json:"held"`
	}
	HeldPost struct {
		Held
		Text string `json:"text" doc:"the message, at most 64 KiB of it"`
	}
	MonthList struct {
		Months []Month `json:"months"`
	}
	ActList struct {
		Acts []acts.Act `json:"acts"`
	}
	ChangeList struct {
		Changes []Change `json:"changes"`
	}
)

// page returns the query's after and limit; ok is false once it has answered that they
// cannot be used.
func (c *call) page() (after string, limit int, ok bool) {
	q := c.r.URL.Query()
	limit = usual
	if s := q.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > most {
			c.wrong("limit must be a number from 1 to " + strconv.Itoa(most))
			return "", 0, false
		}
		limit = n
	}
	return q.Get("after"), limit, true
}

func (c *call) about() {
	c.ok(TokenInfo{c.token.Name, c.token.Scopes, c.token.Lists, c.token.Expires})
}

func (c *call) lists() {
	after, limit, ok := c.page()
	if !ok {
		return
	}
	p := ListPage{Lists: []ListRow{}}
	err := lists.Of(c.Site).All(func(addr smtp.Path, l *lists.List, err error) bool {
		if addr.Address() <= after && after != "" || !c.token.Covers(addr) {
			return true
		}
		row := ListRow{Address: addr.Address()}
		if err == nil {
			row = rowOf(l)
		}
		p.Lists = append(p.Lists, row)
		return true
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.trouble(err)
		return
	}
	sortRows(p.Lists)
	if len(p.Lists) > limit {
		p.Lists, p.Next = p.Lists[:limit], p.Lists[limit-1].Address
	}
	c.ok(p)
}

func rowOf(l *lists.List) ListRow {
	return ListRow{l.Addr.Address(), l.State, l.Post, l.Description}
}

func (c *call) show() {
	info := ListInfo{ListRow: rowOf(c.list)}
	var err error
	if info.Members, err = c.list.CountMembers(); err == nil {
		info.Posts, err = c.list.Posts().Last()
	}
	var held []Held
	if err == nil {
		held, err = AllHeld(c.Site, c.list)
	}
	var waiting []lists.Applicant
	if err == nil {
		waiting, err = c.list.Applicants()
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.trouble(err)
		return
	}
	info.Held, info.Waiting = len(held), len(waiting)
	c.ok(info)
}

func (c *call) settings() { c.ok(SettingList{Settings(c.list)}) }

func (c *call) members() {
	after, limit, ok := c.page()
	if !ok {
		return
	}
	some, all, next, err := Members(c.list, c.r.URL.Query().Get("search"), after, limit)
	if err != nil {
		c.trouble(err)
		return
	}
	p := MemberPage{[]Member{}, all, next}
	for _, m := range some {
		p.Members = append(p.Members, memberOf(m))
	}
	c.ok(p)
}

// find returns the member in the path; ok is false once it has answered that there is none.
func (c *call) find() (m members.Member, ok bool) {
	who, isAddress := smtp.ParseAddress(c.args[0])
	file, err := c.list.Members()
	if err == nil && isAddress {
		defer file.Close()
		m, ok, err = file.Find(who)
	}
	switch {
	case err != nil:
		c.trouble(err)
		return m, false
	case !ok:
		c.problem(http.StatusNotFound, "the list has no such member")
	}
	return m, ok
}

func (c *call) member() {
	if m, ok := c.find(); ok {
		c.ok(memberOf(m))
	}
}

func (c *call) applicants() {
	waiting, err := c.list.Applicants()
	if err != nil {
		c.trouble(err)
		return
	}
	all := ApplicantList{[]Applicant{}}
	for _, a := range waiting {
		all.Applicants = append(all.Applicants, Applicant{a.Name, a.Who.Path.Address(), a.Since.UTC()})
	}
	c.ok(all)
}

func (c *call) bounces() {
	all, err := Bounces(c.list, c.Now)
	if err != nil {
		c.trouble(err)
		return
	}
	c.ok(BouncedList{all, c.list.BounceDays})
}

func (c *call) held() {
	all, err := AllHeld(c.Site, c.list)
	if err != nil {
		c.trouble(err)
		return
	}
	c.ok(HeldList{all})
}

func (c *call) heldPost() {
	m, err := heldpost.Find(c.Site, c.list, c.args[0])
	if _, gone := smtp.Refusal(err); gone {
		c.problem(http.StatusNotFound, confirmation.ReplyDecided.Text)
		return
	}
	if err != nil {
		c.trouble(err)
		return
	}
	defer m.Close()
	p := HeldPost{Held: heldOf(m)}
	if p.Text, err = textOf(m); err != nil {
		c.trouble(err)
		return
	}
	c.ok(p)
}

func (c *call) digest() {
	d, err := Digest(c.list)
	if err != nil {
		c.trouble(err)
		return
	}
	c.ok(d)
}

func (c *call) activity() {
	months, err := Activity(c.list)
	if err != nil {
		c.trouble(err)
		return
	}
	c.ok(MonthList{months})
}

func (c *call) log() {
	_, limit, ok := c.page()
	if !ok {
		return
	}
	var since time.Time
	if s := c.r.URL.Query().Get("since"); s != "" {
		var err error
		if since, err = time.Parse(time.DateOnly, s); err != nil {
			c.wrong("since must be a day such as 2026-11-30")
			return
		}
	}
	all, err := Acts(c.list, since, limit)
	if err != nil {
		c.trouble(err)
		return
	}
	c.ok(ActList{all})
}

func (c *call) outcome() {
	id, ok := c.token.Handled(c.args[0])
	if !ok {
		c.noRequest()
		return
	}
	o, ok, err := request.OutcomeOf(c.Site.Spool(), ledger.OfSite(c.Site.ListsDir), c.token.Name, id, c.Now)
	switch {
	case err != nil:
		c.trouble(err)
	case !ok:
		c.noRequest()
	default:
		o.ID = c.args[0]
		c.ok(o)
	}
}

func (c *call) noRequest() {
	c.problem(http.StatusNotFound, "this token has made no such request within the last week")
}

// sortRows sorts lists by address.
func sortRows(rows []ListRow) {
	slices.SortFunc(rows, func(a, b ListRow) int { return strings.Compare(a.Address, b.Address) })
}
