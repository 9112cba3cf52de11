package people

import (
	"errors"
	"maps"

	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/lists/outbox"
	"superlist/lists/quota"
	"superlist/smtp"
)

// ask answers somebody who has proved nothing.
func (a *act) ask(result Result, kind, text string, to smtp.Path, words map[string]string) error {
	return a.once(kind, to, func() error {
		a.out.Result = result
		return a.answer(text, to, words)
	})
}

// once does what somebody has asked for who has proved nothing, and of which they get a
// letter, unless they got one about the same just now. That they did is not an error:
// whoever asks for it may be somebody else.
func (a *act) once(kind string, to smtp.Path, do func() error) error {
	return a.allowed(lists.Letter{Kind: kind, To: to}, do)
}

// allowed does what a letter follows from, if the list may write it now.
func (a *act) allowed(l lists.Letter, do func() error) error {
	l.Network, l.Cause = a.Network, a.Cause
	err := a.l.Ask(l, a.Now())
	var reply smtp.Reply
	if no := errors.As(err, &reply); no && (reply.Permanent() || a.Now().Sub(a.At) >= quota.AskAgain) {
		a.Log.Printf(maillog.Info, "not answered id=%s list=%s to=%s verb=%s reason=%q", a.ID, a.l.Addr, l.To, l.Kind, reply)
		a.out.Result, a.out.Refusal = Unanswered, reply
		return nil
	}
	if err != nil {
		return err
	}
	return do()
}

// answer is the letter that ends a request.
func (a *act) answer(text string, to smtp.Path, words map[string]string) error {
	a.out.Letters = append(a.out.Letters, a.letter(a.Cause, text, []smtp.Path{to}, to, words))
	return nil
}

// notice tells the owners, where they want to hear it.
func (a *act) notice(text string, about smtp.Path) {
	if a.l.Notify && len(a.l.OwnerPaths()) > 0 {
		a.out.Letters = append(a.out.Letters, a.letter(a.Cause+"-notice", text, a.l.OwnerPaths(), about, nil))
	}
}

// letter is one about this request.
func (a *act) letter(id, name string, to []smtp.Path, about smtp.Path, words map[string]string) outbox.Letter {
	all := map[string]string{"address": about.Address()}
	maps.Copy(all, words)
	n := outbox.Letter{ID: id, Text: name, To: to, Words: all, At: a.At, Client: a.Client}
	if to[0] == about { // and not a notice to owners about somebody
		n.Answers, n.Lang = a.Answers, a.lang
	}
	return n
}
