package deliver

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/author"
	"superlist/lists/confirmation"
	"superlist/lists/edit"
	"superlist/smtp/mx/mxtest"
)

// TestAsked: the author is asked because of whom a post waits, and the answer sends it
// only if the list then takes it from that one.
func TestAsked(t *testing.T) {
	for name, test := range map[string]struct {
		settings []string
		from     string
		asked    string // who gets the question; empty: nobody
		between  string // a setting that is changed before the answer
		refused  string // the answer is; empty: the post goes to the members
		held     string // … or it is held
	}{
		"himself":                  {[]string{"nonmembers=confirm"}, "eve@example.net", "eve@example.net", "", "", ""},
		"a stranger first":         {[]string{"nonmembers=confirm"}, "eve@example.net, bob@example.net", "eve@example.net", "", "", ""},
		"a stranger last":          {[]string{"nonmembers=confirm"}, "bob@example.net, eve@example.net", "eve@example.net", "", "", ""},
		"a moderator":              {[]string{"post=moderators"}, "mona@example.org", "mona@example.org", "", "", ""},
		"is none any more":         {[]string{"post=moderators"}, "mona@example.org", "mona@example.org", "moderators=max@example.org", "550 5.7.1 the list does not take the post from mona@example.org", ""},
		"a moderator and another":  {[]string{"post=moderators"}, "eve@example.net, mona@example.org", "", "", "", ""},
		"a member, not proved":     {[]string{"unverified=confirm"}, "bob@example.net", "bob@example.net", "", "", ""},
		"a member and a stranger":  {[]string{"unverified=confirm"}, "eve@example.net, bob@example.net", "", "", "", ""},
		"closed meanwhile":         {[]string{"nonmembers=confirm"}, "eve@example.net", "eve@example.net", "post=nobody", "550 5.7.1 the list does not take the post", ""},
		"no longer asked":          {[]string{"nonmembers=confirm"}, "eve@example.net", "eve@example.net", "nonmembers=reject", "550 5.7.1 the list does not take the post", ""},
		"thrown away meanwhile":    {[]string{"nonmembers=confirm"}, "eve@example.net", "eve@example.net", "nonmembers=discard", "550 5.7.1 the list does not take the post", ""},
		"moderated":                {[]string{"nonmembers=confirm", "moderated=true"}, "eve@example.net", "eve@example.net", "", "", "confirm: eve@example.net is not a member"},
		"held for all, meanwhile":  {[]string{"nonmembers=confirm"}, "eve@example.net", "eve@example.net", "hold_all=true", "", "confirm: eve@example.net is not a member"},
		"a member's second answer": {[]string{"unverified=confirm", "moderated=true"}, "bob@example.net", "", "", "", "hold: bob@example.net is moderated"},
	} {
		t.Run(name, func(t *testing.T) {
			w, l, person := newPeople(t, append([]string{"moderators=mona@example.org"}, test.settings...)...)
			post := "From: " + test.from + "\r\nTo: dev@lists.example.org\r\nSubject: Hello\r\nMessage-ID: <p@x>\r\n\r\nx\r\n"
			w.message("mona@example.org", post, dev)
			w.deliver()
			everybody := person("@")
			var question []delivered
			for _, d := range everybody.letters() {
				if strings.Contains(d.Message, "dev+confirm-o") {
					question = append(question, d)
				}
			}
			if test.asked == "" {
				if len(question) > 0 {
					t.Errorf("%s is asked", question[0].To)
				}
				if got := strings.Join(w.held(l), "; "); got != test.held {
					t.Errorf("held: %q, want %q", got, test.held)
				}
				return
			}
			if len(question) != 1 || question[0].To != test.asked {
				t.Fatalf("asked: %+v, want %s", question, test.asked)
			}
			if test.between != "" {
				if err := edit.Set(l, []string{test.between}); err != nil {
					t.Fatal(err)
				}
			}
			answer := addressOf(t, question[0].Message, confirmation.OwnPost)
			bob, mona, asked := person("bob@example.net"), person("mona@example.org"), person(test.asked)
			bob.letters()
			mona.letters()
			for range 2 {
				asked.says(answer, "yes")
			}
			switch {
			case test.refused != "":
				w.wantRefused(test.refused)
			case test.held != "":
				// A moderator is asked once, however often the author answers.
				if n := len(mona.letters()); n != 1 {
					t.Errorf("the moderator got %d letters", n)
				}
			default:
				if got := bob.letters(); len(got) != 1 || !strings.HasSuffix(got[0].Message, post) {
					t.Errorf("bob got %+v", got)
				}
				return
			}
			if got := bob.letters(); len(got) != 0 {
				t.Errorf("bob got %+v", got)
			}
			if held := w.held(l); test.held != "" && (len(held) != 1 || held[0] != test.held) {
				t.Errorf("held: %q, want %q", held, test.held)
			}
		})
	}
}

