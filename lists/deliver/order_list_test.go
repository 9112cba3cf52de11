package deliver

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/access"
	"superlist/lists/edit"
	"superlist/lists/ledger"
	"superlist/lists/request"
	"superlist/lists/weblink"
	"superlist/queue"
)

// TestListOrders: a program removes posts, has the digest sent and gives a list another
// address, as far as its token permits, and what was done already counts as unchanged.
func TestListOrders(t *testing.T) {
	w, f, l := digestWorld(t, []string{"post=anyone", "digest=weekly", "archive=true"}, "a@example.com digest")
	w.say(1, 4)
	w.message("eve@example.net", "From: Eve <eve@example.net>\r\nMessage-ID: <5@x>\r\nIn-Reply-To: <2@x>\r\nSubject: post 5\r\n\r\n5\r\n", dev)
	w.deliver()
	secrets := map[string]access.Secret{
		"all": tokenFor(t, w.site, "all", []string{access.AllLists}, access.Scopes()...), "one": tokenFor(t, w.site, "one", []string{dev}, access.Lists, access.Posts),
		"members": tokenFor(t, w.site, "members", []string{access.AllLists}, access.Members, access.Moderate, access.Settings, access.Read, access.Log),
	}
	w.list("taken", "a@example.com")
	const renamed, done, refused = "developers@lists.example.org", request.Done, request.Refused
	var log strings.Builder
	for _, test := range []struct {
		token, list string
		s           request.Signed
		state, text string
		n, same     int
	}{
		{"members", dev, request.Signed{Verb: request.RemovePosts, Posts: []int{1}}, refused, "does not permit", 0, 0},
		{"members", dev, request.Signed{Verb: request.SendDigest}, refused, "does not permit", 0, 0},
		{"members", dev, request.Signed{Verb: request.Rename, To: renamed}, refused, "does not permit", 0, 0},
		{"one", dev, request.Signed{Verb: request.RemovePosts, Posts: []int{1, 3, 99}, Words: "a password"}, done, "", 2, 1},
		{"one", dev, request.Signed{Verb: request.RemovePosts, Posts: []int{1, 3}, Words: "a password"}, done, "", 0, 2},
		{"one", dev, request.Signed{Verb: request.RemovePosts, Posts: []int{-1, 0, 1 << 40}}, done, "", 0, 3},
		{"one", dev, request.Signed{Verb: request.RemovePosts, About: "EVE@example.net"}, done, "", 1, 0},
		{"one", dev, request.Signed{Verb: request.RemovePosts, About: "nobody@example.net"}, done, "", 0, 0},
		{"one", dev, request.Signed{Verb: request.RemovePosts, About: "eve"}, refused, "is not a mail address", 0, 0},
		{"one", "taken@lists.example.org", request.Signed{Verb: request.RemovePosts, Posts: []int{1}}, refused, "no such list", 0, 0},
		{"one", dev, request.Signed{Verb: request.SendDigest}, done, "", 2, 0},
		{"one", dev, request.Signed{Verb: request.SendDigest}, done, "", 0, 0},
		{"one", dev, request.Signed{Verb: request.Rename, To: renamed}, refused, "does not permit", 0, 0},
		{"all", dev, request.Signed{Verb: request.Rename, To: "taken@lists.example.org"}, refused, "already", 0, 0},
		{"all", dev, request.Signed{Verb: request.Rename, To: "../x@lists.example.org"}, refused, "", 0, 0},
		{"all", dev, request.Signed{Verb: request.Rename, To: renamed}, done, "", 1, 0},
		{"one", dev, request.Signed{Verb: request.RemovePosts, Posts: []int{2}}, refused, "no such list", 0, 0}, // the token is for the old address
		{"all", dev, request.Signed{Verb: request.RemovePosts, Posts: []int{2}}, done, "", 1, 0},
	} {
		id, err := request.Order{Token: test.token, List: test.list, At: time.Now(), Signed: test.s}.Put(w.site.Spool(), secrets[test.token])
		if err != nil {
			t.Fatal(err)
		}
		w.deliver()
		w.want(queue.Inbound)
		o, ok, err := request.OutcomeOf(w.site.Spool(), ledger.OfSite(w.site.ListsDir), test.token, id, time.Now())
		if err != nil || !ok || o.State != test.state || o.Changed != test.n || o.Unchanged != test.same || !strings.Contains(o.Text, test.text) {
			t.Errorf("%s %+v: %+v %v %v", test.token, test.s, o, ok, err)
		}
		fmt.Fprintln(&log, &w.log)
	}
	if digests, _ := issues(t, f, "a@example.com"); subjectsOf(digests) != "2 4" {
		t.Errorf("the digest has %q", subjectsOf(digests))
	}
	moved, err := lists.Of(w.site).Open(l.Addr)
	if err != nil || moved.Addr.Address() != renamed {
		t.Fatalf("%+v %v", moved, err)
	}
	for n := 1; n <= 5; n++ {
		if e, err := moved.Posts().Entry(n); err != nil || e.Removed != (n != 4) {
			t.Errorf("post %d: %+v %v", n, e, err)
		}
	}
	for _, want := range []string{
		`number=1 reason="a password" by="the token one"`, `from=dev@lists.example.org by="the token all"`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not have %s:\n%s", want, &log)
		}
	}
}

