package e2e

import (
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlist/lists/sitetest"
	"superlist/smtp"
)

// rivals are a list of Debian's mlmmj beside one of ours, of the same name, with
// the same members, in the same mail.
type rivals struct {
	t    *testing.T
	sink *taker
	dir  string // mlmmj's list
}

const mlmmjSpool = "/var/spool/mlmmj"

var mlmmjNeeds = []string{"/usr/bin/mlmmj-make-ml", "systemd-sysusers", "systemd-tmpfiles", "runuser"}

// newRivals makes both lists; settings are of ours, and control of mlmmj's: files
// and what is in them.
func newRivals(t *testing.T, settings []string, control map[string]string) *rivals {
	t.Helper()
	r := &rivals{t: t, sink: startTaker(t, "127.0.0.1:25"), dir: mlmmjSpool + "/dev"}
	newSite(t, "kick = \"\"\nlog = \"none\"\n", "127.0.0.1:25")
	if len(settings) > 0 {
		run(t, "superlist", append([]string{"list", "set", list}, settings...)...)
	}
	makeMlmmj(t, "dev", "owner@example.com")
	for name, text := range control {
		must(t, os.WriteFile(filepath.Join(r.dir, "control", name), []byte(text), 0o644))
	}
	for _, m := range members {
		run(t, "/usr/bin/mlmmj-sub", "-L", r.dir, "-a", m, "-f", "-q", "-s")
	}
	return r
}

// makeMlmmj makes a list of mlmmj's, as its manual has it.
func makeMlmmj(t *testing.T, name, owner string) {
	t.Helper()
	cmd := exec.Command("/usr/bin/mlmmj-make-ml", "-L", name, "-s", mlmmjSpool)
	cmd.Stdin = strings.NewReader("lists.example.org\n" + owner + "\nen\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("mlmmj-make-ml: %v\n%s", err, out)
	}
}

// mlmmj has mlmmj take a message as Postfix's local(8) hands it over, and waits
// until it has done with it. It gives what it has sent.
func (r *rivals) mlmmj(from, to, message string) []taken {
	r.t.Helper()
	cmd := exec.Command("/usr/bin/mlmmj-receive", "-L", r.dir, "-F")
	cmd.Stdin = strings.NewReader("Return-Path: <" + from + ">\nX-Original-To: " + to + "\nDelivered-To: " + to + "\n" + message)
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Logf("mlmmj-receive: %v\n%s", err, out)
	}
	return r.settled()
}

// maintain is mlmmj's cron job.
func (r *rivals) maintain() []taken {
	r.t.Helper()
	if out, err := exec.Command("/usr/bin/mlmmj-maintd", "-F", "-L", r.dir).CombinedOutput(); err != nil {
		r.t.Logf("mlmmj-maintd: %v\n%s", err, out)
	}
	return r.settled()
}

func (r *rivals) settled() []taken {
	r.t.Helper()
	wait(r.t, "mlmmj to have done", func() bool {
		exes, err := filepath.Glob("/proc/[0-9]*/exe")
		must(r.t, err)
		for _, exe := range exes {
			if target, err := os.Readlink(exe); err == nil && strings.HasPrefix(target, "/usr/bin/mlmmj-") {
				return false
			}
		}
		return true
	})
	return r.sink.take()
}

// ours has a session take the message, and delivers. It gives the session's word
// and what was sent.
func (r *rivals) ours(from, to, message string) (reply smtp.Reply, sent []taken) {
	r.t.Helper()
	cmd := exec.Command("superlist-spawn")
	in, out := sitetest.Piped(r.t, cmd)
	c := &smtp.Client{Hostname: "client.example.com"}
	must(r.t, c.Start(struct {
		io.Reader
		io.Writer
	}{out, in}))
	tx := smtp.Transaction{Message: strings.NewReader(strings.ReplaceAll(message, "\n", "\r\n"))}
	if from != "" {
		tx.From, _ = smtp.ParseAddress(from)
	}
	rcpt, ok := smtp.ParseAddress(to)
	if !ok {
		r.t.Fatalf("not an address: %s", to)
	}
	tx.To = []smtp.Rcpt{{Path: rcpt}}
	reply = c.Send(&tx)[0]
	c.Quit()
	in.Close()
	must(r.t, cmd.Wait())
	run(r.t, "superlist", "deliver")
	return reply, r.sink.take()
}

// wantRefused says that ours takes a message in no way.
func (r *rivals) wantRefused(code, from, to, message string) {
	r.t.Helper()
	reply, sent := r.ours(from, to, message)
	if !strings.HasPrefix(reply.String(), code) || len(sent) > 0 {
		r.t.Errorf("ours, from %s to %s: %q, want %s, and sent %q", from, to, reply, code, recipients(sent))
	}
}

