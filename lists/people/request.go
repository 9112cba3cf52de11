package people

import (
	"time"

	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/message"
	"superlist/lists/outbox"
	"superlist/lists/policy"
	"superlist/lists/request"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// A Request is what somebody asks of a list.
type Request struct {
	List *lists.List
	lists.Command

	// Operator names the operator who made the request on this host's command line, for
	// the log and for whoever decides second. An operator needs no proof, and members
	// are not told what an operator changes.
	Operator string
	Members  []members.Member // whom an operator's request is about, with their words; mv: the new address
	Bans     bool             // erase: also bans
	Posts    bool             // erase: their posts in the archive, too
	DryRun   bool             // of an operator's request: nothing is changed
	Same     bool             // sync: the words behind members become those of the request, too
	Most     func(of int) int // sync: how many of so many members may go
	Settings []string         // settings: "key=value"

	Name    string // the name in From of whoever asks; may be empty
	Words   string // for the author of a rejected post
	ID      string // of the message, for the log
	Answers string // its Message-ID
	Client  string // where it came from, for the operator
	Signed  request.Signed

	After []queue.After // what must have happened before anything that follows is sent
	Cause string        // names what follows; a repeated request has the same cause
	At    time.Time     // when it arrived: proofs are judged at that time
}

// A Result says what happened to a request that was not refused.
type Result int

const (
	Done       Result = iota // the list has changed
	Already                  // there was nothing to change
	NoMember                 // there was nothing to change: they are not a member
	Asked                    // the person is asked first whether they want it
	Waits                    // the owners or the moderators decide
	Answered                 // a letter brings what was asked for
	Unanswered               // nothing is done or said: a quota is exhausted
)

// An Outcome says what happened to a request, and what is to be written because of it.
type Outcome struct {
	Result   Result
	Members  []members.Member // who was added, removed or changed
	Others   []members.Member // of an operator's request: for whom there was nothing to do
	Gone     []members.Member // sync: who was removed
	Changed  []members.Member // sync: whose words are others
	Roles    []string         // mv: where the address was found
	Settings []Setting        // settings: what was given
	Pages    bool             // settings: superlist deliver has pages to write
	Erased   Erased           // erase: what is gone, and what remains
	Refusal  smtp.Reply       // Unanswered: why
	Letters  []outbox.Draft

	list    *lists.List
	after   []queue.After
	held    *message.Message
	release func()       // closes the held post, if it was opened for this
	postID  string       // id of the held post on its way to the members; empty: it does not go
	end     func() error // removes what the request was about
}

// A Setting is a setting that was given, with its new and its old value.
type Setting struct {
	List  string `json:"list"`
	Key   string `json:"key"`
	Value string `json:"value"`
	Was   string `json:"was"`
}

// Commit writes what follows from the request, each thing once, and then removes what
// the request was about. post writes a held post for the members.
func (o *Outcome) Commit(letters *outbox.Outbox, post func(held *message.Message, l *lists.List, id string, after []queue.After) error) error {
	if o.release != nil {
		defer o.release()
	}
	if o.postID != "" {
		there, err := letters.Spool.Exists(queue.Outbound, o.postID)
		if err == nil && !there {
			err = post(o.held, o.list, o.postID, o.after)
		}
		if err != nil {
			return err
		}
	}
	letters.After = o.after
	if err := letters.Write(o.list, o.Letters...); err != nil || o.end == nil {
		return err
	}
	return o.end()
}

// A Desk carries out requests.
type Desk struct {
	Site       *site.Site
	Log        *maillog.Log
	Now        func() time.Time
	Moderation Moderation
	Bounces    Bounces
}

// Bounces knows whose mail has come back.
type Bounces interface {
	// Clear forgets what speaks against an address. It reports whether there was anything.
	Clear(l *lists.List, p smtp.Path, why string) (was bool, err error)
}

// Moderation judges posts.
type Moderation interface {
	// Confirmed judges a held post again after its author has confirmed it, and asks
	// the moderators if they must see it. Its letters are named after the cause, and
	// sent after it.
	Confirmed(held *message.Message, l *lists.List, author smtp.Path, cause string, after []queue.After) (policy.Decision, error)
}

// An act is a request being carried out.
type act struct {
	*Desk
	Request
	l       *lists.List
	out     Outcome
	decider smtp.Path // who decides, in a decision about others
	lang    string    // of letters to the person it is about, unless the members file says
	silent  bool      // nobody gets a letter
}

// Do carries out a request. The caller must commit its outcome. A refusal is an error
// that wraps a smtp.Reply; a temporary one may pass later.
func (d *Desk) Do(r Request) (Outcome, error) {
	a := &act{Desk: d, Request: r, l: r.List, out: Outcome{list: r.List, after: r.After}}
	err := a.do()
	if err != nil && a.out.release != nil {
		a.out.release()
	}
	return a.out, err
}

func (a *act) do() error {
	if a.Operator == "" { // a session has checked this before, but the list may have changed
		if err := policy.Of(a.l).Permits(a.Command, a.At); err != nil {
			return err
		}
		a.Log.Printf(maillog.Info, "command id=%s list=%s from=%s verb=%s about=%s", a.ID, a.l.Addr, a.Sender, a.Verb, a.Who)
	}
	switch a.Verb {
	case lists.VerbSubscribe:
		if a.Operator != "" {
			a.silent = true
			return a.join(a.Members...)
		}
		return a.subscribe(members.Member{Path: a.Who}.With(a.Delivery).Named(a.name()))
	case lists.VerbUnsubscribe:
		if a.Operator != "" {
			a.silent = true
			return a.leave(a.Members...)
		}
		return a.unsubscribe()
	case VerbSet:
		return a.set()
	case VerbMove:
		return a.move()
	case VerbErase:
		return a.erase()
	case VerbSync:
		return a.sync()
	case VerbClear:
		return a.clear()
	case VerbSettings:
		return a.settings()
	case lists.VerbConfirm:
		return a.confirm()
	case lists.VerbSigned:
		return a.signed()
	case lists.VerbOptions:
		return a.options()
	case lists.VerbFAQ:
		return a.ask(Answered, lists.VerbFAQ, "faq", a.Who, nil)
	}
	if lists.Fetches(a.Verb) {
		return a.fetch()
	}
	return a.ask(Answered, lists.VerbHelp, "help", a.Who, nil)
}

// by names who decides: the person to whom the proof was sent, or else whoever asks.
func (a *act) by() string {
	switch {
	case a.Operator != "":
		return a.Operator
	case !a.decider.IsNull():
		return a.decider.Address()
	}
	return a.Author.Address()
}

// name returns the name of the person whom the request is about, if they ask
// themselves.
func (a *act) name() string {
	if a.Author.Key() != a.Who.Key() {
		return ""
	}
	return a.Name
}
