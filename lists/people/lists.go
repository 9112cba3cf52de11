package people

import (
	"strings"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/maillog"
	"superlist/lists/web"
	"superlist/smtp"
)

// A ListRequest is what an operator asks about a list as a whole.
type ListRequest struct {
	Operator string
	ID       string      // of the message, for the log; may be empty
	Owners   []smtp.Path // of a new list
	Settings []string    // of a new list: "key=value"
}

// Create creates a list. The error is fs.ErrExist if there is one.
func (d *Desk) Create(addr smtp.Path, r ListRequest) (*lists.List, error) {
	l, err := edit.Create(lists.Of(d.Site), addr, r.Owners, r.Settings)
	if err != nil {
		return nil, err
	}
	d.logFor(r, "created", l, "owners=%s", strings.Join(l.Owners, ","))
	return l, nil
}

// Delete removes a list with everything that it has, its pages first. members and posts
// say how many it had.
func (d *Desk) Delete(l *lists.List, r ListRequest, members, posts int) error {
	if err := web.Of(d.Site, l).Withdraw(); err != nil {
		return err
	}
	if err := edit.Remove(l); err != nil {
		return err
	}
	d.logFor(r, "removed", l, "members=%d posts=%d", members, posts)
	return nil
}

// Rename gives a list another address; the old one becomes an alias. The error is
// fs.ErrExist if the new one is a list's already. It returns whether superlist deliver has
// pages to write.
func (d *Desk) Rename(l *lists.List, to smtp.Path, r ListRequest) (moved *lists.List, pages bool, err error) {
	old := l.Addr.Address()
	if moved, err = edit.Move(lists.Of(d.Site), l, to); err != nil {
		return nil, false, err
	}
	d.logFor(r, "moved", moved, "from=%s", old)
	pages, err = web.After(d.Site, moved, d.Now())
	return moved, pages, err
}

// logFor writes down what has become of a list.
func (d *Desk) logFor(r ListRequest, what string, l *lists.List, format string, args ...any) {
	front, all := what, []any{l.Addr}
	if r.ID != "" {
		front, all = what+" id=%s", []any{r.ID, l.Addr}
	}
	d.Log.Printf(maillog.Info, front+" list=%s "+format+" by=%s", append(append(all, args...), r.Operator)...)
}