func (r *rivals) members() (mlmmj, ours []string) {
	r.t.Helper()
	return strings.Fields(run(r.t, "/usr/bin/mlmmj-list", "-L", r.dir)), strings.Fields(run(r.t, "superlist", "member", "ls", list))
}

// back takes a message again that a member has got: a forwarder, or another list,
// that sends what it gets where it came from.
func back(m taken) string { return "Received: from mx.example.org by list.example.net\n" + m.message }

// fieldNames counts the fields of a header, by name in lower case.
func fieldNames(message string) map[string]int {
	count := make(map[string]int)
	head, _, _ := strings.Cut(message, "\n\n")
	for _, f := range fields(head) {
		name, _, _ := strings.Cut(f, ":")
		count[strings.ToLower(name)]++
	}
	return count
}

// TestMlmmjForgedRemoval: two mails that anybody can write, and time, have mlmmj
// throw a member out, since nothing in the address of a bounce proves that the
// list has made it. Ours refuses an address it has not made; and a report to one
// it has made, in another member's name, removes nobody.
func TestMlmmjForgedRemoval(t *testing.T) {
	if !enter(t, mlmmjNeeds...) {
		return
	}
	r := newRivals(t, nil, nil)
	const bounce, probe = "dev+bounces-1-alice=example.com@lists.example.org", "dev+bounces-probe-alice=example.com@lists.example.org"
	forged := func(to string) string { return "From: eve@example.net\nTo: " + to + "\nSubject: hello\n\nHello.\n" }

	post := "From: bob@example.com\nTo: " + list + "\nSubject: a post\n\nHello.\n"
	r.mlmmj("bob@example.com", list, post)
	r.mlmmj("eve@example.net", bounce, forged(bounce))
	if probes := r.maintain(); len(probes) != 1 || probes[0].to != member {
		t.Errorf("mlmmj probes %q", recipients(probes))
	}
	r.mlmmj("eve@example.net", probe, forged(probe))
	sixDays := time.Now().Add(-6 * 24 * time.Hour)
	must(t, os.WriteFile(r.dir+"/bounce/alice=example.com", fmt.Appendf(nil, "1:%d # then\n", sixDays.Unix()), 0o644))
	r.maintain()

	_, sent := r.ours("bob@example.com", list, post)
	for _, to := range []string{bounce, probe} {
		r.wantRefused("550 ", "eve@example.net", to, forged(to))
		r.wantRefused("550 ", "", to, forged(to))
	}
	// Bob's own return path, with alice in it, and what a mail system would say.
	own := ""
	for _, m := range sent {
		if m.to == "bob@example.com" {
			own = m.from
		}
	}
	if !strings.Contains(own, "+bob=example.com@") {
		t.Fatalf("bob's return path is %q", own)
	}
	stolen := strings.Replace(own, "+bob=", "+alice=", 1)
	for range 3 {
		r.ours("", stolen, "From: MAILER-DAEMON@example.com\nSubject: Undelivered Mail\nMIME-Version: 1.0\n"+
			"Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\n\nGone.\n--x\nContent-Type: message/delivery-status\n\n"+
			"Reporting-MTA: dns; mx.example.com\n\nFinal-Recipient: rfc822; alice@example.com\nAction: failed\nStatus: 5.1.1\n\n--x--\n")
	}
	reports, err := filepath.Glob("/var/lib/superlist/lists/lists.example.org/dev/bouncing/*")
	must(t, err)
	for _, f := range reports { // and six days for us as well
		must(t, os.Chtimes(f, sixDays, sixDays))
	}
	run(t, "superlist", "deliver")

	mlmmj, ours := r.members()
	if slices.Contains(mlmmj, member) {
		t.Errorf("mlmmj has kept her: %q", mlmmj)
	}
	if !slices.Contains(ours, member) || len(ours) != len(members) {
		t.Errorf("ours has thrown her out: %q", ours)
	}
}

