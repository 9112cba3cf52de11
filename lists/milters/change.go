package milters

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"superlist/lists/maillog"
	"superlist/lists/rewrite"
	"superlist/milter"
	"superlist/smtp"
)

// maxEdits is how many changes a filter may make to a message, apart from its body:
// rspamd makes two dozen. Each may move all fields.
const maxEdits = 1000

// change makes one change, to the ask's own copy of the message.
func (a *ask) change(c milter.Change) error {
	if c.Kind == milter.ReplaceBody {
		return a.replace(c.Body)
	}
	if a.edits++; a.edits > maxEdits {
		return fmt.Errorf("the filter makes more than %d changes", maxEdits)
	}
	d := a.draft
	switch c.Kind {
	case milter.AddHeader:
		a.insert(len(d.Header), c)
	case milter.InsertHeader:
		a.insert(int(min(c.Index, uint32(len(d.Header)))), c)
	case milter.ChangeHeader:
		a.changeHeader(c)
	case milter.Quarantine:
		a.f.Log(maillog.Warning, fmt.Sprintf("milter=%s id=%s quarantine=%q", a.m.Address, d.ID, c.Value))
		d.Unasked = false
		hold(d, a.m, "says: "+cmp.Or(c.Value, "no reason given"))
		return nil
	default:
		a.f.Log(maillog.Warning, fmt.Sprintf("milter=%s id=%s wants %q %q, which is not done for a list", a.m.Address, d.ID, byte(c.Kind), c.Addr))
		return nil
	}
	d.Changed = true
	if a.size > rewrite.MaxHeader {
		return errors.New("the filter makes the header too large")
	}
	return nil
}

// insert inserts a field before the one at an index.
func (a *ask) insert(at int, c milter.Change) {
	d, f := a.draft, field(c)
	if at <= d.Trace {
		d.Trace++
	}
	d.Header, a.size = slices.Insert(d.Header, at, f), a.size+len(f.Raw)
}

// changeHeader changes the field with that name and number, counted from 1 without our
// own Received. Beyond the last one it adds a value, and ignores an empty one.
func (a *ask) changeHeader(c milter.Change) {
	d := a.draft
	n := max(c.Index, 1)
	for i, f := range d.Header {
		if i == d.Trace || !f.Is(c.Name) {
			continue
		}
		if n--; n > 0 {
			continue
		}
		a.size -= len(f.Raw)
		if c.Value != "" {
			d.Header[i] = field(c)
			a.size += len(d.Header[i].Raw)
			return
		}
		d.Header = slices.Delete(d.Header, i, i+1)
		if i < d.Trace {
			d.Trace--
		}
		return
	}
	if c.Value != "" {
		a.insert(len(d.Header), c)
	}
}

// field returns a field as it is in a message.
func field(c milter.Change) rewrite.Field {
	return rewrite.Field{Name: c.Name, Raw: []byte(c.Name + ":" + strings.ReplaceAll(c.Value, "\n", "\r\n") + "\r\n")}
}

// replace appends a piece of the new body.
func (a *ask) replace(piece io.Reader) (err error) {
	if a.body == nil {
		if a.body, err = a.f.Spool.Scratch(); err != nil {
			return err
		}
		a.check = &smtp.Checker{Dst: a.body, Max: int64(a.f.Site.MaxMessageSize)}
	}
	_, err = io.Copy(a.check, piece)
	return err
}

// finish replaces the body by the new one.
func (a *ask) finish() error {
	if a.body == nil {
		return nil
	}
	if err := a.check.Close(); err != nil {
		return fmt.Errorf("its new body: %w", err)
	}
	a.draft.Release()
	a.draft.Body, a.draft.Changed, a.body = a.body, true, nil
	return nil
}
