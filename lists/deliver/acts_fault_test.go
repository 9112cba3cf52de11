package deliver

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/bounces"
	"superlist/lists/confirmation"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/request"
	"superlist/lists/site"
	"superlist/lists/verp"
	"superlist/queue"
	"superlist/smtp"
)

// An act is what somebody does by mail, or what the day brings. Whatever fails on the
// way, of the queue, the list or the Maildirs, and wherever deliver dies: when it has
// run again it has all come about, and nothing twice.
type act struct {
	settings []string
	prepare  func(*testing.T, *actPlace)
	days     int            // after which deliver runs
	letters  map[string]int // by who gets them
	members  string
	twice    string // who may have two instead, wherever it ends
	files    string // of the list, as a pattern: how many there are
	count    int
}

const actMembers = "a@example.com\nb@example.com"

var acts = map[string]act{
	"a program's order":   {prepare: order(request.Signed{Verb: request.Add, Members: []string{"new@example.com"}}), members: actMembers + "\nnew@example.com", files: "../../.outcomes/[0-9]*", count: 1},
	"posts are removed":   {settings: []string{"archive=true"}, prepare: both(hasPosts, order(request.Signed{Verb: request.RemovePosts, Posts: []int{1, 3}})), members: actMembers, files: "archive/removed", count: 1},
	"a visit":             {prepare: visits, members: actMembers, files: "decided/*", count: 2},
	"help":                {prepare: says("new@example.com", "dev+help"), letters: map[string]int{"new@example.com": 1}, members: actMembers},
	"subscribe":           {prepare: says("new@example.com", "dev+subscribe"), letters: map[string]int{"new@example.com": 1}, members: actMembers, files: "asked/who-*", count: 1},
	"subscribe twice":     {prepare: both(says("new@example.com", "dev+subscribe"), says("new@example.com", "dev+subscribe")), letters: map[string]int{"new@example.com": 1}, members: actMembers},
	"confirm":             {prepare: confirms(confirmation.Subscribe, "new@example.com"), letters: map[string]int{"new@example.com": 1, "olga@example.org": 1}, members: actMembers + "\nnew@example.com", files: "decided/*", count: 1},
	"confirm twice":       {prepare: both(confirms(confirmation.Subscribe, "new@example.com"), confirms(confirmation.Subscribe, "new@example.com")), letters: map[string]int{"new@example.com": 1, "olga@example.org": 1}, members: actMembers + "\nnew@example.com"},
	"leave":               {prepare: confirms(confirmation.Unsubscribe, "a@example.com"), letters: map[string]int{"a@example.com": 1, "olga@example.org": 1}, members: "b@example.com"},
	"change":              {prepare: confirms(confirmation.GetDigests, "a@example.com"), letters: map[string]int{"a@example.com": 1}, members: "a@example.com digest\nb@example.com"},
	"ask the owners":      {settings: []string{"subscribe=confirm+approve"}, prepare: confirms(confirmation.Subscribe, "new@example.com"), letters: map[string]int{"new@example.com": 1, "olga@example.org": 1}, members: actMembers, files: "requests/*", count: 1},
	"an owner approves":   {settings: []string{"subscribe=confirm+approve"}, prepare: approves, letters: map[string]int{"new@example.com": 1, "olga@example.org": 1}, members: actMembers + "\nnew@example.com", files: "requests/*"},
	"a check":             {prepare: isChecked, letters: map[string]int{"dev+checked-PROOF@lists.example.org": 1}, members: actMembers, files: "checks/*", count: 1},
	"a check comes back":  {prepare: isBack, members: actMembers, files: "checks/*-back", count: 1},
	"write to owners":     {prepare: says("new@example.com", "dev+owner"), letters: map[string]int{"olga@example.org": 1}, members: actMembers},
	"mail comes back":     {settings: []string{"bounce_days=1"}, prepare: comesBack, letters: map[string]int{"a@example.com": 1}, members: actMembers, files: "bouncing/*", count: 1},
	"a probe too":         {settings: []string{"bounce_days=1"}, prepare: probeComesBack, members: "a@example.com bounced=DAY\nb@example.com", files: "bouncing/*", count: 1},
	"owners hear of it":   {settings: []string{"bounce_days=1"}, prepare: suspended, days: 1, letters: map[string]int{"olga@example.org": 1}, members: "a@example.com bounced=DAY\nb@example.com", files: "bouncing/*", count: 1},
	"a probe stays":       {settings: []string{"bounce_days=1"}, prepare: probedAgain, days: 10, letters: map[string]int{"a@example.com": 1}, members: actMembers, files: "bouncing/*", count: 1},
	"removed":             {settings: []string{"bounce_days=1"}, prepare: suspended, days: 31, letters: map[string]int{"olga@example.org": 1}, members: "b@example.com", files: "bouncing/*", count: 1},
	"posts again":         {settings: []string{"bounce_days=1"}, prepare: both(both(suspended, leaveAlone), says("a@example.com", "dev")), letters: map[string]int{"a@example.com": 2}, members: "a@example.com", files: "bouncing/*", count: 1},
	"complains":           {prepare: complains, members: "b@example.com", files: "bouncing/*", count: 1},
	"copies of their own": {settings: []string{"personal=true", "footer=Bye: {unsubscribe}", `footers=["de: Bis dann: {unsubscribe}"]`, "subject_prefix=[dev {number}]"}, prepare: both(speaksGerman, says("a@example.com", "dev")), letters: map[string]int{"a@example.com": 1, "b@example.com": 1}, members: "a@example.com lang=de\nb@example.com"},
	"once":                {prepare: namesTwo, twice: "a@example.com", letters: map[string]int{"a@example.com": 1, "b@example.com": 1}, members: "a@example.com once\nb@example.com"},
	"a summary":           {settings: []string{"held_notice=daily", "moderators=mo@example.org,mia@example.org"}, prepare: holds, days: 1, letters: map[string]int{"mo@example.org": 1, "mia@example.org": 1}, members: actMembers, files: "held/*", count: 1},
}

