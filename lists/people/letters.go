package people

import (
	"errors"
	"maps"

	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/lists/quota"
	"superlist/smtp"
)

// ask writes to somebody who has proved nothing.
func (a *act) ask(result Result, kind, text string, to smtp.Path, words map[string]string) error {
	return a.once(kind, to, func() error {
		a.out.Result = result
		return a.answer(text, to, words)
	})
}

// once calls do, which writes a letter to somebody who has proved nothing, unless they
// had one about the same thing today. That is not an error: somebody else may be
// asking.
func (a *act) once(kind string, to smtp.Path, do func() error) error {
	return a.allowed(quota.Request{Kind: kind, To: to}, do)
}

// allowed calls do, which writes a letter, if the quotas allow it.
func (a *act) allowed(r quota.Request, do func() error) error {
	r.Network, r.Cause = a.Network, a.Cause
	err := a.l.Quota().Ask(a.l.Ledger, a.l.WithWhat(r), a.Now())
	var reply smtp.Reply
	if no := errors.As(err, &reply); no && (reply.Permanent() || a.Now().Sub(a.At) >= quota.AskAgain) {
		a.Log.Printf(maillog.Info, "not answered id=%s list=%s to=%s verb=%s reason=%q", a.ID, a.l.Addr, r.To, r.Kind, reply)
		a.out.Result, a.out.Refusal = Unanswered, reply
		return nil
	}
	if err != nil {
		return err
	}
	return do()
}

// answered forgets that somebody was asked, since they have answered. That it could not be
// forgotten keeps nobody from anything for longer than a day.
func (a *act) answered(kind string, to smtp.Path) {
	_ = a.l.Quota().Answered(a.l.Ledger, kind, to, a.Now())
}

// answer adds the letter that ends a request.
func (a *act) answer(text string, to smtp.Path, words map[string]string) error {
	a.out.Letters = append(a.out.Letters, a.letter(a.Cause, text, []smtp.Path{to}, to, words))
	return nil
}

// notice adds a letter to the owners, if they want one.
func (a *act) notice(text string, about smtp.Path) {
	if a.l.Notify && len(a.l.OwnerPaths()) > 0 {
		a.out.Letters = append(a.out.Letters, a.letter(a.Cause+"-notice", text, a.l.OwnerPaths(), about, nil))
	}
}

// letter makes a letter about this request.
func (a *act) letter(id, name string, to []smtp.Path, about smtp.Path, words map[string]string) outbox.Draft {
	all := map[string]string{"address": about.Address()}
	maps.Copy(all, words)
	n := outbox.Draft{ID: id, Text: name, To: to, Words: all, At: a.At, Client: a.Client}
	if to[0] == about { // and not a notice to owners about somebody
		n.Answers, n.Lang = a.Answers, a.lang
	}
	return n
}
