package deliver

import (
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/mail"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/quota"
	"superlist/queue/disk"
)

// somebody writes to the list and reads what it answers.
type somebody struct {
	w    *world
	f    *fakeRelay
	addr string
	read int // letters that have been read, of all
}

// says sends a line as mail from this person, by an envelope of the same.
func (p *somebody) says(to, text string) {
	p.w.t.Helper()
	subject, _, _ := strings.Cut(text, "\r\n")
	p.w.message(p.addr, fmt.Sprintf("From: <%s>\r\nMessage-ID: <q@client>\r\nSubject: %s\r\n\r\n%s\r\n", p.addr, subject, text), to)
	p.w.deliver()
}

// letters are those that have come since the last look, for this person.
func (p *somebody) letters() (got []delivered) {
	p.w.t.Helper()
	all := p.f.Taken()
	for _, d := range all[p.read:] {
		if strings.Contains(d.To, p.addr) {
			got = append(got, d)
		}
	}
	p.read = len(all)
	return got
}

// letter is the one letter that has come since the last look.
func (p *somebody) letter(subject string) *mail.Message {
	p.w.t.Helper()
	got := p.letters()
	if len(got) != 1 {
		p.w.t.Fatalf("%s got %d letters, want one; log:\n%s", p.addr, len(got), &p.w.log)
	}
	m, err := mail.ReadMessage(strings.NewReader(got[0].Message))
	if err != nil {
		p.w.t.Fatal(err)
	}
	// Nothing that comes there is answered, and nobody else can write there of them.
	if d, err := lists.Of(p.w.site).ResolveAt(path(got[0].From), p.w.now()); err != nil || d.Purpose != lists.Bounce || d.Member.Key() != path(p.addr).Key() {
		p.w.t.Errorf("the letter has the return path %s: %+v, %v", got[0].From, d, err)
	}
	if s, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); s != subject {
		p.w.t.Errorf("the letter is %q, want %q", s, subject)
	}
	return m
}

// reply is where an answer to a letter goes.
func reply(m *mail.Message) string { return strings.Trim(m.Header.Get("Reply-To"), "<>") }

func newPeople(t *testing.T, settings ...string) (w *world, l *lists.List, person func(string) *somebody) {
	f := &fakeRelay{Extensions: "PIPELINING XVERP"}
	w = newWorld(t, f.Start(t), "")
	l = w.list("dev", "bob@example.net")
	if err := edit.Set(l, append([]string{"post=members"}, settings...)); err != nil {
		t.Fatal(err)
	}
	if l, err := lists.Of(w.site).Open(l.Addr); err != nil || l.Post == lists.PostAnyone {
		t.Fatalf("%+v, %v", l, err)
	}
	return w, l, func(addr string) *somebody { return &somebody{w: w, f: f, addr: addr} }
}

// wantMembers holds the members file.
func wantMembers(t *testing.T, l *lists.List, want ...string) {
	t.Helper()
	text, err := os.ReadFile(l.Dir + "/members")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Split(strings.TrimSpace(string(text)), "\n"); !slices.Equal(got, want) {
		t.Errorf("the members are %q, want %q", got, want)
	}
}

