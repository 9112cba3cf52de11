package deliver

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/bounces"
	"superlist/lists/confirmation"
	"superlist/lists/edit"
	"superlist/lists/mail/bounce"
	"superlist/queue/disk"
	"superlist/smtp"
)

// A bouncing is a list whose members' hosts send reports.
type bouncing struct {
	*world
	l    *lists.List
	f    *fakeRelay
	dead map[string]string // addresses, and what their host says of them
	read int
}

func newBouncing(t *testing.T, settings []string, members ...string) *bouncing {
	t.Helper()
	f := &fakeRelay{Extensions: "PIPELINING XVERP", Rcpt: map[string][]string{}}
	b := &bouncing{world: newWorld(t, f.Start(t), ""), f: f, dead: map[string]string{}}
	b.l = b.list("dev", members...)
	if err := edit.Set(b.l, append([]string{"owners=olga@example.org"}, settings...)); err != nil {
		t.Fatal(err)
	}
	b.open()
	// The clock stands at noon, so that no midnight passes by itself.
	y, m, d := time.Now().Date()
	b.later = time.Until(time.Date(y, m, d, 12, 0, 0, 0, time.Local))
	return b
}

func (b *bouncing) open() {
	b.t.Helper()
	l, err := lists.Of(b.site).Open(b.l.Addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.l = l
}

// reportOf is a delivery report about an address.
func reportOf(address, said string) string {
	status := strings.Fields(said)[1]
	return "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail Returned to Sender\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n" +
		"Final-Recipient: rfc822; " + address + "\r\nAction: failed\r\nStatus: " + status + "\r\nRemote-MTA: dns; mx.example\r\nDiagnostic-Code: smtp; " + said + "\r\n\r\n--b--\r\n"
}

// run delivers, and has the hosts of the dead report what came to them, until nothing
// comes any more. It gives who got what, by subject, and the return paths.
func (b *bouncing) run() (got map[string][]delivered) {
	b.t.Helper()
	got = make(map[string][]delivered)
	for {
		b.deliver()
		all := b.f.Taken()
		fresh := all[b.read:]
		b.read = len(all)
		if len(fresh) == 0 {
			return got
		}
		for _, d := range fresh {
			who := path(d.To).Address()
			if said := b.dead[who]; said != "" {
				b.message("", reportOf(who, said), d.From)
				continue
			}
			got[who] = append(got[who], d)
		}
	}
}

func (b *bouncing) days(n int) { b.later += time.Duration(n) * 24 * time.Hour }

// members is the file.
func (b *bouncing) members() string {
	text, err := os.ReadFile(filepath.Join(b.l.Dir, "members"))
	if err != nil {
		b.t.Fatal(err)
	}
	return strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", ", ")
}

func (b *bouncing) record(address string) bounces.Record {
	b.t.Helper()
	r, _, err := bounces.Recall(b.l, path(address), b.now())
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bouncing) score(address string) float64 {
	b.t.Helper()
	r := b.record(address)
	return r.Score(bounces.RulesOf(b.l), b.now(), nil)
}

func subjects(ds []delivered) (list []string) {
	for _, d := range ds {
		_, rest, _ := strings.Cut(d.Message, "\r\nSubject: ")
		subject, _, _ := strings.Cut(rest, "\r\n")
		list = append(list, subject)
	}
	return list
}

const unknown = "550 5.1.1 no such user here"

// suspend has anna's mail come back until she is suspended, on the fifth day.
func (b *bouncing) suspend(address string) {
	b.t.Helper()
	b.dead[address] = unknown
	for range 5 {
		b.post("alice@example.com", dev)
		b.run()
		b.days(1)
	}
	if !strings.Contains(b.members(), address+" bounced=") {
		b.t.Fatalf("%s is not suspended: %s\n%s", address, b.members(), &b.log)
	}
}

// TestBounceLife: from posts to the suspension and back, on days that the clock passes.
func TestBounceLife(t *testing.T) {
	b := newBouncing(t, nil, "anna@example.com", "bert@example.com name=Bert")
	b.dead["anna@example.com"] = unknown
	for d := range 5 {
		for range 3 {
			b.post("alice@example.com", dev)
		}
		got := b.run()
		if len(got["bert@example.com"]) != 3 || len(got["olga@example.org"]) > 0 {
			t.Fatalf("day %d: %v", d, got)
		}
		if score := b.score("anna@example.com"); score != float64(d+1) {
			t.Errorf("day %d: the score is %g", d, score)
		}
		if d < 4 && b.members() != "anna@example.com, bert@example.com name=Bert" {
			t.Errorf("day %d: %s", d, b.members())
		}
		b.days(1)
	}
	since := b.now().AddDate(0, 0, -1).UTC().Format(time.DateOnly)
	if want := "anna@example.com bounced=" + since + ", bert@example.com name=Bert"; b.members() != want {
		t.Fatalf("%s\nwant %s\n%s", b.members(), want, &b.log)
	}
	if n := strings.Count(b.log.String(), "text=bounce-probe"); n != 1 {
		t.Errorf("%d probes\n%s", n, &b.log)
	}

	// The owners hear of it, once, after midnight.
	b.post("alice@example.com", dev)
	got := b.run()
	if s := subjects(got["olga@example.org"]); !slices.Equal(s, []string{"Members of dev@lists.example.org whose mail came back"}) || !strings.Contains(got["olga@example.org"][0].Message, "anna@example.com has been suspended since "+since) {
		t.Errorf("the owners got %q", got["olga@example.org"])
	}
	if len(got["anna@example.com"]) > 0 || len(got["bert@example.com"]) != 1 {
		t.Errorf("%v", got)
	}

	// A week later a probe stays, and two days after that she is back.
	delete(b.dead, "anna@example.com")
	b.days(6)
	if s := subjects(b.run()["anna@example.com"]); !slices.Equal(s, []string{"dev@lists.example.org: does mail to anna@example.com arrive?"}) {
		t.Fatalf("%q", s)
	}
	b.days(1)
	if got := b.run(); len(got) > 0 {
		t.Errorf("too early: %v", got)
	}
	b.days(1)
	got = b.run()
	if s := subjects(got["anna@example.com"]); !slices.Equal(s, []string{"You get mail from dev@lists.example.org again"}) {
		t.Fatalf("%q\n%s", s, &b.log)
	}
	letter := got["anna@example.com"][0].Message
	for _, want := range []string{"since " + since, "Number of posts since then: 1.", "dev+get-16@lists.example.org"} {
		if !strings.Contains(strings.Join(strings.Fields(letter), " "), want) {
			t.Errorf("the letter lacks %q:\n%s", want, letter)
		}
	}
	if b.members() != "anna@example.com, bert@example.com name=Bert" {
		t.Errorf("%s", b.members())
	}
	b.post("alice@example.com", dev)
	if got := b.run(); len(got["anna@example.com"]) != 1 {
		t.Errorf("%v", got)
	}
	b.days(1)
	if s := b.run()["olga@example.org"]; len(s) != 1 || !strings.Contains(s[0].Message, "anna@example.com has been getting mail again") {
		t.Errorf("the owners got %q", s)
	}
	b.wantEmpty()
}

// TestBounceRemoved: whoever stays away is removed after suspend_days, and probed each
// week until then.
func TestBounceRemoved(t *testing.T) {
	b := newBouncing(t, nil, "anna@example.com", "bert@example.com")
	b.suspend("anna@example.com")
	for d := 1; d < 30; d++ {
		b.run()
		if !strings.Contains(b.members(), "anna@") {
			t.Fatalf("removed after %d days", d)
		}
		b.days(1)
	}
	if n := strings.Count(b.log.String(), "text=bounce-probe"); n != 5 {
		t.Errorf("%d probes", n)
	}
	b.run()
	if b.members() != "bert@example.com" {
		t.Errorf("%s\n%s", b.members(), &b.log)
	}
	b.days(1)
	if got := b.run()["olga@example.org"]; len(got) != 1 || !strings.Contains(got[0].Message, "anna@example.com was removed on ") || !strings.Contains(got[0].Message, "550 5.1.1 no such user here") {
		t.Errorf("the owners got %q", got)
	}
	b.days(1)
	if got := b.run(); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

// TestBounceBack: whoever posts or asks for something is back at once, before the post
// goes out.
func TestBounceBack(t *testing.T) {
	for name, says := range map[string]func(*bouncing){
		"posts": func(b *bouncing) {
			b.message("anna@example.com", "From: anna@example.com\r\nSubject: I'm here\r\n\r\nhello\r\n", dev)
		},
		"asks": func(b *bouncing) {
			b.message("anna@example.com", "From: anna@example.com\r\nSubject: help\r\n\r\n", "dev+help@lists.example.org")
		},
	} {
		b := newBouncing(t, nil, "anna@example.com", "bert@example.com")
		b.suspend("anna@example.com")
		b.run()
		delete(b.dead, "anna@example.com")
		says(b)
		got := subjects(b.run()["anna@example.com"])
		if len(got) != 2 || !slices.Contains(got, "You get mail from dev@lists.example.org again") || strings.Contains(b.members(), "bounced=") {
			t.Errorf("%s: %q; %s", name, got, b.members())
		}
		if r := b.record("anna@example.com"); len(r.Days) > 0 || !r.Suspended.IsZero() {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestBounceRefused: what the relay says counts as a report of the same words does.
func TestBounceRefused(t *testing.T) {
	for said, want := range map[string]float64{unknown: 1, "552 5.2.2 mailbox full": 0.5, "550 5.7.1 this is spam": 0, "451 4.7.1 greylisted": 0} {
		b := newBouncing(t, nil, "anna@example.com", "bert@example.com")
		b.f.Rcpt["anna@example.com"] = []string{said, said, said}
		for range 2 {
			b.post("alice@example.com", dev)
			b.run()
		}
		if score := b.score("anna@example.com"); score != want {
			t.Errorf("%s: the score is %g, want %g", said, score, want)
		}
		if r := b.record("bert@example.com"); r.Address != "" {
			t.Errorf("%s: bert has a record", said)
		}
	}
}

// TestBounceForged: a member who writes reports about another achieves a letter, and that
// only because the list asks before it does anything.
func TestBounceForged(t *testing.T) {
	b := newBouncing(t, nil, "anna@example.com", "bert@example.com")
	probes := 0
	for range 40 {
		b.post("alice@example.com", dev)
		for _, d := range b.run()["bert@example.com"] {
			if !strings.Contains(d.From, "+bounces-") {
				continue
			}
			forged := strings.Replace(d.From, "bert=example.com", "anna=example.com", 1)
			for range 3 {
				b.message("bert@example.com", reportOf("anna@example.com", unknown), forged)
			}
			// And a report on his own address that names her.
			b.message("", reportOf("anna@example.com", unknown), d.From)
		}
		for _, d := range b.run()["anna@example.com"] {
			if strings.Contains(d.From, "+probe-") {
				probes++
				// He cannot make up its return path.
				forged := strings.Replace(d.From, "+probe-", "+bounces-", 1)
				if _, err := lists.Of(b.site).ResolveAt(path(forged), b.now()); err == nil {
					t.Error("a probe's key is good for bounces")
				}
			}
		}
		b.days(1)
		if strings.Contains(b.members(), "anna@example.com bounced") {
			t.Fatalf("anna is suspended\n%s", &b.log)
		}
	}
	if probes == 0 || probes > 6 {
		t.Errorf("%d probes in 40 days", probes)
	}
}

// TestBounceReplayed: a report on a probe counts once; on one that is judged it counts
// for nothing.
func TestBounceReplayed(t *testing.T) {
	b := newBouncing(t, nil, "anna@example.com", "bert@example.com")
	b.suspend("anna@example.com")
	r := b.record("anna@example.com")
	probe, err := b.l.ProbeAddress(path("anna@example.com"), r.Probe.At)
	if err != nil {
		t.Fatal(err)
	}
	delete(b.dead, "anna@example.com")
	b.message("anna@example.com", "From: anna@example.com\r\nSubject: I'm here\r\n\r\nhello\r\n", dev)
	b.run()
	for range 10 {
		b.message("", reportOf("anna@example.com", unknown), probe.Address())
		b.run()
		b.days(1)
	}
	if strings.Contains(b.members(), "bounced=") {
		t.Errorf("%s\n%s", b.members(), &b.log)
	}
}

// TestBounceNotify: the owners are told, and nothing else is done.
func TestBounceNotify(t *testing.T) {
	b := newBouncing(t, []string{"bounces=notify"}, "anna@example.com", "bert@example.com")
	b.dead["anna@example.com"] = unknown
	letters := 0
	for range 12 {
		b.post("alice@example.com", dev)
		for _, d := range b.run()["olga@example.org"] {
			letters++
			if !strings.Contains(d.Message, "anna@example.com cannot be reached; nothing was done.") {
				t.Errorf("%s", d.Message)
			}
		}
		b.days(1)
	}
	if letters != 1 || strings.Contains(b.log.String(), "bounce-probe") || b.members() != "anna@example.com, bert@example.com" {
		t.Errorf("%d letters, %s\n%s", letters, b.members(), &b.log)
	}
}

// TestBounceAlarm: a post that many refuse for what it is counts against nobody, and the
// owners get one letter, with the words.
func TestBounceAlarm(t *testing.T) {
	var members []string
	for i := range 60 {
		members = append(members, fmt.Sprintf("m%02d@%s", i, map[bool]string{true: "example.com", false: "example.net"}[i < 30]))
	}
	for name, test := range map[string]struct {
		refuse, gone int
		alarm        bool
	}{"four are few": {4, 0, false}, "five of thirty": {5, 1, true}, "all of a domain": {30, 0, true}} {
		b := newBouncing(t, []string{"bounce_days=1"}, members...)
		for i := range test.refuse {
			b.dead[members[i]] = "550 5.7.1 message content rejected as spam, see https://mx.example/why"
		}
		for i := range test.gone {
			b.f.Rcpt[members[59-i]] = []string{unknown} // says a host that lies
		}
		b.message("alice@example.com", "From: alice@example.com\r\nSubject: Cheap watches\r\n\r\nbuy\r\n", dev)
		got := b.run()["olga@example.org"]
		b.days(2)
		got = append(got, b.run()["olga@example.org"]...)
		if !test.alarm {
			if len(got) > 0 {
				t.Errorf("%s: %q", name, got)
			}
			continue
		}
		if len(got) != 1 {
			t.Fatalf("%s: %d letters: %v\n%s", name, len(got), subjects(got), &b.log)
		}
		for _, want := range []string{"Cheap watches", fmt.Sprintf("example.com: %d/30: content: 550 5.7.1 message content rejected as spam", test.refuse)} {
			if !strings.Contains(unwrapped(got[0].Message), want) {
				t.Errorf("%s: the letter lacks %q:\n%s", name, want, got[0].Message)
			}
		}
		if !strings.Contains(b.log.String(), "alarm list=<dev@lists.example.org>") {
			t.Errorf("%s: the log has no alarm\n%s", name, &b.log)
		}
		for i := range test.refuse {
			if len(b.record(members[i]).Days) > 0 {
				t.Errorf("%s: it counts against %s", name, members[i])
			}
		}
	}
}

func unwrapped(s string) string { return strings.Join(strings.Fields(s), " ") }

const arf = "From: fbl@isp.example\r\nSubject: complaint\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n" +
	"Feedback-Type: TYPE\r\nUser-Agent: x/1\r\nVersion: 1\r\nOriginal-Rcpt-To: WHO\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nReturn-Path: <PATH>\r\nSubject: x\r\n\r\nx\r\n--b--\r\n"

// TestComplaint: a complaint takes a member off the list, whichever way it comes, and
// only the one whose key is in it. Nobody is answered, and the owners hear a number.
func TestComplaint(t *testing.T) {
	for name, test := range map[string]struct {
		to, kind, who string
		path          bool // is in it
		gone          bool
		owners        int // letters at once
	}{
		"to the return path":               {"PATH", "abuse", "anna@example.com", false, true, 0},
		"to the return path, redacted":     {"PATH", "abuse", "redacted@example.com", false, true, 0},
		"to the return path, of another":   {"PATH", "abuse", "bert@example.com", false, true, 0},
		"to the owners":                    {"dev+owner@lists.example.org", "abuse", "redacted", true, true, 0},
		"to the owners, without a key":     {"dev+owner@lists.example.org", "abuse", "anna@example.com", false, false, 1},
		"to the address for them":          {"dev+feedback@lists.example.org", "abuse", "redacted", true, true, 0},
		"to the address for them, without": {"dev+feedback@lists.example.org", "abuse", "anna@example.com", false, false, 0},
		"about a signature":                {"PATH", "auth-failure", "anna@example.com", false, false, 0},
		"about a signature, to the owners": {"dev+owner@lists.example.org", "auth-failure", "anna@example.com", true, false, 1},
		"that the member opts out":         {"PATH", "opt-out", "anna@example.com", false, true, 0},
	} {
		b := newBouncing(t, nil, "anna@example.com", "bert@example.com")
		b.post("alice@example.com", dev)
		from := b.run()["anna@example.com"][0].From
		text := strings.NewReplacer("TYPE", test.kind, "WHO", test.who).Replace(arf)
		if test.path {
			text = strings.Replace(text, "PATH", from, 1)
		}
		b.message("", text, strings.Replace(test.to, "PATH", from, 1))
		got := b.run()
		if len(got["olga@example.org"]) != test.owners || len(got["anna@example.com"])+len(got["bert@example.com"]) > 0 {
			t.Errorf("%s: %v", name, got)
		}
		want := "anna@example.com, bert@example.com"
		if test.gone {
			want = "bert@example.com"
		}
		if b.members() != want {
			t.Errorf("%s: %s\n%s", name, b.members(), &b.log)
		}
		b.days(1)
		got = b.run()
		if letters := got["olga@example.org"]; test.gone && (len(letters) != 1 || !strings.Contains(letters[0].Message, "1 unsubscribed after a complaint") || strings.Contains(letters[0].Message, "anna@")) {
			t.Errorf("%s: the owners got %q", name, letters)
		}
		b.wantEmpty()
	}
}

// TestComplaintsForged: who got a post can complain in the name of others, and not of
// many.
func TestComplaintsForged(t *testing.T) {
	var members []string
	for i := range bounces.MaxComplaints + 10 {
		members = append(members, fmt.Sprintf("m%03d@example.com", i))
	}
	b := newBouncing(t, nil, members...)
	b.post("alice@example.com", dev)
	from := b.run()[members[0]][0].From
	for _, m := range members {
		b.message("", arf, strings.Replace(from, "m000=", strings.Replace(m, "@example.com", "=", 1), 1))
	}
	b.run()
	if n := strings.Count(b.members(), "@"); n != 10 {
		t.Errorf("%d members are left", n)
	}
}

// TestOwnerGone: the other owners hear that an owner gets no mail.
func TestOwnerGone(t *testing.T) {
	b := newBouncing(t, []string{"owners=olga@example.org,otto@example.org"}, "anna@example.com")
	b.open()
	b.dead["otto@example.org"] = unknown
	b.message("eve@example.net", "From: eve@example.net\r\nSubject: question\r\n\r\nwhy?\r\n", "dev+owner@lists.example.org")
	b.run()
	b.days(1)
	got := b.run()
	if letters := got["olga@example.org"]; len(letters) != 1 || !strings.Contains(letters[0].Message, "otto@example.org runs or moderates the list and cannot be reached") {
		t.Errorf("%q\n%s", letters, &b.log)
	}
	if !strings.Contains(b.log.String(), "owner=<otto@example.org> gone") {
		t.Errorf("%s", &b.log)
	}
	b.days(1)
	if got := b.run(); len(got) > 0 {
		t.Errorf("%v", got)
	}
}

// TestOwnerForged: whoever has the key of a post says nothing about an owner with it.
func TestOwnerForged(t *testing.T) {
	b := newBouncing(t, []string{"owners=olga@example.org,otto@example.org", "bounce_days=1"}, "anna@example.com")
	b.open()
	b.post("alice@example.com", dev)
	from := b.run()["anna@example.com"][0].From
	b.message("", reportOf("otto@example.org", unknown), strings.Replace(from, "anna=example.com", "otto=example.org", 1))
	b.days(1)
	if got := b.run(); len(got) > 0 || !strings.Contains(b.log.String(), "whoever got the post can write this about an owner") {
		t.Errorf("%v\n%s", got, &b.log)
	}
}

// TestForwarded: the owners hear where a member's mail goes that does not arrive.
func TestForwarded(t *testing.T) {
	b := newBouncing(t, nil, "anna@example.com", "bert@example.com")
	b.post("alice@example.com", dev)
	from := b.run()["anna@example.com"][0].From
	for range 2 {
		b.message("", reportOf("anna.old@example.net", unknown), from)
		b.run()
	}
	b.days(1)
	if got := b.run()["olga@example.org"]; len(got) != 1 || strings.Count(got[0].Message, "Mail for anna@example.com went on to anna.old@example.net and did not arrive there.") != 1 {
		t.Errorf("%q", got)
	}
}

// TestStrangerBounces: a letter to somebody who is no member counts against nobody.
func TestStrangerBounces(t *testing.T) {
	b := newBouncing(t, []string{"subscribe=confirm"}, "anna@example.com")
	b.dead["new@example.net"] = unknown
	b.message("new@example.net", "From: new@example.net\r\nSubject: subscribe\r\n\r\n", "dev+subscribe@lists.example.org")
	if got := b.run(); len(got) > 0 {
		t.Errorf("%v", got)
	}
	if all, err := bounces.All(b.l, b.now()); err != nil || len(all) > 0 {
		t.Errorf("%+v, %v", all, err)
	}
	if !strings.Contains(b.log.String(), "not counted: not on the list; their request has ended") {
		t.Errorf("%s", &b.log)
	}
	// The question that came back confirms nothing: somebody else has it.
	confirm, err := b.l.ProofAddress(confirmation.Subscribe, "new=example.net", b.now())
	if err != nil {
		t.Fatal(err)
	}
	delete(b.dead, "new@example.net")
	b.message("new@example.net", "From: new@example.net\r\nSubject: yes\r\n\r\n", confirm.Address())
	b.run()
	if b.members() != "anna@example.com" {
		t.Errorf("%s", b.members())
	}
	b.wantEmpty()
}

// TestReportAsPost: a report that somebody posts goes to nobody, and one that a member
// encloses in a letter to the return path says nothing of anybody.
func TestReportAsPost(t *testing.T) {
	b := newBouncing(t, nil, "anna@example.com", "bert@example.com")
	b.message("bert@example.com", strings.Replace(reportOf("anna@example.com", unknown), "MAILER-DAEMON@mx.example", "bert@example.com", 1), dev)
	if got := b.run(); len(got) > 0 { // it says that a program wrote it
		t.Errorf("%v", got)
	}
	b.post("alice@example.com", dev)
	from := b.run()["anna@example.com"][0].From
	inner := reportOf("anna@example.com", unknown)
	b.message("anna@example.com", "From: anna@example.com\r\nSubject: what is this?\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\nlook\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n"+inner+"\r\n--o--\r\n", from)
	b.run()
	if all, err := bounces.All(b.l, b.now()); err != nil || len(all) > 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

// TestPostsFirst: posts do not wait for reports that came before them.
func TestPostsFirst(t *testing.T) {
	b := newBouncing(t, nil, "anna@example.com", "bert@example.com")
	base, err := b.l.BounceAddress(b.now())
	if err != nil {
		t.Fatal(err)
	}
	const many = 3 * reportsAtOnce
	for i := range many {
		b.message("", reportOf("anna@example.com", unknown), smtp.VERPAddress(base, path(fmt.Sprintf("nobody%d@example.com", i))).Address())
	}
	b.message("", reportOf("anna@example.com", unknown), smtp.VERPAddress(base, path("anna@example.com")).Address())
	b.post("alice@example.com", dev)
	claims := 0
	b.site.Disk = &disk.Disk{Fault: func(call, path string) error {
		if call == "flock" && strings.Contains(path, "/inbound/") {
			claims++
		}
		return nil
	}}
	b.deliver()
	if claims > many+5 {
		t.Errorf("%d messages are claimed %d times", many+2, claims)
	}
	log := b.log.String()
	if n := strings.Count(log, "\nbounce "); n+1 < many {
		t.Errorf("%d of %d reports", n, many)
	}
	if post, first := strings.Index(log, "post id="), strings.Index(log, "bounce id="); post < 0 || post > first {
		t.Errorf("the post waits for reports: %d, %d", post, first)
	}
	if len(b.record("anna@example.com").Days) != 1 {
		t.Error("the report among them is lost")
	}
	b.wantEmpty()
}

// TestUnclearKept: a report that nobody understands is kept for a person, and counts for
// nothing.
func TestUnclearKept(t *testing.T) {
	b := newBouncing(t, nil, "anna@example.com", "bert@example.com")
	b.post("alice@example.com", dev)
	from := b.run()["anna@example.com"][0].From
	text := reportOf("anna@example.com", "550 5.0.0 xyzzy")
	if f := bounces.Find(bounce.Parse([]byte(text)), path("anna@example.com")); f.Reason.Class != bounce.Unknown {
		t.Fatalf("%+v", f)
	}
	id := b.message("", text, from)
	b.run()
	kept, err := os.ReadFile(filepath.Join(b.l.Dir, "bounces", id))
	if err != nil || string(kept) != "X-Superlist-Member: <anna@example.com>\r\n"+text {
		t.Errorf("%q, %v", kept, err)
	}
	if len(b.record("anna@example.com").Days) > 0 {
		t.Error("it counts")
	}
}

// TestHostileReports: whatever a report is, it says something of the one whose key it came
// to, and of nobody else.
func TestHostileReports(t *testing.T) {
	var all strings.Builder
	var members []string
	for i := range 10_000 {
		members = append(members, fmt.Sprintf("m%05d@example.com", i))
		fmt.Fprintf(&all, "\r\nFinal-Recipient: rfc822; m%05d@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n", i)
	}
	one := reportOf("m00000@example.com", unknown)
	nested := one
	for i := range 20 {
		nested = fmt.Sprintf("From: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/mixed; boundary=n%d\r\n\r\n--n%d\r\nContent-Type: message/rfc822\r\n\r\n", i, i) + nested + fmt.Sprintf("\r\n--n%d--\r\n", i)
	}
	for name, test := range map[string]struct {
		text string
		days int // that count against m00000
	}{
		"50 MiB behind what it says":      {one + strings.Repeat("x", 78) + strings.Repeat("\r\n"+strings.Repeat("y", 1022), 50<<10), 1},
		"50 MiB in front of what it says": {strings.Replace(one, "I'm sorry.", strings.Repeat(strings.Repeat("y", 1022)+"\r\n", 50<<10), 1), 0},
		"10,000 recipients":               {strings.Replace(one, "\r\n\r\nFinal-Recipient", "\r\n"+all.String()+"\r\nFinal-Recipient", 1), 1},
		"nested twenty deep":              {nested, 0},
	} {
		b := newBouncing(t, nil, members...)
		b.post("alice@example.com", dev)
		from := b.run()["m00000@example.com"][0].From
		b.message("", test.text, from)
		b.run()
		known, err := bounces.All(b.l, b.now())
		if err != nil {
			t.Fatal(err)
		}
		if len(known) != test.days || test.days > 0 && (known[0].Address != "m00000@example.com" || len(known[0].Days) != test.days) {
			t.Errorf("%s: %d are known, want %d", name, len(known), test.days)
		}
		b.wantEmpty()
	}
}