// An actPlace is a site with one list.
type actPlace struct {
	site *site.Site
	l    *lists.List
	now  time.Time
	n    int
}

func (p *actPlace) put(t *testing.T, from smtp.Path, to smtp.Path, message string) {
	t.Helper()
	w, err := p.site.Spool().Create(queue.Head{From: from, Arrived: p.now})
	if err != nil {
		t.Fatal(err)
	}
	w.Rcpt(smtp.Rcpt{Path: to})
	io.WriteString(w, message)
	if err := w.Commit(queue.Inbound); err != nil {
		t.Fatal(err)
	}
}

func (p *actPlace) says(t *testing.T, from string, to smtp.Path) {
	p.n++
	p.put(t, path(from), to, fmt.Sprintf("From: %s\r\nMessage-ID: <%d@x>\r\nSubject: hello\r\n\r\nhello\r\n", from, p.n))
}

func says(from, to string) func(*testing.T, *actPlace) {
	return func(t *testing.T, p *actPlace) { p.says(t, from, path(to+"@lists.example.org")) }
}

func confirms(a confirmation.Action, who string) func(*testing.T, *actPlace) {
	return func(t *testing.T, p *actPlace) {
		to, err := p.l.ProofAddress(a, verp.Word(path(who)), p.now)
		if err != nil {
			t.Fatal(err)
		}
		p.says(t, who, to)
	}
}

func both(one, other func(*testing.T, *actPlace)) func(*testing.T, *actPlace) {
	return func(t *testing.T, p *actPlace) { one(t, p); other(t, p) }
}