// Orders and visits as acts.

// order has a program ask something.
func order(s request.Signed) func(*testing.T, *actPlace) {
	return func(t *testing.T, p *actPlace) {
		secret := tokenFor(t, p.site, "panel", []string{access.AllLists}, access.Scopes()...)
		if _, err := (request.Order{Token: "panel", List: p.l.Addr.Address(), At: p.now, Signed: s}).Put(p.site.Spool(), secret); err != nil {
			t.Fatal(err)
		}
	}
}

// hasPosts gives the list an archive.
func hasPosts(t *testing.T, p *actPlace) {
	for range 3 {
		p.says(t, "a@example.com", p.l.Addr)
	}
	if err := deliverOnce(p.site, alone, nil); err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(outOf(p))
}

// visits has somebody come in by a link, and log out.
func visits(t *testing.T, p *actPlace) {
	token, err := weblink.Make(p.l, weblink.LogIn, "a@example.com", p.now)
	if err != nil {
		t.Fatal(err)
	}
	v := weblink.Visiting(path("a@example.com"), token)
	for _, s := range []request.Signed{{Verb: request.Enter, Link: v.Link, Visit: v.Name}, {Verb: request.LogOut, Visit: v.Name}} {
		s.By = "a@example.com"
		q, err := request.Request{List: p.l, At: p.now, Command: lists.Command{Author: v.Who}}.Sign(s)
		if err == nil {
			_, err = q.Leave(p.site.Spool())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestRenameAgain: a rename that a crash has cut short is completed, and does not say that
// the list has the address already.
func TestRenameAgain(t *testing.T) {
	w, l, _ := newPeople(t)
	secret := tokenFor(t, w.site, "panel", []string{access.AllLists}, access.Lists)
	id, err := request.Order{Token: "panel", List: dev, At: time.Now(), Signed: request.Signed{Verb: request.Rename, To: "developers@lists.example.org"}}.Put(w.site.Spool(), secret)
	if err != nil {
		t.Fatal(err)
	}
	r := w.runner()
	if err := r.remember("panel", request.Outcome{ID: id, List: dev, Verb: request.Rename, State: request.Begun}); err != nil {
		t.Fatal(err)
	}
	if _, err := edit.Move(lists.Of(w.site), l, path("developers@lists.example.org")); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	o, ok, err := request.OutcomeOf(w.site.Spool(), ledger.OfSite(w.site.ListsDir), "panel", id, time.Now())
	if err != nil || !ok || o.State != request.Done || o.Changed != 1 {
		t.Errorf("%+v %v %v", o, ok, err)
	}
}
