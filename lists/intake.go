package lists

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/rewrite"
	"superlist/queue"
	"superlist/smtp"
)

// MaxHops is how many Received fields a message may have: RFC 5321, 6.3 asks
// for a limit of at least 100.
const MaxHops = 100

// Refusals that do not depend on the list.
var (
	replyLoop   = smtp.Reply{Code: 554, Enhanced: "5.4.6", Text: "mail loop: the header says that the message has been at this address before"}
	replyHops   = smtp.Reply{Code: 554, Enhanced: "5.4.6", Text: "mail loop: the message has passed 100 hosts or more"}
	replyHeader = smtp.Reply{Code: 552, Enhanced: "5.3.4", Text: "the message header is larger than 256 KiB"}
	// What is BINARYMIME may have anything in its body, and lines in its header.
	replyHeaderLines = smtp.Reply{Code: 550, Enhanced: "5.6.0", Text: "the message header has a CR, LF or NUL that is no line's end, or a last line without one"}

	// A client sends the message again to those that are left: RFC 5321, 4.5.3.1.10.
	replyOneList = smtp.Reply{Code: 452, Enhanced: "4.5.3", Text: "one list at a time, so that each can answer for itself; send the message again to this one"}

	replyNoBounces = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "a list takes no delivery reports and no mail without a sender"}
	replyAutomatic = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "a list takes no automatic replies"}
)

// An Intake decides on mail for the site's lists and puts what it accepts into
// the spool: it is the smtp.Backend of a session.
type Intake struct {
	Site  *Site
	Spool *queue.Spool
	// Late asks for room in the spool at the first list among the recipients,
	// and not at MAIL: other recipients are not its business.
	Late bool

	// Again has a message recognised that was taken before, though the client
	// was told otherwise: it is then accepted, and not taken twice. Header and
	// body must come in writes of their own.
	Again bool

	// Together has one message taken for several lists by SMTP too, though what
	// one of them refuses is then refused for all: for clients that cannot send
	// it again to those that are left.
	Together bool

	// Filter, where set, is asked about every message before the lists are.
	Filter Filter

	trust func(login string) []smtp.Path // nil: LoginAuthors
	dests []Destination                  // of the recipients accepted so far
}

// TrustLogins says who knows the addresses that somebody who has logged in may
// post as. Without it they are LoginAuthors.
func (in *Intake) TrustLogins(authors func(login string) []smtp.Path) { in.trust = authors }

// Mail begins a transaction, if the spool has room.
func (in *Intake) Mail(env *smtp.Envelope) error {
	in.dests = in.dests[:0]
	if in.Late {
		return nil
	}
	return in.admit(env)
}

// Reset has nothing to do: Mail begins anew.
func (in *Intake) Reset() {}

// admit says whether the spool has room.
func (in *Intake) admit(env *smtp.Envelope) error {
	err := in.Spool.Admit(env.Size)
	if errors.Is(err, fs.ErrNotExist) { // the first message ever
		if err = in.Spool.Init(); err == nil {
			err = in.Spool.Admit(env.Size)
		}
	}
	return err
}

