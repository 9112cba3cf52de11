package deliver

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/heldpost"
	"superlist/lists/members"
	"superlist/lists/message"
	"superlist/lists/people"
	"superlist/lists/policy"
	"superlist/lists/request"
	"superlist/lists/verp"
	"superlist/queue"
	"superlist/smtp"
)

// callers are the ways in which somebody asks: a mail to the list's address, the
// operator's command, and a program that may only write to the spool.
var callers = []string{"by mail", "by hand", "left in the spool"}

// asks are what somebody wants, as each of them says it: with a proof, or as an operator.
var asks = map[string]struct {
	proof confirmation.Action
	who   string // whom the proof is about; empty: the held post
	words string

	verb   string
	member string // a line of members

	again bool // it is the second time
	want  string
	files string // members; list.toml; how many are held; letters and posts
}{
	"joins": {proof: confirmation.Subscribe, who: "new@example.com", verb: lists.VerbSubscribe, member: "new@example.com",
		want: "Done, new@example.com", files: "alice@example.com digest|bob@example.net|new@example.com; ; 1; "},
	"joins, is a member": {proof: confirmation.Subscribe, who: "bob@example.net", verb: lists.VerbSubscribe, member: "bob@example.net",
		want: "Already", files: "alice@example.com digest|bob@example.net; ; 1; "},
	"joins for digests": {proof: confirmation.SubscribeDigest, who: "new@example.com", verb: lists.VerbSubscribe, member: "new@example.com digest",
		want: "Done, new@example.com digest", files: "alice@example.com digest|bob@example.net|new@example.com digest; ; 1; "},
	"leaves": {proof: confirmation.Unsubscribe, who: "bob@example.net", verb: lists.VerbUnsubscribe, member: "bob@example.net",
		want: "Done, bob@example.net", files: "alice@example.com digest; ; 1; "},
	"leaves, is not a member": {proof: confirmation.Unsubscribe, who: "new@example.com", verb: lists.VerbUnsubscribe, member: "new@example.com",
		want: "NoMember", files: "alice@example.com digest|bob@example.net; ; 1; "},
	"wants digests": {proof: confirmation.GetDigests, who: "bob@example.net", verb: people.VerbSet, member: "bob@example.net digest",
		want: "Done, bob@example.net digest", files: "alice@example.com digest|bob@example.net digest; ; 1; "},
	"wants no digests": {proof: confirmation.GetEach, who: "alice@example.com", verb: people.VerbSet, member: "alice@example.com",
		want: "Done, alice@example.com", files: "alice@example.com|bob@example.net; ; 1; "},
	"wants digests, is not a member": {proof: confirmation.GetDigests, who: "new@example.com", verb: people.VerbSet, member: "new@example.com digest",
		want: "NoMember", files: "alice@example.com digest|bob@example.net; ; 1; "},
	"approves": {proof: confirmation.Publish, want: "Done", files: "alice@example.com digest|bob@example.net; ; 0; <bob@example.net> hello"},
	"approves, and allows": {proof: confirmation.AllowAlways,
		want: "Done", files: "alice@example.com digest|bob@example.net; allow eve@example.net; 0; <bob@example.net> hello"},
	"rejects": {proof: confirmation.SendBack, words: "Write to users@ about this.",
		want: "Done", files: "alice@example.com digest|bob@example.net; ; 0; <eve@example.net> Write to users@ about this."},
	"discards":           {proof: confirmation.Drop, want: "Done", files: "alice@example.com digest|bob@example.net; ; 0; "},
	"discards, and bans": {proof: confirmation.BanAuthor, want: "Done", files: "alice@example.com digest|bob@example.net; ban eve@example.net; 0; "},
	"comes second": {proof: confirmation.Drop, again: true,
		want: "550 5.7.1 you come second: somebody has sent it back, TIME", files: "alice@example.com digest|bob@example.net; ; 0; "},
}