// TestSubscribe is the life of a member: asks, is asked, answers, leaves.
func TestSubscribe(t *testing.T) {
	w, l, person := newPeople(t)
	alice, olga := person("alice@example.com"), person("olga@example.org")

	alice.says("dev+subscribe@lists.example.org", "hello")
	wantMembers(t, l, "bob@example.net")
	ask := alice.letter("Please confirm: subscribe to dev@lists.example.org")
	if got := ask.Header.Get("Auto-Submitted"); got != "auto-replied" {
		t.Errorf("Auto-Submitted is %q", got)
	}
	if got := ask.Header.Get("In-Reply-To"); got != "<q@client>" {
		t.Errorf("In-Reply-To is %q", got)
	}
	if got := reply(ask); !regexp.MustCompile(`^dev\+confirm-s[0-9a-z]+-[0-9a-v]{16}-alice=example\.com@lists\.example\.org$`).MatchString(got) {
		t.Errorf("an answer would go to %s", got)
	}

	alice.says(reply(ask), "yes")
	alice.letter("Welcome to dev@lists.example.org")
	olga.letter("alice@example.com has subscribed to dev@lists.example.org")
	wantMembers(t, l, "alice@example.com", "bob@example.net")

	alice.says("dev+leave@lists.example.org", "bye")
	wantMembers(t, l, "alice@example.com", "bob@example.net")
	ask = alice.letter("Please confirm: unsubscribe from dev@lists.example.org")
	alice.says(reply(ask), "yes")
	alice.letter("You have unsubscribed from dev@lists.example.org")
	olga.letter("alice@example.com has unsubscribed from dev@lists.example.org")
	wantMembers(t, l, "bob@example.net")
	w.wantEmpty()
}