// TestMlmmjWrongMember: mlmmj 1.5 compares as many letters as the shorter address
// has, so that user@example.co goes when user@example.com leaves. 1.3.0, which
// Debian has, is right.
func TestMlmmjWrongMember(t *testing.T) {
	if !enter(t, mlmmjNeeds...) {
		return
	}
	r := newRivals(t, []string{"notify=false"}, nil)
	version := strings.TrimSpace(run(t, "/usr/bin/mlmmj-unsub", "-V"))
	stay := []string{"user@example.co", "user@example.com.au", "auser@example.com", "user@example.comm", "use@example.com", "user+x@example.com"}
	const leaves, byMail = "user@example.com", "user@example.net"
	for _, m := range append([]string{leaves, byMail, "user@example.ne", "user@example.nett"}, stay...) {
		run(t, "/usr/bin/mlmmj-sub", "-L", r.dir, "-a", m, "-f", "-q", "-s")
		run(t, "superlist", "member", "add", list, m)
	}
	run(t, "/usr/bin/mlmmj-unsub", "-L", r.dir, "-a", leaves, "-q", "-s")
	run(t, "superlist", "member", "rm", list, leaves)

	_, sent := r.ours(byMail, "dev+unsubscribe@lists.example.org", "From: "+byMail+"\n\n")
	if len(sent) != 1 {
		t.Fatalf("ours asks %q", recipients(sent))
	}
	r.ours(byMail, path(header(t, sent[0].message, "Reply-To")), "From: "+byMail+"\n\n")

	mlmmj, ours := r.members()
	for _, m := range append(stay, "user@example.ne", "user@example.nett") {
		if !slices.Contains(ours, m) {
			t.Errorf("%s left, and ours has removed %s", leaves, m)
		}
		if !slices.Contains(mlmmj, m) {
			t.Logf("%s has removed %s", version, m)
		}
	}
	for _, m := range []string{leaves, byMail} {
		if slices.Contains(ours, m) {
			t.Errorf("%s is still on our list", m)
		}
	}
	if slices.Contains(mlmmj, stay[0]) {
		t.Logf("%s is right here; 1.5, which Debian 12 does not have, is not", version)
	}
}

// TestMlmmjSpoiledBatch: the mail system refuses one member. mlmmj, in batches,
// sends the post to nobody of the batch, and one at a time takes a "later" for a
// bounce. Ours sends it to all others, once, and to him later.
func TestMlmmjSpoiledBatch(t *testing.T) {
	if !enter(t, mlmmjNeeds...) {
		return
	}
	post := "From: " + member + "\nTo: " + list + "\nSubject: a post\n\nHello.\n"
	const gone = "bob@example.com"
	r := newRivals(t, nil, map[string]string{"verp": "postfix\n"})
	others := slices.DeleteFunc(slices.Sorted(slices.Values(members)), func(m string) bool { return m == gone })

	r.sink.refuses(gone, "550 5.1.1 no such user")
	if got := recipients(r.mlmmj(member, list, post)); len(got) > 0 {
		t.Errorf("mlmmj has spared %q", got)
	}
	before := r.sink.mails
	if _, sent := r.ours(member, list, post); !slices.Equal(recipients(sent), others) {
		t.Errorf("ours went to %q, want %q", recipients(sent), others)
	}
	if n := r.sink.mails - before; n != 1 {
		t.Errorf("ours took %d transactions", n)
	}

	t.Log("later is not never")
	known := run(t, "superlist", "bounce", "show", list, gone)
	must(t, os.Remove(r.dir+"/control/verp"))
	r.sink.refuses(gone, "450 4.2.2 mailbox full")
	r.mlmmj(member, list, post)
	if _, err := os.Stat(r.dir + "/bounce/bob=example.com"); err != nil {
		t.Errorf("mlmmj does not count it as a bounce: %v", err)
	}
	if _, sent := r.ours(member, list, post); !slices.Equal(recipients(sent), others) {
		t.Errorf("ours went to %q, want %q", recipients(sent), others)
	}
	r.sink.refuses(gone, "")
	var later []taken
	wait(t, "another attempt", func() bool { // after retry_min, a second
		run(t, "superlist", "deliver")
		later = append(later, r.sink.take()...)
		return len(later) > 0
	})
	if got := recipients(later); !slices.Equal(got, []string{gone}) {
		t.Errorf("later it went to %q", got)
	}
	if now := run(t, "superlist", "bounce", "show", list, gone); now != known {
		t.Errorf("ours has counted a 450:\n%s\nbefore it:\n%s", now, known)
	}
}

