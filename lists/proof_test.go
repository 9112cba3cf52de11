package lists

import (
	"errors"
	"strings"
	"testing"
	"time"

	"superlist/lists/confirmation"
	"superlist/lists/site"
	"superlist/lists/verp"
	"superlist/smtp"
)

func proofOf(t *testing.T, s *site.Site, p smtp.Path) (*List, confirmation.Proof) {
	t.Helper()
	d, err := Of(s).Resolve(p)
	if err != nil || d.Command.Verb != VerbConfirm {
		t.Fatalf("%s: %+v, %v", p, d, err)
	}
	return d.List, d.Command.Proof
}

// TestProof: what the list makes is good for that list, that action, that
// address and that time, in any case of letters, and for nothing else.
func TestProof(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	now := time.Now()
	for _, who := range []string{"alice@example.com", "a-b+c@x.example", `"a b"@example.com`, "x@bücher.example", "jörg@bücher.example", "#a=b@x.example", "åse@x.example", "σοφός@x.example"} {
		for _, a := range []confirmation.Action{confirmation.Subscribe, confirmation.SubscribeNoMail, confirmation.SubscribeDigest, confirmation.GetEach, confirmation.GetDigests, confirmation.GetNone, confirmation.Unsubscribe} {
			address, err := l.ProofAddress(a, verp.Word(addr(who)), now)
			if err != nil {
				t.Fatal(err)
			}
			for _, spelt := range []smtp.Path{address, {Local: strings.ToUpper(address.Local), Domain: address.Domain}} {
				if _, _, ok := smtp.ParsePath(spelt.String()); !ok {
					t.Errorf("%s is not a path", spelt)
				}
				_, p := proofOf(t, s, spelt)
				for name, test := range map[string]struct {
					at   time.Time
					good bool
				}{
					"at once":     {now, true},
					"in time":     {now.Add(confirmation.Life - time.Hour), true},
					"an hour off": {now.Add(confirmation.Life + time.Hour), false},
				} {
					subject, err := l.CheckProof(p, test.at)
					if test.good && (err != nil || !samePerson(subject, addr(who))) || !test.good && err == nil {
						t.Errorf("%s %c, %s: %q, %v", who, a, name, subject, err)
					}
				}
				expiry, mac, _ := strings.Cut(p.String()[1:], "-")
				mac, _, _ = strings.Cut(mac, "-")
				for _, wrong := range []string{
					string(rune(p.Action^1)) + p.String()[1:],
					string(rune(p.Action)) + expiry + "-" + mac + "-eve=example.net",
					string(rune(p.Action)) + expiry + "0-" + mac + "-" + p.Subject,
					string(rune(p.Action)) + expiry + "-" + mac[1:] + "-" + p.Subject,
					string(rune(p.Action)) + expiry + "--" + p.Subject,
				} {
					bad, _ := confirmation.Parse(wrong)
					if _, err := l.CheckProof(bad, now); !errors.Is(err, confirmation.ReplyBad) {
						t.Errorf("%s: %v", wrong, err)
					}
				}
			}
		}
	}
	other, err := EditCreate(Of(s), addr("ops@lists.example.org"), []smtp.Path{addr("o@example.org")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	address, _ := l.ProofAddress(confirmation.Subscribe, "a=example.com", now)
	_, p := proofOf(t, s, address)
	if _, err := other.CheckProof(p, now); !errors.Is(err, confirmation.ReplyBad) {
		t.Errorf("another list takes it: %v", err)
	}
}

// samePerson says that a subject is somebody's address.
func samePerson(subject string, who smtp.Path) bool {
	p, ok := verp.Path(subject)
	return ok && p.Key() == who.Key()
}

// TestProofSpellings: a proof is good for all spellings of the address that it was
// made for, and for no other.
func TestProofSpellings(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	for _, test := range []struct {
		who, other string
		same       bool
	}{
		{"x@bücher.example", "X@XN--BCHER-KVA.example", true},
		{"x@xn--bcher-kva.example", "x@BÜCHER.example", true},
		{"jörg@bücher.example", "JÖRG@xn--bcher-kva.example", true},
		{"jörg@x.example", "jo\u0308rg@x.example", true},
		{"kim@x.example", "\u212aim@x.example", false},
		{"ivan@x.example", "\u0130van@x.example", false},
		{"x@bücher.example", "x@bucher.example", false},
	} {
		for _, verb := range []string{VerbSubscribe, VerbUnsubscribe} {
			for _, spelling := range []string{test.who, test.other} {
				d, err := Of(s).Resolve(l.Verb(verb + "-" + verp.Word(addr(spelling))))
				if err != nil || d.Command.Who.Key() != addr(spelling).Key() {
					t.Errorf("%s-%s is about %s, %v", verb, spelling, d.Command.Who, err)
				}
				raw := addr(spelling)
				if d, err = Of(s).Resolve(l.Verb(verb + "-" + raw.Local + "=" + raw.Domain)); err != nil || d.Command.Who.Key() != raw.Key() {
					t.Errorf("%s-%s is about %s, %v", verb, spelling, d.Command.Who, err)
				}
			}
		}
		address, err := l.ProofAddress(confirmation.Subscribe, verp.Word(addr(test.who)), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		_, p := proofOf(t, s, address)
		other := addr(test.other)
		p.Subject = other.Local + "=" + other.Domain
		if _, err := l.CheckProof(p, time.Now()); (err == nil) != test.same {
			t.Errorf("made for %s, held against %s: %v", test.who, test.other, err)
		}
		p.Subject = "" // the address would have been too long
		if _, err := l.CheckProof(p, time.Now(), other); (err == nil) != test.same {
			t.Errorf("made for %s, answered by %s: %v", test.who, test.other, err)
		}
	}
}

// TestProofLength: the address is left out where the local part would be longer
// than 64 octets, and only there.
func TestProofLength(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	base, _ := l.ProofAddress(confirmation.Subscribe, "", time.Now())
	for _, n := range []int{maxLocal, maxLocal + 1} {
		who := smtp.Path{Local: strings.Repeat("a", n-len(base.Local)-len("-=example.com")), Domain: "example.com"}
		address, err := l.ProofAddress(confirmation.Subscribe, verp.Word(who), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if whole := len(address.Local) == n; whole != (n == maxLocal) {
			t.Errorf("%d: %s", n, address)
		}
		_, p := proofOf(t, s, address)
		if _, err := l.CheckProof(p, time.Now(), who); err != nil {
			t.Errorf("%d, from the address itself: %v", n, err)
		}
		if _, err := l.CheckProof(p, time.Now(), addr("eve@example.net")); n > maxLocal && !errors.Is(err, confirmation.ReplyBad) {
			t.Errorf("from another: %v", err)
		}
	}
}

// FuzzCommand: no address makes a path, a panic, or a proof that is good, and what an
// address says CommandAddress says again.
func FuzzCommand(f *testing.F) {
	for _, seed := range []string{"subscribe", "confirm-s1-2-a=b", "subscribe-../../etc=x", "confirm-y1-2-../../key", "unsubscribe-a=b\x00", "confirm-", "-", "subscribe-=x.y", "subscribe-digest", "leave", "index-3", "get-3", "thread-3-9", "list", "unsubscribe-Ada=EXAMPLE.com", "confirm-P1-2-a"} {
		f.Add(seed)
	}
	s := testSite(f, "")
	l := testList(f, s, "")
	if _, err := l.Key(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, verb string) {
		c, ok, err := parseCommand(verb)
		if !ok || err != nil {
			return
		}
		if c.Verb == VerbConfirm {
			if _, err := l.CheckProof(c.Proof, time.Now(), addr("a@example.com")); err == nil {
				t.Errorf("%q proves something", verb)
			}
			if _, err := l.FindApplicant(c.Proof.Subject); !errors.Is(err, confirmation.ReplyDecided) {
				t.Errorf("%q names a request: %v", verb, err)
			}
		}
		address, ok := l.CommandAddress(c)
		_, said, _ := strings.Cut(address.Local, l.delimiter)
		same, ok2, err := parseCommand(said)
		if who := same.Who; who.Key() == c.Who.Key() {
			same.Who = c.Who
		}
		if !ok || !ok2 || err != nil || same != c {
			t.Errorf("%q: %+v is said by %q, which says %+v; %t, %t, %v", verb, c, said, same, ok, ok2, err)
		}
		if !c.Who.IsNull() {
			if p, ok := smtp.ParseAddress(c.Who.Address()); !ok || p != c.Who {
				t.Errorf("%q is about %q, which is not an address", verb, c.Who)
			}
		}
	})
}

// TestDecisionAddress: what a moderator or an owner may decide is bound to whom it was
// sent, and is void once they are no longer with the list.
func TestDecisionAddress(t *testing.T) {
	s := testSite(t, "")
	l := testList(t, s, "")
	if err := EditSet(l, []string{"moderators=mona@example.org,max@example.org"}); err != nil {
		t.Fatal(err)
	}
	now, seen := time.Now(), map[string]bool{}
	open := func() *List {
		t.Helper()
		l, err := Of(s).Open(l.Addr)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l = open()
	for _, a := range []confirmation.Action{confirmation.Publish, confirmation.SendBack, confirmation.Drop, confirmation.AllowAlways, confirmation.BanAuthor, confirmation.Approve, confirmation.Decline} {
		for _, who := range []string{"mona@example.org", "max@example.org", "eve@example.net"} {
			address, err := l.DecisionAddress(a, "0a1b2c3d4e5f", addr(who), now)
			if err != nil || seen[address.Local] {
				t.Fatalf("%s, %v", address, err)
			}
			seen[address.Local] = true
			_, p := proofOf(t, s, address)
			subject, err := l.CheckProof(p, now)
			decider, derr := l.Decider(p)
			if good := who != "eve@example.net"; good != (err == nil) || derr != nil || good && (decider.Address() != who || subject != "0a1b2c3d4e5f") {
				t.Errorf("%c for %s: %q by %s, %v, %v", a, who, subject, decider, err, derr)
			}
		}
		address, _ := l.ProofAddress(a, "0a1b2c3d4e5f", now)
		if _, p := proofOf(t, s, address); true {
			if _, err := l.CheckProof(p, now); !errors.Is(err, confirmation.ReplyBad) {
				t.Errorf("%c for nobody: %v", a, err)
			}
		}
	}
	address, _ := l.DecisionAddress(confirmation.Publish, "0a1b2c3d4e5f", addr("max@example.org"), now)
	if err := EditSet(l, []string{"moderators=mona@example.org"}); err != nil {
		t.Fatal(err)
	}
	_, p := proofOf(t, s, address)
	if _, err := open().CheckProof(p, now); !errors.Is(err, confirmation.ReplyBad) {
		t.Errorf("who is a moderator no more: %v", err)
	}
}
