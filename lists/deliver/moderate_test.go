package deliver

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/heldpost"
	"superlist/lists/moderation"
	"superlist/queue"
	"superlist/queue/disk"
	"superlist/smtp"
)

// held names what the list holds: the reason of each post.
func (w *world) held(l *lists.List) (why []string) {
	w.t.Helper()
	spool := heldpost.Spool(w.site, l)
	entries, err := spool.List(queue.Held)
	if err != nil && !os.IsNotExist(err) {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		m, err := spool.Open(queue.Held, e.ID)
		if err != nil {
			w.t.Fatal(err)
		}
		why = append(why, m.Why)
		m.Close()
	}
	return why
}

// addressOf finds an address with this action in a letter.
func addressOf(t *testing.T, text string, a confirmation.Action) string {
	t.Helper()
	address := regexp.MustCompile(`dev\+confirm-` + string(rune(a)) + `[0-9a-z]+-[0-9a-v]+-[0-9a-f]+@lists\.example\.org`).FindString(text)
	if address == "" {
		t.Fatalf("no address for %c in\n%s", a, text)
	}
	return address
}

const strangersPost = "From: Eve <eve@example.net>\r\nTo: dev@lists.example.org\r\nSubject: Hello\r\nMessage-ID: <p@x>\r\n\r\nThe  body.\r\n"

// TestHold: what is held goes to the moderators, and the first of them decides.
func TestHold(t *testing.T) {
	for name, test := range map[string]struct {
		action confirmation.Action
		then   func(t *testing.T, w *world, l *lists.List, bob, eve *somebody)
	}{
		"publish": {confirmation.Publish, func(t *testing.T, w *world, l *lists.List, bob, eve *somebody) {
			got := bob.letters()
			if len(got) != 1 || !strings.HasSuffix(got[0].Message, strangersPost) {
				t.Errorf("bob got %+v", got)
			}
		}},
		"allow": {confirmation.AllowAlways, func(t *testing.T, w *world, l *lists.List, bob, eve *somebody) {
			if got := bob.letters(); len(got) != 1 {
				t.Errorf("bob got %+v", got)
			}
			w.message(eve.addr, strangersPost, "dev@lists.example.org")
			w.deliver()
			if got := bob.letters(); len(got) != 1 {
				t.Errorf("the next time bob got %+v", got)
			}
		}},
		"send back": {confirmation.SendBack, func(t *testing.T, w *world, l *lists.List, bob, eve *somebody) {
			if got := bob.letters(); len(got) != 0 {
				t.Errorf("bob got %+v", got)
			}
			eve.read = 0
			m := eve.letter("Your post to dev@lists.example.org was rejected")
			if text := readAll(t, m); !strings.Contains(text, "    because I say so") || strings.Contains(text, "The  body") {
				t.Errorf("eve reads\n%s", text)
			}
		}},
		"drop": {confirmation.Drop, func(t *testing.T, w *world, l *lists.List, bob, eve *somebody) {
			if got := append(bob.letters(), eve.letters()...); len(got) != 0 {
				t.Errorf("they got %+v", got)
			}
		}},
		"ban": {confirmation.BanAuthor, func(t *testing.T, w *world, l *lists.List, bob, eve *somebody) {
			w.message(eve.addr, strangersPost, "dev@lists.example.org")
			w.deliver()
			if got := append(bob.letters(), eve.letters()...); len(got) != 0 {
				t.Errorf("they got %+v", got)
			}
			w.want(queue.Failed, "550 5.7.1 eve@example.net may not post to dev@lists.example.org")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w, l, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org,max@example.org")
			eve, bob, mona, max := person("eve@example.net"), person("bob@example.net"), person("mona@example.org"), person("max@example.org")
			w.message(eve.addr, strangersPost, "dev@lists.example.org")
			w.deliver()
			if got := w.held(l); len(got) != 1 || got[0] != "hold: eve@example.net is not a member" {
				t.Errorf("held: %q", got)
			}
			letter := mona.letter("To decide: Hello (dev@lists.example.org)")
			text := readAll(t, letter)
			if !strings.Contains(text, "Content-Type: message/rfc822\r\n") || !strings.Contains(text, strangersPost) {
				t.Errorf("the post is not in\n%s", text)
			}
			eve.letters()
			bob.letters()
			mona.says(addressOf(t, text, test.action), "because I say so\r\n\r\nOn Monday Eve wrote:\r\n> The  body.\r\n-- \r\nMona")
			if got := w.held(l); len(got) != 0 {
				t.Errorf("still held: %q", got)
			}
			max.says(addressOf(t, text, confirmation.Drop), "no")
			w.wantRefused("550 5.7.1 you come second: mona@example.org has ")
			os.RemoveAll(w.site.QueueDir + "/failed")
			os.Mkdir(w.site.QueueDir+"/failed", 0o700)
			test.then(t, w, l, bob, eve)
		})
	}
}

