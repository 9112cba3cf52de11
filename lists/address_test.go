package lists

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/lists/members"
	"superlist/smtp"
)

// TestResolve takes every address of a list apart, for each delimiter.
func TestResolve(t *testing.T) {
	for _, delimiter := range []string{"+", "-", "=", "_", "."} {
		s := testSite(t, "recipient_delimiter = \""+delimiter+"\"\n")
		l := testList(t, s, "")
		bounce, err := l.BounceAddress(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		check, err := l.CheckAddress(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		checked, err := l.CheckedAddress(time.Now())
		if err != nil {
			t.Fatal(err)
		}
		for local, want := range map[string]Destination{
			check.Local:                    {Purpose: Check},
			strings.ToUpper(checked.Local): {Purpose: Check, Back: true},
			"dev":                          {Purpose: Post},
			"DEV":                          {Purpose: Post},
			"dev~owner":                    {Purpose: Owner, Verb: "owner"},
			"Dev~OWNER":                    {Purpose: Owner, Verb: "owner"},
			"dev~Feedback":                 {Purpose: Feedback, Verb: "feedback"},
			"dev~help":                     {Purpose: Ask, Command: Command{Verb: VerbHelp}},
			"dev~FAQ":                      {Purpose: Ask, Command: Command{Verb: VerbFAQ}},
			"dev~Subscribe":                {Purpose: Ask, Command: Command{Verb: VerbSubscribe}},
			"dev~join":                     {Purpose: Ask, Command: Command{Verb: VerbSubscribe}},
			"dev~unsubscribe":              {Purpose: Ask, Command: Command{Verb: VerbUnsubscribe}},
			"dev~leave":                    {Purpose: Ask, Command: Command{Verb: VerbUnsubscribe}},
			"dev~request":                  {Purpose: Ask, Command: Command{Verb: VerbRequest}},
			"dev~subscribe-nomail": {Purpose: Ask,
				Command: Command{Verb: VerbSubscribe, Delivery: members.NoPosts}},
			"dev~Subscribe-DIGEST": {Purpose: Ask,
				Command: Command{Verb: VerbSubscribe, Delivery: members.InDigests}},
			"dev~unsubscribe-digest": {Purpose: Ask, Command: Command{Verb: VerbUnsubscribe}},
			"dev~unsubscribe-nomail": {Purpose: Ask, Command: Command{Verb: VerbUnsubscribe}},
			"dev~subscribe-a-b=c.example.com": {Purpose: Ask,
				Command: Command{Verb: VerbSubscribe, Who: addr("a-b@c.example.com")}},
			bounce.Local:       {Purpose: Bounce},
			bounce.Local + "+": {Purpose: Bounce},
			bounce.Local + "+user=example.com": {Purpose: Bounce,
				Member: addr("user@example.com")},
			bounce.Local + "+a+b=c-d=sub.example.com": {Purpose: Bounce,
				Member: addr("a+b=c-d@sub.example.com")},
			strings.ToUpper(bounce.Local) + "+USER=EXAMPLE.COM": {Purpose: Bounce,
				Member: addr("USER@EXAMPLE.COM")},
		} {
			local = strings.Replace(local, "~", delimiter, 1)
			to := smtp.Path{Local: local, Domain: "Lists.Example.Org"}
			d, err := Of(s).Resolve(to)
			if err != nil || d.List.Addr != l.Addr || d.Purpose != want.Purpose || d.Member != want.Member ||
				want.Verb != "" && d.Verb != want.Verb || d.Command != want.Command || d.Back != want.Back {
				t.Errorf("%s: %+v, %v; want %+v", to, d, err, want)
			}
		}
		for _, local := range []string{"dev~", "dev~nothing", "dev~owner~x", "dev~help-me", "dev~subscribe-", "dev~subscribe-x", "dev~subscribe-x=", "dev~subscribe-both", "dev~subscribe-..", "dev~confirmation", "dev~bounces", "dev~bounces-", "nosuch", "nosuch~owner", "~owner", "~", "de", "devs"} {
			local = strings.ReplaceAll(local, "~", delimiter)
			_, err := Of(s).Resolve(smtp.Path{Local: local, Domain: "lists.example.org"})
			var r smtp.Reply
			if !errors.As(err, &r) || r.Code != 550 || r.Enhanced != "5.1.1" {
				t.Errorf("%s: %v", local, err)
			}
		}
	}
}

// The refusal of an unknown verb says where people write to.
func TestResolveSaysWhere(t *testing.T) {
	s := testSite(t, "")
	testList(t, s, "")
	_, err := Of(s).Resolve(addr("dev+hlep@lists.example.org"))
	if err == nil || !strings.Contains(err.Error(), "dev@lists.example.org") || !strings.Contains(err.Error(), "dev+owner@lists.example.org") {
		t.Errorf("%v", err)
	}
}

// <Postmaster> without a domain is the host's: RFC 5321, 4.5.1.
func TestResolvePostmaster(t *testing.T) {
	s := testSite(t, "")
	testList(t, s, "")
	if _, err := Of(s).Resolve(smtp.Path{Local: "Postmaster"}); !errors.Is(err, ReplyNoList) {
		t.Errorf("without such a list: %v", err)
	}
	if _, err := EditCreate(Of(s), addr("postmaster@lists.example.org"), nil, nil); err != nil {
		t.Fatal(err)
	}
	d, err := Of(s).Resolve(smtp.Path{Local: "Postmaster"})
	if err != nil || d.Purpose != Post || d.List.Addr != addr("postmaster@lists.example.org") {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestBounceProof: only what the list made, for itself, and not too long ago.
func TestBounceProof(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	other, err := EditCreate(Of(s), addr("news@lists.example.org"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	made := func(l *List, at time.Time) string {
		p, err := l.BounceAddress(at)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimPrefix(p.Local, l.Addr.Local+"+")
	}
	good := made(l, now)
	stamp, mac := good[:strings.LastIndexByte(good, '-')], good[strings.LastIndexByte(good, '-')+1:]
	last := byte('a')
	if mac[len(mac)-1] == last {
		last = 'b'
	}
	for _, test := range []struct {
		name, verb string
		want       bool
	}{
		{"as made", good, true},
		{"with a member", good + "+a=example.com", true},
		{"in upper case", strings.ToUpper(good), true},
		{"nearly too old", made(l, now.Add(time.Minute-bounceLife)), true},
		{"too old", made(l, now.Add(-time.Minute-bounceLife)), false},
		{"from a clock that is ahead a little", made(l, now.Add(59*time.Minute)), true},
		{"from a clock that is ahead too much", made(l, now.Add(61*time.Minute)), false},
		{"another list's", made(other, now), false},
		{"another time's", "bounces-1-" + mac, false},
		{"one letter changed", good[:len(good)-1] + string(last), false},
		{"cut short", good[:len(good)-1], false},
		{"longer", good + "a", false},
		{"without a proof", stamp, false},
		{"with an empty proof", stamp + "-", false},
		{"mlmmj's", "bounces-1-victim=example.com", false},
		{"mlmmj's probe", "bounces-probe-victim=example.com", false},
		{"a stamp that is not a number", "bounces-_-" + mac, false},
		{"a stamp below zero", "bounces--1-" + mac, false},
		{"a stamp without end", "bounces-" + strings.Repeat("z", 60) + "-" + mac, false},
	} {
		d, err := Of(s).Resolve(smtp.Path{Local: "dev+" + test.verb, Domain: "lists.example.org"})
		if (err == nil) != test.want || err != nil && err != error(replyBadBounce) {
			t.Errorf("%s: %+v, %v", test.name, d, err)
		}
	}

	// Another key, and none: nothing that was made before counts.
	os.WriteFile(l.Book().KeyFile(), []byte(strings.Repeat("5e", 32)), 0o600)
	if _, err := Of(s).Resolve(smtp.Path{Local: "dev+" + good, Domain: "lists.example.org"}); err != error(replyBadBounce) {
		t.Errorf("another key: %v", err)
	}
	os.Remove(l.Book().KeyFile())
	if _, err := Of(s).Resolve(smtp.Path{Local: "dev+" + good, Domain: "lists.example.org"}); err != error(replyBadBounce) {
		t.Errorf("no key: %v", err)
	}
	// A key that cannot be read is our trouble: the report comes again.
	os.WriteFile(l.Book().KeyFile(), []byte("?"), 0o600)
	if _, err := Of(s).Resolve(smtp.Path{Local: "dev+" + good, Domain: "lists.example.org"}); smtp.ReplyTo(err) != smtp.ReplyLocal {
		t.Errorf("a broken key: %v", err)
	}
}

// TestPersonalAddress: what went to one person proves nothing about another.
func TestPersonalAddress(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	now := time.Now()
	personal, err := l.PersonalAddress(addr("a+b=c@Example.com"), now)
	if err != nil {
		t.Fatal(err)
	}
	probe, err := l.ProbeAddress(addr("a+b=c@Example.com"), now)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := l.BounceAddress(now)
	if err != nil {
		t.Fatal(err)
	}
	other := func(p smtp.Path) string { return strings.Replace(p.Address(), "a+b=c=", "victim=", 1) }
	alone := func(p smtp.Path) string { return strings.Replace(p.Address(), "+a+b=c=Example.com", "", 1) }
	for to, want := range map[string]BounceProof{
		personal.Address():                  Personal,
		strings.ToUpper(personal.Address()): Personal,
		probe.Address():                     Probed,
		strings.ToUpper(probe.Address()):    Probed,
		smtp.VERPAddress(shared, addr("victim@example.com")).Address(): Shared,
	} {
		d, err := Of(s).Resolve(addr(to))
		if err != nil || d.Purpose != Bounce || d.Proof != want || d.Member.IsNull() || d.Sent.Unix() != now.Unix() {
			t.Errorf("%s: %+v, %v", to, d, err)
		}
	}
	for _, to := range []string{
		other(personal), other(probe), alone(personal), alone(probe),
		strings.Replace(personal.Address(), "+bounces-", "+probe-", 1), strings.Replace(probe.Address(), "+probe-", "+bounces-", 1),
		strings.Replace(shared.Address(), "+bounces-", "+probe-", 1),
		strings.Replace(smtp.VERPAddress(shared, addr("a@example.com")).Address(), "+bounces-", "+probe-", 1),
	} {
		if d, err := Of(s).Resolve(addr(to)); err != error(replyBadBounce) {
			t.Errorf("%s: %+v, %v", to, d, err)
		}
	}
}

// A member comes back out of a return path as it went in.
func TestVERPAddress(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	base, err := l.BounceAddress(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{"a@example.com", "a+b@example.com", "a=b@example.com", "a+b=c+d=e@example.com", `"a b"@example.com`, `"a@b"@example.com`, "A@Example.COM"} {
		p := smtp.VERPAddress(base, addr(member))
		// Over the wire and back.
		wire, ok := smtp.ParseAddress(p.Address())
		if !ok {
			t.Errorf("%s cannot be said: %s", member, p)
			continue
		}
		d, err := Of(s).Resolve(wire)
		if err != nil || d.Purpose != Bounce || d.Member != addr(member) {
			t.Errorf("%s: %s gives %+v, %v", member, wire, d, err)
		}
	}
	for _, junk := range []string{"a=", "=", "a", "a=b c", "a=b> list=<other@lists.example.org>", "a=b/../c"} {
		p := smtp.Path{Local: base.Local + "+" + junk, Domain: base.Domain}
		if d, err := Of(s).Resolve(p); err != nil || !d.Member.IsNull() {
			t.Errorf("%s: %+v, %v", p, d, err)
		}
	}
	want := strings.Replace(base.Address(), "@", "+user=example.com@", 1)
	if got := smtp.VERPAddress(base, addr("user@example.com")).Address(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestDomainBeyondASCII: a list whose domain has letters beyond ASCII is one
// directory, by whatever name it is called.
func TestDomainBeyondASCII(t *testing.T) {
	s := testSite(t, "")
	l, err := EditCreate(Of(s), addr("dev@Bücher.example"), []smtp.Path{addr("ölga@example.org")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if l.Dir != s.ListsDir+"/xn--bcher-kva.example/dev" || l.Addr.Address() != "dev@xn--bcher-kva.example" {
		t.Errorf("%s is in %s", l.Addr, l.Dir)
	}
	from, err := l.BounceAddress(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for to, member := range map[string]string{
		"dev@bücher.example": "", "DEV+owner@BÜCHER.example": "", "dev+owner@xn--bcher-kva.example": "", "dev@bu\u0308cher.example": "",
		smtp.VERPAddress(from, addr("jürg@bücher.example")).Address():     "jürg@bücher.example",
		smtp.VERPAddress(from, addr("a@xn--bcher-kva.example")).Address(): "a@xn--bcher-kva.example",
	} {
		d, err := Of(s).Resolve(addr(to))
		if err != nil || d.List.Dir != l.Dir {
			t.Errorf("%s: %v", to, err)
			continue
		}
		if want, _ := smtp.ParseAddress(member); d.Member.Key() != want.Key() {
			t.Errorf("%s is the report of %s", to, d.Member)
		}
	}
	for _, to := range []string{"dev@bucher.example", "dév@bücher.example", "dev@b\u00fc\u00fccher.example"} {
		if _, err := Of(s).Resolve(addr(to)); !errors.Is(err, ReplyNoList) {
			t.Errorf("%s: %v", to, err)
		}
	}
}
