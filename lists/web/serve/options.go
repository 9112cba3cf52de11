package serve

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/request"
	"superlist/lists/web"
	"superlist/lists/weblink"
	"superlist/smtp"
)

// Fields of a member's options.
const (
	vacationField = "vacation"
	noCopyField   = "nocopy"
	noOwnField    = "noown"
	saveField     = "save"
	logOutField   = "logout"
)

// options answers the pages of a member's options: the form that asks for a link, the
// page behind that link and, with a cookie, the options themselves.
func (a *answer) options(token string) {
	if !a.methods() || a.r.Method == http.MethodPost && !a.ownForm() {
		return
	}
	if token != "" {
		a.enter(weblink.LogIn, token, "options")
		return
	}
	who, ok, err := a.who()
	switch {
	case err != nil:
		a.trouble(err)
	case !ok && a.r.Method == http.MethodPost:
		a.askLink()
	case !ok:
		a.linkForm("", "")
	default:
		a.ownOptions(who)
	}
}

// enter answers a link that lets somebody in, once. Following it is not enough, since
// programs do that: the button on the page logs in. The page names the visit that it
// begins.
func (a *answer) enter(kind weblink.Kind, token, page string) {
	link, err := weblink.Read(a.list, kind, token, a.now)
	who, isAddress := smtp.ParseAddress(link.Text)
	if err == nil && !isAddress {
		err = weblink.ErrForged
	}
	if err == weblink.ErrForged || err == weblink.ErrOld {
		a.dead()
		return
	}
	here, in, fault := a.who()
	if err = errors.Join(err, fault); err != nil {
		a.trouble(err)
		return
	}
	if in && here.Key() == who.Key() { // they have used it in this browser
		a.see(page)
		return
	}
	v := weblink.Visiting(who, token)
	begun := false
	if a.r.Method == http.MethodPost {
		fields, ok := a.form()
		if !ok {
			return
		}
		var on weblink.Visit
		on, err = weblink.ReadVisit(a.list, weblink.Form, fields.Get(sinceField), a.now)
		if begun = err == nil && on.Is(v); begun {
			v = on
		}
	}
	over, err := v.Over(a.list.Book(), a.now)
	switch {
	case err != nil:
		a.trouble(err)
	case over:
		a.dead()
	case !begun:
		a.enterForm(v, kind, token)
	default:
		if err := a.logIn(v); err != nil {
			a.full(err)
			return
		}
		a.see(page)
	}
}

func (a *answer) enterForm(v weblink.Visit, kind weblink.Kind, token string) {
	since, err := v.Token(a.list, weblink.Form, a.now)
	if err != nil {
		a.trouble(err)
		return
	}
	a.show(http.StatusOK, web.Form{Title: a.text("enter-title"), Say: []string{a.text("enter-says", "address", v.Who.Address())},
		Action: a.base() + string(kind) + "/" + token, Fields: []web.Field{{Kind: "hidden", Name: sinceField, Value: since}},
		Buttons: []web.Button{{Name: "enter", Value: "1", Label: a.text("enter-button")}}})
}

// linkForm shows the form that asks for the address to send a link to.
func (a *answer) linkForm(wrong, address string) {
	a.show(http.StatusOK, web.Form{Title: a.text("options-title"), Wrong: wrong, Say: []string{a.text("link-says")}, Action: a.base() + "options",
		Fields:  []web.Field{{Kind: "email", Name: addressField, Label: a.text("your-address"), Value: address, Fill: "email", Wrong: wrong != ""}},
		Buttons: []web.Button{{Name: "link", Value: "1", Label: a.text("link-button")}}})
}

// askLink requests a letter with a link. The answer is the same for everybody.
func (a *answer) askLink() {
	fields, ok := a.form()
	if !ok {
		return
	}
	address := strings.TrimSpace(fields.Get(addressField))
	who, ok := smtp.ParseAddress(address)
	if !ok || a.list.IsOwn(who) {
		a.linkForm(a.text("address-wrong"), address)
		return
	}
	q := a.request(who)
	q.Verb = lists.VerbOptions
	if err := a.put(q); err != nil && !a.unheard(err) {
		a.full(err)
		return
	}
	a.even()
	a.show(http.StatusOK, web.Form{Title: a.text("look-title"), Say: []string{a.text("look-link", "address", who.Address())}})
}

