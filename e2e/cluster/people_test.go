package cluster

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// patience is how long a letter may take while hosts are down.
const patience = 3 * time.Minute

// A town is the lists and their people.
type town struct {
	w     *world
	hosts []*host
	lists int
	gone  atomic.Int32 // the number of the host that is gone for good
	over  chan bool    // closed when no trouble is made any more

	mu     sync.Mutex
	posts  []*post
	movers []*mover
	early  int // decisions that were refused as of a post that is not held
	notes  map[string]int
	back   map[string]int // how often mail has come to somebody whose mail comes back
	faults []string
}

// A post is one, and what its sender knows of it.
type post struct {
	n, list int
	held    bool
	from    string
	begun   time.Time // when it was sent
	ended   time.Time // when it was taken
	host    int       // that has taken it; 0: nobody
	again   bool      // it was sent again after an end without a reply: it may come twice
}

// A mover joins a list, and leaves it.
type mover struct {
	n, list               int
	who                   string
	joined, leaving, left time.Time
}

func listName(l int) string    { return fmt.Sprintf("l%02d", l) }
func listAddress(l int) string { return listName(l) + "@lists.example.org" }

// stable are members of a list who get every post.
func stable(l int) (all []string) {
	for i := range 4 {
		all = append(all, fmt.Sprintf("s%d.%s@example.com", i, listName(l)))
	}
	return all
}

func digester(l int) string { return "d." + listName(l) + "@example.com" }
func bouncer(l int) string  { return "b." + listName(l) + "@bounces.example" }
func owner(l int) string    { return "o." + listName(l) + "@example.org" }
func moderators(l int) []string {
	return []string{"m1." + listName(l) + "@example.net", "m2." + listName(l) + "@example.net"}
}

func (t *town) note(what string) {
	t.mu.Lock()
	t.notes[what]++
	t.mu.Unlock()
}

func (t *town) fault(format string, args ...any) {
	t.mu.Lock()
	t.faults = append(t.faults, fmt.Sprintf(format, args...))
	t.mu.Unlock()
}

// host is one of those that the MX names, by chance.
func (t *town) host() int {
	for {
		if n := 1 + rand.IntN(hosts); n != int(t.gone.Load()) {
			return n
		}
	}
}

// mail sends as a server does: to one host after the other, until one has taken it. again
// reports whether an end had no reply.
func (t *town) mail(who int, from, to, text string) (fate, host int, again bool, reply string) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Duration(100+rand.IntN(400)) * time.Millisecond) {
		host = t.host()
		switch fate, reply = send(host, who, from, to, text); fate {
		case taken, refused:
			return fate, host, again, reply
		case unknown:
			again = true
		}
	}
	return unsent, 0, again, reply
}

// say has somebody send a letter, which must be taken.
func (t *town) say(who int, from, to, text string) bool {
	fate, _, _, reply := t.mail(who, from, to, fmt.Sprintf("From: %s\nTo: %s\nSubject: %s\nMessage-ID: <%d@people.example>\n\n%[3]s\n", from, to, text, rand.Int64()))
	// A confirmation that has been used is refused.
	if fate != taken && !strings.Contains(reply, "has been used") {
		t.fault("mail from %s to %s is not taken: %s", from, to, reply)
	}
	return fate != unsent
}

// strange is how often somebody posts who is no member.
const strange = 40

// send sends the nth post.
func (t *town) send(n int) {
	p := &post{n: n, list: rand.IntN(t.lists), held: n%strange == strange-1}
	p.from = stable(p.list)[0]
	who := n % 1000
	if p.held {
		p.from, who = fmt.Sprintf("x%d@stranger%d.example", n, n), 1000+n
	}
	t.mu.Lock()
	t.posts = append(t.posts, p)
	t.mu.Unlock()
	p.begun = time.Now()
	fate, host, again, reply := t.mail(who, p.from, listAddress(p.list), fmt.Sprintf("From: %s\nTo: %s\nSubject: post %d\nMessage-ID: <p%[3]d@posts.example>\n\nThis is number %[3]d.\n", p.from, listAddress(p.list), n))
	t.mu.Lock()
	defer t.mu.Unlock()
	p.again = again
	if fate == taken {
		p.host, p.ended = host, time.Now()
	} else {
		t.faults = append(t.faults, fmt.Sprintf("post %d is not taken: %s", n, reply))
	}
}

var proofs = regexp.MustCompile(`l[0-9]+\+[a-z]+-[^@>\s]+@lists\.example\.org`)