// Rcpt decides what can be decided without the message.
func (in *Intake) Rcpt(env *smtp.Envelope, to smtp.Rcpt) error {
	d, err := in.Site.Resolve(to.Path)
	if err != nil {
		return err
	}
	if err := d.fits(env.Size); err != nil {
		return err
	}
	// The null sender is heard here and refused at DATA: so a host that only
	// asks whether the list exists, as Postfix's address verification does,
	// hears the truth.
	if d.Purpose == Post && !env.From.IsNull() {
		decision, err := d.List.Judge(&Posting{AtRcpt: true, From: env.From, Proved: in.authors(env)})
		if err == nil {
			err = decision.Err()
		}
		if err != nil {
			return err
		}
	}
	if d.Purpose == Owner {
		if err := d.List.mayWriteOwners(Network(env.Origin().Addr.Addr()), time.Now()); err != nil {
			return err
		}
	}
	if d.Purpose == Ask {
		if err := d.List.mayAsk(d.Command); err != nil {
			return err
		}
		// A key that is wrong, too old or used is refused at once, unless From
		// may yet show that it is right.
		if p := d.Command.Proof; d.Command.Verb == VerbConfirm && p.Subject != "" {
			_, err := d.List.CheckProof(p, time.Now())
			if err == nil {
				err = d.List.Unspent(p, "")
			}
			if err != nil {
				return err
			}
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

// alone says no to a second address of a list in one transaction, where one reply
// at its end would have to do for both: see the package's documentation. Delivery
// reports are refused for no reason of a list's.
func (in *Intake) alone(env *smtp.Envelope, d Destination) error {
	if env.Proto == smtp.LMTP || env.Login != "" || in.Together || d.Purpose == Bounce {
		return nil
	}
	for _, other := range in.dests {
		if other.Purpose != Bounce && (other.Verb != d.Verb || other.List.Addr != d.List.Addr) {
			return replyOneList
		}
	}
	return nil
}

// authors are the addresses that the client has proved to be its own, by logging
// in. Where there are any, they decide who may post, and neither the sender that
// MAIL names nor From does, which anybody can write. A login without an address
// proves nothing to a list.
func (in *Intake) authors(env *smtp.Envelope) []smtp.Path {
	switch {
	case env.Login == "":
		return nil
	case in.trust != nil:
		return in.trust(env.Login)
	}
	return LoginAuthors(env.Login)
}

// fits holds a message's size against what the address takes.
func (d Destination) fits(size int64) error {
	switch d.Purpose {
	case Bounce:
		return nil
	case Ask:
		return d.List.fitsCommand(size)
	case Owner:
		return d.List.fitsOwner(size)
	}
	return d.List.fits(size)
}

// Verify says whether there is such an address of a list, and no more: not who
// is on the list, and not who may post.
func (in *Intake) Verify(to smtp.Path) error {
	_, err := in.Site.Resolve(to)
	return err
}

// Data refuses mail without a sender for lists, and opens the spool. The message
// is a *Incoming.
func (in *Intake) Data(env *smtp.Envelope) (smtp.Message, error) {
	m, err := in.Open(env)
	if err != nil {
		return nil, err // and no *Incoming that is nil
	}
	return m, nil
}

// Open is Data for a caller that commits in two steps.
func (in *Intake) Open(env *smtp.Envelope) (*Incoming, error) {
	takesNull := func(d Destination) bool { return d.Purpose != Post && d.Purpose != Ask }
	if env.From.IsNull() && !slices.ContainsFunc(in.dests, takesNull) {
		return nil, replyNoBounces
	}
	now := time.Now()
	w, err := in.create(env, queue.Head{Arrived: now})
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(env.Received(in.Site.Hostname, w.ID(), now))); err != nil {
		w.Abort()
		return nil, err
	}
	m := &Incoming{in: in, env: env, w: w, arrived: now, traced: w.Size()}
	if in.Again {
		m.again = newAgain()
	}
	return m, nil
}

// create begins the file of a message, up to its recipients. The head gets what
// the envelope says.
func (in *Intake) create(env *smtp.Envelope, h queue.Head) (*queue.Writer, error) {
	h.Client, h.From, h.Body, h.Ret = env.Client(), env.From, env.Body, env.Ret
	h.EnvID, h.UTF8, h.RequireTLS, h.Proved = env.EnvID, env.UTF8, env.RequireTLS, in.authors(env)
	w, err := in.Spool.Create(h)
	if err != nil {
		return nil, err
	}
	for i, to := range env.To {
		to, err := in.dests[i].answerable(to, env.From)
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

// An Incoming is a message on its way into the spool.
type Incoming struct {
	in      *Intake
	env     *smtp.Envelope
	w       *queue.Writer
	header  rewrite.Scanner
	arrived time.Time
	traced  int64  // bytes that are ours
	sent    int64  // bytes that are the client's, before a filter has changed anything
	again   *again // nil: nobody minds
	hold    string // why a filter wants a person to look at it
	unasked bool   // since it could not be asked
	instead string // the id to give for a message that is not kept: the recipients have it already, or a filter throws it away
}

// Write takes the message's bytes.
func (m *Incoming) Write(p []byte) (int, error) {
	if m.again != nil && m.header.Done() {
		m.again.body.Write(p)
	}
	m.header.Write(p)
	return m.w.Write(p)
}

// Abort leaves nothing behind.
func (m *Incoming) Abort() { m.w.Abort() }

// Commit decides what needs the message, for each recipient, and then makes it
// durable for those that are left.
func (m *Incoming) Commit() (string, []error) {
	outcomes, some := m.Prepare()
	if !some {
		return "", outcomes
	}
	id, err := m.Publish()
	for i := range outcomes {
		if outcomes[i] == nil {
			outcomes[i] = err
		}
	}
	return id, outcomes
}

// Prepare is the first step of Commit: it decides, and has the message synced
// where nobody looks for it yet. Where some recipient is left Publish or Abort has
// to follow; where none is, nothing is left behind.
func (m *Incoming) Prepare() (outcomes []error, some bool) {
	m.sent = m.w.Size() - m.traced
	if err := m.filter(); err == ErrDiscard {
		m.instead = m.w.ID()
		return make([]error, len(m.in.dests)), true
	} else if err != nil {
		m.w.Abort()
		return slices.Repeat([]error{err}, len(m.in.dests)), false
	}
	outcomes = m.judge()
	var refused []int
	for i, err := range outcomes {
		if err != nil {
			refused = append(refused, i)
		}
	}
	if len(refused) > 0 && m.env.Proto != smtp.LMTP {
		// SMTP has one reply for all recipients, so all of them share the
		// refusal; it says whose it is. There is more than one only where alone
		// has let it.
		outcomes = slices.Repeat([]error{m.together(outcomes)}, len(outcomes))
	} else if len(refused) < len(outcomes) {
		if refused = m.without(refused); len(refused) == len(outcomes) {
			return outcomes, true
		}
		err := m.w.Prepare(refused...)
		if err == nil {
			return outcomes, true
		}
		for i := range outcomes {
			if outcomes[i] == nil {
				outcomes[i] = err
			}
		}
		return outcomes, false
	}
	m.w.Abort()
	return outcomes, false
}

// Publish is the second step, from which on the message is everybody's.
func (m *Incoming) Publish() (id string, err error) {
	if m.instead != "" {
		m.w.Abort()
		return m.instead, nil
	}
	if err := m.w.Publish(queue.Inbound); err != nil {
		return "", err
	}
	m.remember()
	m.in.Site.Wake()
	return m.w.ID(), nil
}

// together makes one refusal for all recipients of an SMTP transaction. Where
// they differ it is the first in full, and says that the others may be tried.
func (m *Incoming) together(outcomes []error) error {
	i := slices.IndexFunc(outcomes, func(err error) bool { return err != nil })
	first := outcomes[i]
	same := func(err error) bool { return err != nil && err.Error() == first.Error() }
	var r smtp.Reply
	if len(outcomes) == 1 || !errors.As(first, &r) || !slices.ContainsFunc(outcomes, func(err error) bool { return !same(err) }) {
		return first
	}
	r.Text += "\nnothing was sent to any list; send the message again without " + m.env.To[i].Address()
	return r
}

// judge gives one verdict for each recipient.
func (m *Incoming) judge() []error {
	verdicts := make([]error, len(m.in.dests))
	h, whole := m.header.Header()
	for i, d := range m.in.dests {
		switch {
		case !whole:
			verdicts[i] = replyHeader
		case m.env.Body == smtp.BinaryMIME && !h.Clean():
			verdicts[i] = replyHeaderLines
		case len(h.All("Received")) >= MaxHops:
			verdicts[i] = replyHops
		case looped(h, d):
			verdicts[i] = replyLoop
		case m.hold != "" && d.Purpose != Post:
			verdicts[i] = m.unheld()
		case d.Purpose == Post:
			verdicts[i] = m.judgePost(h, d.List)
		case d.Purpose == Ask:
			verdicts[i] = m.judgeCommand(h, d)
		case d.Purpose == Owner:
			verdicts[i] = d.List.judgeOwner(h)
		}
		if verdicts[i] == nil {
			verdicts[i] = d.fits(m.sent)
		}
	}
	return verdicts
}

// looped says that the message has passed this address before.
func looped(h rewrite.Header, d Destination) bool {
	if d.Purpose == Bounce || d.Purpose == Ask { // whoever asks gets one answer, and that is no question
		return false
	}
	self := d.List.Addr
	if d.Purpose == Owner {
		self = d.List.Verb(d.Verb)
	}
	for _, mark := range [...]string{"Delivered-To", "X-Loop"} { // of posts, and of digests
		for _, f := range h.All(mark) {
			if strings.EqualFold(f.Value(), self.Address()) {
				return true
			}
		}
	}
	if d.Purpose == Owner {
		return false // a member may well send them what came from the list
	}
	for _, f := range h.All("List-Id") {
		id := f.Value()
		if i := strings.LastIndexByte(id, '<'); i >= 0 {
			id = strings.TrimSuffix(id[i+1:], ">")
		}
		if strings.EqualFold(id, d.List.ID()) {
			return true
		}
	}
	return false
}

// judgePost holds a post against what the list wants of its header.
func (m *Incoming) judgePost(h rewrite.Header, l *List) error {
	if m.env.From.IsNull() {
		return replyNoBounces
	}
	d, err := l.Judge(&Posting{
		From: m.env.From, Header: h, Body: m.body,
		Proved: m.in.authors(m.env), Verified: m.in.Site.Verifier(h),
	})
	if err != nil {
		return err
	}
	return d.Err()
}

// body is Posting.Body.
func (m *Incoming) body() (io.Reader, error) {
	content, err := m.w.Content()
	if err != nil {
		return nil, err
	}
	return BodyOf(content)()
}

// judgeCommand holds a command against its header, and against what the list has
// written to the same person lately.
func (m *Incoming) judgeCommand(h rewrite.Header, d Destination) error {
	if m.env.From.IsNull() {
		return replyNoCommand
	}
	now := time.Now()
	who, err := d.List.MayCommand(h, d.Command)
	if err != nil {
		return err
	}
	switch d.Command.Verb {
	case VerbRequest:
		return nil // what is asked stands in the body
	case VerbConfirm:
		p := d.Command.Proof
		subject, err := d.List.CheckProof(p, now, who, m.env.From)
		switch {
		case err != nil:
		case p.Action.AboutRequest() || p.Action.AboutHeld():
			err = d.List.Undecided(subject, "")
		default:
			err = d.List.Unspent(p, "")
		}
		switch {
		case err == nil && p.Action.AboutRequest():
			_, err = d.List.FindRequest(subject)
		case err == nil && p.Action.AboutHeld():
			err = m.in.Site.hasHeld(d.List, subject)
		}
		return err
	}
	return d.List.mayWrite(Letter{Kind: d.Command.Verb, To: who, Network: Network(m.env.Origin().Addr.Addr())}, now)
}

// Wake wakes deliver up, by connecting once to the address where a launcher
// listens. It does not wait and does not mind if nobody is there: a timer finds
// the message too.
func (s *Site) Wake() {
	if s.Kick == "" {
		return
	}
	target, err := KickAddress(s.Kick)
	if err != nil {
		return
	}
	addr, family := target.Sockaddr()
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	unix.Connect(fd, addr)
	unix.Close(fd)
}