// TestFilterHolds: what a mail filter wants a person to look at goes to the
// moderators, unless the list refuses it or throws it away.
func TestFilterHolds(t *testing.T) {
	const says = "the mail filter unix:/f says: odd"
	for name, test := range map[string]struct {
		settings string
		held     string // why; empty: it is not held
		failed   string
	}{
		"taken":     {settings: "allow=eve@example.net", held: "hold: " + says},
		"held":      {settings: "nonmembers=hold", held: "hold: " + says + "; eve@example.net is not a member"},
		"asked":     {settings: "nonmembers=confirm", held: "hold: " + says + "; eve@example.net is not a member"},
		"discarded": {settings: "nonmembers=discard"},
		"refused":   {settings: "nonmembers=reject", failed: "550 5.7.1 only members may post"},
	} {
		t.Run(name, func(t *testing.T) {
			w, l, person := newPeople(t, test.settings, "moderators=mona@example.org")
			eve, bob, mona := person("eve@example.net"), person("bob@example.net"), person("mona@example.org")
			w.inbound(queue.Head{Hold: says}, eve.addr, strangersPost, "dev@lists.example.org")
			w.deliver()
			if got := append(bob.letters(), eve.letters()...); len(got) != 0 {
				t.Errorf("they got %+v", got)
			}
			if got := strings.Join(w.held(l), "\n"); got != test.held {
				t.Fatalf("held: %q, want %q", got, test.held)
			}
			if test.failed != "" {
				w.want(queue.Failed, test.failed)
			}
			if test.held == "" {
				if got := mona.letters(); len(got) != 0 {
					t.Errorf("mona got %+v", got)
				}
				return
			}
			text := readAll(t, mona.letter("To decide: Hello (dev@lists.example.org)"))
			if !strings.Contains(text, says) {
				t.Errorf("no reason in\n%s", text)
			}
			mona.says(addressOf(t, text, confirmation.Publish), "")
			if got := bob.letters(); len(got) != 1 || !strings.HasSuffix(got[0].Message, strangersPost) {
				t.Errorf("bob got %+v", got)
			}
		})
	}
}

// TestHoldAsItCame: what a post asks of its way the letter with it asks too, and
// what its header is made of the letter says.
func TestHoldAsItCame(t *testing.T) {
	beyond := strings.Replace(strangersPost, "Subject: ", "X-Name: é\r\nSubject: ", 1)
	for name, test := range map[string]struct {
		head       queue.Head
		post, kind string
		failed     string // of the letter
	}{
		"plain":                  {queue.Head{}, strangersPost, "message/rfc822", ""},
		"needless UTF8":          {queue.Head{UTF8: true}, strangersPost, "message/rfc822", ""},
		"UTF8":                   {queue.Head{UTF8: true}, beyond, "message/global", ""},
		"UTF8, and not said":     {queue.Head{}, beyond, "message/global", ""},
		"Latin 1":                {queue.Head{}, strings.Replace(beyond, "é", "\xe9", 1), "message/rfc822", ""},
		"no last line end":       {queue.Head{Body: smtp.BinaryMIME}, strings.TrimSuffix(strangersPost, "\r\n"), "message/rfc822", ""},
		"TLS, and there is none": {queue.Head{RequireTLS: true}, strangersPost, "", "550 5.7.30"},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org")
			mona := person("mona@example.org")
			w.inbound(test.head, "eve@example.net", test.post, "dev@lists.example.org")
			w.deliver()
			if test.failed != "" {
				w.want(queue.Failed, test.failed)
				if got := mona.letters(); len(got) != 0 {
					t.Errorf("mona got %+v", got)
				}
				return
			}
			text := readAll(t, mona.letter("To decide: Hello (dev@lists.example.org)"))
			if !strings.Contains(text, "Content-Type: "+test.kind+"\r\n") || !strings.Contains(text, test.post) {
				t.Errorf("the post is not in\n%s", text)
			}
		})
	}
}

