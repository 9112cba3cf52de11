package intake

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/policy"
	"superlist/lists/quota"
	"superlist/lists/site"
	"superlist/queue"
	"superlist/smtp"
)

// Refusals that do not depend on the list.
var (
	replyLoop   = smtp.Reply{Code: 554, Enhanced: "5.4.6", Text: "mail loop: the header says that the message has been at this address before"}
	replyHops   = smtp.Reply{Code: 554, Enhanced: "5.4.6", Text: "mail loop: the message has passed 100 hosts or more"}
	replyHeader = smtp.Reply{Code: 552, Enhanced: "5.3.4", Text: "the message header is larger than 256 KiB"}
	// A BINARYMIME message may have anything in its body, but its header must have
	// lines.
	replyHeaderLines = smtp.Reply{Code: 550, Enhanced: "5.6.0", Text: "the message header has a CR, LF or NUL that is not a line's end, or a last line without one"}

	// The client sends the message again to the rest: RFC 5321, 4.5.3.1.10.
	replyOneList = smtp.Reply{Code: 452, Enhanced: "4.5.3", Text: "one list at a time, so that each can answer for itself; send the message again to this one"}
)

// An Intake decides about mail for the site's lists and puts what it accepts into the
// spool: it is the smtp.Backend of a session.
type Intake struct {
	Site  *site.Site
	Spool *queue.Spool
	// Late asks for room in the spool at the first recipient that is a list, and not at
	// MAIL: other recipients are not its business.
	Late bool

	// Duplicates detects a message that was accepted although the client was told
	// otherwise. It is then accepted again, but not stored twice. Header and body must
	// come in separate writes.
	Duplicates bool

	// Together accepts one message for several lists in SMTP too, although a refusal by
	// one of them is then a refusal for all. It is for clients that cannot send it
	// again to the rest.
	Together bool

	// Filter, if set, is asked about every message before the lists are.
	Filter Filter

	// Asleep, if set, is called once with the reason why deliver could not be woken.
	Asleep func(error)

	trust func(login string) []smtp.Path // nil: LoginAuthors
	dests []lists.Destination            // for the recipients accepted so far
}

// TrustLogins sets the function that returns the addresses a logged-in user may post
// as. Without it LoginAuthors is used.
func (in *Intake) TrustLogins(authors func(login string) []smtp.Path) { in.trust = authors }

// Mail begins a transaction, if the spool has room.
func (in *Intake) Mail(env *smtp.Envelope) error {
	in.dests = in.dests[:0]
	if in.Late {
		return nil
	}
	return in.admit(env)
}

// Reset does nothing: Mail starts afresh.
func (in *Intake) Reset() {}

// admit reports whether the spool has room.
func (in *Intake) admit(env *smtp.Envelope) error {
	share := in.share(env)
	err := in.Spool.Admit(env.Size, share)
	if errors.Is(err, fs.ErrNotExist) { // the first message ever
		if err = in.Spool.Init(); err == nil {
			err = in.Spool.Admit(env.Size, share)
		}
	}
	return err
}

// share returns the share of the queue that the client's mail counts towards: that of
// one customer's whole network.
func (in *Intake) share(env *smtp.Envelope) queue.Share {
	if n := quota.Customer(in.Site.Network(env.Origin().Addr.Addr())); n.IsValid() {
		return queue.ShareOf(n.String())
	}
	return ""
}

// Resolve returns what an address is for. If it is in the domain of lists, it is ours,
// and a list or its refusal answers. ours is false if the domain has no lists, or also
// has other addresses (shared_domains).
func (in *Intake) Resolve(to smtp.Path) (d lists.Destination, ours bool, err error) {
	all := lists.Of(in.Site)
	if ours, err = all.Serves(to.Domain); err != nil || !ours {
		return d, err != nil, err
	}
	d, err = all.Resolve(to)
	if errors.Is(err, lists.ReplyNoList) && in.Site.Shares(to.Domain) {
		return d, false, nil
	}
	return d, true, err
}

// maxShown is how much of an invalid address is repeated.
const maxShown = 100

// Unreadable returns the refusal of a recipient that is not a valid address; nil if it
// may mean something to others.
func (in *Intake) Unreadable(to, domain string) error {
	domain = strings.TrimRight(domain, ">. ")
	ours, err := lists.Of(in.Site).Serves(domain)
	if err != nil {
		return err
	}
	if !ours || in.Site.Shares(domain) {
		return nil
	}
	return smtp.Reply{Code: 550, Enhanced: "5.1.3", Text: fmt.Sprintf("%+q is not an address of a list", to[:min(len(to), maxShown)])}
}

