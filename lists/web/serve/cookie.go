package serve

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"superlist/lists/request"
	"superlist/lists/weblink"
	"superlist/smtp"
)

// cookieName is the name of the cookie that says who somebody is, for one list. It is
// only a token with their address: what they may do is looked up each time.
const cookieName = "superlist"

// who returns the person whom the cookie names; ok is false without a valid cookie, and
// after log-out.
func (a *answer) who() (who smtp.Path, ok bool, err error) {
	for _, c := range a.r.CookiesNamed(cookieName) {
		v, err := weblink.ReadVisit(a.list, weblink.Session, c.Value, a.now)
		over := false
		if err == nil {
			over, err = v.Over(a.list.Book(), a.now)
		}
		switch {
		case err == nil && !over:
			a.visit = v
			return v.Who, true, nil
		case err != nil && err != weblink.ErrForged && err != weblink.ErrOld:
			return who, false, err
		}
	}
	return who, false, nil
}

// visitor returns the person whom the cookie names, for a page that is for somebody.
// Otherwise it answers the request: with the form that asks for a link.
func (a *answer) visitor() (who smtp.Path, ok bool) {
	who, ok, err := a.who()
	switch {
	case err != nil:
		a.trouble(err)
	case !ok && a.r.Method == http.MethodPost:
		a.see("options") // the cookie has become too old
	case !ok:
		a.linkForm("", "")
	}
	return who, ok
}

// cookie sets a cookie for the pages of this list. Scripts cannot read it, and no other
// site's form sends it along.
func (a *answer) cookie(value string, life time.Duration) {
	http.SetCookie(a.w, &http.Cookie{
		Name: cookieName, Value: value, Path: a.base(), MaxAge: int(life / time.Second),
		HttpOnly: true, Secure: strings.HasPrefix(a.Site.Web.URL, "https://"), SameSite: http.SameSiteLaxMode,
	})
}

// base returns the path of the list's pages.
func (a *answer) base() string {
	u, err := url.Parse(a.web.Base)
	if err != nil {
		return "/"
	}
	return u.EscapedPath()
}

// logIn uses up a link, and gives whoever has it a cookie.
func (a *answer) logIn(v weblink.Visit) error {
	token, err := v.Token(a.list, weblink.Session, a.now)
	if err == nil {
		err = a.sign(v.Who, request.Signed{Verb: request.Enter, Link: v.Link, Visit: v.Name})
	}
	if err == nil {
		a.cookie(token, weblink.Life(weblink.Session))
	}
	return err
}

// logOut ends the visit, wherever else the cookie may be, and removes the cookie.
func (a *answer) logOut() error {
	err := a.sign(a.visit.Who, request.Signed{Verb: request.LogOut, Visit: a.visit.Name})
	if err == nil {
		a.cookie("", -time.Second)
	}
	return err
}

// doLogOut answers the button for that.
func (a *answer) doLogOut() {
	if err := a.logOut(); err != nil { // the cookie stays, so that the button can be pressed again
		a.full(err)
		return
	}
	a.see("options")
}

// ownForm reports whether a POST is from one of our pages, by Sec-Fetch-Site or Origin;
// otherwise it answers the request. Programs that are not browsers send neither field,
// and may pass.
func (a *answer) ownForm() bool {
	if http.NewCrossOriginProtection().Check(a.r) == nil {
		return true
	}
	http.Error(a.w, "this form was not sent by a page of the list", http.StatusForbidden)
	return false
}

// see sends the browser to another of the list's pages, after a POST.
func (a *answer) see(page string) {
	a.w.Header().Set("Location", a.web.Base+page)
	a.w.WriteHeader(http.StatusSeeOther)
}

// doneField is in the query of the page to which a POST leads: how much was asked for.
const doneField = "done"

// done leads to a page once a request is in the queue. So to load that page again, or to
// follow a link to it, sends nothing twice; w3m and lynx, too, would offer to.
func (a *answer) done(page string, n int) { a.see(page + "?" + doneField + "=" + strconv.Itoa(n)) }

// asked returns how much the POST has asked for that led to this page.
func (a *answer) asked() (n int, ok bool) {
	n, err := strconv.Atoi(a.r.URL.Query().Get(doneField))
	return n, err == nil && 0 <= n && n <= maxFields
}
