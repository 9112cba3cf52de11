package deliver

import (
	"encoding/base64"
	"fmt"
	"mime"
	"net"
	"net/mail"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/edit"
	"superlist/lists/heldpost"
	"superlist/lists/intake"
	"superlist/lists/members"
	"superlist/lists/quota"
	"superlist/queue"
	"superlist/smtp"
)

// A client is a host out in the world, which hands its mail to a real session.
const outside = "198.51.100.7:4711"

// wire sends a message as a client does, and gives the word on it: the refusal of
// its recipient or of the message, or what it was queued as.
func (w *world) wire(from, to, content string) smtp.Reply {
	w.t.Helper()
	here, there := net.Pipe()
	defer here.Close()
	session := &smtp.Session{
		Hostname: w.site.Hostname, Backend: &intake.Intake{Site: w.site, Spool: w.site.Spool()},
		Peer: smtp.Peer{Addr: netip.MustParseAddrPort(outside)}, MaxMessageSize: int64(w.site.MaxMessageSize),
	}
	go func() {
		session.Serve(there)
		there.Close()
	}()
	c := &smtp.Client{Hostname: "client.example"}
	if err := c.Start(here); err != nil {
		w.t.Fatal(err)
	}
	t := smtp.Transaction{To: []smtp.Rcpt{{Path: path(to)}}, Message: strings.NewReader(content)}
	if from != "" {
		t.From = path(from)
	}
	reply := c.Send(&t)[0]
	c.Quit()
	return reply
}

// wantWire is wire whose answer must begin so.
func (w *world) wantWire(reply, from, to, content string) {
	w.t.Helper()
	if got := w.wire(from, to, content).String(); !strings.HasPrefix(got, reply) {
		w.t.Errorf("from %s to %s: %q, want %q", from, to, got, reply)
	}
}

// from is the smallest mail of somebody's.
func from(address string) string { return "From: " + address + "\r\n\r\n" }

// TestForgedFrom: what anybody can write into a mail, its From and its sender,
// moves nobody on or off a list and gives nobody a moderator's or an owner's
// rights. A manager that believes From lets anybody unsubscribe anybody, and post
// to the announcements of a list as its owner.
func TestForgedFrom(t *testing.T) {
	w, l, person := newPeople(t, "moderators=mona@example.org")
	bob, mona, olga := person("bob@example.net"), person("mona@example.org"), person("olga@example.org")

	w.wantWire("250", bob.addr, "dev+unsubscribe@lists.example.org", from(bob.addr))
	w.wantWire("250", bob.addr, "dev+request@lists.example.org", from(bob.addr)+"unsubscribe\r\n")
	w.wantWire("250", "eve@example.com", "dev+unsubscribe-bob=example.net@lists.example.org", from("eve@example.com"))
	w.deliver()
	wantMembers(t, l, bob.addr)
	if got := bob.letters(); len(got) != 1 || !strings.Contains(got[0].Message, "dev+confirm-u") {
		t.Errorf("bob got %d letters, want one question", len(got))
	}

	for _, setting := range []string{"post=moderators", "hold_all=true"} {
		if err := edit.Set(l, []string{"post=members", "hold_all=false", setting}); err != nil {
			t.Fatal(err)
		}
		for _, who := range []*somebody{mona, olga} {
			w.wantWire("250", who.addr, dev, from(who.addr)+"Buy this.\r\n")
			w.deliver()
			if got := bob.letters(); len(got) > 0 {
				t.Errorf("%s: bob got what somebody wrote in the name of %s:\n%s", setting, who.addr, got[0].Message)
			}
		}
	}
	if err := edit.Set(l, []string{"hold_all=false"}); err != nil {
		t.Fatal(err)
	}
	w.wantWire("550 5.7.1 only members may post", "eve@example.com", dev, from("eve@example.com"))
}