// Rcpt decides what can be decided without the message.
func (in *Intake) Rcpt(env *smtp.Envelope, to smtp.Rcpt) error {
	d, err := lists.Of(in.Site).Resolve(to.Path)
	if err != nil {
		return err
	}
	return in.Take(env, d)
}

// Take is Rcpt for a resolved address.
func (in *Intake) Take(env *smtp.Envelope, d lists.Destination) error {
	if err := policy.Fits(d, env.Size); err != nil {
		return err
	}
	// The null sender is accepted here and refused at DATA. A host that only asks
	// whether the list exists, as Postfix's address verification does, gets a true
	// answer.
	if d.Purpose == lists.Post && !env.From.IsNull() {
		if err := policy.Of(d.List).MayPost(env.From, in.authors(env)); err != nil {
			return err
		}
	}
	if d.Purpose == lists.Owner {
		if err := d.List.Quota().MayWriteOwners(in.Site.Network(env.Origin().Addr.Addr()), time.Now()); err != nil {
			return err
		}
	}
	if d.Purpose == lists.Ask {
		now := time.Now()
		if err := policy.Of(d.List).Permits(d.Command, now); err != nil {
			return err
		}
		if err := policy.Of(d.List).PermitsNow(d.Command, now); err != nil {
			return err
		}
	}
	if err := in.alone(env, d); err != nil {
		return err
	}
	if in.Late && len(in.dests) == 0 {
		if err := in.admit(env); err != nil {
			return err
		}
	}
	in.dests = append(in.dests, d)
	return nil
}

// alone refuses a second list in one transaction, if one reply at its end would have to
// do for both: see the package's documentation. Delivery reports are never refused for
// a list's reasons.
func (in *Intake) alone(env *smtp.Envelope, d lists.Destination) error {
	if env.Proto == smtp.LMTP || env.Login != "" || in.Together || d.Purpose == lists.Bounce {
		return nil
	}
	for _, other := range in.dests {
		if other.Purpose != lists.Bounce && (other.Verb != d.Verb || other.List.Addr != d.List.Addr) {
			return replyOneList
		}
	}
	return nil
}

// authors returns the addresses that the client has proved to own by logging in. If
// there are any, they decide who may post, and not the sender in MAIL or From, which
// anybody can write. A login without an address proves nothing to a list.
func (in *Intake) authors(env *smtp.Envelope) []smtp.Path {
	switch {
	case env.Login == "":
		return nil
	case in.trust != nil:
		return in.trust(env.Login)
	}
	return site.LoginAuthors(env.Login)
}

// Verify reports whether an address of a list exists, and no more: not who is on the
// list, and not who may post.
func (in *Intake) Verify(to smtp.Path) error {
	_, err := lists.Of(in.Site).Resolve(to)
	return err
}

// Data refuses mail without a sender to lists, and opens the spool. The message is an
// *Incoming.
func (in *Intake) Data(env *smtp.Envelope) (smtp.Message, error) {
	m, err := in.Open(env)
	if err != nil {
		return nil, err // not a nil *Incoming
	}
	return m, nil
}

// Open is Data for a caller that commits in two steps.
func (in *Intake) Open(env *smtp.Envelope) (*Incoming, error) {
	takesNull := func(d lists.Destination) bool { return d.Purpose != lists.Post && d.Purpose != lists.Ask }
	if env.From.IsNull() && !slices.ContainsFunc(in.dests, takesNull) {
		return nil, policy.ReplyNoBounces
	}
	now := time.Now()
	w, err := in.create(env, queue.Head{Arrived: now})
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(env.Received(in.Site.Hostname, w.ID(), now)); err != nil {
		w.Abort()
		return nil, err
	}
	m := &Incoming{in: in, env: env, w: w, arrived: now, traced: w.Size()}
	if in.Duplicates {
		m.duplicate = newDuplicate()
	}
	return m, nil
}

// create begins the file of a message, up to its recipients. The head contains what the
// envelope says.
func (in *Intake) create(env *smtp.Envelope, h queue.Head) (*queue.Writer, error) {
	h.Client, h.From, h.Body, h.Ret, h.Share = env.Client(), env.From, env.Body, env.Ret, in.share(env)
	h.EnvID, h.UTF8, h.RequireTLS, h.Proved = env.EnvID, env.UTF8, env.RequireTLS, in.authors(env)
	w, err := in.Spool.Create(h)
	if err != nil {
		return nil, err
	}
	for i, to := range env.To {
		to, err := policy.Answerable(in.dests[i], to, env.From)
		if err == nil {
			err = w.Rcpt(to)
		}
		if err != nil {
			w.Abort()
			return nil, err
		}
	}
	return w, nil
}
