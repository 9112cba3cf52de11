package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlist/lists/config"
	"superlist/lists/confirmation"
	"superlist/lists/heldpost"
	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/request"
	"superlist/lists/tomltext"
	"superlist/smtp"
)

const (
	maxBody    = 64 << 10
	maxMembers = 1000 // of one request
	maxWait    = 20 * time.Second
	look       = 100 * time.Millisecond // how often, while somebody waits
)

// What is sent.
type (
	NewSettings struct {
		Settings map[string]string `json:"settings" doc:"keys of list.toml, as superlist list set takes their values"`
	}
	NewMember struct {
		Address string   `json:"address"`
		Words   []string `json:"words" doc:"as in the members file"`
	}
	NewMembers struct {
		Members []NewMember `json:"members" doc:"at most 1000"`
	}
	MemberChange struct {
		Words   *[]string `json:"words,omitempty" doc:"replace the present ones"`
		Address string    `json:"address,omitempty" doc:"the new address, in place of words"`
	}
	Decision struct {
		Do    string `json:"do" doc:"what to do"`
		Words string `json:"words" doc:"reject: for the author"`
	}
)

// read reads what a program has sent. It returns false once it has answered that this
// cannot be used.
func (c *call) read(to any) bool {
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		c.problem(http.StatusUnsupportedMediaType, "send JSON, with Content-Type: application/json")
		return false
	}
	body, err := io.ReadAll(io.LimitReader(c.r.Body, maxBody+1))
	if err != nil {
		c.problem(http.StatusBadRequest, "the request did not arrive whole; send it again")
		return false
	}
	if len(body) > maxBody {
		c.w.Header().Set("Connection", "close")
		c.problem(http.StatusRequestEntityTooLarge, fmt.Sprintf("send at most %d bytes at once", maxBody))
		return false
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err = d.Decode(to); err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("something stands behind the object")
		}
	}
	if err != nil {
		c.wrong(err.Error())
		return false
	}
	return true
}

// order puts a request into the spool, and answers once it is durable there.
func (c *call) order(list string, s request.Signed) {
	o := request.Order{Token: c.token.Name, List: list, At: c.Now, Signed: s, Client: c.Client, Share: c.Share}
	if need := request.ScopeOf(s); !c.token.Has(need) {
		c.lacks(need)
		return
	}
	spool := c.Site.Spool()
	id, err := o.Put(spool, c.secret)
	if err != nil {
		c.trouble(err)
		return
	}
	c.Log.Printf(maillog.Info, "request id=%s list=%q token=%s verb=%s client=%q", id, list, c.token.Name, s.Verb, c.Client)
	if err := c.Site.Wake(); err != nil {
		c.Log.Printf(maillog.Warning, "trouble kick=%s error=%q: the request waits until a timer starts superlist deliver; see superlist check", c.Site.Kick, err)
	}
	handle := c.token.Handle(id)
	out := request.Outcome{ID: handle, State: request.Waiting, List: list, Verb: s.Verb}
	if now, ok := c.awaited(id); ok {
		now.ID = handle
		c.w.Header().Set("Preference-Applied", "wait")
		c.ok(now)
		return
	}
	base := c.r.URL.EscapedPath()
	c.w.Header().Set("Location", base[:strings.Index(base, Path)]+Path+"requests/"+handle)
	c.write(http.StatusAccepted, "application/json", out)
}

// awaited waits until a request has been carried out, for as long as the program wants
// (RFC 7240), and returns its outcome; false: not within that time.
func (c *call) awaited(id string) (o request.Outcome, ok bool) {
	wait := time.Duration(0)
	for _, field := range c.r.Header.Values("Prefer") {
		for word := range strings.SplitSeq(field, ",") {
			if n, is := strings.CutPrefix(strings.TrimSpace(word), "wait="); is {
				seconds, _ := strconv.Atoi(n)
				wait = min(time.Duration(max(seconds, 0))*time.Second, maxWait)
			}
		}
	}
	sleep := c.Sleep
	if sleep == nil {
		sleep = time.Sleep
	}
	for ; wait > 0; wait -= look {
		o, ok, err := request.OutcomeOf(c.Site.Spool(), ledger.OfSite(c.Site.ListsDir), c.token.Name, id, c.Now)
		if err != nil || ok && o.Over() {
			return o, err == nil
		}
		sleep(look)
	}
	return o, false
}

// given returns settings as words for list.toml, by their names.
func given(settings map[string]string) (all []string) {
	for key, value := range settings {
		all = append(all, key+"="+value)
	}
	slices.Sort(all)
	return all
}