// TestProofIsSpent: a confirmation is good for one message. Where it is good for
// as long as it lasts, whoever keeps one has a switch for a member who has come or
// gone meanwhile, and writes to the owners as often as he likes: each time they
// are told that somebody has joined.
func TestProofIsSpent(t *testing.T) {
	w, l, person := newPeople(t)
	alice, olga := person("alice@example.com"), person("olga@example.org")
	ask := func(verb, question string) string {
		t.Helper()
		w.wantWire("250", alice.addr, "dev+"+verb+"@lists.example.org", from(alice.addr))
		w.deliver()
		return reply(alice.letter(question))
	}
	joined := []string{alice.addr, "bob@example.net"}
	left := []string{"bob@example.net"}

	come := ask("subscribe", "Please confirm: subscribe to dev@lists.example.org")
	// Two that came before the first was obeyed, and one that comes after it.
	w.wantWire("250", alice.addr, come, from(alice.addr))
	w.wantWire("250", "eve@example.net", come, from("eve@example.net"))
	w.deliver()
	alice.letter("Welcome to dev@lists.example.org")
	olga.letter("alice@example.com has subscribed to dev@lists.example.org")
	w.wantRefused("550 5.7.1 this confirmation has been used")
	w.wantWire("550 5.7.1 this confirmation has been used", "eve@example.net", come, from("eve@example.net"))
	w.wantWire("550 5.7.1 this confirmation has been used", alice.addr, strings.ToUpper(come), from(alice.addr))
	wantMembers(t, l, joined...)

	go_ := ask("unsubscribe", "Please confirm: unsubscribe from dev@lists.example.org")
	w.wantWire("250", alice.addr, go_, from(alice.addr))
	w.deliver()
	alice.letter("You have unsubscribed from dev@lists.example.org")
	olga.letter("alice@example.com has unsubscribed from dev@lists.example.org")
	w.wantWire("550 5.7.1", "eve@example.net", come, from("eve@example.net"))
	wantMembers(t, l, left...)

	// Who comes again within the hour gets a question that has the same proof.
	come = ask("subscribe", "Please confirm: subscribe to dev@lists.example.org")
	w.wantWire("250", alice.addr, come, from(alice.addr))
	w.deliver()
	alice.letter("Welcome to dev@lists.example.org")
	w.wantWire("550 5.7.1", "eve@example.net", go_, from("eve@example.net"))
	wantMembers(t, l, joined...)

	// What is kept of that goes when the proofs are too old anyway.
	w.later = confirmation.Life + 2*time.Hour
	come = ask("unsubscribe", "Please confirm: unsubscribe from dev@lists.example.org")
	w.message(alice.addr, from(alice.addr), come)
	w.deliver()
	if kept, _ := filepath.Glob(l.Dir + "/decided/*"); len(kept) != 1 {
		t.Errorf("%d records are kept, want one", len(kept))
	}
}

// TestWrongProofs: a key that was made up, is too old, or was made for another
// list, action or person is refused, and changes nothing. mlmmj's keys are the
// names of files, good for whatever list of that name and gone after a week;
// those of a manager that signs less than all of it can be carried over.
func TestWrongProofs(t *testing.T) {
	w, l, person := newPeople(t)
	other := w.list("other", "bob@example.net")
	alice := person("alice@example.com")
	proof := func(l *lists.List, a confirmation.Action, who string, at time.Time) string {
		t.Helper()
		p, err := l.ProofAddress(a, who, at)
		if err != nil {
			t.Fatal(err)
		}
		return p.Address()
	}
	now, old := w.now(), w.now().Add(-confirmation.Life-time.Hour)
	good := proof(l, confirmation.Subscribe, "alice=example.com", now)
	for name, to := range map[string]string{
		"of another list":            strings.Replace(proof(other, confirmation.Subscribe, "alice=example.com", now), "other+", "dev+", 1),
		"at another list":            strings.Replace(good, "dev+", "other+", 1),
		"for another":                strings.Replace(good, "-alice=", "-eve=", 1),
		"for another action":         strings.Replace(good, "+confirm-s", "+confirm-u", 1),
		"for another hour":           strings.Replace(good, "+confirm-s", "+confirm-s0", 1),
		"for ever":                   strings.Replace(good, "+confirm-s", "+confirm-szz", 1),
		"too old":                    proof(l, confirmation.Subscribe, "alice=example.com", old),
		"without its MAC":            "dev+confirm-szzzz--alice=example.com@lists.example.org",
		"of zeroes":                  "dev+confirm-szzzz-0000000000000000-alice=example.com@lists.example.org",
		"of a held post":             proof(l, confirmation.Publish, "alice=example.com", now),
		"of a request":               proof(l, confirmation.Approve, "0123456789ab", now),
		"of a request that is a way": proof(l, confirmation.Approve, "../../../key", now),
		"of a post that is a way":    proof(l, confirmation.Publish, "../list.toml", now),
	} {
		w.wantWire("550 5.7.1", alice.addr, to, from(alice.addr))
		w.message(alice.addr, from(alice.addr), to) // who has got past the session gets no further
		w.deliver()
		if got := alice.letters(); len(got) > 0 {
			t.Errorf("%s: answered with\n%s", name, got[0].Message)
		}
		wantMembers(t, l, "bob@example.net")
		wantMembers(t, other, "bob@example.net")
	}
	w.wantWire("250", alice.addr, good, from(alice.addr))
}

