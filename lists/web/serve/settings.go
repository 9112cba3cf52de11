package serve

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"superlist/lists"
	"superlist/lists/request"
	"superlist/lists/settings"
	"superlist/lists/web"
	"superlist/lists/web/api"
	"superlist/smtp"
)

// settingsPage is the page on which an owner sees and changes settings.
const (
	settingsPage = "settings"
	settingField = "set-" // and the key
	givenField   = "given"
	previewDo    = "preview"
)

// settings answers that page.
func (a *answer) settings() {
	who, fields, ok := a.owner(settingsPage)
	switch {
	case !ok:
	case fields == nil:
		a.settingsForm(nil, "", a.onItsWay())
	case fields.Get("do") == request.Settings:
		a.saveSettings(who, fields)
	default:
		a.previewSettings(fields)
	}
}

// owner returns the owner whom a page of owners is for, and what a POST has brought; fields
// is nil for a GET. ok is false once the request is answered: for anybody else the page does
// not exist.
func (a *answer) owner(page string) (who smtp.Path, fields url.Values, ok bool) {
	if !a.methods() || a.r.Method == http.MethodPost && !a.ownForm() {
		return who, nil, false
	}
	if who, ok = a.visitor(); !ok {
		return who, nil, false
	}
	if !a.list.IsOwner(who) {
		a.nothing()
		return who, nil, false
	}
	if a.r.Method != http.MethodPost {
		return who, nil, true
	}
	if fields, ok = a.form(); ok && fields.Get(logOutField) != "" {
		a.doLogOut()
		return who, nil, false
	}
	return who, fields, ok
}

// ownerPages are the pages of owners, with the names of their titles.
var ownerPages = [...][2]string{{"mod", "owner-mod"}, {membersPage, "owner-members"}, {bouncesPage, "owner-bounces"}, {settingsPage, "owner-settings"}, {activityPage, "owner-activity"}}

// between returns the links from one page of owners to the others.
func (a *answer) between(here string) (links []web.Link) {
	for _, p := range ownerPages {
		links = append(links, web.Link{URL: a.base() + p[0], Text: a.text(p[1]), Here: p[0] == here})
	}
	return links
}

// onItsWay says so of what the owner has just asked for.
func (a *answer) onItsWay() (say []string) {
	if _, ok := a.asked(); ok {
		say = append(say, a.text("owner-asked"))
	}
	return say
}

// ownersSettings are the settings that owners may change.
func ownersSettings(l *lists.List) []api.Setting {
	return slices.DeleteFunc(api.Settings(l), func(s api.Setting) bool { return request.ReachesOut([]string{s.Key}, nil) != "" })
}

// settingsForm shows the settings, with what was filled in.
func (a *answer) settingsForm(fields url.Values, wrong string, say []string) {
	f := web.Form{Title: a.text("settings-title"), Wrong: wrong, Say: append(say, a.text("settings-says")), Links: a.between(settingsPage),
		Action: a.base() + settingsPage, Buttons: []web.Button{{Name: "do", Value: previewDo, Label: a.text("settings-preview")}, {Name: logOutField, Value: "1", Label: a.text("logout-button")}}}
	told, texts := "", settings.In(a.list.Language)
	for _, s := range ownersSettings(a.list) {
		value := s.Value
		if given, there := fields[settingField+s.Key]; there {
			value = given[0]
		}
		hint, lang := texts[s.Text], ""
		if hint == "" {
			hint, lang = s.Text, "en"
		}
		if s.Text == told { // several keys share it
			hint = ""
		}
		told = s.Text
		f.Fields = append(f.Fields, web.Field{Kind: "text", Name: settingField + s.Key, Label: s.Key, Value: value, Hint: hint, Lang: lang})
	}
	status := http.StatusOK
	a.show(status, f)
}

// previewSettings shows what would change.
func (a *answer) previewSettings(fields url.Values) {
	var given []string
	for _, s := range ownersSettings(a.list) {
		if values, there := fields[settingField+s.Key]; there && strings.TrimSpace(values[0]) != s.Value {
			given = append(given, s.Key+"="+strings.TrimSpace(values[0]))
		}
	}
	changes, err := api.Preview(a.list, given)
	if text, bad := api.Wrong(err); bad {
		a.settingsForm(fields, text, nil)
		return
	}
	if err != nil {
		a.trouble(err)
		return
	}
	if len(changes) == 0 {
		a.settingsForm(fields, "", []string{a.text("settings-same")})
		return
	}
	f := web.Form{Title: a.text("settings-title"), Say: []string{a.text("settings-would")}, Links: a.between(settingsPage), Action: a.base() + settingsPage,
		Buttons: []web.Button{{Name: "do", Value: request.Settings, Label: a.text("settings-save")}}}
	t := web.Table{Caption: a.text("settings-changes"), Heads: []string{a.text("settings-key"), a.text("settings-before"), a.text("settings-after")}}
	for _, c := range changes {
		t.Rows = append(t.Rows, []string{c.Key, c.Before, c.After})
	}
	f.Tables = []web.Table{t}
	for _, g := range given {
		f.Fields = append(f.Fields, web.Field{Kind: "hidden", Name: givenField, Value: g})
	}
	a.show(http.StatusOK, f)
}

// saveSettings asks for what the page before has shown.
func (a *answer) saveSettings(who smtp.Path, fields url.Values) {
	given := fields[givenField]
	_, err := api.Preview(a.list, given)
	text, bad := api.Wrong(err)
	if out := request.ReachesOut(given, nil); out != "" {
		text, bad = out, true
	}
	if bad || len(given) == 0 {
		a.settingsForm(nil, text, nil)
		return
	}
	if err == nil {
		err = a.sign(who, request.Signed{Verb: request.Settings, Settings: given})
	}
	if err != nil {
		a.full(err)
		return
	}
	a.done(settingsPage, len(given))
}
