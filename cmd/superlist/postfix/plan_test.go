package postfix

import (
	"strings"
	"testing"
)

// factsOf is a host of which main.cf and master.cf are known, and no tables.
func factsOf(main, master string) *Facts {
	f := &Facts{
		Domains: []string{"lists.example.org"}, Given: make(map[string]string), Services: Services(master),
		Known: func(string) bool { return true }, Transport: func(string) string { return "" },
		Bin: "/usr/bin", MaxMessage: 25 << 20, Kick: "127.0.0.1:10027", Relay: "127.0.0.1:10026",
	}
	for _, line := range logical(main) {
		name, value, _ := strings.Cut(line, " = ")
		f.Given[name] = value
	}
	f.Value = func(name string) string { return f.Given[name] }
	f.Others = func(list string) (others []string) {
		for _, item := range Words(f.Given[list]) {
			if item != "localhost" && item != "mx.example.org" && item != "lists.example.org" {
				others = append(others, item)
			}
		}
		return others
	}
	f.Class = func(domain string) string {
		for _, list := range []string{"relay_domains", "mydestination"} {
			for _, item := range Words(f.Given[list]) {
				if item == domain {
					return list
				}
			}
		}
		return ""
	}
	return f
}

const (
	smtpdLine  = "smtp inet n - y - - smtpd\n"
	submission = "submission inet n - y - - smtpd -o syslog_name=postfix/submission\n"
)