// TestManyRequests: whatever a list asks of those who subscribe, many requests in
// one name make one letter to that person and one to the owners, by whatever
// address they come, and leave nothing behind. Where only the question is
// counted the owners of a list that approves get one letter for each, and
// everybody can be welcomed a thousand times where nobody is asked.
func TestManyRequests(t *testing.T) {
	for mode, owners := range map[string]int{"confirm": 0, "approve": 1, "confirm+approve": 0, "open": 1, "closed": 0} {
		t.Run(mode, func(t *testing.T) {
			w, l, person := newPeople(t, "subscribe="+mode)
			victim, olga := person("ictim@"), person("olga@example.org")
			for i := range 60 { // and nobody obeys them meanwhile
				switch i % 3 {
				case 0:
					w.wire("eve@example.net", "dev+subscribe@lists.example.org", from("Victim@Example.com"))
				case 1:
					w.wantWire("250", "eve@example.net", "dev+request@lists.example.org", "From: \"x\" <\"victim\"@example.com>\r\nSubject: subscribe\r\n\r\n")
				case 2:
					w.wire("eve@example.net", "dev+subscribe-victim=example.com@lists.example.org", from("eve@example.net"))
				}
			}
			w.deliver()
			for range 5 {
				w.wire("eve@example.net", "dev+subscribe@lists.example.org", from("victim@example.com"))
				w.wire("eve@example.net", "dev+request@lists.example.org", "From: victim@example.com\r\nSubject: join\r\n\r\n")
			}
			w.deliver()
			if got := victim.letters(); len(got) != 1 {
				t.Errorf("the victim got %d letters", len(got))
			}
			if got := olga.letters(); len(got) != owners {
				t.Errorf("the owners got %d letters, want %d", len(got), owners)
			}
			w.wantEmpty()
			if files, _ := filepath.Glob(l.Dir + "/asked/*"); len(files) > 3 {
				t.Errorf("%d files remember it: %q", len(files), files)
			}
		})
	}
}

// robots are how programs answer mail by themselves, as their mail looks.
var robots = map[string]struct{ from, header string }{
	"Exchange":            {"", "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\nSubject: Automatic reply: x\r\n"},
	"Exchange, by a rule": {"alice@example.com", "X-Auto-Response-Suppress: DR, OOF, AutoReply\r\nSubject: Automatic reply: x\r\n"},
	"RFC 3834":            {"alice@example.com", "Auto-Submitted: auto-replied (vacation)\r\n"},
	"sieve":               {"", "Auto-Submitted: auto-replied\r\n"},
	"vacation(1)":         {"alice@example.com", "Precedence: junk\r\n"},
	"Gmail":               {"alice@example.com", "Precedence: bulk\r\nX-Autoreply: yes\r\n"},
	"autorespond":         {"alice@example.com", "Delivered-To: Autoresponder\r\n"},
	"cPanel":              {"alice@example.com", "X-Autorespond: x\r\n"},
	"X-Precedence":        {"alice@example.com", "X-Precedence: auto_reply\r\n"},
	"GroupWise":           {"alice@example.com", "X-AutoReply-From: alice@example.com\r\n"},
	"Lotus":               {"alice@example.com", "X-AutoGenerated: Reply\r\n"},
	"Yahoo":               {"alice@example.com", "X-Mail-Autoreply: yes\r\n"},
	"FirstClass":          {"alice@example.com", "X-FC-MachineGenerated: true\r\n"},
	"a responder's name":  {"alice@example.com", "X-Mailer: Autoresponder 1\r\n"},
	"Exchange, its agent": {"alice@example.com", "X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent\r\n"},
	"a delivery report":   {"", "Content-Type: multipart/report; report-type=delivery-status\r\n"},
	"a read receipt":      {"alice@example.com", "Content-Type: multipart/report;\r\n report-type=disposition-notification; boundary=x\r\n"},
}

