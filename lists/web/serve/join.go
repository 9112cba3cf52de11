package serve

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/members"
	"superlist/lists/quota"
	"superlist/lists/web"
	"superlist/lists/weblink"
	"superlist/smtp"
)

// Fields of the form for joining. trap is invisible to people; a program that fills in
// every field fills it in too.
const (
	addressField  = "address"
	nameField     = "name"
	deliveryField = "delivery"
	trapField     = "website"
	sinceField    = "since"
)

// tooFast is a time in which nobody fills in a form. Password managers do; their users
// press once more.
const tooFast = 3 * time.Second

// deliveries are the ways in which posts come, with the values of the field. All but the
// first are words of the members file.
var deliveries = []struct {
	value string
	way   members.Delivery
}{{"each", members.Each}, {"digest", members.InDigests}, {"nomail", members.NoPosts}}

// deliveryOf returns the chosen delivery; each post if the list does not offer it.
func (a *answer) deliveryOf(value string) members.Delivery {
	for _, d := range deliveries {
		if d.value == value && (d.way != members.InDigests || a.list.Digest != lists.DigestOff) {
			return d.way
		}
	}
	return members.Each
}

// join answers the page for becoming a member. The answer is the same for members, for
// strangers, and for addresses to which the list sends no letter today.
func (a *answer) join() {
	if a.list.Subscribe == lists.SubscribeClosed {
		a.nothing()
		return
	}
	if !a.methods() {
		return
	}
	if a.r.Method != http.MethodPost {
		a.joinForm("", "", "", members.Each, "")
		return
	}
	if !a.ownForm() {
		return
	}
	fields, ok := a.form()
	if !ok {
		return
	}
	address, name, delivery := strings.TrimSpace(fields.Get(addressField)), fields.Get(nameField), a.deliveryOf(fields.Get(deliveryField))
	who, ok := smtp.ParseAddress(address)
	if !ok || len(who.Local) > members.MaxLocal || strings.HasPrefix(who.Domain, "[") || a.list.IsOwn(who) {
		a.joinForm(a.text("address-wrong"), address, name, delivery, "")
		return
	}
	given, err := weblink.Read(a.list, weblink.Form, fields.Get(sinceField), a.now)
	if err != nil || a.now.Sub(given.Made) < tooFast {
		since := ""
		if err == nil { // who presses again at once has still waited since then
			since = fields.Get(sinceField)
		}
		a.joinForm(a.text("press-again"), address, name, delivery, since)
		return
	}
	if fields.Get(trapField) == "" {
		q := a.request(who)
		q.Verb, q.Delivery, q.Name = lists.VerbSubscribe, delivery, name
		if err := a.put(q); err != nil && !a.unheard(err) {
			a.full(err)
			return
		}
	}
	a.even()
	a.show(http.StatusOK, web.Form{Title: a.text("look-title"), Say: []string{a.text("look-join", "address", who.Address())}})
}

// unheard reports whether the answer must not mention a refusal: the list writes no
// letter to this address now. A refusal that concerns the client is shown.
func (a *answer) unheard(err error) bool {
	var no refused
	return errors.As(err, &no) && !errors.Is(err, quota.ReplyAskedNetwork)
}

// joinForm shows the form, with the values entered so far. since says when it was first
// shown; empty: now.
func (a *answer) joinForm(wrong, address, name string, delivery members.Delivery, since string) {
	if since == "" {
		var err error
		if since, err = weblink.Make(a.list, weblink.Form, "", a.now); err != nil {
			a.trouble(err)
			return
		}
	}
	f := web.Form{Title: a.text("join-title"), Wrong: wrong, Say: []string{a.text(joinSays(a.list.Subscribe))}, Action: a.base() + "join",
		Fields: []web.Field{
			{Kind: "email", Name: addressField, Label: a.text("your-address"), Value: address, Fill: "email", Wrong: wrong != ""},
			{Kind: "text", Name: nameField, Label: a.text("your-name"), Value: name, Fill: "name"},
			a.deliveryChoice(delivery),
			{Kind: "trap", Name: trapField, Label: a.text("leave-empty")},
			{Kind: "hidden", Name: sinceField, Value: since},
		},
		Buttons: []web.Button{{Name: "join", Value: "1", Label: a.text("join-button")}},
	}
	a.show(http.StatusOK, f)
}

// joinSays returns the name of the text that says how one becomes a member.
func joinSays(subscribe string) string {
	if subscribe == lists.SubscribeConfirmApprove {
		subscribe = lists.SubscribeApprove
	}
	return "join-says-" + subscribe
}

// deliveryChoice returns the field for choosing how posts come.
func (a *answer) deliveryChoice(now members.Delivery) web.Field {
	f := web.Field{Kind: "radio", Name: deliveryField, Label: a.text("delivery")}
	for _, d := range deliveries {
		if a.deliveryOf(d.value) == d.way {
			f.Choices = append(f.Choices, web.Choice{Value: d.value, Label: a.text("delivery-" + d.value), On: d.way == now})
		}
	}
	return f
}