// proof is the first address with a proof in a letter's text; or the nth.
func proof(text string, n int) string {
	_, body, _ := strings.Cut(text, "\n\n")
	all := proofs.FindAllString(strings.ReplaceAll(body, "=\n", ""), -1)
	if n >= len(all) {
		return ""
	}
	return all[n]
}

// move is the life of a mover: they join, stay for some time, and leave. Each answer is
// sent twice, at once, to any hosts; and once more when it must do nothing.
func (t *town) move(n int) {
	m := &mover{n: n, list: rand.IntN(t.lists), who: fmt.Sprintf("v%d@mover%[1]d.example", n)}
	t.mu.Lock()
	t.movers = append(t.movers, m)
	t.mu.Unlock()
	who := 2000 + n
	at := listName(m.list)
	twice := func(to string) {
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { t.say(who, m.who, to, "yes") })
		}
		both.Wait()
	}
	ask := func(what, question, answer string) (proved string, at time.Time, ok bool) {
		if !t.say(who, m.who, listName(m.list)+"+"+what+"@lists.example.org", "please") {
			return "", at, false
		}
		q, ok := t.w.wait(m.who, question, patience)
		if !ok {
			t.fault("%s has no letter %q", m.who, question)
			return "", at, false
		}
		if proved = proof(q.text, 0); proved == "" {
			t.fault("%s: no address to confirm by in %s", m.who, q.text)
			return "", at, false
		}
		asked := time.Now()
		t.mu.Lock()
		if what == "unsubscribe" {
			m.leaving = asked
		}
		t.mu.Unlock()
		twice(proved)
		a, ok := t.w.wait(m.who, answer, patience)
		if !ok {
			t.fault("%s has no letter %q", m.who, answer)
		}
		return proved, a.at, ok
	}
	joining, joined, ok := ask("subscribe", "Please confirm: subscribe", "Welcome to "+at)
	if !ok {
		return
	}
	t.mu.Lock()
	m.joined = joined
	t.mu.Unlock()
	t.say(who, m.who, joining, "once more")
	select {
	case <-time.After(time.Duration(rand.IntN(15)) * time.Second):
	case <-t.over:
	}
	if n%4 == 0 {
		return // stays
	}
	_, left, ok := ask("unsubscribe", "Please confirm: unsubscribe", "You have unsubscribed")
	if !ok {
		return
	}
	t.mu.Lock()
	m.left = left
	t.mu.Unlock()
	t.say(who, m.who, joining, "and once more")
}

// hear is what people do about letters: moderators decide, each as they like and at once;
// some mail comes back.
func (t *town) hear(m mail) {
	switch {
	case m.post >= 0:
		t.mu.Lock()
		t.back[m.to]++
		first := t.back[m.to] == 1
		t.mu.Unlock()
		if first {
			t.comeBack(m)
		}
	case strings.HasPrefix(m.to, "m") && strings.HasPrefix(m.subject, "To decide: "):
		t.decide(m, proof(m.text, 0), proof(m.text, 2))
	case strings.HasPrefix(m.to, "m") && strings.Contains(m.subject, " to decide ("):
		all := proofs.FindAllString(m.text, -1)
		for i := 0; i+4 < len(all); i += 5 {
			t.decide(m, all[i], all[i+2])
		}
	case strings.HasPrefix(m.to, "b.") && strings.Contains(m.subject, "does mail to"):
		t.note("probes")
		t.comeBack(m)
	}
}

// decide has a moderator accept a post or reject it.
func (t *town) decide(m mail, yes, no string) {
	to := yes
	if rand.IntN(2) == 0 {
		to = no
	}
	if to == "" {
		t.fault("%s: no addresses to decide by in %s", m.to, m.text)
		return
	}
	t.note("decisions")
	// The second one may be refused: the post is not there any more.
	_, _, _, reply := t.mail(1+rand.IntN(100), m.to, to, fmt.Sprintf("From: %s\nTo: %s\nSubject: decided\nMessage-ID: <%d@people.example>\n\nso be it\n", m.to, to, rand.Int64()))
	if strings.Contains(reply, "not open any more") {
		// It may be held on another host, and this one have no copy of it yet.
		t.mu.Lock()
		t.early++
		t.mu.Unlock()
	}
}

const report = `From: MAILER-DAEMON@bounces.example
Subject: Undelivered Mail
Message-ID: <%d@bounces.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

The mail could not be delivered.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; bounces.example

Final-Recipient: rfc822; %s
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown

--b--
`

// comeBack has mail come back.
func (t *town) comeBack(m mail) {
	t.mail(1, "", m.from, fmt.Sprintf(report, rand.Int64(), m.to))
}
