package people

import (
	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/lists/weblink"
)

// options sends a link to the pages on which somebody sees and changes what they are to the
// list. A stranger gets no letter: whoever fills in a form must not have one sent to them.
func (a *act) options() error {
	link, err := weblink.To(a.Site, a.l, weblink.LogIn, a.Who.Address(), a.At)
	if err != nil {
		return err
	}
	if link == "" { // it came by mail, and there are no pages
		return a.ask(Answered, lists.VerbHelp, "help", a.Who, nil)
	}
	_, known, err := a.member(a.Who)
	if err != nil {
		return err
	}
	if !known && !a.l.Decides(a.Who) {
		// It counts as a letter: else what is counted would say who is a member.
		return a.once(lists.VerbOptions, a.Who, func() error {
			a.Log.Printf(maillog.Info, "not answered id=%s list=%s to=%s verb=%s reason=\"nothing of theirs is here\"", a.ID, a.l.Addr, a.Who, a.Verb)
			a.out.Result, a.out.Refusal = Unanswered, replyNotTheirs
			return nil
		})
	}
	return a.ask(Answered, lists.VerbOptions, "options", a.Who, map[string]string{"link": link})
}
