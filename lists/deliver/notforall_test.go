package deliver

import (
	"strings"
	"testing"

	"superlist/lists/confirmation"
)

// TestLeavingToAll: who sends "unsubscribe" to the list hears the way out at once where
// a session can see it, and else a moderator has it; the members never do. Posts about
// it go to them.
func TestLeavingToAll(t *testing.T) {
	const refused, held, sent string = "550 5.7.1 this asks to leave the list, and would go to everybody on it; to leave, send an empty mail to dev+unsubscribe@lists.example.org", "held", "sent"
	for message, want := range map[string]string{
		"Subject: unsubscribe\n\n": refused,
		"Subject: Unsubscribe\n\nPlease unsubscribe me.\n\nThanks\nBob Brown\n":                             refused,
		"Subject: =?utf-8?q?D=C3=A9sinscription?=\n\nMerci\n":                                               refused,
		"Subject: unsubscribe\nContent-Type: text/html\n\n<html><body><p>Bob</p></body></html>\n":           held,
		"Subject: remove me\nContent-Transfer-Encoding: base64\n\nQm9i\n":                                   held,
		"Subject: hello\n\nHello all,\n\nremove me from this list please.\n\nBob Brown\nBrown Bros. Inc.\n": held,
		"Subject: hello\n\nApproved: sesame\n\nThe agenda is ready.\n":                                      held,
		"Subject: hello\n\nApproved: the agenda of Monday\n":                                                sent,
		"Subject: hello\n\nremove me\n\nSent from my iPhone\n":                                              held,
		"Subject: hello\n\nremove me\n\nWas that what he wrote? I cannot find it.\n":                        sent,
		"Subject: hello\n\nunsubscribe\n":                                                                   held,
		"Subject: Re: the build\n\nPlease remove me from this list!\n\nOn 1.1.2026 10:00, Ann <ann@example.com> wrote:\n> " + strings.Repeat("much text ", 60) + "\n": held,
		"Subject: =?koi8-r?B?z9TQydPB1NjT0Q==?=\n\n": held,
		"Subject: unsubscribe\n\nThe unsubscribe page of our site shows an error since Monday, and nobody knows who can mend it.\n": sent,
		"Subject: How people unsubscribe\n\nThey write unsubscribe to the list.\n":                                                  sent,
		"Subject: Re: unsubscribe\n\nSee the footer.\n":                                                                             sent,
		"Subject: hello\n\n> unsubscribe\n\nNot this way, Eve.\n":                                                                   sent,
		"Subject: a picture\nContent-Type: image/png\n\nx\n":                                                                        sent,
	} {
		w, l, person := newPeople(t, "allow=eve@example.com")
		bob, eve := person("bob@example.net"), person("eve@example.com")
		message := "From: eve@example.com\r\nTo: dev@lists.example.org\r\nMessage-ID: <1@x>\r\n" + strings.ReplaceAll(message, "\n", "\r\n")
		got := w.wire(eve.addr, "dev@lists.example.org", message).String()
		if strings.HasPrefix(got, "250") {
			w.deliver()
			got = sent
			if len(w.held(l)) == 1 {
				got = held
			}
		}
		if got != want && !(want == refused && strings.HasPrefix(got, refused)) {
			t.Errorf("%q: %s, want %s", message, got, want)
		}
		if n := len(bob.letters()); (n == 1) != (got == sent) {
			t.Errorf("%q: bob got %d mails", message, n)
		}
	}
}

// TestQuotedToAll: an answer to a moderators' letter that goes to the list as well, with
// the letter below it, does not hand everybody the addresses in it.
func TestQuotedToAll(t *testing.T) {
	w, l, person := newPeople(t, "nonmembers=hold", "moderators=mona@example.org")
	bob, mona := person("bob@example.net"), person("mona@example.org")
	w.message("eve@example.net", strangersPost, "dev@lists.example.org")
	w.deliver()
	text, _, _ := strings.Cut(readAll(t, mona.letter("To decide: Hello (dev@lists.example.org)")), "Content-Type: message/rfc822")
	bob.letters()
	w.message(bob.addr, "From: bob@example.net\r\nTo: dev@lists.example.org\r\nSubject: Re\r\nMessage-ID: <2@x>\r\n\r\nWhat do you all think?\r\n\r\n> "+
		strings.ReplaceAll(text, "\r\n", "\r\n> ")+"\r\n", "dev@lists.example.org")
	w.deliver()
	if got := bob.letters(); len(got) != 0 || len(w.held(l)) != 2 {
		t.Errorf("bob got %+v; held %q", got, w.held(l))
	}
}

// TestAskedThenRead: a post whose author has said that it is theirs is read as one that
// needed no question: members get neither the wish to leave nor an address that decides.
func TestAskedThenRead(t *testing.T) {
	w, l, person := newPeople(t, "nonmembers=confirm", "moderators=mona@example.org")
	bob, eve, mona := person("bob@example.net"), person("eve@example.net"), person("mona@example.org")
	w.message(eve.addr, "From: eve@example.net\r\nTo: dev@lists.example.org\r\nSubject: hello\r\nMessage-ID: <1@x>\r\n\r\nunsubscribe\r\n", dev)
	w.deliver()
	question := eve.letters()
	if len(question) != 1 {
		t.Fatalf("eve got %+v", question)
	}
	eve.says(addressOf(t, question[0].Message, confirmation.OwnPost), "yes")
	if got := bob.letters(); len(got) != 0 || len(w.held(l)) != 1 {
		t.Errorf("bob got %+v; held %q", got, w.held(l))
	}
	if text := readAll(t, mona.letter("To decide: hello (dev@lists.example.org)")); !strings.Contains(text, "only asks to leave") {
		t.Errorf("the moderator hears\n%s", text)
	}
}