// TestMlmmjLoop: what a list has sent comes back to it, and so does the answer of
// a program. mlmmj looks at no mark, its own or others', and sends both to all.
func TestMlmmjLoop(t *testing.T) {
	if !enter(t, mlmmjNeeds...) {
		return
	}
	r := newRivals(t, []string{"post=anyone"}, map[string]string{"customheaders": "List-Id: <dev.lists.example.org>\nX-Loop: dev@lists.example.org\nPrecedence: list\n"})
	post := "From: " + member + "\nTo: " + list + "\nSubject: a post\nMessage-ID: <1@example.com>\n\nHello.\n"

	theirs := r.mlmmj(member, list, post)
	_, ours := r.ours(member, list, post)
	if len(theirs) != len(members) || len(ours) != len(members) {
		t.Fatalf("the post: mlmmj sent %d, ours %d", len(theirs), len(ours))
	}
	for turn := range 3 {
		theirs = r.mlmmj(theirs[0].from, list, back(theirs[0]))
		if len(theirs) != len(members) {
			t.Fatalf("turn %d: mlmmj sent it to %q", turn, recipients(theirs))
		}
	}
	for _, m := range ours[:2] {
		r.wantRefused("554 5.4.6 ", m.from, list, back(m))
		// A hop that takes some of the marks away leaves the others.
		for _, mark := range []string{"Delivered-To:", "List-Id:"} {
			var kept []string
			head, body, _ := strings.Cut(back(m), "\n\n")
			for _, f := range fields(head) {
				if !strings.HasPrefix(f, mark) {
					kept = append(kept, f)
				}
			}
			r.wantRefused("554 5.4.6 ", member, list, strings.Join(kept, "\n")+"\n\n"+body)
		}
	}

	away := "From: " + member + "\nTo: " + list + "\nSubject: Away: a post\nAuto-Submitted: auto-replied\n\nI am away.\n"
	if got := r.mlmmj(member, list, away); len(got) != len(members) {
		t.Errorf("mlmmj has sent a vacation note to %q only", recipients(got))
	}
	r.wantRefused("550 5.7.1 ", member, list, away)
	r.wantRefused("550 5.7.1 ", "", list, away)
}

// TestMlmmjBackscatter: somebody writes in another's name. mlmmj mails the other
// that he may not post, with what was written in his name, and a program that
// answers by itself gets a question each time. Ours says no to whoever is on the
// line, and mails nobody.
func TestMlmmjBackscatter(t *testing.T) {
	if !enter(t, mlmmjNeeds...) {
		return
	}
	r := newRivals(t, nil, map[string]string{"subonlypost": ""})
	const victim = "victim@example.net"
	spam := "From: The Victim <" + victim + ">\nTo: " + list + "\nSubject: Buy this\nPrecedence: bulk\nAuto-Submitted: auto-generated\n\nhttp://spam.example/\n"
	robot := "From: " + victim + "\nTo: dev+subscribe@lists.example.org\nSubject: I am away\nAuto-Submitted: auto-replied\nPrecedence: junk\n\nAway.\n"

	got := r.mlmmj("eve@spam.example", list, spam)
	if len(got) != 1 || got[0].to != victim || !strings.Contains(got[0].message, "http://spam.example/") {
		t.Errorf("mlmmj has mailed %q", recipients(got))
	}
	for range 2 {
		if got := r.mlmmj(victim, "dev+subscribe@lists.example.org", robot); len(got) != 1 || strings.Contains(got[0].message, "Auto-Submitted") {
			t.Errorf("mlmmj answers a program with %d letters", len(got))
		}
	}
	r.wantRefused("550 5.7.1 ", "eve@spam.example", list, spam)
	r.wantRefused("550 5.7.1 ", victim, list, spam)
	r.wantRefused("550 5.7.1 ", "", list, spam)
	r.wantRefused("550 5.7.1 ", victim, "dev+subscribe@lists.example.org", robot)
	r.wantRefused("550 5.7.1 ", "", "dev+subscribe@lists.example.org", robot)
}

