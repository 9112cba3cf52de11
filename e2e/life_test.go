package e2e

import (
	"cmp"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Who lives with the list of TestLifeOfAList, besides those whom the README puts
// on it.
const (
	you  = "you@example.org" // owns it
	mona = "mona@example.org"
	zoe  = "zoe@example.net"
	eve  = "eve@example.net"
)

// people have mailboxes, and are on no list yet.
var people = []string{you, mona, zoe, eve, "bob@example.net"}

// readme is the one command of README.md and docs/ that begins so.
func readme(t *testing.T, begin string) string {
	t.Helper()
	var found []string
	for _, text := range manuals(t) {
		for i, part := range strings.Split(text, "```") {
			if i%2 == 0 || !strings.HasPrefix(part, "sh\n") {
				continue
			}
			for line := range strings.Lines(part) {
				line, _, _ = strings.Cut(line, " #") // a comment
				if line = strings.TrimSpace(line); strings.HasPrefix(line, begin) && !slices.Contains(found, line) {
					found = append(found, line)
				}
			}
		}
	}
	if len(found) != 1 {
		t.Fatalf("README.md and docs/ have %q for %s, want one command", found, begin)
	}
	return found[0]
}

// readmeAddress is an address of the list that README.md or docs/ names.
func readmeAddress(t *testing.T, verb string) string {
	t.Helper()
	named := false
	for _, text := range manuals(t) {
		named = named || strings.Contains(text, "`dev+"+verb+"@`")
	}
	if !named {
		t.Fatalf("README.md and docs/ say nothing of dev+%s@", verb)
	}
	return "dev+" + verb + "@lists.example.org"
}

// A person writes by swaks and reads what is in the mailbox.
type person struct {
	t    *testing.T
	addr string
	read map[string]bool // messages that have been looked at
}

// writes sends a mail; its answer must begin with the reply, which is a line of the
// transcript.
func (p *person) writes(reply, to, subject, body string) {
	p.t.Helper()
	out, _ := exec.Command("swaks", "--server", "127.0.0.1:25", "--local-interface", outsider, "--ehlo", "client.example.com",
		"--from", p.addr, "--to", to, "--h-From", p.addr, "--header", "Subject: "+subject,
		"--body", cmp.Or(body, `\n`)).CombinedOutput() // nothing at all has it wait for ever
	if !strings.Contains(string(out), "\n<-  "+reply) && !strings.Contains(string(out), "\n<** "+reply) {
		p.t.Errorf("%s to %s: want %s in\n%s", p.addr, to, reply, out)
	}
	wantSMTP(p.t, string(out))
}

// gets waits for the one mail with this Subject that has not been read.
func (p *person) gets(subject string) (message string) {
	p.t.Helper()
	wait(p.t, subject+" for "+p.addr, func() bool {
		for _, m := range about(inbox(p.t, p.addr), subject) {
			if !p.read[m] {
				message = m
			}
		}
		return message != ""
	})
	p.read[message] = true
	return message
}

// wantRead says that no other mail has come.
func (p *person) wantRead() {
	p.t.Helper()
	for _, m := range inbox(p.t, p.addr) {
		if !p.read[m] {
			p.t.Errorf("%s has got\n%s", p.addr, m)
		}
	}
}

// confirmAddress is where a letter says that an answer with this action goes.
func confirmAddress(t *testing.T, letter, action string) string {
	t.Helper()
	address := regexp.MustCompile(`dev\+confirm-` + action + `[0-9a-z]+-[0-9a-v]+-[0-9a-f]+@lists\.example\.org`).FindString(letter)
	if address == "" {
		t.Fatalf("no address for %s in\n%s", action, letter)
	}
	return address
}

// TestLifeOfAList: a list is made, people come, write, wait for a moderator, and
// go, behind the real Postfix, with swaks for each of them, by the commands and
// addresses that README.md and docs/ show.
func TestLifeOfAList(t *testing.T) {
	if !enter(t, append(postfixNeeds, mlmmjNeeds...)...) {
		return
	}
	newHost(t, postfixSettings, "127.0.0.1:10026")
	log := startPostfix(t, "main.cf A")
	sh := func(command string) string { t.Helper(); return run(t, "sh", "-c", command) }
	who := func(addr string) *person { return &person{t: t, addr: addr, read: make(map[string]bool)} }
	owner, alice, bob, zoe, eve, mona := who(you), who(member), who("bob@example.net"), who(zoe), who(eve), who(mona)
	subscribed := func(p *person) bool {
		t.Helper()
		return slices.Contains(strings.Fields(sh("superlist member ls "+list)), p.addr)
	}

	t.Log("it is made, and two people are put on it")
	sh(readme(t, "superlist list create "))
	sh(readme(t, "superlist member add "))
	sh(readme(t, "superlist check"))
	if out := sh(readme(t, "superlist list ls")); !strings.Contains(out, list) {
		t.Errorf("superlist list ls: %s", out)
	}
	if !subscribed(alice) || !subscribed(bob) {
		t.Fatal("the README's members are not on it")
	}

	t.Log("somebody subscribes by mail, and answers the letter")
	zoe.writes("250 2.0.0 ", readmeAddress(t, "subscribe"), "hello", "")
	question := zoe.gets("Please confirm: subscribe to " + list)
	if subscribed(zoe) {
		t.Error("she is a member before she has answered")
	}
	zoe.writes("250 2.0.0 ", path(header(t, question, "Reply-To")), "Re: Please confirm", "yes")
	zoe.gets("Welcome to " + list)
	owner.gets(zoe.addr + " has subscribed to " + list)
	if !subscribed(zoe) {
		t.Error("she is not a member")
	}
	zoe.writes("550 5.7.1 this confirmation has been used", path(header(t, question, "Reply-To")), "Re: Please confirm", "yes")

	t.Log("she posts")
	zoe.writes("250 2.0.0 ", list, "first post", "Hello.")
	post := ""
	for _, p := range []*person{alice, bob, zoe} {
		post = p.gets("first post")
		if _, body, _ := strings.Cut(post, "\n\n"); !strings.HasPrefix(body, "Hello.\n") {
			t.Errorf("%s reads %q", p.addr, body)
		}
	}

	t.Log("a stranger may not; then his posts are held, and the moderator sends one on, and one back")
	eve.writes("550 5.7.1 only members may post", list, "buy this", "x")
	set := readme(t, "superlist list set dev@lists.example.org post=") // what is set there, and what is set here
	set = strings.Join(strings.Fields(set)[:4], " ")
	sh(set + " nonmembers=hold moderators=" + mona.addr)
	eve.writes("250 2.0.0 ", list, "may I", "A question.")
	notice := mona.gets("To decide: may I (" + list + ")")
	if !strings.Contains(notice, "\nSubject: may I\n") || !strings.Contains(notice, "A question.") {
		t.Errorf("the post is not in the notice:\n%s", notice)
	}
	if out := sh(readme(t, "superlist held ls ")); !strings.Contains(out, eve.addr) {
		t.Errorf("superlist held ls: %s", out)
	}
	mona.writes("250 2.0.0 ", confirmAddress(t, notice, "p"), "yes", "")
	for _, p := range []*person{alice, bob, zoe} {
		p.gets("may I")
	}
	owner.writes("550 5.7.1 you come second: "+mona.addr+" has sent it to the list", confirmAddress(t, notice, "d"), "no", "")
	eve.writes("250 2.0.0 ", list, "and this", "Another.")
	mona.writes("250 2.0.0 ", confirmAddress(t, mona.gets("To decide: and this ("+list+")"), "r"), "no", "Please ask on the other list.")
	if back := eve.gets("Your post to " + list + " was rejected"); !strings.Contains(back, "    Please ask on the other list.\n") {
		t.Errorf("it comes back without a word:\n%s", back)
	}
	eve.writes("250 2.0.0 ", list, "by hand", "A third.")
	mona.gets("To decide: by hand (" + list + ")")
	name := strings.Fields(sh("superlist held ls " + list + " | tail -1"))[0]
	if out := sh(strings.Replace(readme(t, "superlist held show "), "NAME", name, 1)); !strings.Contains(out, "A third.") {
		t.Errorf("superlist held show: %s", out)
	}
	sh(strings.Replace(readme(t, "superlist held reject "), "NAME", name, 1))
	if back := eve.gets("Your post to " + list + " was rejected"); !strings.Contains(back, "users@") {
		t.Errorf("it comes back without a word:\n%s", back)
	}

	t.Log("people leave: by the header of what they get, and by the address they know")
	unsubscribe := path(header(t, post, "List-Unsubscribe"))
	unsubscribe, ok := strings.CutPrefix(unsubscribe, "mailto:")
	if !ok {
		t.Fatalf("List-Unsubscribe is %q", header(t, post, "List-Unsubscribe"))
	}
	for p, to := range map[*person]string{zoe: unsubscribe, bob: readmeAddress(t, "unsubscribe")} {
		p.writes("250 2.0.0 ", to, "bye", "")
		question := p.gets("Please confirm: unsubscribe from " + list)
		if !subscribed(p) {
			t.Errorf("%s is gone without an answer", p.addr)
		}
		p.writes("250 2.0.0 ", path(header(t, question, "Reply-To")), "Re: bye", "")
		p.gets("You have unsubscribed from " + list)
		owner.gets(p.addr + " has unsubscribed from " + list)
		if subscribed(p) {
			t.Errorf("%s is still a member", p.addr)
		}
	}
	alice.writes("250 2.0.0 ", list, "to whom it concerns", "Hello?")
	alice.gets("to whom it concerns")

	t.Log("somebody comes back, for digests")
	zoe.writes("250 2.0.0 ", readmeAddress(t, "subscribe-digest"), "hello again", "")
	zoe.writes("250 2.0.0 ", path(header(t, zoe.gets("Please confirm: digests of "+list), "Reply-To")), "Re: Please confirm", "yes")
	zoe.gets("Welcome to " + list)
	owner.gets(zoe.addr + " has subscribed to " + list)
	alice.writes("250 2.0.0 ", list, "for later", "Take your time.")
	alone := alice.gets("for later")
	sh(readme(t, "superlist digest "))
	digest := zoe.gets(list + " digest 1: 4")
	if _, body, _ := strings.Cut(alone, "\nDelivered-To: "+list+"\n"); body == "" || !strings.Contains(digest, body) || !strings.Contains(digest, "\n    4. for later\n       "+alice.addr+"\n") {
		t.Errorf("alice got\n%s\nand the digest is\n%s", alone, digest)
	}

	t.Log("members have an old post sent again, by mail; strangers have not")
	get := strings.Replace(readmeAddress(t, "get-12"), "-12@", "-1@", 1)
	alice.writes("250 2.0.0 ", get, "please", "")
	if old := alice.gets("Old posts to " + list + ": 1"); !strings.Contains(old, "\nSubject: first post\n") || !strings.Contains(old, "\n\nHello.\n") {
		t.Errorf("it is not the first post:\n%s", old)
	}
	eve.writes("550 5.7.1 only members get old posts", get, "please", "")
	if out := sh(strings.Replace(readme(t, "superlist archive show "), " 12", " 1", 1)); !strings.Contains(out, "Hello.") {
		t.Errorf("superlist archive show: %s", out)
	}

	t.Log("a list of mlmmj's moves in, and lives on here")
	makeMlmmj(t, "old", you)
	for _, add := range [][]string{{alice.addr}, {bob.addr, "-n"}, {zoe.addr}} {
		run(t, "/usr/bin/mlmmj-sub", append([]string{"-L", mlmmjSpool + "/old", "-f", "-q", "-s", "-a"}, add...)...)
	}
	dry := strings.Replace(readme(t, "superlist import mlmmj /var/spool/mlmmj/dev --dry-run"), "mlmmj/dev", "mlmmj/old", 1)
	if out := sh(dry); !strings.Contains(out, "nothing was changed") {
		t.Errorf("%s: %s", dry, out)
	}
	sh(strings.TrimSuffix(dry, " --dry-run"))
	const old = "old@lists.example.org"
	if out := sh("superlist member export " + old); out != alice.addr+"\n"+bob.addr+" nomail\n"+zoe.addr+"\n" {
		t.Errorf("its members are %q", out)
	}
	bob.writes("250 2.0.0 ", old, "are you all here", "Hello.")
	for _, p := range []*person{alice, zoe} {
		if m := p.gets("are you all here"); !strings.Contains(header(t, m, "List-Id"), "<old.lists.example.org>") {
			t.Errorf("not by the list:\n%s", m)
		}
	}
	zoe.writes("250 2.0.0 ", "old+unsubscribe@lists.example.org", "bye", "")
	zoe.writes("250 2.0.0 ", path(header(t, zoe.gets("Please confirm: unsubscribe from "+old), "Reply-To")), "Re: bye", "")
	zoe.gets("You have unsubscribed from " + old) // and the owner does not hear of it: there is no notifysub

	for _, p := range []*person{owner, alice, bob, zoe, eve, mona} {
		p.wantRead()
	}
	wantNoWarnings(t, log)
	stopPostfix(t)
}
