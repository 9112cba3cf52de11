package serve

import (
	"io"
	"net/http"
	"time"

	"superlist/lists"
	"superlist/lists/request"
	"superlist/lists/web"
	"superlist/lists/weblink"
	"superlist/smtp"
)

// oneClick is the field by which a mail program unsubscribes its user: RFC 8058, 3.2.
const (
	oneClickField = "List-Unsubscribe"
	oneClickValue = "One-Click"
	// byHand is the field of our own button.
	byHand = "leave"
)

// leave answers the link by which a member leaves. A GET changes nothing, since
// programs that check links in mail follow each one. A POST needs no cookie and no
// log-in, and is never redirected: RFC 8058, 3.2.
func (a *answer) leave(token string) {
	if !a.methods() {
		return
	}
	link, err := weblink.Read(a.list, weblink.Leave, token, a.now)
	who, ok := smtp.ParseAddress(link.Text)
	switch {
	case err == weblink.ErrForged || err == weblink.ErrOld || err == nil && !ok:
		a.dead()
	case err != nil:
		a.trouble(err)
	case a.r.Method != http.MethodPost:
		a.show(http.StatusOK, web.Form{Title: a.text("leave-title"), Say: []string{a.text("leave-ask", "address", who.Address())},
			Action: a.here(), Buttons: []web.Button{{Name: byHand, Value: "1", Label: a.text("leave-button")}}})
	default:
		a.doLeave(who, link.Made)
	}
}

// doLeave removes somebody from the list: it writes their request into the spool.
func (a *answer) doLeave(who smtp.Path, made time.Time) {
	fields, ok := a.form()
	if !ok {
		return
	}
	program := fields.Get(oneClickField) == oneClickValue
	if !program && fields.Get(byHand) == "" {
		http.Error(a.w, oneClickField+"="+oneClickValue+" is missing", http.StatusBadRequest)
		return
	}
	day := made.Format(time.DateOnly)
	isMember, err := a.isMember(who)
	back := false
	if err == nil {
		back, err = a.list.BackSince(who, day)
	}
	switch {
	case err != nil:
	case !isMember: // there is nothing to do, or nothing more
	case back:
		q := a.request(who)
		q.Verb = lists.VerbUnsubscribe
		if err = a.put(q); a.unheard(err) { // they have had such a letter today
			err = nil
		}
	default:
		err = a.sign(who, request.Signed{Verb: request.Leave, Day: day})
	}
	if err != nil {
		a.full(err)
		return
	}
	if program {
		a.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(a.w, "done\n")
		return
	}
	f := web.Form{Title: a.text("leave-done-title"), Say: []string{a.text("leave-done", "address", who.Address())}}
	if isMember && back {
		f = web.Form{Title: a.text("leave-mail-title"), Say: []string{a.text("leave-mail", "address", who.Address())}}
	} else if a.list.Subscribe != lists.SubscribeClosed {
		f.Say = append(f.Say, a.text("leave-again", "subscribe", a.list.Verb(lists.VerbSubscribe).Address()))
	}
	a.show(http.StatusOK, f)
}

// isMember reports whether somebody is a member.
func (a *answer) isMember(who smtp.Path) (bool, error) {
	file, err := a.list.Members()
	if err != nil {
		return false, err
	}
	defer file.Close()
	_, is, err := file.Find(who)
	return is, err
}

// text returns one of the texts of pages; {list} is the list's address.
func (a *answer) text(name string, pairs ...any) string {
	return a.web.Text(name, append(pairs, "list", a.list.Addr.Address())...)
}
