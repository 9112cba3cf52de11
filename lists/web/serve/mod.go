package serve

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/heldpost"
	"superlist/lists/mail/charset"
	"superlist/lists/request"
	"superlist/lists/rewrite"
	"superlist/lists/web"
	"superlist/lists/weblink"
	"superlist/queue"
	"superlist/smtp"
)

// Fields of the moderators' page.
const (
	postField      = "post"      // the names of held posts
	applicantField = "applicant" // and of people who wait for the owners
	wordsField     = "words"     // for the authors of what is sent back
	sureField      = "sure"
)

// Limits of the moderators' page.
const (
	heldOnPage = 50       // posts, the oldest first
	maxHeld    = 64 << 10 // bytes of each that are shown
	maxUnasked = 20       // what is thrown away or sent back without another question
)

// moderate answers the pages of moderators: the page behind the link in a moderator's
// letter and, with a cookie, the page of what waits for a decision.
func (a *answer) moderate(token string) {
	if !a.methods() || a.r.Method == http.MethodPost && !a.ownForm() {
		return
	}
	if token != "" {
		a.enter(weblink.Moderate, token, string(weblink.Moderate))
		return
	}
	who, ok := a.visitor()
	switch {
	case !ok:
	case !a.list.Decides(who):
		a.nothing()
	case a.r.Method == http.MethodPost:
		a.decide(who)
	default:
		if n, ok := a.asked(); ok {
			a.decided(n, nil)
			return
		}
		a.waiting(who)
	}
}

// waiting shows what waits: posts and, for owners, applicants.
func (a *answer) waiting(who smtp.Path) {
	f := web.Form{Title: a.text("mod-title"), Action: a.base() + string(weblink.Moderate)}
	spool := heldpost.Spool(a.Site, a.list)
	entries, err := spool.List(queue.Held)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.trouble(err)
		return
	}
	for _, e := range entries[:min(len(entries), heldOnPage)] {
		held, err := spool.Open(queue.Held, e.ID)
		if errors.Is(err, fs.ErrNotExist) { // somebody has just decided
			continue
		}
		if err != nil {
			a.trouble(err)
			return
		}
		f.Fields = append(f.Fields, a.held(held))
		held.Close()
	}
	posts := len(f.Fields)
	f.Say = []string{a.text("mod-posts", "n", len(entries))}
	if posts > 0 {
		f.Fields = append(f.Fields, web.Field{Kind: "textarea", Name: wordsField, Label: a.text("mod-words"), Hint: a.text("mod-words-hint")})
	}
	if a.list.IsOwner(who) {
		f.Links = a.between(string(weblink.Moderate))
	}
	people, err := a.applicants(who)
	if err != nil {
		a.trouble(err)
		return
	}
	for _, p := range people {
		f.Fields = append(f.Fields, web.Field{Kind: "checkbox", Name: applicantField, Value: p.Name,
			Label: a.text("mod-applicant", "address", p.Who.Path.Address(), "day", p.Since.UTC().Format(time.DateOnly))})
	}
	for _, d := range request.Decisions() {
		if d.Action.AboutRequest() && len(people) > 0 || !d.Action.AboutRequest() && posts > 0 {
			f.Buttons = append(f.Buttons, web.Button{Name: "do", Value: d.Name, Label: a.text("mod-" + d.Name)})
		}
	}
	f.Buttons = append(f.Buttons, web.Button{Name: logOutField, Value: "1", Label: a.text("logout-button")})
	a.show(http.StatusOK, f)
}

// applicants returns the waiting applicants, if the person is an owner.
func (a *answer) applicants(who smtp.Path) ([]lists.Applicant, error) {
	if !a.list.IsOwner(who) {
		return nil, nil
	}
	return a.list.Applicants()
}

// held returns a held post for display: as text, with the addresses of its author.
func (a *answer) held(m *queue.Message) web.Field {
	raw, err := io.ReadAll(io.LimitReader(m.Content(), maxHeld))
	if err != nil {
		raw = nil
	}
	h := rewrite.Parse(header(raw))
	author := m.Author
	if author.IsNull() {
		author = m.From
	}
	return web.Field{Kind: "post", Name: postField, Value: m.ID, Label: subject(a, h),
		Hint:    a.text("mod-about", "author", author.Address(), "day", m.Arrived.UTC().Format(momentForm), "size", strconv.FormatInt(m.Size, 10), "reason", why(m.Why)),
		Summary: a.text("mod-show"), Content: a.web.ForModerators(raw)}
}

// header returns the header of a message.
func header(raw []byte) []byte {
	if end := bytes.Index(raw, []byte("\r\n\r\n")); end >= 0 {
		return raw[:end+2]
	}
	return raw
}

func subject(a *answer, h rewrite.Header) string {
	if s := charset.Words(h.Get("Subject")); s != "" {
		return s
	}
	return a.text("no-subject")
}

// why returns the reason for which a post is held, from "hold: REASON".
func why(s string) string {
	_, reason, _ := strings.Cut(s, ": ")
	return cmp.Or(reason, s)
}

// decide writes a decision about each ticked item into the spool.
func (a *answer) decide(who smtp.Path) {
	fields, ok := a.form()
	if !ok {
		return
	}
	if fields.Get(logOutField) != "" {
		a.doLogOut()
		return
	}
	d, ok := request.DecisionNamed(fields.Get("do"))
	if !ok {
		http.Error(a.w, errNoFields.Error(), http.StatusBadRequest)
		return
	}
	ticked := fields[postField]
	if d.Action.AboutRequest() {
		ticked = fields[applicantField]
		if !a.list.IsOwner(who) {
			a.nothing()
			return
		}
	}
	if d.Takes && len(ticked) > maxUnasked && fields.Get(sureField) == "" {
		a.sure(fields, string(weblink.Moderate), d.Name, a.text("mod-"+d.Name), len(ticked), postField, applicantField, wordsField)
		return
	}
	words := fields.Get(wordsField)
	var no []string
	done := 0
	for _, name := range ticked {
		err := a.decideOne(who, d, name, words)
		r, _ := smtp.Refusal(err)
		switch {
		case err == nil:
			done++
		case errors.As(err, new(refused)):
			no = append(no, name+": "+r.Text)
		case done == 0:
			a.full(err)
			return
		default:
			a.halfDone(err, done)
			return
		}
	}
	if len(no) > 0 {
		a.decided(done, no)
		return
	}
	a.done(string(weblink.Moderate), done)
}

// decided says how many decisions are on their way, and what stood against the others.
func (a *answer) decided(n int, no []string) {
	say := append([]string{a.text("mod-done", "n", n)}, no...)
	a.show(http.StatusOK, web.Form{Title: a.text("mod-done-title"), Say: append(say, a.text("mod-back", "page", a.web.Base+string(weblink.Moderate)))})
}

// decideOne asks for one decision, if nobody has decided yet.
func (a *answer) decideOne(who smtp.Path, d request.Decision, name, words string) error {
	err := confirmation.Undecided(a.list.Book(), name, "", a.now)
	switch {
	case err != nil:
	case d.Action.AboutHeld():
		err = heldpost.Has(a.list, name)
	default:
		_, err = a.list.FindApplicant(name)
	}
	if _, no := smtp.Refusal(err); no {
		return refused{err}
	}
	if err != nil {
		return err
	}
	return a.sign(who, request.Signed{Verb: request.Decide, About: name, Do: d.Name, Words: words})
}