// TestMlmmjDamaged: a reply to a post, in two parts and with a Subject in base64.
// mlmmj puts its prefix in front of the one that is there, its footer behind the
// end of the last part, where nobody sees it, and a second Reply-To beside the
// author's, for which Gmail refuses the message. Ours changes no byte of the body
// and of the author's fields, and what may stand once stands once.
func TestMlmmjDamaged(t *testing.T) {
	if !enter(t, mlmmjNeeds...) {
		return
	}
	r := newRivals(t, []string{"description=People who build"}, map[string]string{
		"prefix": "[dev]\n", "footer": "-- \nTo leave: dev+unsubscribe@lists.example.org\n", "customheaders": "Reply-To: " + list + "\nSender: " + list + "\n",
	})
	encoded := "=?utf-8?b?" + base64.StdEncoding.EncodeToString([]byte("Re: [dev] grüezi")) + "?="
	const end = "--x--\n"
	post := "From: " + member + "\nTo: " + list + "\nReply-To: alice@work.example\nSender: secretary@example.com\nSubject: " + encoded + "\nDate: Sat, 21 Nov 2026 10:00:00 +0000\nMessage-ID: <1@example.com>\n" +
		"MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/plain\n\nHello.  \n.\n--x\nContent-Type: text/html\n\n<p>Hello.\n" + end

	theirs := r.mlmmj(member, list, post)
	if len(theirs) != len(members) {
		t.Fatalf("mlmmj has sent it to %q", recipients(theirs))
	}
	damaged := theirs[0].message
	if n := fieldNames(damaged)["reply-to"]; n != 2 {
		t.Errorf("mlmmj: %d Reply-To", n)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(header(t, damaged, "Subject"))
	if err != nil || strings.Count(subject, "[dev]") != 2 {
		t.Errorf("mlmmj: the subject is %q, %v", subject, err)
	}
	if _, after, _ := strings.Cut(damaged, end); !strings.Contains(after, "To leave:") {
		t.Errorf("mlmmj: behind the last part stands %q", after)
	}

	reply, ours := r.ours(member, list, post)
	if len(ours) != len(members) {
		t.Fatalf("%s; ours was sent to %q", reply, recipients(ours))
	}
	_, body, _ := strings.Cut(post, "\n\n")
	for _, m := range ours {
		head, got, _ := strings.Cut(m.message, "\n\n")
		if got != body {
			t.Errorf("ours: the body is %q", got)
		}
		for name, n := range fieldNames(m.message) {
			if n > 1 && name != "received" {
				t.Errorf("ours: %d %s in\n%s", n, name, head)
			}
		}
		for _, field := range []string{"Subject: " + encoded, "Reply-To: alice@work.example", "From: " + member} {
			if !strings.Contains("\n"+head+"\n", "\n"+field+"\n") {
				t.Errorf("ours: no %q in\n%s", field, head)
			}
		}
	}
}

// TestMlmmjTexts: a list brings the texts of another version along, with words
// that this one does not know. mlmmj mails them to people as they stand, and the
// address that they should answer is not in the letter. Ours says in which text
// what is wrong, and writes its own meanwhile.
func TestMlmmjTexts(t *testing.T) {
	if !enter(t, mlmmjNeeds...) {
		return
	}
	r := newRivals(t, nil, nil)
	const old = "Subject: Confirm $listname$\n\nSend a mail to $confirmaddress$ to join %listname%.\n"
	must(t, os.WriteFile(r.dir+"/text/confirm", []byte(old), 0o644))
	ask := "From: zoe@example.net\nTo: dev+subscribe@lists.example.org\nSubject: x\n\n"
	got := r.mlmmj("zoe@example.net", "dev+subscribe@lists.example.org", ask)
	if len(got) != 1 || !strings.Contains(got[0].message, "$confirmaddress$") {
		t.Errorf("mlmmj: %q", got)
	}

	const texts = "/var/lib/superlist/lists/lists.example.org/dev/texts.toml"
	for i, test := range []struct{ body, wrong string }{
		{"Send a mail to {confirmaddress}, or {confirm}.", "{confirmaddress}"},
		{"Send a mail to $confaddr$, or {confirm}.", "$confaddr$"},
		{"Send a mail to $confaddr$.", "$confaddr$"},
		{"{confirm}\n%(listname)s {listname}", "{listname}"}, // Mailman's
		{"Just answer, {address}.", "{confirm}"},
	} {
		must(t, os.WriteFile(texts, fmt.Appendf(nil, "[confirm-subscribe]\nsubject = \"Confirm {list}\"\nbody = %q\n", test.body), 0o644))
		who := fmt.Sprintf("zoe%d@example.net", i)
		reply, sent := r.ours(who, "dev+subscribe@lists.example.org", strings.Replace(ask, "zoe@example.net", who, 1))
		if len(sent) != 1 {
			t.Errorf("%q: %s, and %d letters", test.body, reply, len(sent))
			continue
		}
		letter := sent[0].message
		for _, word := range []string{"{confirmaddress}", "$confaddr$", "{listname}", "{confirm}", "{address}"} {
			if strings.Contains(letter, word) {
				t.Errorf("%q: ours mails out %s:\n%s", test.body, word, letter)
			}
		}
		if to := path(header(t, letter, "Reply-To")); !strings.Contains(letter, "Please confirm") || !strings.Contains(letter, to) {
			t.Errorf("%q: ours is\n%s", test.body, letter)
		}
		if out := run(t, "superlist", "check", list); !strings.Contains(out, texts+": [confirm-subscribe]: ") || !strings.Contains(out, test.wrong) {
			t.Errorf("%q: superlist check:\n%s", test.body, out)
		}
	}
}