// TestRobotsAnswer: programs that answer our letters by themselves confirm
// nothing, decide nothing and get no answer, so that nobody becomes a member by
// being away, no post is sent by a moderator's holiday, and no two programs write
// to each other for ever. mlmmj takes any mail to a confirming address for a yes.
func TestRobotsAnswer(t *testing.T) {
	for name, robot := range robots {
		t.Run(name, func(t *testing.T) {
			w, l, person := newPeople(t, "nonmembers=hold", "subscribe=confirm")
			alice, olga := person("alice@example.com"), person("olga@example.org")
			w.wantWire("250", alice.addr, "dev+subscribe@lists.example.org", from(alice.addr))
			w.wantWire("250", "eve@example.net", dev, strangersPost)
			w.deliver()
			letters := []*mail.Message{
				alice.letter("Please confirm: subscribe to dev@lists.example.org"),
				olga.letter("To decide: Hello (dev@lists.example.org)"),
			}
			for _, m := range letters {
				if m.Header.Get("Auto-Submitted") == "" || m.Header.Get("Precedence") != "bulk" || m.Header.Get("X-Auto-Response-Suppress") != "All" {
					t.Errorf("the letter does not say that a program wrote it: %v", m.Header)
				}
				answer := robot.header + "From: alice@example.com\r\nTo: you\r\n\r\nI am away.\r\n"
				for _, to := range []string{reply(m), "dev+subscribe@lists.example.org", "dev+help@lists.example.org", "dev+request@lists.example.org"} {
					if got := w.wire(robot.from, to, answer); got.Code/100 != 5 {
						t.Errorf("it answers to %s: %s", to, got)
					}
				}
				// To the owners it may write, and they do not answer.
				w.wire(robot.from, "dev+owner@lists.example.org", answer)
			}
			w.deliver()
			if got := alice.letters(); len(got) > 0 {
				t.Errorf("it is answered:\n%s", got[0].Message)
			}
			wantMembers(t, l, "bob@example.net")
			if len(w.held(l)) != 1 {
				t.Error("the post is not held any more")
			}
		})
	}
}

// TestHeldInAnothersName: posts in somebody's name, which wait for a moderator or
// for himself until nobody wants them any more, make one letter to him and none
// where they say that a program wrote them. Who tells the author of each sends a
// hundred mails to whoever was named in a hundred.
func TestHeldInAnothersName(t *testing.T) {
	for _, nonmembers := range []string{"hold", "confirm"} {
		w, l, person := newPeople(t, "nonmembers="+nonmembers)
		victim, robot := person("victim@example.com"), person("robot@example.com")
		for i := range quota.MaxHeldHour / 2 {
			post := fmt.Sprintf("From: %s\r\nTo: dev@lists.example.org\r\nSubject: Buy %d\r\n", victim.addr, i)
			w.wantWire("250", "eve@example.net", dev, post+"\r\nx\r\n")
			w.wantWire("250", "eve@example.net", dev, strings.Replace(post, "victim@", "robot@", 1)+"Precedence: bulk\r\n\r\nx\r\n")
		}
		w.deliver()
		asked := len(victim.letters())
		w.later = heldpost.Life + 2*maintainEvery
		w.deliver()
		if got := asked + len(victim.letters()); got != 1 {
			t.Errorf("%s: %d letters to the one who was named", nonmembers, got)
		}
		robot.read = 0
		if got := robot.letters(); len(got) > 0 {
			t.Errorf("%s: a program gets\n%s", nonmembers, got[0].Message)
		}
		if got := w.held(l); len(got) > 0 {
			t.Errorf("%s: %d are still held", nonmembers, len(got))
		}
	}
}

