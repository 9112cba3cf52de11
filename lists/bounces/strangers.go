package bounces

import (
	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/verp"
	"superlist/smtp"
)

// strangers handles reports about people who are not on the list: they asked for
// something, or somebody did in their name.
func (t *turn) strangers(reports []Report) error {
	for _, r := range reports {
		if t.known[r.Member.Key()] != stranger {
			continue
		}
		verdict := "not counted: not on the list"
		if r.Proof == lists.Personal && r.Failed && weight(r.Reason.Class) > 0 {
			if err := t.endRequests(r); err != nil {
				return err
			}
			verdict += "; their request has ended"
		}
		t.log(r, verdict)
	}
	return nil
}

// endRequests ends the requests of somebody who cannot be reached: the letter that came
// back confirms nothing any more, and the owners need not decide.
func (t *turn) endRequests(r Report) error {
	key, err := t.l.ReadKey()
	if err != nil {
		return err
	}
	now := t.j.Now()
	for _, a := range []confirmation.Action{confirmation.Subscribe, confirmation.SubscribeDigest, confirmation.SubscribeNoMail} {
		proof := confirmation.New(key, t.l.Addr.Key(), a, verp.Word(r.Member), r.Sent)
		err := confirmation.Spend(t.j.Site.Writer(), t.l.Book(), proof, r.ID, now)
		if _, used := smtp.Refusal(err); err != nil && !used {
			return err
		}
	}
	waiting, err := t.l.Applicants()
	if err != nil {
		return err
	}
	for _, a := range waiting {
		if a.Who.Path.Key() != r.Member.Key() {
			continue
		}
		if err := t.l.EndApplication(a.Name); err != nil {
			return err
		}
	}
	return nil
}