// TestPlan has hosts as there are, the way that fits, and what the plan says of it.
func TestPlan(t *testing.T) {
	for name, test := range map[string]struct {
		main, master string
		way          string // asked for
		fits         string
		has          []string // settings, services, options
		hasNot       []string
		refused      string
	}{
		"nothing but lists": {"mydestination = mx.example.org, localhost\n", smtpdLine, "", "A",
			[]string{"smtpd_proxy_filter = 127.0.0.1:10025", "relay_domains = lists.example.org", "message_size_limit = 27262976", "127.0.0.1:10025 inet", "argv=/usr/bin/superlist-spawn"},
			[]string{"superlist-milter", "superlist-policy", "10028", "argv=/usr/local"}, ""},
		"people's mail":    {"mydestination = example.org, localhost\n", smtpdLine, "", "C", []string{"milter_default_action = tempfail", "smtpd_milters = unix:private/superlist-milter"}, nil, ""},
		"submission alone": {"", smtpdLine + submission, "", "C", nil, []string{"submission"}, ""},
		"a milter of others": {"mydestination = example.org\nsmtpd_milters = inet:127.0.0.1:11332\nmilter_default_action = accept\n", smtpdLine, "", "C",
			[]string{"smtpd_milters = inet:127.0.0.1:11332, { unix:private/superlist-milter, default_action=tempfail }"}, []string{"milter_default_action"}, ""},
		"another filter in front": {"smtpd_proxy_filter = 127.0.0.1:10024\n", smtpdLine, "", "C", nil, []string{"\nsmtpd_proxy_filter = "}, ""},
		"… and A wanted":          {"smtpd_proxy_filter = 127.0.0.1:10024\n", smtpdLine, "A", "A", nil, nil, "smtpd_proxy_filter is 127.0.0.1:10024 already"},
		"milters of smtpd's own": {"mydestination = example.org\n", "smtp inet n - y - - smtpd -o smtpd_milters=inet:127.0.0.1:1\n", "", "B",
			[]string{"superlist = check_policy_service unix:private/superlist-policy", "smtpd_recipient_restrictions = check_recipient_access inline:{ lists.example.org=superlist }", "superlist-policy unix"}, nil, ""},
		"… and C wanted":      {"mydestination = example.org\n", "smtp inet n - y - - smtpd -o smtpd_milters=inet:127.0.0.1:1\n", "C", "C", nil, nil, "has its own -o smtpd_milters=inet:127.0.0.1:1"},
		"postscreen in front": {"mydestination = example.org\n", "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd -o smtpd_milters=\n", "C", "C", nil, nil, "the service smtpd in master.cf has its own -o smtpd_milters="},
		"no door":             {"", submission, "", "C", nil, nil, "no smtpd or postscreen on port 25"},
		"restrictions": {"smtpd_recipient_restrictions = reject_unknown_recipient_domain, check_policy_service inet:127.0.0.1:10023\nsmtpd_restriction_classes = mine\n", smtpdLine, "B", "B",
			[]string{"smtpd_recipient_restrictions = check_recipient_access inline:{ lists.example.org=superlist }, reject_unknown_recipient_domain, check_policy_service inet:127.0.0.1:10023",
				"smtpd_restriction_classes = mine, superlist"}, nil, ""},
		"recipients of relay domains": {"relay_domains = a.example\nrelay_recipient_maps = hash:/etc/postfix/relay\n", smtpdLine, "B", "B",
			[]string{"relay_domains = a.example, lists.example.org", "relay_recipient_maps = hash:/etc/postfix/relay, inline:{ @lists.example.org=OK }"}, nil, ""},
		"large mail":             {"message_size_limit = 50000000\n", smtpdLine, "B", "B", nil, []string{"message_size_limit"}, ""},
		"mail without a limit":   {"message_size_limit = 0\n", smtpdLine, "B", "B", nil, []string{"message_size_limit"}, ""},
		"small mail":             {"message_size_limit = 27262975\n", smtpdLine, "B", "B", []string{"message_size_limit = 27262976"}, nil, ""},
		"bare newlines refused":  {"smtpd_forbid_bare_newline = reject\n", smtpdLine, "C", "C", nil, []string{"smtpd_forbid_bare_newline"}, ""},
		"amavis at our port":     {"", smtpdLine + "127.0.0.1:10025 inet n - n - - smtpd -o content_filter=\n", "B", "B", nil, nil, "master.cf has another service, smtpd, at 127.0.0.1:10025, which superlist needs for superlist-spawn"},
		"amavis at the re-entry": {"", smtpdLine + "10026 inet n - n - - smtpd\n", "B", "B", nil, nil, "at 10026, which superlist needs for smtpd"},
		"ours already":           {"", smtpdLine + "127.0.0.1:10025 inet n n n - - spawn user=superlist argv=/opt/superlist-spawn\n", "B", "B", nil, []string{"10025 inet"}, ""},
		"lists among people":     {"mydestination = lists.example.org\n", smtpdLine, "C", "C", nil, nil, "lists.example.org is in mydestination, so it has other addresses"},
		"D without a next hop":   {"mydestination = example.org\n", smtpdLine, "D", "D", nil, nil, "next_hop = \"127.0.0.1:10028\""},
	} {
		t.Run(name, func(t *testing.T) {
			p := New(factsOf(test.main, test.master), test.way)
			if p.Way != test.fits || p.Why == "" {
				t.Errorf("way %s: %s", p.Way, p.Why)
			}
			wantPlan(t, p, test.has, test.hasNot, test.refused)
		})
	}
}