// TestListAsksItself: a list does not become a member of itself, nor write to its
// own commands and owners, because somebody writes in its name. Where everybody is
// let in who asks, such a list sends each post to itself for ever.
func TestListAsksItself(t *testing.T) {
	for _, mode := range []string{"open", "confirm", "approve"} {
		w, l, person := newPeople(t, "subscribe="+mode)
		for _, name := range []string{dev, "DEV@Lists.Example.ORG", "dev+subscribe@lists.example.org", "dev+owner@lists.example.org", "\"dev\"@lists.example.org"} {
			w.wantWire("550 5.7.1", "eve@example.net", "dev+subscribe@lists.example.org", from(name))
			w.wantWire("550 5.7.1", "eve@example.net", "dev+help@lists.example.org", from(name))
			w.wantWire("550 5.7.1", "eve@example.net", "dev+request@lists.example.org", from(name)+"subscribe\r\n")
		}
		w.wantWire("550 5.7.1", "eve@example.net", "dev+subscribe-dev=lists.example.org@lists.example.org", from("eve@example.net"))
		w.deliver()
		if got := person("@").letters(); len(got) > 0 {
			t.Errorf("%s: it writes\n%s", mode, got[0].Message)
		}
		wantMembers(t, l, "bob@example.net")
		w.wantEmpty()
	}
}

// carry does with what the relay has taken what a mail system does: what is for a
// list goes to the list, by a session. It gives what was for people.
func (w *world) carry(f *fakeRelay, done int) (people []delivered, carried, all int) {
	w.t.Helper()
	taken := f.Taken()
	for _, d := range taken[done:] {
		to := path(strings.ToLower(d.To))
		if to.Domain != "lists.example.org" {
			people = append(people, d)
			continue
		}
		carried++
		w.wire(d.From, to.Address(), "Received: from relay.example.org by lists.example.org; Sat, 21 Nov 2026 10:00:00 +0000\r\n"+d.Message)
	}
	return people, carried, len(taken)
}

