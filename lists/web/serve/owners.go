package serve

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"superlist/lists/members"
	"superlist/lists/request"
	"superlist/lists/web"
	"superlist/lists/web/api"
	"superlist/smtp"
)

// Fields and limits of the page on which owners manage members.
const (
	membersPage = "members"
	findField   = "find"
	addField    = "add"
	memberField = "member"
	afterField  = "after"
	exportDo    = "export"

	foundOnPage = 200 // members
	maxAtOnce   = 100 // who is added, changed or removed by one press
)

// members answers the page on which an owner finds, adds, changes and removes members.
func (a *answer) members() {
	who, fields, ok := a.owner(membersPage)
	switch {
	case !ok:
	case fields == nil:
		a.membersForm(make(url.Values), "", a.onItsWay())
	default:
		a.changeMembers(who, fields)
	}
}

// changeMembers does what a button says.
func (a *answer) changeMembers(who smtp.Path, fields url.Values) {
	ticked, words := fields[memberField], strings.Join(strings.Fields(fields.Get(wordsField)), " ")
	s := request.Signed{Verb: fields.Get("do")}
	var lines []string
	switch s.Verb {
	case exportDo:
		a.export()
		return
	case request.Add:
		lines = strings.Split(fields.Get(addField), "\n")
	case request.Remove:
		if len(ticked) > maxUnasked && fields.Get(sureField) == "" {
			a.sure(fields, membersPage, s.Verb, a.text("members-remove"), len(ticked), memberField)
			return
		}
		lines = ticked
	case request.Set:
		for _, address := range ticked {
			lines = append(lines, address+" "+words)
		}
	case findField, "":
		if s.Verb == "" && fields.Get(afterField) == "" {
			http.Error(a.w, errNoFields.Error(), http.StatusBadRequest)
			return
		}
		a.membersForm(fields, "", nil)
		return
	default:
		http.Error(a.w, errNoFields.Error(), http.StatusBadRequest)
		return
	}
	for _, line := range lines {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		m, ok := members.Parse(line)
		if !ok || m.Unknown() != "" || s.Verb == request.Add && a.list.IsOwn(m.Path) {
			a.membersForm(fields, a.text("members-wrong", "line", line), nil)
			return
		}
		s.Members = append(s.Members, line)
	}
	if len(s.Members) > maxAtOnce {
		a.membersForm(fields, a.text("members-many", "n", maxAtOnce), nil)
		return
	}
	if len(s.Members) > 0 {
		if err := a.sign(who, s); err != nil {
			a.full(err)
			return
		}
	}
	a.done(membersPage, len(s.Members))
}

// export answers with all members, as lines of the members file.
func (a *answer) export() {
	file, err := a.list.Members()
	if err != nil {
		a.trouble(err)
		return
	}
	defer file.Close()
	var b strings.Builder
	for m, err := range file.All() {
		if err != nil {
			a.trouble(err)
			return
		}
		b.WriteString(m.String() + "\n")
	}
	a.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	a.w.Header().Set("Content-Disposition", `attachment; filename="members.txt"`)
	a.w.Write([]byte(b.String()))
}

// membersForm shows the page, with the members found.
func (a *answer) membersForm(fields url.Values, wrong string, say []string) {
	find := strings.TrimSpace(fields.Get(findField))
	found, all, next, err := api.Members(a.list, find, fields.Get(afterField), foundOnPage)
	if err != nil {
		a.trouble(err)
		return
	}
	f := web.Form{Title: a.text("members-title"), Wrong: wrong, Say: say, Links: a.between(membersPage), Action: a.base() + membersPage, Fields: []web.Field{
		{Kind: "text", Name: findField, Label: a.text("members-find"), Value: find, Hint: a.text("members-find-hint")},
	}, Buttons: []web.Button{{Name: "do", Value: findField, Label: a.text("search")}}}
	f.Say = append(f.Say, a.text("members-all", "n", all))
	if find == "" && fields.Get(afterField) == "" && fields.Get("do") != findField {
		found, next = nil, ""
	} else {
		f.Say = append(f.Say, a.text("members-found", "n", len(found)))
	}
	for _, m := range found {
		f.Fields = append(f.Fields, web.Field{Kind: "checkbox", Name: memberField, Value: m.Path.Address(), Label: m.String()})
	}
	if len(found) > 0 {
		f.Fields = append(f.Fields, web.Field{Kind: "text", Name: wordsField, Label: a.text("members-words"), Value: fields.Get(wordsField), Hint: a.text("members-words-hint")})
		f.Buttons = append(f.Buttons, web.Button{Name: "do", Value: request.Set, Label: a.text("members-set")}, web.Button{Name: "do", Value: request.Remove, Label: a.text("members-remove")})
	}
	if next != "" {
		f.Buttons = append(f.Buttons, web.Button{Name: afterField, Value: next, Label: a.text("members-more")})
	}
	f.Fields = append(f.Fields, web.Field{Kind: "textarea", Name: addField, Label: a.text("members-add"), Value: fields.Get(addField), Hint: a.text("members-add-hint"), Wrong: wrong != ""})
	f.Buttons = append(f.Buttons, web.Button{Name: "do", Value: request.Add, Label: a.text("members-add-button")}, web.Button{Name: "do", Value: exportDo, Label: a.text("members-export")},
		web.Button{Name: logOutField, Value: "1", Label: a.text("logout-button")})
	a.show(http.StatusOK, f)
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