// TestLongWhy: a reason that is too long for its line is cut.
func TestLongWhy(t *testing.T) {
	w, l, person := newPeople(t)
	if err := os.WriteFile(l.Dir+"/rules", []byte("hold Subject: "+strings.Repeat("*", 4000)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.message(person("eve@example.net").addr, strangersPost, "dev@lists.example.org")
	w.deliver()
	if got := w.held(l); len(got) != 1 || len(got[0]) != len("hold: ")+moderation.MaxWhy {
		t.Errorf("held: %d bytes", len(strings.Join(got, "")))
	}
}

// TestConfirmPost: the author is asked whether a post is his.
func TestConfirmPost(t *testing.T) {
	w, l, person := newPeople(t, "nonmembers=confirm")
	eve, bob := person("eve@example.net"), person("bob@example.net")
	w.message(eve.addr, strangersPost, "dev@lists.example.org")
	w.deliver()
	ask := eve.letter("Is this from you? A post to dev@lists.example.org")
	if text := readAll(t, ask); strings.Contains(text, "Hello\r\n\r\nThe") || strings.Contains(text, "The  body") {
		t.Errorf("the letter quotes the post:\n%s", text)
	}
	eve.says(reply(ask), "yes")
	if got := bob.letters(); len(got) != 1 || !strings.HasSuffix(got[0].Message, strangersPost) {
		t.Errorf("bob got %+v", got)
	}
	if got := w.held(l); len(got) != 0 {
		t.Errorf("still held: %q", got)
	}
	eve.says(reply(ask), "yes, really")
	if got := bob.letters(); len(got) != 0 {
		t.Errorf("bob got it twice: %+v", got)
	}
	w.wantRefused("550 5.7.1 you come second: eve@example.net has confirmed it")
}

// TestModeratorForged: the name of a moderator in From is not a privilege; he is
// asked, and his answer is one.
func TestModeratorForged(t *testing.T) {
	w, _, person := newPeople(t, "post=moderators", "moderators=mona@example.org")
	mona, bob := person("mona@example.org"), person("bob@example.net")
	post := strings.Replace(strangersPost, "eve@example.net", "mona@example.org", 1)
	w.message("mona@example.org", post, "dev@lists.example.org")
	w.deliver()
	if got := bob.letters(); len(got) != 0 {
		t.Errorf("bob got %+v", got)
	}
	mona.says(reply(mona.letter("Is this from you? A post to dev@lists.example.org")), "yes")
	if got := bob.letters(); len(got) != 1 {
		t.Errorf("bob got %+v", got)
	}
}

// TestExpire: a post for which nobody decides goes back to its author after a
// week; one that nobody has owned up to just goes.
func TestExpire(t *testing.T) {
	for nonmembers, told := range map[string]bool{"hold": true, "confirm": false} {
		w, l, person := newPeople(t, "nonmembers="+nonmembers)
		eve := person("eve@example.net")
		w.message(eve.addr, strangersPost, "dev@lists.example.org")
		w.deliver()
		eve.letters()
		w.later = heldpost.Life - time.Minute
		w.deliver()
		if len(w.held(l)) != 1 {
			t.Errorf("%s: gone too early", nonmembers)
		}
		w.later = heldpost.Life + maintainEvery
		w.deliver()
		if len(w.held(l)) != 0 {
			t.Errorf("%s: not gone", nonmembers)
		}
		if told {
			eve.letter("Nobody decided on your post to dev@lists.example.org")
		} else if got := eve.letters(); len(got) > 0 {
			t.Errorf("%s: eve got %+v", nonmembers, got)
		}
	}
}

// TestExpireBusy: a post that another run works on this moment is left to it, or
// its author would hear of it twice.
func TestExpireBusy(t *testing.T) {
	w, l, person := newPeople(t, "nonmembers=hold")
	eve := person("eve@example.net")
	w.message(eve.addr, strangersPost, "dev@lists.example.org")
	w.deliver()
	spool := heldpost.Spool(w.site, l)
	entries, err := spool.List(queue.Held)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	other, err := spool.Open(queue.Held, entries[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Lock(); err != nil {
		t.Fatal(err)
	}
	w.later = heldpost.Life + maintainEvery
	w.deliver()
	if got := eve.letters(); len(got) > 0 || len(w.held(l)) != 1 {
		t.Errorf("it was taken from under the other: %+v", got)
	}
	other.Close()
	w.later += maintainEvery + time.Minute
	w.deliver()
	eve.letter("Nobody decided on your post to dev@lists.example.org")
}

// TestMemberWords: nocopy, noown, vacation and for are kept, and change nothing
// in the message.
func TestMemberWords(t *testing.T) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP"}
	w := newWorld(t, f.Start(t), "")
	w.list("dev", "alice@example.com noown", "carol@example.com nocopy", "dora@example.com nocopy",
		"erik@example.com vacation=2999-01-01", "fred@example.com vacation=2020-01-01", "al@example.com for=alice@example.com")
	post := "From: Alice <alice@example.com>\r\nTo: dev@lists.example.org\r\nCc: \"C, a\" <Carol@example.com>\r\n\r\nx\r\n"
	w.message("alice@example.com", post, "dev@lists.example.org")
	w.deliver()
	w.wantTaken(f, "dora@example.com", "fred@example.com")
	for _, d := range f.Taken() {
		if !strings.HasSuffix(d.Message, post) {
			t.Errorf("the post was changed:\n%s", d.Message)
		}
	}
	// The other address posts like the member it belongs to.
	w.message("al@example.com", strings.Replace(post, "alice@", "al@", 1), "dev@lists.example.org")
	w.deliver()
	w.wantTaken(f, "dora@example.com", "fred@example.com", "dora@example.com", "fred@example.com")
	w.wantEmpty()
}

// TestModeratorsTalk: each moderator gets a letter alone, with addresses of their own,
// and a yes that goes to the others too is talk.
func TestModeratorsTalk(t *testing.T) {
	w, l, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org,max@example.org", "subscribe=approve", "owners=olga@example.org,otto@example.org")
	eve, bob, mona, max := person("eve@example.net"), person("bob@example.net"), person("mona@example.org"), person("max@example.org")
	w.message(eve.addr, strangersPost, "dev@lists.example.org")
	w.deliver()
	first, second := mona.letter("To decide: Hello (dev@lists.example.org)"), max.letter("To decide: Hello (dev@lists.example.org)")
	if got := first.Header.Get("To") + second.Header.Get("To"); got != "<mona@example.org><max@example.org>" {
		t.Errorf("To is %s", got)
	}
	yes, other := reply(first), reply(second)
	if yes == other {
		t.Errorf("both answer to %s", yes)
	}
	answer := func(from, field string) string {
		return "From: " + from + "\r\n" + field + "\r\nSubject: Re: To decide\r\n\r\nNo! What do you think?\r\n"
	}
	for _, field := range []string{
		"To: <" + yes + ">, max@example.org", "To: <" + yes + ">\r\nCc: Max <MAX@example.org>", "To: otto@example.org\r\nCc: <" + yes + ">",
		"To: <" + yes + ">\r\nCc: dev@lists.example.org", "To: <" + yes + ">, dev+owner@lists.example.org",
	} {
		w.wantWire("550 5.7.1 this answer also goes to ", mona.addr, yes, answer(mona.addr, field))
	}
	w.deliver()
	if got := bob.letters(); len(got) != 0 || len(w.held(l)) != 1 {
		t.Fatalf("bob got %+v, held %q", got, w.held(l))
	}
	w.wantWire("250", "mona@home.example", yes, answer("mona@home.example", "To: <"+yes+">, mona@example.org, a friend <f@example.net>"))
	w.deliver()
	if got := bob.letters(); len(got) != 1 {
		t.Errorf("bob got %+v", got)
	}
	w.wantWire("550 5.7.1 you come second: mona@example.org has sent it to the list", max.addr, other, answer(max.addr, "To: <"+other+">"))

	olga, otto := person("olga@example.org"), person("otto@example.org")
	olga.letters()
	otto.letters()
	eve.says("dev+subscribe@lists.example.org", "")
	ask := reply(olga.letter("eve@example.net would like to join dev@lists.example.org"))
	if ask == reply(otto.letter("eve@example.net would like to join dev@lists.example.org")) {
		t.Errorf("both owners answer to %s", ask)
	}
	w.wantWire("550 5.7.1 this answer also goes to otto@example.org", olga.addr, ask, answer(olga.addr, "To: <"+ask+">\r\nCc: otto@example.org"))
	wantMembers(t, l, "bob@example.net")
	olga.says(ask, "yes")
	wantMembers(t, l, "bob@example.net", "eve@example.net")
}

// TestModeratorsCrash: however often a run has died before the last letter was there,
// each moderator gets one.
func TestModeratorsCrash(t *testing.T) {
	w, _, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org,max@example.org,mia@example.org")
	w.message("eve@example.net", strangersPost, "dev@lists.example.org")
	for n := 1; n <= 3; n++ {
		r := w.runner()
		commits := 0
		r.Spool.Disk = &disk.Disk{Fault: func(call, path string) error {
			if call == "rename" && strings.Contains(path, "outbound") {
				if commits++; commits == 2 && n < 3 {
					return os.ErrDeadlineExceeded
				}
			}
			return nil
		}}
		r.Run(t.Context())
		if n < 3 && commits != 2 { // one more is there each time
			t.Errorf("run %d tried %d commits, want 2", n, commits)
		}
		for _, who := range []string{"mona@example.org", "max@example.org", "mia@example.org"} {
			someone := person(who)
			if got := someone.letters(); n < 3 && len(got) != 0 {
				t.Errorf("before all are there %s got %+v", who, got)
			}
		}
		w.later += 6 * time.Hour
	}
	w.deliver()
	for _, who := range []string{"mona@example.org", "max@example.org", "mia@example.org"} {
		someone := person(who)
		if got := someone.letters(); len(got) != 1 {
			t.Errorf("%s got %d letters", who, len(got))
		}
	}
}

// TestTellAuthor: with tell_author a member whose post waits hears so once a day, and
// whoever logged in; a stranger in whose name anybody can write does not, nor a
// program, nor anybody where the list does not wish it.
func TestTellAuthor(t *testing.T) {
	const subject = "Your post to dev@lists.example.org waits for a moderator"
	post := func(from, more string) string {
		return "From: " + from + "\r\nTo: dev@lists.example.org\r\nSubject: =?koi8-r?B?8NLJ18XU?=\r\nMessage-ID: <p@x>\r\n" + more + "\r\nhi\r\n"
	}
	for name, test := range map[string]struct {
		settings     string
		from, header string
		proved       []smtp.Path
		told         bool
	}{
		"a member":                {"tell_author=true", "bob@example.net", "", nil, true},
		"not wished":              {"tell_author=false", "bob@example.net", "", nil, false},
		"a stranger":              {"tell_author=true", "eve@example.net", "", nil, false},
		"a stranger who is known": {"tell_author=true", "eve@example.net", "Authentication-Results: mx.example.org; dmarc=pass header.from=example.net\r\n", nil, false},
		"a program":               {"tell_author=true", "bob@example.net", "Auto-Submitted: auto-generated\r\n", nil, false},
		"a stranger, logged in":   {"tell_author=true", "eve@example.net", "", []smtp.Path{{Local: "eve", Domain: "example.net"}}, true},
		"several authors":         {"tell_author=true", "bob@example.net, eve@example.net", "", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			w, l, person := newPeople(t, "moderated=true", "nonmembers=hold", "moderators=mona@example.org", test.settings)
			w.site.XClient = test.proved != nil
			who := person(strings.Split(test.from, ",")[0])
			for range 2 {
				w.inbound(queue.Head{Proved: test.proved}, who.addr, post(test.from, test.header), "dev@lists.example.org")
				w.deliver()
			}
			if len(w.held(l)) != 2 {
				t.Fatalf("held: %q", w.held(l))
			}
			if !test.told {
				if got := who.letters(); len(got) != 0 {
					t.Errorf("%s got %+v", who.addr, got)
				}
				return
			}
			if text := readAll(t, who.letter(subject)); !strings.Contains(text, "=D0=9F=D1=80=D0=B8=D0=B2=D0=B5=D1=82") { // once, for two posts
				t.Errorf("it says\n%s", text)
			}
			w.later += 25 * time.Hour
			w.inbound(queue.Head{Proved: test.proved}, who.addr, post(test.from, ""), "dev@lists.example.org")
			w.deliver()
			who.letter(subject)
		})
	}
	t.Run("a stranger who has said that it is theirs", func(t *testing.T) {
		w, _, person := newPeople(t, "moderated=true", "nonmembers=confirm", "moderators=mona@example.org", "tell_author=true")
		eve := person("eve@example.net")
		w.message(eve.addr, post(eve.addr, ""), "dev@lists.example.org")
		w.deliver()
		questions := eve.letters()
		if len(questions) != 1 {
			t.Fatalf("eve got %+v", questions)
		}
		eve.says(addressOf(t, questions[0].Message, confirmation.OwnPost), "yes")
		eve.letter(subject)
	})
}