// TestCallers: whoever asks, the same is done and comes of it.
func TestCallers(t *testing.T) {
	for name, ask := range asks {
		for _, caller := range callers {
			t.Run(name+" "+caller, func(t *testing.T) {
				w, l, _ := newPeople(t, "nonmembers=hold", "digest=daily")
				os.WriteFile(l.Dir+"/members", []byte("alice@example.com digest\nbob@example.net\n"), 0o600)
				w.message("eve@example.net", "From: eve@example.net\r\nSubject: hello\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n", "dev@lists.example.org")
				w.deliver()
				l, err := lists.Of(w.site).Open(l.Addr)
				if err != nil {
					t.Fatal(err)
				}
				held := heldName(t, w.site, l)
				if ask.again {
					if err := confirmation.Decide(l.Ledger, l.Book(), held, confirmation.Decided{Cause: "other", What: "somebody has sent it back"}, w.now()); err != nil {
						t.Fatal(err)
					}
					if err := heldpost.Spool(w.site, l).Drop(queue.Held, held); err != nil {
						t.Fatal(err)
					}
				}
				os.RemoveAll(w.site.QueueDir)
				w.site.Spool().Init()

				q := people.Request{List: l, At: w.now(), Words: ask.words}
				from := path("olga@example.org")
				if ask.who != "" {
					from = path(ask.who)
				}
				var to smtp.Path
				if ask.who != "" {
					to, err = l.ProofAddress(ask.proof, verp.Word(from), w.now())
				} else {
					to, err = l.DecisionAddress(ask.proof, held, from, w.now())
				}
				if err != nil {
					t.Fatal(err)
				}
				d, err := lists.Of(w.site).Resolve(to)
				if err != nil {
					t.Fatal(err)
				}
				r, id := w.runner(), ""
				switch caller {
				case "by hand":
					q.Operator, q.Verb = "the operator", ask.verb
					if ask.who == "" {
						q.Verb, q.Proof = lists.VerbConfirm, confirmation.Proof{Action: ask.proof, Subject: held}
					} else if m, ok := members.Parse(ask.member); ok {
						q.Members = []members.Member{m}
					}
				case "by mail":
					id = w.message(from.Address(), "From: "+from.Address()+"\r\nSubject: re\r\nMessage-ID: <2@x>\r\n\r\n"+ask.words+"\r\n", to.Address())
				default:
					q.Command = d.Command
					q.Author = from
					left := request.Request{List: q.List, Command: q.Command, Name: q.Name, Words: q.Words, Client: q.Client, At: q.At}
					if id, err = left.Leave(w.site.Spool()); err != nil {
						t.Fatal(err)
					}
				}
				if id != "" {
					m, err := w.site.Spool().Open(queue.Inbound, id)
					if err != nil {
						t.Fatal(err)
					}
					defer m.Close()
					if q, err = people.FromMail(w.site, d, message.Of(m), id+".0"); err != nil {
						t.Fatal(err)
					}
				}
				o, err := r.Do(q)
				if got := came(o, err); got != ask.want {
					t.Errorf("it came to %s, want %s; log:\n%s", got, ask.want, &w.log)
				}
				if got := stands(t, w, l, held); got != ask.files {
					t.Errorf("there is\n%s, want\n%s; log:\n%s", got, ask.files, &w.log)
				}
				silent := caller == "by hand" && ask.who != ""
				if want := !silent && (ask.who != "" || ask.proof == confirmation.SendBack); (len(o.Letters) > 0) != want {
					t.Errorf("letters: %+v", o.Letters)
				}
			})
		}
	}
}

// came is what came of a request: the result with the members that it changed, or the
// refusal.
func came(o people.Outcome, err error) string {
	if reply, no := smtp.Refusal(err); no {
		text, _, _ := strings.Cut(reply.String(), ", ")
		return text + ", TIME"
	}
	if err != nil {
		return err.Error()
	}
	s := map[people.Result]string{people.Done: "Done", people.Already: "Already", people.NoMember: "NoMember"}[o.Result]
	for _, m := range o.Members {
		s += ", " + m.String()
	}
	return s
}

// stands is what a list, and the spool, have afterwards, but for letters about members.
func stands(t *testing.T, w *world, l *lists.List, held string) string {
	t.Helper()
	members, err := os.ReadFile(l.Dir + "/members")
	if err != nil {
		t.Fatal(err)
	}
	if l, err = lists.Of(w.site).Open(l.Addr); err != nil {
		t.Fatal(err)
	}
	var patterns []string
	for key, values := range map[string][]string{"allow": l.Allow, "ban": l.Ban} {
		for _, v := range values {
			patterns = append(patterns, key+" "+v)
		}
	}
	posts := 0
	if there, err := heldpost.Spool(w.site, l).Exists(queue.Held, held); err != nil {
		t.Fatal(err)
	} else if there {
		posts++
	}
	goes := make(map[string]bool)
	entries, err := w.site.Spool().List(queue.Outbound)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		m, err := w.site.Spool().Open(queue.Outbound, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		text := make([]byte, m.Size)
		m.Content().ReadAt(text, 0)
		for rcpt := range m.Recipients() {
			for _, words := range []string{"Write to users@ about this.", "\r\n\r\nhello\r\n"} {
				if strings.Contains(string(text), words) {
					goes[fmt.Sprint(rcpt.Path, " ", strings.TrimSpace(words))] = true
				}
			}
		}
		m.Close()
	}
	return fmt.Sprintf("%s; %s; %d; %s", strings.ReplaceAll(strings.TrimSpace(string(members)), "\n", "|"),
		strings.Join(patterns, ", "), posts, strings.Join(slices.Sorted(maps.Keys(goes)), ", "))
}

// TestLeftIsDelivered: what a program leaves in the spool is carried out by the next run,
// and its person hears of it.
func TestLeftIsDelivered(t *testing.T) {
	w, l, person := newPeople(t)
	carol := person("carol@example.com")
	leave := func(c lists.Command) {
		t.Helper()
		c.Author = path(carol.addr)
		if err := policy.Of(l).Permits(c, w.now()); err != nil {
			t.Fatal(err)
		}
		if err := policy.Of(l).PermitsNow(c, w.now()); err != nil {
			t.Fatal(err)
		}
		if _, err := (request.Request{List: l, Command: c, Name: "Carol", At: w.now(), Client: "web"}).Leave(w.site.Spool()); err != nil {
			t.Fatal(err)
		}
		w.deliver()
	}
	leave(lists.Command{Verb: lists.VerbSubscribe})
	wantMembers(t, l, "bob@example.net")
	d, err := lists.Of(w.site).Resolve(path(reply(carol.letter("Please confirm: subscribe to dev@lists.example.org"))))
	if err != nil {
		t.Fatal(err)
	}
	leave(d.Command)
	wantMembers(t, l, "bob@example.net", "carol@example.com name=Carol")
	carol.letter("Welcome to dev@lists.example.org")
	w.wantEmpty()
	if err := policy.Of(l).PermitsNow(d.Command, w.now()); err == nil {
		t.Error("a confirmation that is used may be left again")
	}
}
