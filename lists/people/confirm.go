package people

import (
	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/outbox"
	"superlist/lists/verp"
	"superlist/lists/weblink"
	"superlist/smtp"
)

// confirm carries out a reply to one of the list's questions. Its proof is judged at
// the time when the message arrived. An operator needs no proof.
func (a *act) confirm() error {
	p, subject := a.Proof, a.Proof.Subject
	if a.Operator == "" {
		var err error
		if subject, err = a.l.CheckProof(p, a.At, a.Author, a.Sender); err != nil {
			return err
		}
		if a.decider, err = a.l.Decider(p); err != nil {
			return err
		}
	}
	switch {
	case p.Action.AboutRequest():
		return a.decideApplicant(subject, p.Action == confirmation.Approve)
	case p.Action.AboutHeld():
		return a.decidePost(subject)
	}
	who, ok := verp.Path(subject)
	if !ok {
		return smtp.Reply{Code: 550, Enhanced: "5.1.3", Text: "the confirmation names no address"}
	}
	if err := confirmation.Spend(a.l.Ledger, a.l.Book(), p, a.Cause, a.At); err != nil {
		return err
	}
	a.Who = who
	if p.Action == confirmation.Unsubscribe {
		a.answered(lists.VerbUnsubscribe, who)
		return a.leave(members.Member{Path: who})
	}
	delivery, changing := p.Action.Delivery()
	if changing {
		a.answered(changes[delivery], who)
		return a.change(delivery)
	}
	a.answered(lists.VerbSubscribe, who)
	member := members.Member{Path: who}.With(delivery).Named(a.name())
	_, isMember, err := a.member(who)
	if err != nil {
		return err
	}
	if a.l.Subscribe == lists.SubscribeConfirmApprove && !isMember {
		return a.wait(member)
	}
	return a.join(member)
}

// wait asks the owners about somebody who wants to join, and tells that person so.
func (a *act) wait(m members.Member) error {
	applicant, err := a.l.KeepApplicant(m, a.At)
	if err != nil {
		return err
	}
	a.out.Result = Waits
	a.out.Letters, err = outbox.ToEach(a.l.OwnerPaths(), a.Cause+"-owners", func(to smtp.Path, id string) (outbox.Draft, error) {
		confirm, err := a.l.DecisionAddress(confirmation.Approve, applicant.Name, to, a.At)
		if err != nil {
			return outbox.Draft{}, err
		}
		decline, err := a.l.DecisionAddress(confirmation.Decline, applicant.Name, to, a.At)
		if err != nil {
			return outbox.Draft{}, err
		}
		link, err := weblink.To(a.Site, a.l, weblink.Moderate, to.Address(), a.At)
		if err != nil {
			return outbox.Draft{}, err
		}
		words := map[string]string{"confirm": confirm.Address(), "decline": decline.Address(), "link": link}
		return a.letter(id, "ask-owners", []smtp.Path{to}, m.Path, words), nil
	})
	if err != nil {
		return err
	}
	return a.answer("waits-for-owners", m.Path, nil)
}

// decideApplicant accepts or declines an applicant. The first decision counts.
func (a *act) decideApplicant(name string, yes bool) error {
	applicant, err := a.l.FindApplicant(name)
	if err != nil {
		return a.notFirst(name, err)
	}
	what := map[bool]string{true: "let in", false: "declined"}[yes]
	d := confirmation.Decided{Cause: a.Cause, What: a.by() + " has " + what + " " + applicant.Who.Path.Address()}
	if err := confirmation.Decide(a.l.Ledger, a.l.Book(), name, d, a.At); err != nil {
		return err
	}
	a.Log.Printf(maillog.Info, "decided id=%s list=%s by=%s about=%s yes=%t", a.ID, a.l.Addr, a.by(), applicant.Who.Path, yes)
	a.out.end = func() error { return a.l.EndApplication(name) }
	if yes {
		return a.join(applicant.Who)
	}
	return a.answer("declined", applicant.Who.Path, nil)
}

// notFirst answers a decision about something that is gone. If this very request
// decided it, before a crash, everything that follows was written then.
func (a *act) notFirst(name string, err error) error {
	if _, gone := smtp.Refusal(err); !gone {
		return err
	}
	cause := a.Cause
	if a.Operator != "" && a.Proof.Action.AboutHeld() {
		cause = a.Site.Own(byHand(name, a.Proof.Action))
	}
	if second := confirmation.Undecided(a.l.Book(), name, cause, a.Now()); second != nil {
		return second
	}
	if confirmation.Undecided(a.l.Book(), name, "", a.Now()) != nil {
		a.out.Result = Already
		return nil
	}
	return err
}
