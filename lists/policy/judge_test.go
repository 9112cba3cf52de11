package policy

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/lists/members"
	"superlist/lists/rewrite"
	"superlist/smtp"
)

// header makes a header of lines.
func header(lines ...string) rewrite.Header {
	return rewrite.Parse([]byte(strings.Join(lines, "\r\n") + "\r\n"))
}

// TestJudge is the policy: who, how he is known, and what the list wants.
func TestJudge(t *testing.T) {
	const members = "alice@example.com\nmark@example.com moderated\nal@example.com for=alice@example.com\nm@example.com for=mark@example.com\nx@example.com for=gone@example.com\n"
	for name, test := range map[string]struct {
		settings []string
		rules    string
		header   []string
		verified string // the author that is
		want     string // the verdict, and words of its reply or reason
	}{
		"member":                     {nil, "", []string{"From: alice@example.com"}, "", "accept"},
		"stranger":                   {nil, "", []string{"From: eve@example.net"}, "", "reject 550 5.7.1 only members may post"},
		"another address":            {nil, "", []string{"From: al@example.com"}, "", "accept"},
		"a moderated member's":       {nil, "", []string{"From: m@example.com"}, "", "hold m@example.com is moderated"},
		"of somebody who has left":   {nil, "", []string{"From: x@example.com"}, "", "reject 550 5.7.1 only members may post"},
		"hold strangers":             {[]string{"nonmembers=hold"}, "", []string{"From: eve@example.net"}, "", "hold eve@example.net is not a member"},
		"ask strangers":              {[]string{"nonmembers=confirm"}, "", []string{"From: eve@example.net"}, "", "confirm eve@example.net is not a member"},
		"drop strangers":             {[]string{"nonmembers=discard"}, "", []string{"From: eve@example.net"}, "", "discard"},
		"allowed address":            {[]string{"allow=eve@example.net"}, "", []string{"From: Eve@Example.net"}, "", "accept"},
		"allowed domain":             {[]string{"allow=*.example.net"}, "", []string{"From: eve@sub.example.net"}, "", "accept"},
		"not that domain":            {[]string{"allow=*.example.net"}, "", []string{"From: eve@example.net"}, "", "reject"},
		"banned member":              {[]string{"ban=example.com"}, "", []string{"From: alice@example.com"}, "", "reject 550 5.7.1 alice@example.com may not post"},
		"moderated list":             {[]string{"moderated=true"}, "", []string{"From: alice@example.com"}, "", "hold alice@example.com is moderated"},
		"moderated list, allowed":    {[]string{"moderated=true", "allow=alice@example.com"}, "", []string{"From: alice@example.com"}, "", "accept"},
		"moderated member, allowed":  {[]string{"allow=example.com"}, "", []string{"From: mark@example.com"}, "", "hold mark@example.com is moderated"},
		"emergency, allowed":         {[]string{"hold_all=true", "allow=alice@example.com"}, "", []string{"From: alice@example.com"}, "", "hold all posts are held"},
		"moderated member":           {nil, "", []string{"From: mark@example.com"}, "", "hold mark@example.com is moderated"},
		"moderator, forged":          {[]string{"moderated=true"}, "", []string{"From: mona@example.org"}, "", "hold"},
		"moderator, proved":          {[]string{"moderated=true"}, "", []string{"From: mona@example.org"}, "mona@example.org", "accept"},
		"announcements, forged":      {[]string{"post=moderators"}, "", []string{"From: mona@example.org"}, "", "confirm mona@example.org is a moderator, but nothing proves"},
		"announcements, proved":      {[]string{"post=moderators"}, "", []string{"From: mona@example.org"}, "mona@example.org", "accept"},
		"announcements, member":      {[]string{"post=moderators"}, "", []string{"From: alice@example.com"}, "alice@example.com", "reject 550 5.7.1 only moderators"},
		"closed, owner proved":       {[]string{"post=nobody"}, "", []string{"From: olga@example.org"}, "olga@example.org", "reject 550 5.7.1 dev@lists.example.org is closed"},
		"unverified held":            {[]string{"unverified=hold"}, "", []string{"From: alice@example.com"}, "", "hold nothing proves that it is from alice@example.com"},
		"unverified asked":           {[]string{"unverified=confirm"}, "", []string{"From: alice@example.com"}, "", "confirm"},
		"verified":                   {[]string{"unverified=hold"}, "", []string{"From: alice@example.com"}, "alice@example.com", "accept"},
		"emergency":                  {[]string{"hold_all=true"}, "", []string{"From: alice@example.com"}, "alice@example.com", "hold all posts are held"},
		"emergency, moderator":       {[]string{"hold_all=true"}, "", []string{"From: mona@example.org"}, "mona@example.org", "accept"},
		"not named":                  {[]string{"must_be_named=true"}, "", []string{"From: alice@example.com", "To: x@example.com"}, "", "reject 550 5.7.1 dev@lists.example.org must stand in To or Cc"},
		"named in Cc":                {[]string{"must_be_named=true"}, "", []string{"From: alice@example.com", "Cc: DEV@lists.example.org"}, "", "accept"},
		"named in Resent-To":         {[]string{"must_be_named=true"}, "", []string{"From: alice@example.com", "To: x@example.com", "Resent-To: y@example.com", "Resent-To: The list <dev@lists.example.org>"}, "", "accept"},
		"named in Resent-Cc":         {[]string{"must_be_named=true"}, "", []string{"From: alice@example.com", "Resent-Cc: y@example.com, dev@lists.example.org"}, "", "accept"},
		"resent to another":          {[]string{"must_be_named=true"}, "", []string{"From: alice@example.com", "Resent-To: x@example.com"}, "", "reject 550 5.7.1 dev@lists.example.org must stand in To or Cc"},
		"named with a comment":       {[]string{"must_be_named=true"}, "", []string{"From: alice@example.com", "To: Doe, John <x@example.com>, List < (the) dev@lists.example.org>, a b"}, "", "accept"},
		"resent people do not count": {[]string{"max_named=1"}, "", []string{"From: alice@example.com", "To: a@x.y", "Resent-To: b@x.y"}, "", "accept"},
		"two are named, two allowed": {[]string{"max_named=2"}, "", []string{"From: alice@example.com", "To: a@x.y, b@x.y"}, "", "accept"},
		"three are":                  {[]string{"max_named=2"}, "", []string{"From: alice@example.com", "To: a@x.y, b@x.y", "Cc: c@x.y"}, "", "reject 550 5.7.1 the message names 3 people"},
		"spam, SpamAssassin":         {nil, "", []string{"From: alice@example.com", "X-Spam-Status: Yes, score=9"}, "", "hold it is marked as spam"},
		"spam, rspamd":               {[]string{"spam=reject"}, "", []string{"From: alice@example.com", "X-Spam: Yes"}, "", "reject 550 5.7.1 the message looks like spam"},
		"ham":                        {nil, "", []string{"From: alice@example.com", "X-Spam-Status: No, yes=1"}, "", "accept"},
		"spam does not matter":       {[]string{"spam=accept"}, "", []string{"From: alice@example.com", "X-Spam-Flag: YES"}, "", "accept"},
		"rule accepts":               {nil, "accept From: *@example.net\n", []string{"From: eve@example.net"}, "", "accept"},
		"rule rejects":               {nil, "reject \"Plain text, please.\" Content-Type: text/html*\n", []string{"From: alice@example.com", "Content-Type: TEXT/HTML; x=y"}, "", "reject 550 5.7.1 Plain text, please."},
		"first rule counts":          {nil, "hold Subject: *x*\ndiscard *\n", []string{"From: alice@example.com", "Subject: axb"}, "", "hold line 1"},
		"last rule":                  {nil, "hold Subject: *x*\ndiscard *\n", []string{"From: alice@example.com", "Subject: ab"}, "", "discard"},
		"rule for what is missing":   {nil, "hold !Message-ID\n", []string{"From: alice@example.com"}, "", "hold line 1"},
		"rule, encoded":              {nil, "hold Subject: *günstig*\n", []string{"From: alice@example.com", "Subject: =?utf-8?q?sehr_g=C3=BCnstig!?="}, "", "hold line 1"},
		"ban before rules":           {[]string{"ban=alice@example.com"}, "accept *\n", []string{"From: alice@example.com"}, "", "reject"},
		"two Subjects":               {nil, "accept *\n", []string{"From: alice@example.com", "Subject: a", "Subject: b"}, "", "reject 550 5.6.0"},
		"no From":                    {nil, "", []string{"Subject: a"}, "", "reject 550 5.6.0"},
		"robot":                      {nil, "", []string{"From: alice@example.com", "Auto-Submitted: auto-replied"}, "", "reject 550 5.7.1 a list takes no automatic replies"},
	} {
		t.Run(name, func(t *testing.T) {
			s := testSite(t, "")
			l := testList(t, s, members, append([]string{"moderators=mona@example.org"}, test.settings...)...)
			if test.rules != "" {
				if err := os.WriteFile(l.RulesFile(), []byte(test.rules), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var trace []string
			d, err := Of(l).Judge(&Posting{
				From: addr("alice@example.com"), Header: header(test.header...),
				Verified: func(p smtp.Path) string {
					if p.Address() == test.verified {
						return "test"
					}
					return ""
				},
				Trace: func(rule, answer string) { trace = append(trace, rule+": "+answer) },
			})
			if err != nil {
				t.Fatal(err)
			}
			verdict, words, _ := strings.Cut(test.want, " ")
			if d.Verdict.String() != verdict || !strings.Contains(d.Reason+d.Reply.String(), words) {
				t.Errorf("%v, want %s\n%s", d, test.want, strings.Join(trace, "\n"))
			}
			if (d.Err() != nil) != (verdict == "reject") || len(trace) == 0 && name != "robot" {
				t.Errorf("%v, %v, trace %q", d, d.Err(), trace)
			}
		})
	}
}

// TestMayPostAtRcpt: only what no header can mend is refused before there is one.
func TestMayPostAtRcpt(t *testing.T) {
	for name, test := range map[string]struct {
		settings []string
		rules    string
		from     string
		login    string
		want     string // the refusal; empty: there is none yet
	}{
		"a stranger":                  {nil, "", "eve@example.net", "", ""},
		"… to announcements":          {[]string{"post=moderators"}, "", "eve@example.net", "", ""},
		"banned":                      {[]string{"ban=example.net"}, "", "eve@example.net", "", "550 5.7.1 eve@example.net may not post"},
		"banned, behind a tag":        {[]string{"ban=example.net"}, "", "prvs=1234abcdef=eve@example.net", "", "550 5.7.1 eve@example.net may not post"},
		"banned, whatever rules say":  {[]string{"ban=example.net"}, "accept *\n", "eve@example.net", "", "550 5.7.1 eve@example.net may not post"},
		"closed":                      {[]string{"post=nobody"}, "", "alice@example.com", "", "550 5.7.1 dev@lists.example.org is closed"},
		"closed, and a rule refuses":  {[]string{"post=nobody"}, "reject Subject: x\n", "alice@example.com", "", "550 5.7.1 dev@lists.example.org is closed"},
		"closed, and a rule passes":   {[]string{"post=nobody"}, "pass *\n", "alice@example.com", "", "550 5.7.1 dev@lists.example.org is closed"},
		"closed, but for a rule":      {[]string{"post=nobody"}, "hold Subject: x\n", "alice@example.com", "", ""},
		"logged in":                   {nil, "", "eve@example.net", "alice@example.com", ""},
		"logged in, and no member":    {nil, "", "alice@example.com", "eve@example.net", "550 5.7.1 only members may post"},
		"logged in, but for a rule":   {nil, "accept Subject: x\n", "alice@example.com", "eve@example.net", ""},
		"logged in, banned":           {[]string{"ban=example.net"}, "", "alice@example.com", "eve@example.net", "550 5.7.1 eve@example.net may not post"},
		"logged in, to announcements": {[]string{"post=moderators"}, "", "alice@example.com", "alice@example.com", "550 5.7.1 only moderators"},
	} {
		t.Run(name, func(t *testing.T) {
			l := testList(t, testSite(t, ""), "alice@example.com\n", test.settings...)
			if err := os.WriteFile(l.RulesFile(), []byte(test.rules), 0o600); err != nil {
				t.Fatal(err)
			}
			var proved []smtp.Path
			if test.login != "" {
				proved = append(proved, addr(test.login))
			}
			err := Of(l).MayPost(addr(test.from), proved)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

// TestJudgeSeveral: of several authors the worst counts, unless it is proved who wrote.
func TestJudgeSeveral(t *testing.T) {
	for name, test := range map[string]struct {
		settings []string
		from     string
		proved   string // by AUTH
		verified string // by a signature
		answered string
		want     string // the verdict, and the author it is about
	}{
		"two members":                     {nil, "alice@example.com, bob@example.com", "", "", "", "accept alice@example.com"},
		"a stranger first":                {nil, "eve@example.net, alice@example.com", "", "", "", "reject eve@example.net"},
		"a stranger last":                 {nil, "alice@example.com, eve@example.net", "", "", "", "reject eve@example.net"},
		"in a group":                      {nil, "We: alice@example.com, eve@example.net;", "", "", "", "reject eve@example.net"},
		"a moderator and a stranger":      {[]string{"post=moderators"}, "eve@example.net, mona@example.org", "", "", "", "reject eve@example.net"},
		"… the moderator first":           {[]string{"post=moderators"}, "mona@example.org, eve@example.net", "", "", "", "reject eve@example.net"},
		"… whoever is verified":           {[]string{"post=moderators"}, "mona@example.org, eve@example.net", "", "mona@example.org", "", "reject eve@example.net"},
		"… or has logged in":              {[]string{"post=moderators"}, "eve@example.net, mona@example.org", "mona@example.org", "", "", "accept mona@example.org"},
		"two moderators":                  {[]string{"post=moderators"}, "mona@example.org, max@example.org", "", "", "", "confirm mona@example.org"},
		"… one of them verified":          {[]string{"post=moderators"}, "mona@example.org, max@example.org", "", "max@example.org", "", "accept max@example.org"},
		"… one of them has answered":      {[]string{"post=moderators"}, "mona@example.org, max@example.org", "", "", "mona@example.org", "accept mona@example.org"},
		"a stranger has answered":         {[]string{"post=moderators"}, "eve@example.net, mona@example.org", "", "", "eve@example.net", "reject eve@example.net"},
		"unverified, with a stranger":     {[]string{"unverified=confirm"}, "eve@example.net, alice@example.com", "", "", "", "reject eve@example.net"},
		"who is asked":                    {[]string{"nonmembers=confirm"}, "alice@example.com, eve@example.net", "", "", "", "confirm eve@example.net"},
		"who was asked has answered":      {[]string{"nonmembers=confirm"}, "alice@example.com, eve@example.net", "", "", "eve@example.net", "accept alice@example.com"},
		"somebody else has answered":      {[]string{"nonmembers=confirm"}, "eve@example.net", "", "", "mallory@example.net", "confirm eve@example.net"},
		"an answer, to a moderated list":  {[]string{"nonmembers=confirm", "moderated=true"}, "eve@example.net", "", "", "eve@example.net", "hold eve@example.net"},
		"an answer, in an emergency":      {[]string{"nonmembers=confirm", "hold_all=true"}, "eve@example.net", "", "", "eve@example.net", "hold eve@example.net"},
		"held for one, asked for another": {[]string{"nonmembers=confirm"}, "mark@example.com, eve@example.net", "", "", "", "confirm eve@example.net"},
		"a moderated member and another":  {nil, "alice@example.com, mark@example.com", "", "", "", "hold mark@example.com"},
		"… the other one verified":        {nil, "alice@example.com, mark@example.com", "", "alice@example.com", "", "accept alice@example.com"},
		"as many as there may be":         {nil, strings.Repeat("alice@example.com, ", maxAuthors-1) + "bob@example.com", "", "", "", "accept alice@example.com"},
		"one too many":                    {nil, strings.Repeat("alice@example.com, ", maxAuthors) + "bob@example.com", "", "", "", "reject alice@example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			l := testList(t, testSite(t, ""), "alice@example.com\nbob@example.com\nmark@example.com moderated\n", append([]string{"moderators=mona@example.org,max@example.org"}, test.settings...)...)
			p := &Posting{
				From: addr("alice@example.com"), Header: header("From: " + test.from),
				Verified: func(p smtp.Path) string {
					if p.Address() == test.verified {
						return "dkim"
					}
					return ""
				},
			}
			if test.proved != "" {
				p.Proved = []smtp.Path{addr(test.proved)}
			}
			if test.answered != "" {
				p.Answered = addr(test.answered)
			}
			d, err := Of(l).Judge(p)
			if got := d.Verdict.String() + " " + d.Author.Address(); err != nil || got != test.want {
				t.Errorf("%s, %v, want %s (%+v)", got, err, test.want, d)
			}
			// A session asks nobody, and its refusals are the same.
			p.Verified = nil
			if again, err := Of(l).Judge(p); err != nil || (again.Verdict == Reject) != (d.Verdict == Reject) {
				t.Errorf("without being verified: %+v, %v", again, err)
			}
		})
	}
}

// TestManyAuthors: all authors are looked up in one go, also in a file that was
// written by hand, and whoever posts for a member as well.
func TestManyAuthors(t *testing.T) {
	const who = "m@example.com moderated\nz@example.com\nA@example.com\nal@example.com for=m@example.com\n"
	for _, inOrder := range []bool{false, true} {
		l := testList(t, testSite(t, ""), who)
		if inOrder {
			sorted := "A@example.com\nal@example.com for=m@example.com\nm@example.com moderated\nz@example.com\n"
			if err := errors.Join(os.WriteFile(l.MembersFile(), []byte(sorted), 0o600), os.Chtimes(l.MembersFile(), time.Time{}, members.SortedTime(time.Now()))); err != nil {
				t.Fatal(err)
			}
		}
		for from, want := range map[string]string{"a@example.com, z@example.com": "accept", "z@example.com, al@example.com": "hold", "a@example.com, eve@example.com": "reject"} {
			if d, err := Of(l).Judge(&Posting{Header: header("From: " + from)}); err != nil || d.Verdict.String() != want {
				t.Errorf("in order %t: %s: %v, %v", inOrder, from, d, err)
			}
		}
	}
}

func TestParseRule(t *testing.T) {
	for line, want := range map[string]string{
		"accept From: *@x.y":                  "accept From: *@x.y",
		"hold  !Message-ID":                   "hold !Message-ID",
		`reject "No: never." Content-Type: *`: `reject "No: never." Content-Type: *`,
		"discard *":                           "discard *",
		"reject X-*":                          "reject X-*",
		"accept":                              "wrong: after the action comes a field",
		"accept From :":                       "wrong: after the colon",
		"accept *: x":                         "wrong: * alone",
		"hold !*":                             "wrong: * alone",
		"drop From: x":                        `wrong: "drop" is not an action`,
		`reject "open From: x`:                `wrong: the text of reject has no second "`,
		"accept two words: x":                 "wrong: after the action comes a field",
	} {
		r, wrong := parseRule(line)
		got := r.String()
		if wrong != "" {
			got = "wrong: " + wrong
		}
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}
