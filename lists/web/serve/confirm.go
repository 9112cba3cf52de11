package serve

import (
	"errors"
	"net/http"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/web"
	"superlist/lists/weblink"
	"superlist/smtp"
)

// confirm answers the link in a letter that asks something. A GET says what will
// happen; the button does what a reply to the letter does.
func (a *answer) confirm(token string) {
	if !a.methods() {
		return
	}
	link, err := weblink.Read(a.list, weblink.Confirm, token, a.now)
	if err != nil && err != weblink.ErrForged && err != weblink.ErrOld {
		a.trouble(err)
		return
	}
	proof, address, name := link.Confirmed()
	who, isAddress := smtp.ParseAddress(address)
	d, resolved := lists.Of(a.Site).Resolve(a.list.Verb(lists.VerbConfirm + "-" + proof))
	if err != nil || !isAddress || resolved != nil {
		a.dead()
		return
	}
	c := d.Command
	c.Author, c.Sender = who, who
	what := confirmWords(c.Proof.Action)
	f := web.Form{Title: a.text("confirm-title"), Say: []string{a.text("confirm-"+what, "address", who.Address())}}
	var no refused
	switch err := a.may(c); {
	case errors.As(err, &no) && confirmation.Unspent(a.list.Book(), c.Proof, "", a.now) != nil:
		f.Title, f.Say = a.text("confirm-done-title"), []string{a.text("confirm-again")}
		a.show(http.StatusOK, f)
	case errors.As(err, &no):
		a.dead()
	case err != nil:
		a.trouble(err)
	case a.r.Method != http.MethodPost:
		f.Action, f.Buttons = a.here(), []web.Button{{Name: "confirm", Value: "1", Label: a.text("confirm-button")}}
		a.show(http.StatusOK, f)
	default:
		a.doConfirm(c, name)
	}
}

// doConfirm writes the person's answer into the spool.
func (a *answer) doConfirm(c lists.Command, name string) {
	fields, ok := a.form()
	if !ok {
		return
	}
	if fields.Get("confirm") == "" {
		http.Error(a.w, errNoFields.Error(), http.StatusBadRequest)
		return
	}
	q := a.request(c.Author)
	c.Network = q.Network
	q.Command, q.Name = c, name
	if err := a.put(q); err != nil {
		a.full(err)
		return
	}
	a.show(http.StatusOK, web.Form{Title: a.text("confirm-done-title"), Say: []string{a.text("confirm-done")}})
}

// confirmWords returns the word for an action in the names of page texts.
func confirmWords(action confirmation.Action) string {
	switch action {
	case confirmation.Unsubscribe:
		return "leave"
	case confirmation.GetEach, confirmation.GetDigests, confirmation.GetNone:
		return "change"
	case confirmation.OwnPost:
		return "post"
	}
	return "join"
}
