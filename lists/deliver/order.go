package deliver

import (
	"errors"

	"superlist/lists"
	"superlist/lists/access"
	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/lists/people"
	"superlist/lists/request"
	"superlist/queue"
	"superlist/smtp"
)

// errOldOrder: what became of it may be forgotten, so a copy could be carried out anew.
var errOldOrder = errors.New("it was asked for too long ago; ask again")

// order carries out the request of a program that has a token. Its outcome is on disk
// before the request is gone, so that whoever asks for it always learns something. After a
// crash it is carried out again, which changes nothing more; a copy of it is refused.
func (r *Runner) order(m *queue.Message) error {
	tokens, err := access.Load(r.Site.ListsDir)
	if err != nil {
		return err
	}
	o, t, err := request.ReadOrder(m, tokens)
	if err == nil && r.now().Sub(o.At).Abs() >= ledger.Outcomes.Life() {
		err = errOldOrder
	}
	known, there, bad := request.OutcomeOf(r.Spool, r.siteBook(), o.Token, m.ID, r.now())
	if bad != nil {
		return bad
	}
	if !there || !known.Over() {
		out := request.Outcome{ID: m.ID, List: o.List, Verb: o.Verb, State: request.Begun, Changed: known.Changed, Unchanged: known.Unchanged}
		if err == nil {
			err = r.carryOut(o, t, &out)
		} else {
			err = smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: err.Error()}
		}
		reply, refused := smtp.Refusal(err)
		if err != nil && !refused {
			return err
		}
		out.State = request.Done
		if refused {
			out.State, out.Text = request.Refused, reply.Text
			r.Log.Printf(maillog.Err, "failed id=%s to=%s reason=%q", m.ID, smtp.Clean(o.List, " "), reply)
		}
		if err := r.remember(o.Token, out); err != nil {
			return err
		}
	}
	for rcpt, err := range m.Recipients() {
		if err == nil && rcpt.State == queue.ToDo {
			err = m.Mark(rcpt, queue.Done)
		}
		if err != nil {
			return err
		}
	}
	if err := m.Sync(); err != nil {
		return err
	}
	return r.attempts.Finish(m, "")
}

func (r *Runner) siteBook() ledger.Book { return ledger.OfSite(r.Site.ListsDir) }

// remember writes down what has become of an order.
func (r *Runner) remember(token string, out request.Outcome) error {
	now := r.now().UTC()
	out.At = &now
	return r.Site.Writer().Remember(r.siteBook(), ledger.Outcomes, out.ID, now, func(ledger.Record, bool) (string, error) {
		return out.Record(token)
	})
}

// carryOut does what an order asks, if its token permits that. It fills in what was done.
func (r *Runner) carryOut(o request.Order, t access.Token, out *request.Outcome) error {
	need := request.ScopeOf(o.Signed)
	addr, ok := smtp.ParseAddress(o.List)
	if !ok || need == "" || !t.Has(need) {
		return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the token does not permit this"}
	}
	if text := request.ReachesOut(o.Settings, &t); text != "" {
		return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: text}
	}
	by := "the token " + t.Name
	if o.Verb == request.Create {
		return r.createList(o, t, addr, by, out)
	}
	l, err := lists.Of(r.Site).Open(addr)
	if errors.Is(err, lists.ReplyNoList) && o.Verb == request.Delete {
		if begun, err := r.hasBegun(out.ID); err != nil || begun { // by this order, before a crash
			out.Changed = 1
			return err
		}
	}
	if err != nil {
		return err
	}
	if !t.Covers(l.Addr) {
		return lists.ReplyNoList
	}
	switch o.Verb {
	case request.Delete:
		return r.deleteList(l, o, by, out)
	case request.Rename:
		return r.renameList(l, o, t, by, out)
	case request.RemovePosts:
		return r.removePosts(l, o, by, out)
	case request.SendDigest:
		return r.sendDigest(l, out)
	}
	did, err := r.Do(people.Request{
		List: l, Command: lists.Command{Verb: lists.VerbSigned}, Signed: o.Signed, Operator: by,
		ID: out.ID, Cause: out.ID + ".0", At: o.At, Client: o.Client,
	})
	if err != nil {
		return err
	}
	out.Changed, out.Unchanged = len(did.Members)+len(did.Settings), len(did.Others)
	switch {
	case o.Verb == request.Move:
		out.Changed = len(did.Roles)
	case o.Verb == request.Decide && did.Result == people.Done:
		out.Changed = 1
	}
	return nil
}