// wantPlan looks at all that a plan would change, as one text.
func wantPlan(t *testing.T, p *Plan, has, hasNot []string, refused string) {
	t.Helper()
	var text strings.Builder
	for _, s := range p.Settings {
		text.WriteString(s.Name + " = " + s.Value + "\n")
	}
	text.WriteString(strings.Join(append(p.Services, p.Options...), "\n") + "\n")
	for _, want := range has {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	for _, not := range hasNot {
		if strings.Contains(text.String(), not) {
			t.Errorf("%q in\n%s", not, text.String())
		}
	}
	if got := strings.Join(p.Refused, "\n"); (refused == "") != (got == "") || !strings.Contains(got, refused) {
		t.Errorf("refused: %q, want %q", got, refused)
	}
}

// TestPlanInFront is way D on a host that relays for others and lets people send.
func TestPlanInFront(t *testing.T) {
	f := factsOf("relay_domains = a.example, b.example\nsmtpd_discard_ehlo_keywords = chunking\n", smtpdLine+submission)
	f.NextHop = "127.0.0.1:10028"
	wantPlan(t, New(f, Proxy), []string{
		"relay_recipient_maps = inline:{ nobody@invalid=OK, @a.example=OK, @b.example=OK }",
		"transport_maps = inline:{ lists.example.org=lmtp:[127.0.0.1]:10025 }",
		"smtpd_discard_ehlo_keywords = chunking, dsn, smtputf8, silent-discard", "127.0.0.1:10028 inet",
		"submission/inet/smtpd_proxy_filter=",
	}, []string{"relay_transport"}, "")
	f = factsOf("relay_domains = hash:/etc/postfix/relay\n", smtpdLine)
	f.NextHop = "127.0.0.1:10028"
	wantPlan(t, New(f, Proxy), nil, nil, "relay_domains has hash:/etc/postfix/relay, and way D needs the recipients")
}

// TestPlanWithSystemd: what systemd starts, master.cf does not.
func TestPlanWithSystemd(t *testing.T) {
	f := factsOf("mydestination = example.org\n", smtpdLine)
	f.Kick = ""
	wantPlan(t, New(f, Milter), []string{"smtpd_milters = inet:127.0.0.1:10030", "127.0.0.1:10026 inet"}, []string{"spawn", "non_smtpd_milters"}, "")
	f.Relay = "[mail.example.com]:25"
	wantPlan(t, New(f, Milter), nil, []string{"10026 inet"}, "")
}

// TestPlanElsewhere: ports and files are as superlist.toml and its place have them.
func TestPlanElsewhere(t *testing.T) {
	f := factsOf("", smtpdLine)
	f.Kick, f.Relay, f.Config = "127.0.0.1:20027", "127.0.0.1:20026", "/srv/superlist.toml"
	wantPlan(t, New(f, LMTP), []string{"127.0.0.1:20027 inet", "127.0.0.1:20026 inet", "argv=/usr/bin/superlist-spawn -c /srv/superlist.toml", "argv=/usr/bin/superlist -c /srv/superlist.toml deliver"},
		[]string{"10027", "10026"}, "")
}

// TestPlanAgain: a second domain changes what was made for the first.
func TestPlanAgain(t *testing.T) {
	f := factsOf("relay_domains = lists.example.org\ntransport_maps = inline:{ lists.example.org=lmtp:[127.0.0.1]:10025 }, hash:/etc/postfix/transport\n", smtpdLine)
	f.Domains = []string{"lists.example.org", "other.example"}
	p := New(f, LMTP)
	wantPlan(t, p, []string{"relay_domains = lists.example.org, other.example\n",
		"transport_maps = inline:{ lists.example.org=lmtp:[127.0.0.1]:10025, other.example=lmtp:[127.0.0.1]:10025 }, hash:/etc/postfix/transport\n"}, nil, "")
	first := &Plan{Settings: []Setting{{Name: "transport_maps", Was: "hash:/etc/postfix/transport", Given: true}, {Name: "earlier", Value: "x"}}, Services: []string{"a"}}
	both := p.Behind(first)
	wantPlan(t, both, []string{"earlier = x"}, nil, "")
	for _, s := range both.Settings {
		if s.Name == "transport_maps" && s.Was != "hash:/etc/postfix/transport" {
			t.Errorf("what was before both: %q", s.Was)
		}
	}
	f.Domains = nil
	wantPlan(t, New(f, LMTP), nil, nil, "there are no lists yet")
}

func TestDiff(t *testing.T) {
	a := "1\n2\n3\n4\n5\n6\n7\n8\n9\n"
	for b, want := range map[string]string{
		a:                             "",
		a + "10\n":                    "--- f\n+++ f\n@@ -8 +8 @@\n 8\n 9\n+10\n",
		"1\n2\n3\nx\n5\n6\n7\n8\n9\n": "--- f\n+++ f\n@@ -2 +2 @@\n 2\n 3\n-4\n+x\n 5\n 6\n",
		"2\n3\n4\n5\n6\n7\n8\n9\n":    "--- f\n+++ f\n@@ -1 +1 @@\n-1\n 2\n 3\n",
	} {
		if got := Diff("f", "f", a, b); got != want {
			t.Errorf("%q", got)
		}
	}
}