// ownOptions shows the options of somebody who has logged in.
func (a *answer) ownOptions(who smtp.Path) {
	file, err := a.list.Members()
	if err != nil {
		a.trouble(err)
		return
	}
	defer file.Close()
	m, isMember, err := file.Find(who)
	switch {
	case err != nil:
		a.trouble(err)
	case a.r.Method == http.MethodPost:
		a.setOptions(who, m, isMember)
	default:
		a.optionsForm(who, m, isMember, "")
	}
}

func (a *answer) optionsForm(who smtp.Path, m members.Member, isMember bool, wrong string) {
	f := web.Form{Title: a.text("options-title"), Wrong: wrong, Action: a.base() + "options"}
	if a.r.URL.RawQuery == "saved" && wrong == "" {
		f.Say = append(f.Say, a.text("options-saved"))
	}
	logOut := web.Button{Name: logOutField, Value: "1", Label: a.text("logout-button")}
	switch {
	case !isMember:
		f.Say, f.Buttons = append(f.Say, a.text("options-none", "address", who.Address())), []web.Button{logOut}
	case m.For != "":
		f.Say = append(f.Say, a.text("options-other", "address", who.Address(), "member", m.For))
		f.Buttons = []web.Button{{Name: byHand, Value: "1", Label: a.text("leave-button")}, logOut}
	default:
		f.Say = append(f.Say, a.text("options-says", "address", who.Address()))
		f.Fields = []web.Field{
			a.deliveryChoice(m.Delivery()),
			{Kind: "date", Name: vacationField, Label: a.text("vacation"), Value: m.Vacation, Hint: a.text("vacation-hint"), Wrong: wrong != ""},
			{Kind: "checkbox", Name: noCopyField, Value: "1", Label: a.text("nocopy"), On: m.NoCopy},
			{Kind: "checkbox", Name: noOwnField, Value: "1", Label: a.text("noown"), On: m.NoOwn},
		}
		f.Buttons = []web.Button{{Name: saveField, Value: "1", Label: a.text("save-button")}, {Name: byHand, Value: "1", Label: a.text("leave-button")}, logOut}
	}
	if a.list.Decides(who) {
		f.Say = append(f.Say, a.text("options-decides", "page", a.web.Base+string(weblink.Moderate)))
	}
	a.show(http.StatusOK, f)
}

// setOptions writes a member's choices into the spool.
func (a *answer) setOptions(who smtp.Path, m members.Member, isMember bool) {
	fields, ok := a.form()
	if !ok {
		return
	}
	switch {
	case fields.Get(logOutField) != "":
		a.doLogOut()
	case isMember && fields.Get(byHand) != "":
		if err := a.sign(who, request.Signed{Verb: request.Leave}); err != nil {
			a.full(err)
			return
		}
		if err := a.logOut(); err != nil { // they are off the list all the same
			a.Log.Printf(maillog.Err, "trouble web path=%q error=%q", a.r.URL.EscapedPath(), err)
		}
		a.show(http.StatusOK, web.Form{Title: a.text("leave-done-title"), Say: []string{a.text("leave-done", "address", who.Address())}})
	case isMember && fields.Get(saveField) != "" && m.For == "":
		words, ok := chosen(fields.Get(deliveryField), fields.Get(vacationField), fields.Get(noCopyField) != "", fields.Get(noOwnField) != "")
		if !ok {
			a.optionsForm(who, m, isMember, a.text("day-wrong"))
			return
		}
		if err := a.sign(who, request.Signed{Verb: request.Set, Words: words}); err != nil {
			a.full(err)
			return
		}
		a.see("options?saved")
	default:
		http.Error(a.w, errNoFields.Error(), http.StatusBadRequest)
	}
}

// chosen returns a member's choices as words of the members file; ok is false if a date
// is invalid.
func chosen(delivery, vacation string, noCopy, noOwn bool) (words string, ok bool) {
	var list []string
	if delivery == "digest" || delivery == "nomail" {
		list = append(list, delivery)
	}
	if vacation != "" {
		if _, err := time.Parse(time.DateOnly, vacation); err != nil {
			return "", false
		}
		list = append(list, "vacation="+vacation)
	}
	if noCopy {
		list = append(list, "nocopy")
	}
	if noOwn {
		list = append(list, "noown")
	}
	return strings.Join(list, " "), true
}
