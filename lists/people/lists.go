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
	if r.ID != "" {
		d.Log.Printf(maillog.Info, "created id=%s list=%s owners=%s by=%s", r.ID, l.Addr, strings.Join(l.Owners, ","), r.Operator)
	} else {
		d.Log.Printf(maillog.Info, "created list=%s owners=%s by=%s", l.Addr, strings.Join(l.Owners, ","), r.Operator)
	}
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
	if r.ID != "" {
		d.Log.Printf(maillog.Info, "removed id=%s list=%s members=%d posts=%d by=%s", r.ID, l.Addr, members, posts, r.Operator)
	} else {
		d.Log.Printf(maillog.Info, "removed list=%s members=%d posts=%d by=%s", l.Addr, members, posts, r.Operator)
	}
	return nil
}
