package migrate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"superlist/lists/bounces"
	"superlist/lists/ledger"
	"superlist/smtp"
)

// known is what a list knows of addresses that bounce.
func known(t *testing.T, p *Parcel, err error) map[string]bounces.Record {
	t.Helper()
	_, l := arrive(t, p, err)
	all, err := bounces.All(l, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	m := make(map[string]bounces.Record)
	for _, r := range all {
		m[r.Address] = r
	}
	return m
}

// TestMlmmjBounces: the days on which mail to members came back come along.
func TestMlmmjBounces(t *testing.T) {
	now := time.Now()
	p, err := Mlmmj(folderOf(t, mlmmjList(map[string]string{
		"bounce/anna=example.com":         fmt.Sprintf("12:%d # yesterday\n13:%d # the same day\n14:%d # today\n", now.AddDate(0, 0, -1).Unix(), now.AddDate(0, 0, -1).Unix(), now.Unix()),
		"bounce/anna=example.com.lastmsg": "x",
		"bounce/bert=example.com-probe":   "x",
		"bounce/carl=example.com":         "junk\n99:-5\n",
	})), Options{})
	got := known(t, p, err)
	r := got["anna@example.com"]
	if len(got) != 1 || len(r.Days) != 2 || r.Score(bounces.Rules{Window: 365}, now, nil) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestEzmlmBounces: whose mail came back comes along.
func TestEzmlmBounces(t *testing.T) {
	p, err := Ezmlm(folderOf(t, map[string]string{
		"mailinglist": "x", "outlocal": "dev\n", "outhost": "lists.example.org\n", "owner": "olga@example.org\n", "lock": "", "subscribers/A": "Tanna@example.com\x00", "config": "X:1\n",
		"bounce/d/5":   "anna@example.com\x00Return-Path: <>\n\nno such user\n",
		"bounce/h/x1":  "12\n13\n",
		"bounce/lastd": "1795",
	}), Options{Owners: []smtp.Path{{Local: "olga", Domain: "example.org"}}})
	if got := known(t, p, err); len(got) != 1 || len(got["anna@example.com"].Days) != 1 {
		t.Errorf("%+v", got)
	}
}

// TestMailmanBounces: those to whom Mailman sent nothing are suspended here, and others
// bring their score.
func TestMailmanBounces(t *testing.T) {
	p, err := Mailman3(folderOf(t, map[string]string{
		"config.json": `{"fqdn_listname": "dev@lists.example.org"}`,
		"owner.json":  `{"entries": [{"email": "olga@example.org"}]}`,
		"member.json": `{"entries": [
			{"email": "anna@example.com", "delivery_status": "by_bounces", "delivery_mode": "regular", "bounce_score": 5, "last_warning_sent": "2026-11-20T10:00:00.123456"},
			{"email": "bert@example.com", "bounce_score": 3, "last_bounce_received": "2026-11-20T10:00:00"},
			{"email": "carl@example.com", "bounce_score": 0, "last_warning_sent": "0001-01-01T00:00:00"}]}`,
	}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for m := range p.Members.All() {
		lines = append(lines, m.String())
	}
	if s := strings.Join(lines, "; "); s != "anna@example.com bounced=2026-11-20; bert@example.com; carl@example.com" {
		t.Errorf("%s", s)
	}
	site := testSite(t)
	report, l := arriveAt(t, site, p, nil)
	all, err := bounces.All(l, time.Now())
	if err != nil || len(all) != 2 || all[0].Suspended.Format(time.DateOnly) != "2026-11-20" || len(all[1].Days) != 3 || all[1].Days[2].Day != "2026-11-20" {
		t.Errorf("%+v, %v; %+v", all, err, report)
	}
	// deliver looks at it at once: a probe is due.
	if due, err := ledger.Bounces(site.QueueDir).Due(time.Now(), 10); err != nil || len(due) != 1 || due[0].Subject != "dev@lists.example.org" {
		t.Errorf("%+v, %v", due, err)
	}
	// And so it goes on to the next host.
	again, err := Export(site, l)
	if got := known(t, again, err); len(got) != 2 || !got["anna@example.com"].Suspended.Equal(all[0].Suspended) {
		t.Errorf("%+v", got)
	}
}