// TestLanguage: a member reads letters in his own language, also the last one; who
// is none, and the owners, in the list's.
func TestLanguage(t *testing.T) {
	w, l, person := newPeople(t, "language=fr")
	err := edit.Members(l, func(set members.Set) error {
		m, _ := members.Parse("alice@example.com lang=de-CH name=Alice")
		set.Add(m)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	alice, bob, eve, olga := person("alice@example.com"), person("bob@example.net"), person("eve@example.net"), person("olga@example.org")
	alice.says("dev+leave@lists.example.org", "tschüss")
	alice.says(reply(alice.letter("Bitte bestätigen: Sie verlassen dev@lists.example.org")), "ja")
	alice.letter("Sie haben dev@lists.example.org verlassen")
	olga.letter("alice@example.com a quitté dev@lists.example.org")
	bob.says("dev+leave@lists.example.org", "salut")
	bob.letter("Veuillez confirmer : vous quittez dev@lists.example.org")
	eve.says("dev+subscribe@lists.example.org", "salut")
	eve.letter("Veuillez confirmer : vous et dev@lists.example.org")
	w.wantEmpty()
}

// TestOtherAddress: a post from another address of a member's is his own.
func TestOtherAddress(t *testing.T) {
	w, l, person := newPeople(t)
	err := edit.Members(l, func(set members.Set) error {
		for _, line := range []string{"alice@example.com noown", "al@example.com for=alice@example.com"} {
			m, _ := members.Parse(line)
			set.Add(m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.message("al@example.com", strings.ReplaceAll(strangersPost, "eve@example.net", "al@example.com"), "dev@lists.example.org")
	w.deliver()
	if got := person("bob@example.net").letters(); len(got) != 1 {
		t.Errorf("bob got %+v", got)
	}
	if got := append(person("alice@example.com").letters(), person("al@example.com").letters()...); len(got) != 0 {
		t.Errorf("they got %+v", got)
	}
}

// TestSubscribeVariants: by request, without mail, for somebody else.
func TestSubscribeVariants(t *testing.T) {
	for name, test := range map[string]struct {
		to, text, asked, member string
	}{
		"nomail":           {"dev+subscribe-nomail", "x", "alice@example.com", "alice@example.com nomail"},
		"join":             {"dev+join", "x", "alice@example.com", "alice@example.com"},
		"request, subject": {"dev+request", "subscribe", "alice@example.com", "alice@example.com"},
		"request, nomail":  {"dev+request", "Re: SUBSCRIBE nomail", "alice@example.com", "alice@example.com nomail"},
		"mailman's set":    {"dev+request", "set digest mime", "alice@example.com", "alice@example.com digest"},
		"request, digest":  {"dev+request", "Join Digest", "alice@example.com", "alice@example.com digest"},
		"digest":           {"dev+subscribe-digest", "x", "alice@example.com", "alice@example.com digest"},
		"somebody else":    {"dev+subscribe-zoe=example.com", "x", "zoe@example.com", "zoe@example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			_, l, person := newPeople(t, "notify=false")
			alice, asked := person("alice@example.com"), person(test.asked)
			alice.says(test.to+"@lists.example.org", test.text)
			question := "Please confirm: subscribe to dev@lists.example.org"
			if strings.HasSuffix(test.member, " digest") {
				question = "Please confirm: digests of dev@lists.example.org"
			}
			ask := asked.letter(question)
			asked.says(reply(ask), "yes")
			asked.letter("Welcome to dev@lists.example.org")
			want := []string{"bob@example.net", test.member}
			slices.Sort(want)
			wantMembers(t, l, want...)
		})
	}
}

// TestChangeDelivery: a member has the posts come in another way, by the same
// addresses and a confirmation, whatever the list asks of those who are no members.
func TestChangeDelivery(t *testing.T) {
	for _, mode := range []string{"open", "confirm", "approve", "confirm+approve"} {
		t.Run(mode, func(t *testing.T) {
			w, l, person := newPeople(t, "subscribe="+mode)
			bob := person("bob@example.net")
			for _, step := range []struct{ to, text, question, answer, member string }{
				{"dev+subscribe-digest", "x", "Please confirm: digests of dev@lists.example.org", "You now get dev@lists.example.org in digests", "bob@example.net digest"},
				{"dev+subscribe", "x", "Please confirm: every post to dev@lists.example.org", "You now get every post to dev@lists.example.org", "bob@example.net"},
				{"dev+request", "set delivery off", "Please confirm: no mail from dev@lists.example.org", "You no longer get mail from dev@lists.example.org", "bob@example.net nomail"},
				{"dev+request", "set digest", "Please confirm: digests of dev@lists.example.org", "You now get dev@lists.example.org in digests", "bob@example.net digest"},
			} {
				bob.says(step.to+"@lists.example.org", step.text)
				question := bob.letter(step.question)
				if fields := strings.Fields(step.member); len(fields) > 1 || step.to == "dev+subscribe" {
					if text, _ := os.ReadFile(l.Dir + "/members"); strings.TrimSpace(string(text)) == step.member {
						t.Errorf("%s: it is so before the answer", step.text)
					}
				}
				bob.says(reply(question), "yes")
				bob.letter(step.answer)
				wantMembers(t, l, step.member)
			}
			bob.says("dev+subscribe-digest@lists.example.org", "x")
			bob.letter("You are already subscribed to dev@lists.example.org")

			// An old answer makes nobody a member again.
			bob.says("dev+unsubscribe-digest@lists.example.org", "x")
			bob.says(reply(bob.letter("Please confirm: unsubscribe from dev@lists.example.org")), "yes")
			bob.letter("You have unsubscribed from dev@lists.example.org")
			w.later = 2 * time.Hour // or it would be one that is used
			change, err := l.ProofAddress(confirmation.GetDigests, "bob=example.net", w.now())
			if err != nil {
				t.Fatal(err)
			}
			bob.says(change.Address(), "yes")
			bob.letter("You are not subscribed to dev@lists.example.org")
			wantMembers(t, l, "")
			w.wantEmpty()
		})
	}
}

// TestNoDigests: a list that sends none says so by its help, to who asks where
// the session does not look; and the help does not speak of them.
func TestNoDigests(t *testing.T) {
	w, l, person := newPeople(t, "digest=off", "notify=false")
	alice := person("alice@example.com")
	alice.says("dev+request@lists.example.org", "subscribe digest")
	if help := readAll(t, alice.letter("How to use dev@lists.example.org")); strings.Contains(help, "digest") {
		t.Errorf("the help has\n%s", help)
	}
	wantMembers(t, l, "bob@example.net")
	w.wantEmpty()
	if err := edit.Set(l, []string{"digest=weekly"}); err != nil {
		t.Fatal(err)
	}
	w.later = 2 * quota.AskAgain
	alice.says("dev+help@lists.example.org", "x")
	if help := readAll(t, alice.letter("How to use dev@lists.example.org")); !strings.Contains(help, "dev+subscribe-digest@lists.example.org") {
		t.Errorf("the help has\n%s", help)
	}
}

// TestLongAddress: where the address does not fit into the local part, the
// answer must come from it.
func TestLongAddress(t *testing.T) {
	w, l, person := newPeople(t, "notify=false")
	long := person("a.rather.long.name@department.of.a.large.example.com")
	eve := person("eve@example.com")
	long.says("dev+subscribe@lists.example.org", "x")
	ask := long.letter("Please confirm: subscribe to dev@lists.example.org")
	local, _, _ := strings.Cut(reply(ask), "@")
	if len(local) > 64 || strings.Contains(local, "=") {
		t.Errorf("an answer would go to %s", reply(ask))
	}
	eve.says(reply(ask), "yes")
	w.wantRefused("550 5.7.1 this confirmation was not made by the list")
	wantMembers(t, l, "bob@example.net")
	long.says(reply(ask), "yes")
	wantMembers(t, l, long.addr, "bob@example.net")
}

// TestApprove: the owners let in, or do not; the first of them decides.
func TestApprove(t *testing.T) {
	for _, mode := range []string{"approve", "confirm+approve"} {
		t.Run(mode, func(t *testing.T) {
			w, l, person := newPeople(t, "subscribe="+mode, "notify=false")
			alice, carol, olga := person("alice@example.com"), person("carol@example.com"), person("olga@example.org")
			ask := func(p *somebody) {
				p.says("dev+subscribe@lists.example.org", "x")
				if mode == "confirm+approve" {
					p.says(reply(p.letter("Please confirm: subscribe to dev@lists.example.org")), "yes")
				}
				p.letter("Your subscription to dev@lists.example.org awaits approval")
			}
			ask(alice)
			question := olga.letter("alice@example.com would like to join dev@lists.example.org")
			ask(carol)
			other := olga.letter("carol@example.com would like to join dev@lists.example.org")
			if requests, err := l.Applicants(); err != nil || len(requests) != 2 {
				t.Errorf("the requests are %v, %v", requests, err)
			}

			olga.says(reply(question), "yes")
			alice.letter("Welcome to dev@lists.example.org")
			wantMembers(t, l, "alice@example.com", "bob@example.net")

			body := new(strings.Builder)
			if _, err := fmt.Fprint(body, readAll(t, other)); err != nil {
				t.Fatal(err)
			}
			decline := regexp.MustCompile(`dev\+confirm-x\S+`).FindString(body.String())
			olga.says(decline, "no")
			carol.letter("About your subscription to dev@lists.example.org")
			olga.says(reply(other), "yes after all")
			w.wantRefused("550 5.7.1 you come second: olga@example.org has declined carol@example.com")
			wantMembers(t, l, "alice@example.com", "bob@example.net")
		})
	}
}

func readAll(t *testing.T, m *mail.Message) string {
	t.Helper()
	var b strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := m.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}

// TestAskedOnce: whoever is named a thousand times gets one letter, and after a
// day another.
func TestAskedOnce(t *testing.T) {
	w, _, person := newPeople(t)
	victim := person("victim@example.com")
	for range 50 {
		w.message("eve@example.net", "From: victim@example.com\r\n\r\n", "dev+subscribe@lists.example.org")
	}
	w.deliver()
	victim.letter("Please confirm: subscribe to dev@lists.example.org")
	w.later = quota.AskAgain + time.Minute
	w.message("eve@example.net", "From: victim@example.com\r\n\r\n", "dev+subscribe@lists.example.org")
	w.deliver()
	victim.letter("Please confirm: subscribe to dev@lists.example.org")
	w.wantEmpty()
}

// TestRobots get no answer, and what they wrote is kept for the operator.
func TestRobots(t *testing.T) {
	for _, header := range []string{
		"Auto-Submitted: auto-replied", "Auto-Submitted: auto-generated (x)", "Precedence: bulk", "Precedence: LIST", "List-Id: <x.y>", "X-Autoreply: yes",
	} {
		w, _, person := newPeople(t)
		alice := person("alice@example.com")
		w.message("alice@example.com", "From: alice@example.com\r\n"+header+"\r\n\r\n", "dev+subscribe@lists.example.org")
		w.deliver()
		if got := alice.letters(); len(got) > 0 {
			t.Errorf("%s: answered with\n%s", header, got[0].Message)
		}
		w.wantRefused("550 5.7.1 automatic mail gets no answer here")
	}
}

// TestSubscribeMany: two hundred at once, none lost, none twice, and the file in
// order.
func TestSubscribeMany(t *testing.T) {
	w, l, _ := newPeople(t, "subscribe=open", "notify=false")
	var want []string
	for i := range 200 {
		address := fmt.Sprintf("m@m%03d.example.com", i) // one domain would have them wait
		want = append(want, address)
		w.message(address, "From: "+address+"\r\n\r\n", "dev+subscribe@lists.example.org")
	}
	want = append(want, "bob@example.net")
	slices.Sort(want)
	var wg sync.WaitGroup
	for range 8 {
		log, _ := maillog.Open("none", "info", "test") // the world's is for one at a time
		r := &Runner{Site: w.site, Spool: w.site.Spool(), Log: log, Now: w.now}
		wg.Go(func() { r.Run(t.Context()) })
	}
	wg.Wait()
	wantMembers(t, l, want...)
	w.wantEmpty()
}

// TestOwnTexts: a list's own words are taken, and those that would go out broken
// are not.
func TestOwnTexts(t *testing.T) {
	w, l, person := newPeople(t, "language=de")
	alice := person("alice@example.com")
	write := func(text string) {
		if err := os.WriteFile(l.Dir+"/texts.toml", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("[help]\nsubject = \"Yo {list}\"\nbody = \"Hi.\"\n")
	alice.says("dev+help@lists.example.org", "x")
	alice.letter("Yo dev@lists.example.org")
	write("[help]\nsubject = \"Yo $list$\"\nbody = \"Hi {confaddr}.\"\n")
	w.later = 2 * quota.AskAgain
	alice.says("dev+help@lists.example.org", "x")
	alice.letter("Wie man dev@lists.example.org benutzt")
	if !strings.Contains(w.log.String(), "nothing stands for {confaddr}") {
		t.Errorf("the log does not say what is wrong:\n%s", &w.log)
	}
}

// TestFaultCommand fails every system call of the spool in turn while somebody
// confirms: in the end he is a member, once, and has one letter that says so.
func TestFaultCommand(t *testing.T) {
	for n := 0; ; n++ {
		f := &fakeRelay{Extensions: "PIPELINING XVERP"}
		w := newWorld(t, f.Start(t), "")
		l := w.list("dev", "bob@example.net")
		confirm, err := l.ProofAddress(confirmation.Subscribe, "alice=example.com", w.now())
		if err != nil {
			t.Fatal(err)
		}
		w.message("alice@example.com", "From: alice@example.com\r\n\r\n", confirm.Address())
		calls, what, hides := 0, "", false
		r := w.runner()
		r.Spool.Disk = &disk.Disk{Fault: serial(func(call, path string) error {
			if calls++; calls-1 == n {
				what, hides = call+" "+path, hidden(call, path)
				return errors.New("injected")
			}
			return nil
		})}
		r.Run(t.Context())
		if what != "" {
			w.later = 6 * time.Minute
			w.deliver()
		}
		count := make(map[string]int)
		for _, d := range f.Taken() {
			count[d.To]++
		}
		if c := count["alice@example.com"]; c != 1 && !(hides && c == 2) {
			t.Errorf("%d: %s: alice got %d letters", n, what, c)
		}
		wantMembers(t, l, "alice@example.com", "bob@example.net")
		w.wantEmpty()
		if what == "" {
			if n < 15 {
				t.Errorf("only %d calls", n)
			}
			return
		}
	}
}

// TestNameOnJoining: whoever joins keeps the name that From has, if it is a name, and
// of nobody else.
func TestNameOnJoining(t *testing.T) {
	long := strings.Repeat("ö", 120)
	for from, want := range map[string]string{
		"carol@example.com":                                                                       "carol@example.com",
		"Carol <carol@example.com>":                                                               "carol@example.com name=Carol",
		"\"Müller, Carol\" <carol@example.com>":                                                   "carol@example.com name=Müller, Carol",
		"carol@example.com (Carol M.)":                                                            "carol@example.com name=Carol M.",
		"=?utf-8?q?Carol_M=C3=BCller?= <carol@example.com>":                                       "carol@example.com name=Carol Müller",
		"=?koi8-r?B?4czJ08E=?= <carol@example.com>":                                               "carol@example.com name=Алиса",
		"=?utf-8?q?a=0Ab_=1B[0m_=E2=80=AEc?= <carol@example.com>":                                 "carol@example.com name=a b [0m c",
		"=?utf-8?b?" + base64.StdEncoding.EncodeToString([]byte(long)) + "?= <carol@example.com>": "carol@example.com name=" + long[:200],
		"=?utf-8?q?boss=40x.example?= <carol@example.com>":                                        "carol@example.com",
	} {
		for _, how := range []string{"confirm", "open", "approve"} {
			w, l, person := newPeople(t, "subscribe="+how)
			carol, olga := person("carol@example.com"), person("olga@example.org")
			mail := func(to string) {
				w.message(carol.addr, "From: "+from+"\r\nTo: "+to+"\r\n\r\n", to)
				w.deliver()
			}
			mail("dev+subscribe@lists.example.org")
			switch how {
			case "confirm":
				mail(reply(carol.letter("Please confirm: subscribe to dev@lists.example.org")))
			case "approve":
				olga.says(reply(olga.letter("carol@example.com would like to join dev@lists.example.org")), "yes")
			}
			wantMembers(t, l, "bob@example.net", want)
		}
	}
	w, l, person := newPeople(t)
	eve, dave := person("eve@example.net"), person("dave@example.com")
	w.message(eve.addr, "From: Not Dave <eve@example.net>\r\n\r\n", "dev+subscribe-dave=example.com@lists.example.org")
	w.deliver()
	dave.says(reply(dave.letter("Please confirm: subscribe to dev@lists.example.org")), "")
	wantMembers(t, l, "bob@example.net", "dave@example.com")
}

// TestExchangeMarksAll: people whose Exchange asks all the world not to answer by
// program join, post, decide and leave like others.
func TestExchangeMarksAll(t *testing.T) {
	w, l, person := newPeople(t, "moderators=mona@example.org", "moderated=true")
	bob, carol, mona := person("bob@example.net"), person("carol@example.com"), person("mona@example.org")
	mail := func(from, to, rest string) {
		t.Helper()
		w.wantWire("250", from, to, "From: "+from+"\r\nTo: "+to+"\r\nX-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply\r\n"+rest)
		w.deliver()
	}
	mail(carol.addr, "dev+subscribe@lists.example.org", "\r\n")
	mail(carol.addr, reply(carol.letter("Please confirm: subscribe to dev@lists.example.org")), "Subject: Re: Please confirm\r\n\r\nyes\r\n")
	wantMembers(t, l, "bob@example.net", "carol@example.com")
	mona.letters()
	mail(carol.addr, "dev@lists.example.org", "Subject: hello\r\nMessage-ID: <1@x>\r\n\r\nhi\r\n")
	mail(mona.addr, reply(mona.letter("To decide: hello (dev@lists.example.org)")), "\r\n")
	if got := bob.letters(); len(got) != 1 {
		t.Errorf("bob got %+v", got)
	}
	carol.letters()
	mail(carol.addr, "dev+unsubscribe@lists.example.org", "\r\n")
	mail(carol.addr, reply(carol.letter("Please confirm: unsubscribe from dev@lists.example.org")), "\r\n")
	wantMembers(t, l, "bob@example.net")
}