func (c *call) set() {
	var n NewSettings
	if !c.read(&n) {
		return
	}
	if text := request.ReachesOut(given(n.Settings), &c.token); text != "" {
		c.problem(http.StatusForbidden, text)
		return
	}
	changes, err := Preview(c.list, given(n.Settings))
	if text, bad := Wrong(err); bad {
		c.wrong(text)
		return
	}
	if err != nil {
		c.trouble(err)
		return
	}
	if dry, ok := c.dryRun(); dry && ok {
		c.ok(ChangeList{append([]Change{}, changes...)})
	} else if ok {
		c.order(c.list.Addr.Address(), request.Signed{Verb: request.Settings, Settings: given(n.Settings)})
	}
}

// dryRun reports whether the program only wants to know what would change; ok is false once
// it has answered that this is unclear.
func (c *call) dryRun() (dry, ok bool) {
	switch c.r.URL.Query().Get("dry_run") {
	case "true":
		return true, true
	case "":
		return false, true
	}
	c.wrong("dry_run must be true, or not be there")
	return false, false
}

// Wrong says what is wrong with somebody's settings; bad is false for any other error.
func Wrong(err error) (text string, bad bool) {
	var input *tomltext.InputError
	var config *config.Error
	switch {
	case errors.As(err, &input):
		return input.Error(), true
	case errors.As(err, &config):
		return config.Key + ": " + config.Text, true
	}
	return "", false
}

// line returns a member as a line of the members file; false once it has answered that it
// cannot be one.
func (c *call) line(address string, words []string, joins bool) (string, bool) {
	text := strings.TrimSpace(address + " " + strings.Join(words, " "))
	m, ok := members.Parse(text)
	switch {
	case !ok || strings.ContainsAny(text, "\r\n") || m.Unknown() != "":
		c.wrong(strconv.Quote(text) + " cannot be a member: send an address, and words such as digest or name=…")
		return "", false
	case joins && c.list.IsOwn(m.Path):
		c.wrong(address + " is an address of the list itself")
		return "", false
	}
	return text, true
}

func (c *call) add() {
	var n NewMembers
	if !c.read(&n) {
		return
	}
	if len(n.Members) == 0 || len(n.Members) > maxMembers {
		c.wrong(fmt.Sprintf("send from 1 to %d members at once", maxMembers))
		return
	}
	s := request.Signed{Verb: request.Add}
	for _, m := range n.Members {
		line, ok := c.line(m.Address, m.Words, true)
		if !ok {
			return
		}
		s.Members = append(s.Members, line)
	}
	c.order(c.list.Addr.Address(), s)
}

func (c *call) change() {
	var n MemberChange
	m, ok := c.find()
	if !ok || !c.read(&n) {
		return
	}
	who := m.Path.Address()
	if (n.Words == nil) == (n.Address == "") {
		c.wrong("send either words or address")
		return
	}
	if n.Address != "" {
		if _, ok := c.line(n.Address, nil, true); ok {
			c.order(c.list.Addr.Address(), request.Signed{Verb: request.Move, About: who, To: n.Address})
		}
		return
	}
	if line, ok := c.line(who, *n.Words, false); ok {
		c.order(c.list.Addr.Address(), request.Signed{Verb: request.Set, Members: []string{line}})
	}
}

func (c *call) drop() {
	if m, ok := c.find(); ok {
		c.order(c.list.Addr.Address(), request.Signed{Verb: request.Remove, Members: []string{m.Path.Address()}})
	}
}

func (c *call) clear() {
	who, ok := smtp.ParseAddress(c.args[0])
	if !ok {
		c.nothing()
		return
	}
	c.order(c.list.Addr.Address(), request.Signed{Verb: request.Clear, About: who.Address()})
}

func (c *call) decideHeld() {
	err := heldpost.Has(c.list, c.args[0])
	c.decide(err, confirmation.Action.AboutHeld, "accept, allow, reject, discard or ban")
}

func (c *call) decideApplicant() {
	_, err := c.list.FindApplicant(c.args[0])
	c.decide(err, confirmation.Action.AboutRequest, "letin or decline")
}

// decide asks for a decision about what the path names. missing says whether it is there.
func (c *call) decide(missing error, fits func(confirmation.Action) bool, words string) {
	var n Decision
	if !c.read(&n) {
		return
	}
	d, ok := request.DecisionNamed(n.Do)
	if !ok || !fits(d.Action) {
		c.wrong("do must be " + words)
		return
	}
	if _, gone := smtp.Refusal(missing); gone {
		if second := confirmation.Undecided(c.list.Book(), c.args[0], "", c.Now); second != nil {
			missing = second
		}
		reply, _ := smtp.Refusal(missing)
		c.problem(http.StatusConflict, reply.Text)
		return
	}
	if missing != nil {
		c.trouble(missing)
		return
	}
	c.order(c.list.Addr.Address(), request.Signed{Verb: request.Decide, About: c.args[0], Do: d.Name, Words: n.Words})
}
