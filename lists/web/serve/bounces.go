package serve

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"superlist/lists/request"
	"superlist/lists/web"
	"superlist/lists/web/api"
	"superlist/smtp"
)

// bouncesPage is the page on which an owner sees whose mail came back, activityPage the one
// that shows what has happened and what is due.
const (
	bouncesPage  = "bounces"
	activityPage = "activity"
)

// bounces answers the page.
func (a *answer) bounces() {
	who, fields, ok := a.owner(bouncesPage)
	switch {
	case !ok:
	case fields == nil:
		a.bouncesForm("", a.onItsWay())
	default:
		a.clearBounces(who, fields)
	}
}

// clearBounces asks to forget what came back from those that are ticked.
func (a *answer) clearBounces(who smtp.Path, fields url.Values) {
	ticked := fields[memberField]
	if len(ticked) > maxAtOnce {
		a.bouncesForm(a.text("members-many", "n", maxAtOnce), nil)
		return
	}
	for n, address := range ticked {
		if _, ok := smtp.ParseAddress(address); !ok {
			http.Error(a.w, errNoFields.Error(), http.StatusBadRequest)
			return
		}
		if err := a.sign(who, request.Signed{Verb: request.Clear, About: address}); err != nil {
			if n == 0 {
				a.full(err)
				return
			}
			a.halfDone(err, n)
			return
		}
	}
	a.done(bouncesPage, len(ticked))
}

func (a *answer) bouncesForm(wrong string, say []string) {
	all, err := api.Bounces(a.list, a.now)
	if err != nil {
		a.trouble(err)
		return
	}
	f := web.Form{Title: a.text("bounces-title"), Wrong: wrong, Say: append(say, a.text("bounces-says", "n", a.list.BounceDays)), Links: a.between(bouncesPage), Action: a.base() + bouncesPage}
	if len(all) == 0 {
		f.Say = append(f.Say, a.text("bounces-none"))
	}
	for _, b := range all[:min(len(all), foundOnPage)] {
		text := a.text("bounces-"+b.State, "address", b.Address, "n", len(b.Days))
		words := ""
		if n := len(b.Days); n > 0 {
			words = strings.TrimSpace(b.Days[n-1].Day + " " + b.Days[n-1].Words)
		}
		f.Fields = append(f.Fields, web.Field{Kind: "checkbox", Name: memberField, Value: b.Address, Label: text, Hint: words})
	}
	if len(all) > 0 {
		f.Buttons = append(f.Buttons, web.Button{Name: "do", Value: request.Clear, Label: a.text("bounces-clear")})
	}
	f.Buttons = append(f.Buttons, web.Button{Name: logOutField, Value: "1", Label: a.text("logout-button")})
	a.show(http.StatusOK, f)
}

// actsOnPage is how many changes the page of activity shows.
const actsOnPage = 100

// activity answers the page that shows posts by month, the next digest, and who has
// changed what.
func (a *answer) activity() {
	_, fields, ok := a.owner(activityPage)
	if !ok {
		return
	}
	if fields != nil {
		a.see(activityPage)
		return
	}
	months, err := api.Activity(a.list)
	var digest api.DigestInfo
	if err == nil {
		digest, err = api.Digest(a.list)
	}
	if err != nil {
		a.trouble(err)
		return
	}
	all, err := api.Acts(a.list, time.Time{}, actsOnPage)
	if err != nil {
		a.trouble(err)
		return
	}
	f := web.Form{Title: a.text("activity-title"), Links: a.between(activityPage), Action: a.base() + activityPage,
		Buttons: []web.Button{{Name: logOutField, Value: "1", Label: a.text("logout-button")}}}
	if digest.Due == nil {
		f.Say = append(f.Say, a.text("activity-no-digest"))
	} else {
		f.Say = append(f.Say, a.text("activity-digest", "n", digest.Waiting, "due", digest.Due.UTC().Format(momentForm)))
	}
	posts := web.Table{Caption: a.text("activity"), Heads: []string{a.text("activity-month"), a.text("activity-col-posts"), a.text("activity-col-authors")}}
	for i := len(months) - 1; i >= max(0, len(months)-12); i-- {
		posts.Rows = append(posts.Rows, []string{months[i].Month, strconv.Itoa(months[i].Posts), strconv.Itoa(months[i].Authors)})
	}
	changes := web.Table{Caption: a.text("activity-changes"), Heads: []string{a.text("activity-when"), a.text("activity-who"), a.text("activity-what")}, Lang: "en"}
	for i := len(all) - 1; i >= 0; i-- {
		changes.Rows = append(changes.Rows, []string{all[i].At.UTC().Format("2006-01-02 15:04"), all[i].By, all[i].What})
	}
	for _, t := range []web.Table{posts, changes} {
		if len(t.Rows) > 0 {
			f.Tables = append(f.Tables, t)
		}
	}
	a.show(http.StatusOK, f)
}