// TestWriteFreely: whose post a moderator sends on with that word writes freely from
// then on, whatever had it held.
func TestWriteFreely(t *testing.T) {
	for name, test := range map[string]struct {
		settings, from string
		members        string
		allow, word    string // afterwards
	}{
		"a stranger":             {"nonmembers=hold", "eve@example.net", "bob@example.net\n", "[eve@example.net]", ""},
		"… on a moderated list":  {"moderated=true", "eve@example.net", "bob@example.net\n", "[eve@example.net]", ""},
		"a member":               {"moderated=true", "bob@example.net", "bob@example.net\n", "[bob@example.net]", ""},
		"a moderated member":     {"nonmembers=reject", "bob@example.net", "bob@example.net nomail moderated name=Bob\n", "[bob@example.net]", "nomail name=Bob"},
		"by another address":     {"nonmembers=reject", "b@example.net", "b@example.net for=bob@example.net\nbob@example.net moderated\n", "[b@example.net]", ""},
		"the other is moderated": {"nonmembers=reject", "b@example.net", "b@example.net for=bob@example.net moderated\nbob@example.net\n", "[b@example.net]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, l, person := newPeople(t, "moderators=mona@example.org", "nonmembers=hold", test.settings)
			if err := os.WriteFile(l.Dir+"/members", []byte(test.members+"carol@example.com\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			mona, carol := person("mona@example.org"), person("carol@example.com")
			post := strings.ReplaceAll(strangersPost, "eve@example.net", test.from)
			w.message(test.from, post, dev)
			w.deliver()
			letter := readAll(t, mona.letter("To decide: Hello (dev@lists.example.org)"))
			mona.says(addressOf(t, letter, confirmation.AllowAlways), "yes")
			w.message(test.from, strings.Replace(post, "<p@x>", "<q@x>", 1), dev)
			w.deliver()
			if got := carol.letters(); len(got) != 2 || len(w.held(l)) != 0 {
				t.Errorf("carol got %d, held %q; log:\n%s", len(got), w.held(l), &w.log)
			}
			l, err := lists.Of(w.site).Open(l.Addr)
			if err != nil || fmt.Sprint(l.Allow) != test.allow {
				t.Errorf("allow is %v, %v", l.Allow, err)
			}
			text, _ := os.ReadFile(l.Dir + "/members")
			if strings.Contains(string(text), "moderated") || !strings.Contains(string(text), test.word) {
				t.Errorf("members:\n%s", text)
			}
		})
	}
}

// TestOnce: what a proof has let through once proves nothing when it comes again, by
// whatever proof, whoever sends it; and nobody can use up another's proof in advance.
func TestOnce(t *testing.T) {
	const front = "Authentication-Results: mx.example.org; dkim=pass header.d=example.org; dmarc=pass header.from=example.org\r\n"
	const byHost = "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=mona@example.org; dkim=pass header.d=example.org\r\n"
	post := func(more, from, to, id string, age time.Duration) string {
		return more + "From: " + from + "\r\nTo: " + to + "\r\nSubject: News\r\nDate: " + time.Now().Add(-age).Format(time.RFC1123Z) + "\r\nMessage-ID: " + id + "\r\n\r\nx\r\n"
	}
	const day = 24 * time.Hour
	for name, test := range map[string]struct {
		before []string
		last   string
		taken  bool // the last is
	}{
		"signed, for the list":      {nil, post(front, "mona@example.org", dev, "<1@x>", 0), true},
		"just young enough":         {nil, post(front, "mona@example.org", dev, "<1@x>", author.SignatureLife-time.Hour), true},
		"too old":                   {nil, post(front, "mona@example.org", dev, "<1@x>", author.SignatureLife+time.Hour), false},
		"from tomorrow":             {nil, post(front, "mona@example.org", dev, "<1@x>", -author.ClockSkew/2), true},
		"from next week":            {nil, post(front, "mona@example.org", dev, "<1@x>", -7*day), false},
		"for somebody else":         {nil, post(front, "mona@example.org", "eve@example.net", "<1@x>", 0), false},
		"for the list in Cc":        {nil, post(front+"Cc: DEV@lists.example.org\r\n", "mona@example.org", "eve@example.net", "<1@x>", 0), true},
		"without a date":            {nil, strings.Replace(post(front, "mona@example.org", dev, "<1@x>", 0), "\r\nDate: ", "\r\nX-Date: ", 1), false},
		"sent again":                {[]string{post(front, "mona@example.org", dev, "<1@x>", 0)}, post(front, "mona@example.org", dev, "<1@x>", 0), false},
		"another one":               {[]string{post(front, "mona@example.org", dev, "<1@x>", 0)}, post(front, "mona@example.org", dev, "<2@x>", 0), true},
		"first by the host":         {[]string{post(byHost, "mona@example.org", dev, "<1@x>", 0)}, post(front, "mona@example.org", dev, "<1@x>", 0), false},
		"twice by the host":         {[]string{post(byHost, "mona@example.org", dev, "<1@x>", 0)}, post(byHost, "mona@example.org", dev, "<1@x>", 0), true},
		"without a name":            {nil, strings.Replace(post(front, "mona@example.org", dev, "<1@x>", 0), "Message-ID", "X-Message-ID", 1), false},
		"not used up by forgery":    {[]string{post("", "mona@example.org", dev, "<1@x>", 0), post("", "eve@example.net", dev, "<1@x>", 0)}, post(front, "mona@example.org", dev, "<1@x>", 0), true},
		"nor by another moderator":  {[]string{post(front, "max@example.org", dev, "<1@x>", 0)}, post(front, "mona@example.org", dev, "<1@x>", 0), true},
		"nor by what was not taken": {[]string{post(front, "mona@example.org", "eve@example.net", "<1@x>", 0)}, post(front, "mona@example.org", dev, "<1@x>", 0), true},
		"its signature under another name": {
			[]string{post("DKIM-Signature: d=example.org; b=AAAA\r\n"+front, "mona@example.org", dev, "<1@x>", 0)},
			post("DKIM-Signature: d=Example.Org; b= AA\r\n\tAA ;\r\n"+front, "mona@example.org", dev, "<2@x>", 0), false},
		"another's signature": {
			[]string{post("DKIM-Signature: d=example.net; b=AAAA\r\n"+front, "mona@example.org", dev, "<1@x>", 0)},
			post("DKIM-Signature: d=example.net; b=AAAA\r\n"+front, "mona@example.org", dev, "<2@x>", 0), true},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, person := newPeople(t, "post=moderators", "moderators=mona@example.org,max@example.org")
			w.site.AuthservID = "mx.example.org"
			bob := person("bob@example.net")
			for _, message := range test.before {
				w.message("mona@example.org", message, dev)
				w.deliver()
			}
			bob.letters()
			w.message("mona@example.org", test.last, dev)
			w.deliver()
			if got := bob.letters(); (len(got) == 1) != test.taken {
				t.Errorf("bob got %d; log:\n%s", len(got), &w.log)
			}
		})
	}
}

// TestDKIMOnce: with verify_dkim too, and a signature that is not over Message-ID
// proves nothing under another.
func TestDKIMOnce(t *testing.T) {
	pub, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	server := mxtest.Serve(t, true, mxtest.New(t, "example.net.", false,
		fmt.Sprintf("s._domainkey.example.net. 3600 IN TXT \"v=DKIM1; k=ed25519; p=\" %q", base64.StdEncoding.EncodeToString(pub))))
	w, l, person := newPeople(t, "unverified=hold")
	w.site.VerifyDKIM, w.site.Relay.Resolver = true, server.Addr
	bob := person("bob@example.net")
	post := signedTo(t, key, "example.net", "s", 0, dev, "From", "To", "Subject")
	for i, message := range []string{post, post, strings.Replace(post, "<p@x>", "<q@x>", 1), strings.Replace(post, "DKIM-Signature", "dkim-SIGNATURE", 1)} {
		w.message(bob.addr, message, dev)
		w.deliver()
		if got := len(bob.letters()); (got == 1) != (i == 0) {
			t.Errorf("%d: bob got %d", i, got)
		}
	}
	if got := w.held(l); len(got) != 3 {
		t.Errorf("held: %q", got)
	}
}