func speaksGerman(t *testing.T, p *actPlace) {
	if err := os.WriteFile(p.l.Dir+"/members", []byte("a@example.com lang=de\nb@example.com\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func isChecked(t *testing.T, p *actPlace) { p.checks(t, p.l.CheckAddress) }
func isBack(t *testing.T, p *actPlace)    { p.checks(t, p.l.CheckedAddress) }

// checks has the same mail of superlist check come twice.
func (p *actPlace) checks(t *testing.T, address func(time.Time) (smtp.Path, error)) {
	to, err := address(p.now)
	if err != nil {
		t.Fatal(err)
	}
	p.says(t, "root@example.org", to)
	p.says(t, "root@example.org", to)
}

func approves(t *testing.T, p *actPlace) {
	r, err := p.l.KeepApplicant(members.Member{Path: path("new@example.com")}, p.now)
	if err != nil {
		t.Fatal(err)
	}
	to, err := p.l.DecisionAddress(confirmation.Approve, r.Name, path("olga@example.org"), p.now)
	if err != nil {
		t.Fatal(err)
	}
	p.says(t, "olga@example.org", to)
}

// unknownUser is a delivery report.
const unknownUser = "From: MAILER-DAEMON@example.com\r\nSubject: Undelivered Mail Returned to Sender\r\n" +
	"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
	"--b\r\n\r\nsorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n" +
	"Final-Recipient: rfc822; a@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n--b--\r\n"

func comesBack(t *testing.T, p *actPlace) {
	to, err := p.l.BounceAddress(p.now)
	if err != nil {
		t.Fatal(err)
	}
	p.put(t, smtp.Path{}, smtp.VERPAddress(to, path("a@example.com")), unknownUser)
}

// runs has deliver run before the act, and forgets the letters.
func runs(t *testing.T, p *actPlace, days int) {
	t.Helper()
	if err := (act{days: days}).do(p.site); err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(outOf(p))
}

// outOf is where letters arrive.
func outOf(p *actPlace) string { return filepath.Join(filepath.Dir(p.site.QueueDir), "out") }

// probeComesBack has mail come back, and the probe that follows.
func probeComesBack(t *testing.T, p *actPlace) {
	comesBack(t, p)
	runs(t, p, 0)
	r, ok, err := bounces.Recall(p.l, path("a@example.com"), p.now)
	if err != nil || !ok || r.Probe.At.IsZero() {
		t.Fatalf("%+v, %t, %v", r, ok, err)
	}
	to, err := p.l.ProbeAddress(path("a@example.com"), r.Probe.At)
	if err != nil {
		t.Fatal(err)
	}
	p.put(t, smtp.Path{}, to, unknownUser)
}

func suspended(t *testing.T, p *actPlace) { probeComesBack(t, p); runs(t, p, 0) }

// leaveAlone takes b off the list.
func leaveAlone(t *testing.T, p *actPlace) {
	if err := edit.Members(p.l, func(set members.Set) error { set.Remove(path("b@example.com")); return nil }); err != nil {
		t.Fatal(err)
	}
}

// probedAgain has a week pass, and another probe stay away; the owners have heard.
func probedAgain(t *testing.T, p *actPlace) { suspended(t, p); runs(t, p, 1); runs(t, p, 8) }

func complains(t *testing.T, p *actPlace) {
	to, err := p.l.PersonalAddress(path("a@example.com"), p.now)
	if err != nil {
		t.Fatal(err)
	}
	p.put(t, smtp.Path{}, to, "From: fbl@example.com\r\nSubject: complaint\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"+
		"--b\r\n\r\na complaint\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x/1\r\nVersion: 1\r\n\r\n--b--\r\n")
}

// holds has a stranger's post held, of which the moderators are to hear tomorrow.
func holds(t *testing.T, p *actPlace) {
	p.says(t, "eve@example.net", p.l.Addr)
	if err := deliverOnce(p.site, alone, nil); err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(outOf(p))
}

// namesTwo has a post come for two lists, of which a is on both, and wants it once.
func namesTwo(t *testing.T, p *actPlace) {
	news, err := lists.Of(p.site).Open(path("news@lists.example.org"))
	if err == nil {
		err = os.WriteFile(filepath.Join(news.Dir, "members"), []byte("a@example.com once\n"), 0o600)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(p.l.Dir, "members"), []byte("a@example.com once\nb@example.com\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range []*lists.List{p.l, news} {
		p.put(t, path("b@example.com"), l.Addr, "From: b@example.com\r\nTo: dev@lists.example.org, news@lists.example.org\r\nSubject: both\r\nMessage-ID: <1@example.com>\r\n\r\nHello.\r\n")
	}
}

// place makes the site at which an act begins.
func (a act) place(t *testing.T) *actPlace {
	t.Helper()
	return a.on(t, faultSite(t, t.TempDir()))
}

// on begins an act on a site of its own.
func (a act) on(t *testing.T, on *site.Site) *actPlace {
	t.Helper()
	p := &actPlace{site: on, now: time.Now()}
	if err := os.RemoveAll(p.site.QueueDir); err != nil { // its post
		t.Fatal(err)
	}
	l, err := lists.Of(p.site).Open(path(dev))
	if err == nil {
		err = p.site.Spool().Init()
	}
	if err == nil {
		err = edit.Set(l, append([]string{"post=members", "nonmembers=hold", "owners=olga@example.org"}, a.settings...))
	}
	if err == nil {
		err = edit.Members(l, func(set members.Set) error {
			for _, who := range []string{"c@example.com", "d@example.com", "e@example.com"} {
				set.Remove(path(who))
			}
			return nil
		})
	}
	if err == nil {
		p.l, err = lists.Of(p.site).Open(l.Addr)
	}
	if err != nil {
		t.Fatal(err)
	}
	a.prepare(t, p)
	return p
}

// do runs deliver.
func (a act) do(site *site.Site) error {
	log, _ := maillog.Open("none", "info", "test")
	r := &Runner{Site: site, Spool: site.Spool(), Log: log, atOnce: alone, Now: func() time.Time { return time.Now().AddDate(0, 0, a.days) }}
	return r.Run(context.Background())
}

// check lets deliver run again, and holds what has come of it. Only where the outcome of
// a letter was hidden somebody has a second one.
func (a act) check(t *testing.T, p *actPlace, what string, mayHide bool) {
	t.Helper()
	if err := makeDue(p.site); err != nil {
		t.Fatal(err)
	}
	if err := a.do(p.site); err != nil {
		t.Errorf("%s: again: %v", what, err)
	}
	out := outOf(p)
	got, twice := map[string]int{}, 0
	files, _ := filepath.Glob(filepath.Join(out, "*", "new", "*"))
	for _, file := range files {
		who := regexp.MustCompile("checked-[^@]*").ReplaceAllString(filepath.Base(filepath.Dir(filepath.Dir(file))), "checked-PROOF")
		if got[who]++; got[who] > a.letters[who] && mayHide && twice == 0 && who != a.twice {
			got[who]--
			twice++
		}
	}
	if got[a.twice] == 2 {
		got[a.twice] = 1
	}
	if !maps.Equal(got, a.letters) {
		t.Errorf("%s: letters %v, want %v", what, got, a.letters)
	}
	text, err := os.ReadFile(filepath.Join(p.l.Dir, "members"))
	text = regexp.MustCompile("bounced=[0-9-]+").ReplaceAll(text, []byte("bounced=DAY"))
	if err != nil || strings.TrimSpace(string(text)) != a.members {
		t.Errorf("%s: members %q, %v", what, text, err)
	}
	if a.files != "" {
		if found, _ := filepath.Glob(filepath.Join(p.l.Dir, a.files)); len(found) != a.count {
			t.Errorf("%s: %s is %q, want %d", what, a.files, found, a.count)
		}
	}
	for _, box := range []queue.Box{queue.Inbound, queue.Outbound, queue.Failed} {
		if list, err := p.site.Spool().List(box); err != nil || len(list) > 0 {
			t.Errorf("%s: %s still has %d, %v", what, box, len(list), err)
		}
	}
}
