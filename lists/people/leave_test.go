package people_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/listtest"
	"superlist/lists/members"
	"superlist/lists/message"
	"superlist/lists/people"
	"superlist/lists/request"
	"superlist/lists/site"
	"superlist/lists/verp"
	"superlist/queue"
	"superlist/smtp"
)

func path(s string) smtp.Path { return listtest.Path(s) }

// testSite is a site with the list dev, whose owner is olga and whose members are alice
// and bob.
func testSite(t testing.TB) (*site.Site, *lists.List) {
	t.Helper()
	s := listtest.Site(t, map[string]string{
		"lists/lists.example.org/dev/list.toml": "owners = [\"olga@example.org\"]\narchive = true\nmoderators = [\"mona@example.org\"]\n",
		"lists/lists.example.org/dev/members":   "alice@example.com\nbob@example.net\n",
	})
	l, err := lists.Of(s).Open(path("dev@lists.example.org"))
	if err != nil {
		t.Fatal(err)
	}
	return s, l
}

// proof is what stands in an address that a question came from.
func proof(t *testing.T, s *site.Site, to smtp.Path, err error) confirmation.Proof {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	d, err := lists.Of(s).Resolve(to)
	if err != nil {
		t.Fatal(err)
	}
	return d.Command.Proof
}

// TestLeave: a request that somebody leaves in the spool is the one that deliver reads
// there.
func TestLeave(t *testing.T) {
	s, l := testSite(t)
	now := time.Now().Truncate(time.Second)
	to, err := l.ProofAddress(confirmation.Unsubscribe, verp.Word(path("alice@example.com")), now)
	leaving := proof(t, s, to, err)
	to, err = l.DecisionAddress(confirmation.SendBack, "0123456789ab", path("mona@example.org"), now)
	sendBack := proof(t, s, to, err)
	for name, r := range map[string]request.Request{
		"joins":             {Command: lists.Command{Verb: lists.VerbSubscribe, Author: path("new@example.com")}, Name: "New, \"Nobody\" \\"},
		"joins with digest": {Command: lists.Command{Verb: lists.VerbSubscribe, Delivery: members.InDigests, Author: path("new@example.com")}, Name: "Nöël Ünïcöde the Very Much Longer than a Line of Encoded Words Can Be"},
		"asks for another":  {Command: lists.Command{Verb: lists.VerbSubscribe, Author: path("new@example.com"), Who: path("other@example.com")}},
		"leaves":            {Command: lists.Command{Verb: lists.VerbUnsubscribe, Author: path("alice@example.com")}},
		"leaves, by proof":  {Command: lists.Command{Verb: lists.VerbConfirm, Proof: leaving, Author: path("alice@example.com")}},
		"sends back":        {Command: lists.Command{Verb: lists.VerbConfirm, Proof: sendBack, Author: path("mona@example.org")}, Words: "Please write to users@.\n\n.\nFrom here on: größer, " + "and a very long line that needs more than one line of base64 to be carried through a mail"},
		"beyond ASCII":      {Command: lists.Command{Verb: lists.VerbSubscribe, Author: path("jürgen@bücher.example")}, Name: "Jürgen"},
		"wants a post":      {Command: lists.Command{Verb: lists.VerbGet, From: 3, To: 4, Author: path("alice@example.com")}},
		"from another host": {Command: lists.Command{Verb: lists.VerbHelp, Author: path("new@example.com"), Sender: path("bounces@example.com"), Network: netip.MustParsePrefix("192.0.2.0/24")}, Client: "[192.0.2.7]"},
	} {
		t.Run(name, func(t *testing.T) {
			r.List, r.At, r.Answers = l, now, "<1@client>"
			got, err := leaveAndRead(s, r)
			if err != nil {
				t.Fatal(err)
			}
			if r.Who.IsNull() {
				r.Who = r.Author
			}
			if r.Sender.IsNull() {
				r.Sender = r.Author
			}
			if got.Command != r.Command || got.Name != r.Name || got.Words != r.Words || got.Client != r.Client || !got.At.Equal(r.At) || got.Answers != r.Answers || got.Cause != got.ID+".0" {
				t.Errorf("it is\n%+v, want\n%+v", got, r)
			}
		})
	}
}

// leaveAndRead leaves a request in the spool, and reads it there as deliver does.
func leaveAndRead(s *site.Site, r request.Request) (got people.Request, err error) {
	id, err := r.Leave(s.Spool())
	if err != nil {
		return got, err
	}
	defer s.Spool().Drop(queue.Inbound, id)
	m, err := s.Spool().Open(queue.Inbound, id)
	if err != nil {
		return got, err
	}
	defer m.Close()
	var to smtp.Path
	for rcpt, err := range m.Recipients() {
		if to = rcpt.Path; err != nil {
			return got, err
		}
	}
	d, err := lists.Of(s).Resolve(to)
	if err != nil {
		return got, err
	}
	return people.FromMail(s, d, message.Of(m), id+".0")
}

// FuzzLeave: whatever somebody writes into a form, the request that deliver reads is of
// the same person and asks the same.
func FuzzLeave(f *testing.F) {
	f.Add("Ada", "no thanks", "<1@x>", "[192.0.2.1]")
	f.Add("\r\nBcc: x@example.com\r\n\r\n", "\r\n.\r\nFrom: x\r\n", "<1@x>\r\nFrom: x@example.com", "x\nrecipients: 1")
	f.Add("a\" <eve@example.com>, \"b", "> quoted\n-- \nsig", ">", "\x00")
	f.Add("=?utf-8?q?=22?=", strings.Repeat("x", 5000), "", strings.Repeat("y", 3000))
	s, l := testSite(f)
	f.Fuzz(func(t *testing.T, name, words, answers, client string) {
		r := request.Request{
			List: l, Command: lists.Command{Verb: lists.VerbUnsubscribe, Author: path("alice@example.com")},
			Name: name, Words: words, Answers: answers, Client: client, At: time.Now(),
		}
		got, err := leaveAndRead(s, r)
		if err != nil {
			if smtp.IsClean(client) && len(client) < 100 {
				t.Fatal(err)
			}
			return
		}
		r.Who, r.Sender, r.Network = r.Author, r.Author, got.Network // the client is what it is
		if got.Command != r.Command {
			t.Errorf("it is %+v, want %+v", got.Command, r.Command)
		}
	})
}

// TestLeaveNot: what no mail asks for is not left as one.
func TestLeaveNot(t *testing.T) {
	s, l := testSite(t)
	alice := path("alice@example.com")
	for name, r := range map[string]request.Request{
		"by nobody": {Command: lists.Command{Verb: lists.VerbUnsubscribe}},
		"set":       {Command: lists.Command{Verb: people.VerbSet, Author: alice}},
		"for another, in digests": {Command: lists.Command{
			Verb: lists.VerbSubscribe, Author: alice, Who: path("other@example.com"), Delivery: members.InDigests,
		}},
	} {
		r.List, r.At = l, time.Now()
		if id, err := r.Leave(s.Spool()); err == nil {
			t.Errorf("%s: left as %s", name, id)
		}
	}
	r := request.Request{List: l, At: time.Now(), Command: lists.Command{Verb: lists.VerbHelp, Author: alice}}
	full := s.Spool()
	full.MaxMessages = 1
	_, err := r.Leave(full)
	if err == nil {
		_, err = r.Leave(full)
	}
	var reply smtp.Reply
	if !errors.As(err, &reply) || !reply.Temporary() {
		t.Errorf("with a full queue: %v", err)
	}
}
