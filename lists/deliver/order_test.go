package deliver

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/access"
	"superlist/lists/edit"
	"superlist/lists/ledger"
	"superlist/lists/request"
	"superlist/lists/site"
	"superlist/queue"
)

// tokenFor makes a token of a site.
func tokenFor(t *testing.T, s *site.Site, name string, on []string, scopes ...access.Scope) access.Secret {
	t.Helper()
	secret := access.NewSecret([32]byte{byte(len(name)), name[0]})
	err := edit.AddToken(lists.Of(s), access.Token{Name: name, Scopes: scopes, Lists: on, Made: time.Now(), Expires: time.Now().Add(time.Hour), By: "ann", Key: secret.Public()})
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// TestOrders: what a program asks is carried out as far as its token permits, and what has
// become of it is known to that token.
func TestOrders(t *testing.T) {
	w, l, _ := newPeople(t)
	all := tokenFor(t, w.site, "all", []string{access.AllLists}, access.Scopes()...)
	some := tokenFor(t, w.site, "some", []string{"lists.example.org"}, access.Members, access.Lists)
	other := tokenFor(t, w.site, "other", []string{"other@lists.example.org"}, access.Scopes()...)
	settings := tokenFor(t, w.site, "settings", []string{"lists.example.org"}, access.Settings)
	secrets := map[string]access.Secret{"all": all, "some": some, "other": other, "settings": settings}
	const dev, done, refused = "dev@lists.example.org", request.Done, request.Refused
	for _, test := range []struct {
		token, list string
		s           request.Signed
		state, text string
		n           int
		members     string // afterwards
	}{
		{"some", dev, request.Signed{Verb: request.Add, Members: []string{"ann@example.com digest", "cid@example.com"}}, done, "", 2, "ann@example.com digest|bob@example.net|cid@example.com"},
		{"some", dev, request.Signed{Verb: request.Add, Members: []string{"ann@example.com"}}, done, "", 0, "ann@example.com digest|bob@example.net|cid@example.com"},
		{"some", dev, request.Signed{Verb: request.Set, Members: []string{"ann@example.com nomail", "nobody@example.com"}}, done, "", 1, "ann@example.com nomail|bob@example.net|cid@example.com"},
		{"some", dev, request.Signed{Verb: request.Move, About: "ann@example.com", To: "new@example.com"}, done, "", 1, "bob@example.net|cid@example.com|new@example.com nomail"},
		{"all", dev, request.Signed{Verb: request.Remove, Members: []string{"new@example.com", "cid@example.com"}}, done, "", 2, "bob@example.net"},
		{"some", dev, request.Signed{Verb: request.Clear, About: "bob@example.net"}, done, "", 0, "bob@example.net"},
		{"some", dev, request.Signed{Verb: request.Add, Members: []string{"nonsense"}}, refused, "cannot be read", 0, "bob@example.net"},
		{"some", dev, request.Signed{Verb: request.Add, Members: []string{"a@example.com\nb@example.com"}}, refused, "cannot be read", 0, "bob@example.net"},
		{"some", dev, request.Signed{Verb: request.Leave, By: "bob@example.net"}, refused, "does not permit", 0, "bob@example.net"},
		{"some", dev, request.Signed{Verb: request.Settings, Settings: []string{"post=anyone"}}, refused, "does not permit", 0, "bob@example.net"},
		{"other", dev, request.Signed{Verb: request.Add, Members: []string{"eve@example.com"}}, refused, "no such list", 0, "bob@example.net"},
		{"all", dev, request.Signed{Verb: request.Settings, Settings: []string{"post=anyone", "moderated=true"}}, done, "", 2, "bob@example.net"},
		{"all", dev, request.Signed{Verb: request.Settings, Settings: []string{"post=whoever"}}, refused, "must be anyone, members", 0, "bob@example.net"},
		{"all", dev, request.Signed{Verb: request.Settings, Settings: []string{"footer_file=key"}}, refused, "only the operator", 0, "bob@example.net"},
		{"settings", dev, request.Signed{Verb: request.Settings, Settings: []string{"aliases=ceo@lists.example.org"}}, refused, "only the operator", 0, "bob@example.net"},
		{"some", "z@lists.example.org", request.Signed{Verb: request.Create, Members: []string{"olga@example.org"}, Settings: []string{"footer_file=/etc/passwd"}}, refused, "only the operator", 0, "bob@example.net"},
		{"all", dev, request.Signed{Verb: request.Settings, Settings: []string{"aliases=devel@lists.example.org"}}, done, "", 1, "bob@example.net"},
		{"all", dev, request.Signed{Verb: request.Decide, Do: "accept", About: "0123456789ab"}, refused, "not open any more", 0, "bob@example.net"},
		{"some", "new@lists.example.org", request.Signed{Verb: request.Create, Members: []string{"olga@example.org"}, Settings: []string{"description=New"}}, done, "", 1, "bob@example.net"},
		{"some", "new@lists.example.org", request.Signed{Verb: request.Create, Members: []string{"olga@example.org"}}, refused, "already", 0, "bob@example.net"},
		{"some", "x@elsewhere.example", request.Signed{Verb: request.Create, Members: []string{"olga@example.org"}}, refused, "does not permit", 0, "bob@example.net"},
		{"some", "y@lists.example.org", request.Signed{Verb: request.Create, Members: []string{"olga@example.org"}, Settings: []string{"post=x"}}, refused, "must be", 0, "bob@example.net"},
		{"some", "new@lists.example.org", request.Signed{Verb: request.Delete}, done, "", 1, "bob@example.net"},
		{"some", "new@lists.example.org", request.Signed{Verb: request.Delete}, refused, "no such list", 0, "bob@example.net"},
	} {
		id, err := request.Order{Token: test.token, List: test.list, At: time.Now(), Signed: test.s}.Put(w.site.Spool(), secrets[test.token])
		if err != nil {
			t.Fatal(err)
		}
		w.deliver()
		w.want(queue.Inbound)
		what := fmt.Sprintf("%s %+v", test.token, test.s)
		o, ok, err := request.OutcomeOf(w.site.Spool(), ledger.OfSite(w.site.ListsDir), test.token, id, time.Now())
		if err != nil || !ok || o.State != test.state || o.Changed != test.n || !strings.Contains(o.Text, test.text) || o.List != test.list || o.At == nil {
			t.Errorf("%s: %+v %v %v", what, o, ok, err)
		}
		if _, ok, _ := request.OutcomeOf(w.site.Spool(), ledger.OfSite(w.site.ListsDir), "nobody", id, time.Now()); ok {
			t.Errorf("%s: another token sees it", what)
		}
		wantMembers(t, l, strings.Split(test.members, "|")...)
	}
	if got, err := lists.Of(w.site).Open(l.Addr); err != nil || got.Post != lists.PostAnyone || !got.Moderated {
		t.Errorf("%+v %v", got, err)
	}
	w.wantEmpty()
}

// TestForgedOrders: without the token's word nobody can ask for anything, whatever they can
// read and write; and what was asked once is not done twice.
func TestForgedOrders(t *testing.T) {
	w, l, _ := newPeople(t)
	secret := tokenFor(t, w.site, "panel", []string{access.AllLists}, access.Members)
	stranger := access.NewSecret([32]byte{9})
	add := request.Signed{Verb: request.Add, Members: []string{"eve@example.com"}}
	put := func(o request.Order, s access.Secret) string {
		t.Helper()
		id, err := o.Put(w.site.Spool(), s)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	file := func(id string) string { return w.site.QueueDir + "/inbound/new/" + id }
	rewrite := func(id string, as string, old, new string) {
		t.Helper()
		text, err := os.ReadFile(file(id))
		if err == nil {
			err = os.WriteFile(file(as), []byte(strings.ReplaceAll(string(text), old, new)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if as != id {
			os.Remove(file(id))
		}
	}
	order := request.Order{Token: "panel", List: "dev@lists.example.org", At: time.Now(), Signed: add}
	for what, forge := range map[string]func(){
		"another key":      func() { put(order, stranger) },
		"another name":     func() { o := order; o.Token = "nobody"; put(o, secret) },
		"after it ended":   func() { o := order; o.At = time.Now().Add(2 * time.Hour); put(o, secret) },
		"another member":   func() { id := put(order, secret); rewrite(id, id, "eve@example.com", "eva@example.com") },
		"under another id": func() { id := put(order, secret); rewrite(id, "2"+id[1:], "id: "+id, "id: 2"+id[1:]) },
		"as mail":          func() { id := put(order, secret); rewrite(id, id, "order: yes\n", "hold: hours\n") },
		"what has no order": func() {
			w.inbound(queue.Head{Order: true}, "", "Subject: x\r\n\r\n{}\r\nAAAA\r\n", "dev@lists.example.org")
		},
	} {
		forge()
		if what == "as mail" { // a post of nobody's
			w.deliver()
		} else {
			w.deliver()
			w.want(queue.Inbound)
		}
		text, _ := os.ReadFile(l.Dir + "/members")
		if !slices.Equal(strings.Fields(string(text)), []string{"bob@example.net"}) {
			t.Errorf("%s: %s", what, text)
		}
	}
	// The same file once more, with its own id.
	id := put(order, secret)
	again, err := os.ReadFile(file(id))
	if err != nil {
		t.Fatal(err)
	}
	w.deliver()
	wantMembers(t, l, "bob@example.net", "eve@example.com")
	put(request.Order{Token: "panel", List: order.List, At: time.Now(), Signed: request.Signed{Verb: request.Remove, Members: add.Members}}, secret)
	w.deliver()
	wantMembers(t, l, "bob@example.net")
	if err := os.WriteFile(file(id), again, 0o600); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	wantMembers(t, l, "bob@example.net")
	// A copy of what was asked when nobody remembers any more what became of it.
	late := order
	late.At = time.Now().Add(-ledger.Outcomes.Life())
	id = put(late, secret)
	w.deliver()
	wantMembers(t, l, "bob@example.net")
	if o, ok, err := request.OutcomeOf(w.site.Spool(), ledger.OfSite(w.site.ListsDir), "panel", id, time.Now()); !ok || err != nil || o.State != request.Refused || !strings.Contains(o.Text, "too long ago") {
		t.Errorf("an old one: %+v %v %v", o, ok, err)
	}
	// Taken away while it waits.
	put(order, secret)
	if err := edit.RemoveTokens(lists.Of(w.site), "panel"); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	wantMembers(t, l, "bob@example.net")
	w.want(queue.Inbound)
}
