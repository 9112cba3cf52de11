package deliver

import (
	"errors"
	"io/fs"

	"superlist/lists"
	"superlist/lists/access"
	"superlist/lists/archive"
	"superlist/lists/ledger"
	"superlist/lists/people"
	"superlist/lists/request"
	"superlist/smtp"
)

// Orders about a list as a whole. What an order was going to do is remembered before it
// does it, and so known to the run that carries it out again after a crash.

// hasBegun reports whether an earlier run has begun with an order.
func (r *Runner) hasBegun(id string) (bool, error) {
	_, there, err := r.siteBook().Recall(ledger.Outcomes, id, r.now())
	return there, err
}

// createList creates a list for a token that covers its address.
func (r *Runner) createList(o request.Order, t access.Token, addr smtp.Path, by string, out *request.Outcome) error {
	if !t.Covers(addr) {
		return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the token does not permit this"}
	}
	begun, err := r.hasBegun(out.ID)
	if err != nil {
		return err
	}
	switch _, err := lists.Of(r.Site).Open(addr); {
	case err == nil && begun:
		out.Changed = 1
		return nil
	case err == nil:
		return smtp.Reply{Code: 550, Enhanced: "5.5.4", Text: "there is a list " + addr.Address() + " already"}
	case !errors.Is(err, lists.ReplyNoList):
		return err
	}
	if err := r.remember(o.Token, *out); err != nil {
		return err
	}
	var owners []smtp.Path
	for _, line := range o.Members {
		p, ok := smtp.ParseAddress(line)
		if !ok {
			return smtp.Reply{Code: 550, Enhanced: "5.1.3", Text: smtp.Clean(line, " ") + " is not a mail address"}
		}
		owners = append(owners, p)
	}
	if _, err = r.Desk().Create(addr, people.ListRequest{Operator: by, ID: out.ID, Owners: owners, Settings: o.Settings}); err == nil {
		out.Changed = 1
	}
	return people.Plain(err)
}

// deleteList removes a list.
func (r *Runner) deleteList(l *lists.List, o request.Order, by string, out *request.Outcome) error {
	if err := r.remember(o.Token, *out); err != nil {
		return err
	}
	members, err := l.CountMembers()
	if err != nil {
		return err
	}
	if err := r.Desk().Delete(l, people.ListRequest{Operator: by, ID: out.ID}, members, l.CountPosts()); err != nil {
		return err
	}
	out.Changed = 1
	return nil
}

// renameList gives a list another address, for a token that covers that too.
func (r *Runner) renameList(l *lists.List, o request.Order, t access.Token, by string, out *request.Outcome) error {
	to, ok := smtp.ParseAddress(o.To)
	if !ok || !t.Covers(to) {
		return smtp.Reply{Code: 550, Enhanced: "5.7.1", Text: "the token does not permit this"}
	}
	begun, err := r.hasBegun(out.ID)
	if err != nil {
		return err
	}
	if begun && l.Addr.Key() == to.Key() { // by this order, before a crash
		out.Changed = 1
		return nil
	}
	if err := r.remember(o.Token, *out); err != nil {
		return err
	}
	_, _, err = r.Desk().Rename(l, to, people.ListRequest{Operator: by, ID: out.ID})
	if errors.Is(err, fs.ErrExist) {
		return smtp.Reply{Code: 550, Enhanced: "5.5.4", Text: "there is a list " + to.Address() + " already"}
	}
	if err == nil {
		out.Changed = 1
	}
	return people.Plain(err)
}

// removePosts removes posts from the archive. Those that are not there, or not any more,
// are not changed.
func (r *Runner) removePosts(l *lists.List, o request.Order, by string, out *request.Outcome) error {
	var entries []archive.Entry
	if o.About != "" {
		who, ok := smtp.ParseAddress(o.About)
		if !ok {
			return smtp.Reply{Code: 550, Enhanced: "5.1.3", Text: smtp.Clean(o.About, " ") + " is not a mail address"}
		}
		var err error
		if entries, err = l.Posts().By(who); err != nil {
			return err
		}
	}
	for _, n := range o.Posts {
		e, err := l.Posts().Entry(n)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && !e.Removed {
			entries = append(entries, e)
		}
	}
	begun, err := r.hasBegun(out.ID)
	if err != nil {
		return err
	}
	if !begun {
		out.Changed, out.Unchanged = len(entries), max(len(o.Posts)-len(entries), 0)
		if err := r.remember(o.Token, *out); err != nil {
			return err
		}
	}
	_, _, _, err = r.Desk().RemovePosts(l, entries, o.Words, people.ListRequest{Operator: by, ID: out.ID})
	return err
}

// sendDigest sends what waits for the digest. The digests that a run before a crash has
// made are not counted.
func (r *Runner) sendDigest(l *lists.List, out *request.Outcome) error {
	made, err := r.Digests().Send(l)
	for _, d := range made {
		out.Changed += d.Posts
	}
	return err
}
