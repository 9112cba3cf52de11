package serve

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"superlist/lists"
	"superlist/lists/members"
	"superlist/lists/request"
	"superlist/lists/web"
	"superlist/smtp"
)

// Fields and limits of the page on which owners manage members.
const (
	membersPage = "members"
	findField   = "find"
	addField    = "add"
	memberField = "member"

	foundOnPage = 200 // members
	maxAtOnce   = 100 // who is added, changed or removed by one press: each is a request
)

// members answers the page on which an owner finds, adds, changes and removes members.
func (a *answer) members() {
	if !a.methods() || a.r.Method == http.MethodPost && !a.ownForm() {
		return
	}
	who, ok := a.visitor()
	switch {
	case !ok:
	case !a.list.IsOwner(who):
		a.nothing()
	case a.r.Method == http.MethodPost:
		a.changeMembers(who)
	default:
		a.membersForm(make(url.Values), "", nil)
	}
}

// changeMembers does what a button says.
func (a *answer) changeMembers(who smtp.Path) {
	fields, ok := a.form()
	if !ok {
		return
	}
	ticked, words := fields[memberField], strings.Join(strings.Fields(fields.Get(wordsField)), " ")
	var asked []request.Signed
	switch do := fields.Get("do"); {
	case fields.Get(logOutField) != "":
		a.logOut()
		a.see("options")
		return
	case do == findField:
		a.membersForm(fields, "", nil)
		return
	case do == request.Add:
		for line := range strings.Lines(fields.Get(addField)) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			m, ok := members.Parse(line)
			if !ok || m.Unknown() != "" || a.list.IsOwn(m.Path) {
				a.membersForm(fields, a.text("members-wrong", "line", line), nil)
				return
			}
			asked = append(asked, request.Signed{Verb: request.Add, About: m.Path.Address(), Words: strings.Join(m.Words, " ")})
		}
	case do == request.Remove && len(ticked) > maxUnasked && fields.Get(sureField) == "":
		a.sure(fields, membersPage, do, a.text("members-remove"), len(ticked), memberField)
		return
	case do == request.Remove || do == request.Set:
		for _, address := range ticked {
			s := request.Signed{Verb: do, About: address}
			if do == request.Set {
				s.Words = words
			}
			m, ok := members.Parse(address + " " + s.Words)
			if !ok || m.Unknown() != "" {
				a.membersForm(fields, a.text("members-wrong", "line", address+" "+s.Words), nil)
				return
			}
			asked = append(asked, s)
		}
	default:
		http.Error(a.w, errNoFields.Error(), http.StatusBadRequest)
		return
	}
	if len(asked) > maxAtOnce {
		a.membersForm(fields, a.text("members-many", "n", maxAtOnce), nil)
		return
	}
	for n, s := range asked {
		if err := a.sign(who, s); err != nil {
			var no refused
			if errors.As(err, &no) || n == 0 {
				a.full(err)
				return
			}
			a.membersForm(fields, a.text("members-part", "n", n, "of", len(asked)), nil)
			return
		}
	}
	a.membersForm(url.Values{findField: fields[findField]}, "", []string{a.text("mod-done", "n", len(asked))})
}

// membersForm shows the page, with the members found.
func (a *answer) membersForm(fields url.Values, wrong string, say []string) {
	file, err := a.list.Members()
	if err != nil {
		a.trouble(err)
		return
	}
	defer file.Close()
	find := strings.TrimSpace(fields.Get(findField))
	f := web.Form{Title: a.text("members-title"), Wrong: wrong, Say: say, Action: a.base() + membersPage, Fields: []web.Field{
		{Kind: "text", Name: findField, Label: a.text("members-find"), Value: find, Hint: a.text("members-find-hint")},
	}, Buttons: []web.Button{{Name: "do", Value: findField, Label: a.text("search")}}}
	found, all, err := a.found(file, find)
	if err != nil {
		a.trouble(err)
		return
	}
	f.Say = append(f.Say, a.text("members-all", "n", all))
	if find != "" {
		f.Say = append(f.Say, a.text("members-found", "n", len(found)))
	}
	for _, m := range found {
		f.Fields = append(f.Fields, web.Field{Kind: "checkbox", Name: memberField, Value: m.Path.Address(), Label: m.String()})
	}
	if len(found) > 0 {
		f.Fields = append(f.Fields, web.Field{Kind: "text", Name: wordsField, Label: a.text("members-words"), Value: fields.Get(wordsField), Hint: a.text("members-words-hint")})
		f.Buttons = append(f.Buttons, web.Button{Name: "do", Value: request.Set, Label: a.text("members-set")}, web.Button{Name: "do", Value: request.Remove, Label: a.text("members-remove")})
	}
	f.Fields = append(f.Fields, web.Field{Kind: "textarea", Name: addField, Label: a.text("members-add"), Value: fields.Get(addField), Hint: a.text("members-add-hint"), Wrong: wrong != ""})
	f.Buttons = append(f.Buttons, web.Button{Name: "do", Value: request.Add, Label: a.text("members-add-button")}, web.Button{Name: logOutField, Value: "1", Label: a.text("logout-button")})
	a.show(http.StatusOK, f)
}

// found returns the members who match the search, as many as fit on a page, and the
// number of all members.
func (a *answer) found(file *members.File, find string) (some []members.Member, all int, err error) {
	fits := func(p smtp.Path) bool { return strings.Contains(p.Key(), strings.ToLower(find)) }
	if strings.ContainsAny(find, "*?[@") {
		s, ok := lists.NewSearch(find)
		fits = func(p smtp.Path) bool { return ok && s.Fits(p) }
	}
	for m, err := range file.All() {
		if err != nil {
			return nil, 0, err
		}
		all++
		if find != "" && len(some) < foundOnPage && fits(m.Path) {
			some = append(some, m)
		}
	}
	return some, all, nil
}

// sure asks whether so many are meant, and repeats all that was filled in.
func (a *answer) sure(fields url.Values, page, do, label string, n int, names ...string) {
	f := web.Form{Title: label, Say: []string{a.text("mod-sure", "n", n)}, Action: a.base() + page,
		Buttons: []web.Button{{Name: "do", Value: do, Label: fmt.Sprintf("%s (%d)", label, n)}}}
	for _, name := range names {
		for _, value := range fields[name] {
			f.Fields = append(f.Fields, web.Field{Kind: "hidden", Name: name, Value: value})
		}
	}
	f.Fields = append(f.Fields, web.Field{Kind: "hidden", Name: sureField, Value: "1"})
	a.show(http.StatusOK, f)
}