// TestListsOfLists: lists that are members of each other, of themselves, in a
// ring, or by the addresses of their commands and owners: what is posted to one
// of them goes around once. mlmmj, which looks at no mark of its own, goes on
// until the Received fields are too many, with all members at each turn.
func TestListsOfLists(t *testing.T) {
	for name, test := range map[string]struct {
		lists  map[string][]string
		owners string // of dev
		to     string // "": dev
		want   int    // letters that alice gets
	}{
		"of each other":     {lists: map[string][]string{"dev": {"alice@example.com", "b@lists.example.org"}, "b": {"alice@example.com", "dev@lists.example.org"}}, want: 2},
		"in other letters":  {lists: map[string][]string{"dev": {"alice@example.com", "B@Lists.Example.ORG"}, "b": {"alice@example.com", "\"DEV\"@lists.example.org"}}, want: 2},
		"of itself":         {lists: map[string][]string{"dev": {"alice@example.com", "dev@lists.example.org"}}, want: 1},
		"in a ring":         {lists: map[string][]string{"dev": {"b@lists.example.org"}, "b": {"c@lists.example.org"}, "c": {"alice@example.com", "dev@lists.example.org"}}, want: 1},
		"by commands":       {lists: map[string][]string{"dev": {"alice@example.com", "dev+help@lists.example.org", "dev+subscribe@lists.example.org", "dev+request@lists.example.org", "dev+unsubscribe-alice=example.com@lists.example.org"}}, want: 1},
		"by owners":         {lists: map[string][]string{"dev": {"alice@example.com", "dev+owner@lists.example.org"}}, owners: "dev+owner@lists.example.org", want: 1},
		"owner of itself":   {lists: map[string][]string{"dev": {"alice@example.com"}}, owners: "dev@lists.example.org", to: "dev+owner@lists.example.org", want: 1},
		"owner of a member": {lists: map[string][]string{"dev": {"alice@example.com"}, "b": {"dev+owner@lists.example.org"}}, owners: "b@lists.example.org", to: "dev+owner@lists.example.org", want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeRelay{Extensions: "PIPELINING"}
			w := newWorld(t, f.Start(t), "")
			for list, members := range test.lists {
				l := w.list(list, members...)
				if list == "dev" && test.owners != "" {
					// By hand: list set refuses a list that is its own owner.
					text, err := os.ReadFile(l.ConfigFile())
					if err != nil {
						t.Fatal(err)
					}
					text = regexp.MustCompile(`(?m)^owners = .*`).ReplaceAll(text, []byte("owners = [\""+test.owners+"\"]"))
					if err := os.WriteFile(l.ConfigFile(), text, 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			to := test.to
			if to == "" {
				to = dev
			}
			w.wantWire("250", "alice@example.com", to, "From: alice@example.com\r\nSubject: round and round\r\nMessage-ID: <1@example.com>\r\n\r\nx\r\n")
			var got []delivered
			done, carried := 0, 1
			for rounds := 0; carried > 0; rounds++ {
				if rounds > 5 {
					t.Fatalf("it goes on and on: %d messages so far", done)
				}
				w.deliver()
				var people []delivered
				people, carried, done = w.carry(f, done)
				got = append(got, people...)
			}
			n := 0
			for _, d := range got {
				if d.To == "alice@example.com" {
					n++
				}
			}
			if n != test.want {
				t.Errorf("alice got %d, want %d; log:\n%s", n, test.want, &w.log)
			}
			w.want(queue.Inbound)
			w.want(queue.Outbound)
		})
	}
}

// TestDigestsOfDigests: lists that get each other's digests, or their own. Where
// only posts are marked such a list gets a digest in which its own last one is,
// each day a larger one.
func TestDigestsOfDigests(t *testing.T) {
	for name, test := range map[string]struct {
		lists map[string][]string
		want  int // letters that alice gets: the post, and digests in which it is
	}{
		"of each other":             {map[string][]string{"dev": {"alice@example.com", "b@lists.example.org digest"}, "b": {"alice@example.com digest", "dev@lists.example.org digest"}}, 2},
		"one of them, of posts":     {map[string][]string{"dev": {"alice@example.com", "b@lists.example.org digest"}, "b": {"alice@example.com", "dev@lists.example.org"}}, 2},
		"of itself":                 {map[string][]string{"dev": {"alice@example.com", "dev@lists.example.org digest"}}, 1},
		"in a ring":                 {map[string][]string{"dev": {"b@lists.example.org digest"}, "b": {"c@lists.example.org digest"}, "c": {"alice@example.com", "dev@lists.example.org digest"}}, 1},
		"in a ring, one with posts": {map[string][]string{"dev": {"b@lists.example.org digest"}, "b": {"c@lists.example.org"}, "c": {"alice@example.com", "dev@lists.example.org digest"}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakeRelay{Extensions: "PIPELINING"}
			w := newWorld(t, f.Start(t), "")
			for list, members := range test.lists {
				w.list(list, members...)
			}
			w.wantWire("250", "alice@example.com", dev, "From: alice@example.com\r\nSubject: round and round\r\nMessage-ID: <1@example.com>\r\n\r\nx\r\n")
			got, done := 0, 0
			for day := range 12 {
				carried := 1
				for rounds := 0; carried > 0; rounds++ {
					if rounds > 5 {
						t.Fatal("it goes on and on in a day")
					}
					w.deliver()
					var people []delivered
					people, carried, done = w.carry(f, done)
					got += len(people)
					if carried > 0 && day > len(test.lists)+1 {
						t.Fatalf("on day %d it still goes around, log:\n%s", day, &w.log)
					}
				}
				w.later += 24*time.Hour + time.Minute
			}
			if got != test.want {
				t.Errorf("alice got %d, want %d", got, test.want)
			}
			w.want(queue.Inbound)
			w.want(queue.Outbound)
		})
	}
}

// injections are what somebody may try to write into a header of ours: by a line
// end, by one that a decoder makes of it, by one of our own words, or by what
// turns the writing around.
var injections = []string{
	"x\r\nBcc: victim@example.com",
	"x\nBcc: victim@example.com",
	"x\rBcc: victim@example.com",
	"x\x00y",
	"{confirm} {owner} {list}",
	"x\u2028Bcc: victim@example.com",
	"x\u202e.gro.live@kcilc",
	"x\u0085Bcc: victim@example.com",
	strings.Repeat("long ", 400),
	strings.Repeat("long", 500),
	strings.Repeat("ü", 600),
	"=?utf-8?q?x=0D=0ABcc:_victim@example.com?=",
	"x\"> <script>",
}

// TestInjection: neither the name of somebody, nor the Subject or Message-ID of a
// post, nor what a list says of itself, brings a field, a line, a word of ours or
// a recipient into a letter or into the header of a post. Who builds headers with
// Sprintf from what came in has a Bcc in his letters.
func TestInjection(t *testing.T) {
	known := []string{"From", "To", "Reply-To", "Subject", "Date", "Message-Id", "In-Reply-To", "Auto-Submitted", "X-Auto-Response-Suppress",
		"Precedence", "List-Id", "Content-Language", "Mime-Version", "Content-Type", "Content-Transfer-Encoding"}
	for i, evil := range injections {
		w, l, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org")
		// What is not a line on the wire goes past the session by a crash of ours.
		word := strings.NewReplacer("\r", "\r ", "\n", "\n ", "\x00", "?").Replace(evil)
		encoded := "=?utf-8?b?" + base64Of(evil) + "?="
		for k, spelt := range []string{word, encoded} {
			spelt, name := strings.ReplaceAll(spelt, `"`, ``), strings.NewReplacer(`"`, ``, "@", " at ").Replace(word)
			if k > 0 {
				name = "=?utf-8?b?" + base64Of(strings.ReplaceAll(evil, "@", " at ")) + "?=" // another's address there is refused
			}
			post := fmt.Sprintf("From: \"%s\" <eve@example.net>\r\nSubject: %[2]s\r\nMessage-ID: <%[2]s@x>\r\n\r\nx\r\n", name, spelt)
			w.message("eve@example.net", post, dev)
			w.message(fmt.Sprintf("eve%d@example.net", k), strings.Replace(post, "eve@", fmt.Sprintf("eve%d@", k), 1), "dev+subscribe@lists.example.org")
		}
		w.deliver()
		letters := person("@").letters()
		if len(letters) < 3 {
			t.Errorf("%d: only %d letters", i, len(letters))
		}
		for _, d := range letters {
			m, err := mail.ReadMessage(strings.NewReader(d.Message))
			if err != nil {
				t.Fatalf("%d: %v\n%s", i, err, d.Message)
			}
			if strings.Contains(d.To, "victim") {
				t.Errorf("%d: %s got a letter", i, d.To)
			}
			for name, values := range m.Header {
				if !slices.Contains(known, name) || len(values) != 1 {
					t.Errorf("%d: the letter has %d %s: %q", i, len(values), name, values)
				}
				if strings.ContainsAny(values[0], "\x00\r\n\u2028\u202e\u0085") {
					t.Errorf("%d: %s: %q", i, name, values[0])
				}
			}
			subject, err := decode(m.Header.Get("Subject"))
			if err != nil || strings.ContainsAny(subject, "\x00\r\n\u2028\u202e\u0085") || strings.Contains(subject, "owner@") {
				t.Errorf("%d: the subject is %q, %v", i, subject, err)
			}
			ours, _, _ := strings.Cut(d.Message, "Content-Type: message/") // what is attached stays as it is
			for line := range strings.SplitSeq(ours, "\r\n") {
				if len(line) > 998 || strings.ContainsAny(line, "\r\n\x00") {
					t.Errorf("%d: a line of %d bytes: %q", i, len(line), line)
				}
			}
		}

		// A list's own words, from whoever may set them.
		err := edit.Set(l, []string{"description=" + evil})
		if strings.ContainsAny(evil, "\r\n\x00") || len([]rune(evil)) > 500 {
			if err == nil {
				t.Errorf("%d: the description is taken: %q", i, evil)
			}
		} else if err != nil {
			t.Errorf("%d: %v", i, err)
		}
		if _, ok := members.Parse("zoe@example.com name=" + evil); ok && strings.ContainsAny(evil, "\r\n\x00") {
			t.Errorf("%d: a member has the name %q", i, evil)
		}
		if err := os.WriteFile(l.Dir+"/members", []byte("bob@example.net name="+evil+"\n"), 0o600); err != nil { // an editor may write anything
			t.Fatal(err)
		}
		bob := person("bob@example.net")
		bob.letters()
		w.message("bob@example.net", "From: bob@example.net\r\nSubject: x\r\n\r\nx\r\n", dev)
		w.deliver()
		for _, d := range bob.letters() {
			m, err := mail.ReadMessage(strings.NewReader(d.Message))
			if err != nil || m.Header.Get("Bcc") != "" || len(m.Header["List-Id"]) != 1 {
				t.Errorf("%d: %v\n%s", i, err, d.Message)
			}
		}
		for line := range strings.Lines(w.log.String()) {
			if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(c rune) bool { return c < ' ' || c == 0x7f || c == '\u2028' || c == '\u202e' || c == '\u0085' }) || strings.HasPrefix(line, "Bcc") {
				t.Errorf("%d: the log has %q", i, line)
			}
		}
	}
}

func base64Of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func decode(s string) (string, error) { return new(mime.WordDecoder).DecodeHeader(s) }
