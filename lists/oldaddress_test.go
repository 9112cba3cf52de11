package lists

import (
	"errors"
	"testing"

	"superlist/lists/members"
	"superlist/smtp"
)

// TestOldAddresses: what Mailman and ezmlm call a list's addresses is understood,
// where no list has that very name and the domain has nothing but lists.
func TestOldAddresses(t *testing.T) {
	s := testSite(t, "")
	testList(t, s, "")
	for _, name := range []string{"a-b", "a-b-leave"} {
		if _, err := EditCreate(Of(s), addr(name+"@lists.example.org"), []smtp.Path{addr("olga@example.org")}, nil); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(list string, c Command) Destination {
		return Destination{List: &List{Addr: addr(list + "@lists.example.org")}, Purpose: Ask, Command: c}
	}
	owner := func(list string) Destination {
		return Destination{List: &List{Addr: addr(list + "@lists.example.org")}, Purpose: Owner, Verb: "owner"}
	}
	for local, want := range map[string]Destination{
		"dev-request":                     ask("dev", Command{Verb: VerbRequest}),
		"dev-join":                        ask("dev", Command{Verb: VerbSubscribe}),
		"DEV-Subscribe":                   ask("dev", Command{Verb: VerbSubscribe}),
		"dev-leave":                       ask("dev", Command{Verb: VerbUnsubscribe}),
		"dev-unsubscribe":                 ask("dev", Command{Verb: VerbUnsubscribe}),
		"dev-help":                        ask("dev", Command{Verb: VerbHelp}),
		"dev-info":                        ask("dev", Command{Verb: VerbHelp}),
		"dev-faq":                         ask("dev", Command{Verb: VerbFAQ}),
		"dev-owner":                       owner("dev"),
		"dev-admin":                       owner("dev"),
		"dev-bounces":                     owner("dev"),
		"dev-bounces+alice-x=example.com": owner("dev"),
		"dev-return-12-alice=example.com": owner("dev"),
		"dev-subscribe-al-ice=example.com": ask("dev",
			Command{Verb: VerbSubscribe, Who: addr("al-ice@example.com")}),
		"dev-digest-subscribe":   ask("dev", Command{Verb: VerbSubscribe, Delivery: members.InDigests}),
		"dev-digest-unsubscribe": ask("dev", Command{Verb: VerbUnsubscribe}),
		"dev-digest-subscribe-alice=example.com": ask("dev",
			Command{Verb: VerbSubscribe, Delivery: members.InDigests, Who: addr("alice@example.com")}),
		"dev-get.12_20": ask("dev", Command{Verb: VerbGet, From: 12, To: 20}),
		"a-b-request":   ask("a-b", Command{Verb: VerbRequest}),
		"a-b-leave":     {List: &List{Addr: addr("a-b-leave@lists.example.org")}, Purpose: Post},
		// The longest name that is a list.
		"a-b-leave-leave": ask("a-b-leave", Command{Verb: VerbUnsubscribe}),
	} {
		d, err := Of(s).Resolve(smtp.Path{Local: local, Domain: "lists.example.org"})
		if err != nil || d.List.Addr != want.List.Addr || d.Purpose != want.Purpose || d.Command != want.Command || want.Purpose == Owner && d.Verb != want.Verb {
			t.Errorf("%s: %+v, %v; want %+v", local, d, err, want)
		}
	}
	for local, enhanced := range map[string]string{
		"dev-confirm+0123abc": "5.7.1", "dev-confirm": "5.7.1", "dev-sc.1700000000.abc-alice=example.com": "5.7.1",
		"dev-list": "5.1.1", "dev-who": "5.1.1", "dev-x": "5.1.1", "-owner": "5.1.1", "dev-": "5.1.1", "nosuch-owner": "5.1.1",
		"dev-owner+x": "5.1.1", "dev+x-owner": "5.1.1", "dev-leave-x": "5.1.1", "dev-digest": "5.1.1",
	} {
		_, err := Of(s).Resolve(smtp.Path{Local: local, Domain: "lists.example.org"})
		var r smtp.Reply
		if !errors.As(err, &r) || r.Code != 550 || r.Enhanced != enhanced {
			t.Errorf("%s: %v", local, err)
		}
	}
}

// TestOldAddressesAuto: where people have addresses too, or the list says so, they
// are nobody's.
func TestOldAddressesAuto(t *testing.T) {
	for _, test := range []struct {
		site, list string
		takes      bool
	}{
		{"", "auto", true}, {"", "off", false}, {"", "on", true},
		{"shared_domains = [\"lists.example.org\"]\n", "auto", false}, {"shared_domains = [\"lists.example.org\"]\n", "on", true},
		{"[proxy]\nnext_hop = \"127.0.0.1:28998\"\n", "auto", false}, {"[proxy]\nnext_hop = \"127.0.0.1:28998\"\n", "on", true},
	} {
		s := testSite(t, test.site)
		testList(t, s, "", "old_addresses="+test.list)
		_, err := Of(s).Resolve(addr("dev-owner@lists.example.org"))
		if (err == nil) != test.takes || err != nil && !errors.Is(err, ReplyNoList) {
			t.Errorf("%+v: %v", test, err)
		}
	}
}
