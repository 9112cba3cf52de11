package deliver

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"superlist/lists"
	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/queue"
)

// An Adopted says what was taken over from the spool of a host that is gone, or would be.
type Adopted struct {
	From     string `json:"from"`
	Inbound  int    `json:"inbound"` // messages
	Outbound int    `json:"outbound"`
	Failed   int    `json:"failed"`
	Left     []Left `json:"left"`
}

// A Left is a file that stays in the other spool.
type Left struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

// Adopt takes over what waits in the spool of a host that is gone: see queue.Adoption.
// With dry it only looks.
//
// An outbound message that may not be sent yet, since what it follows from was not
// complete, is held back until that is here too: see queue.Adoption.Hold. So outbound
// messages go first, then reminders, then what makes new ones.
func (r *Runner) Adopt(dir string, dry bool) (Adopted, error) {
	t := &taking{r: r, from: &queue.Spool{Dir: filepath.Clean(dir), Host: r.Site.Hostname, Disk: r.Spool.Disk, Now: r.now}, dry: dry}
	t.Adopted = Adopted{From: t.from.Dir, Left: []Left{}}
	r.Spool.Now = r.now
	if err := r.Spool.Init(); err != nil {
		return t.Adopted, err
	}
	err := lists.CheckFormatOf(t.from.Dir)
	if err == nil {
		err = r.Spool.CanAdopt(t.from)
	}
	if err == nil && !dry {
		t.adoption, err = r.Spool.Adopt(t.from)
	}
	for _, step := range []func() error{t.look, t.outbound, t.reminders, t.inbound, t.failed} {
		if err == nil {
			err = step()
		}
	}
	if err == nil && !dry {
		err = t.adoption.Finish()
	}
	return t.Adopted, err
}

// A taking is one Adopt under way.
type taking struct {
	Adopted
	r        *Runner
	from     *queue.Spool
	adoption *queue.Adoption // nil: only look
	dry      bool
	known    []string        // paths of what has come in for lists that are here
	stays    map[string]bool // ids of what has come in for others
}

// leave says why a file stays.
func (t *taking) leave(path string, why error) {
	if errors.Is(why, fs.ErrNotExist) {
		return // somebody has removed it
	}
	t.Left = append(t.Left, Left{path, why.Error()})
	if t.dry {
		return
	}
	t.r.Log.Printf(maillog.Warning, "not adopted file=%q reason=%q", filepath.Join(t.From, path), why)
}

// move takes files over, and returns how many. Those of a box are logged.
func (t *taking) move(paths []string, box queue.Box) (n int, err error) {
	if t.dry {
		return len(paths), nil
	}
	left, err := t.adoption.Move(paths, func(n int) {
		if t.r.Progress != nil {
			t.r.Progress(string(box), n, len(paths))
		}
	})
	for _, path := range paths {
		if why := left[path]; why != nil {
			t.leave(path, why)
		} else if err == nil && box != "" {
			t.r.Log.Printf(maillog.Info, "adopted id=%s box=%s from=%q", filepath.Base(path), box, t.From)
		}
	}
	return len(paths) - len(left), err
}

// outbound takes over what is to be sent. What may not be sent yet stays if what it
// follows from does.
func (t *taking) outbound() error {
	var ready, waits []string
	err := t.each(queue.Outbound, func(e queue.Entry, m *queue.Message) error {
		unmade, err := t.unmade(m)
		switch {
		case err != nil:
			return err
		case unmade:
			waits = append(waits, e.Path())
		default:
			ready = append(ready, e.Path())
		}
		return nil
	})
	if err == nil && !t.dry {
		err = t.adoption.Hold(waits)
	}
	if err == nil {
		t.Outbound, err = t.move(append(waits, ready...), queue.Outbound)
	}
	return err
}

// errCause is why a message stays whose cause does.
var errCause = errors.New("what it follows from stays")

// unmade reports whether what a message follows from is still to be done, and is in the
// same spool. What is with the list this host asks before it sends the message.
func (t *taking) unmade(m *queue.Message) (bool, error) {
	for _, a := range afterOf(m) {
		pending, err := false, error(nil)
		switch a.What {
		case queue.AfterInbound:
			if pending, err = isToDo(t.from, a.ID, a.K); pending && t.stays[a.ID] {
				err = errCause
			}
		case queue.AfterSummary:
			pending, err = t.r.Site.Writer().Pending(ledger.Summaries(t.from.Dir), a.ID)
		case queue.AfterBounces:
			pending, err = t.r.Site.Writer().Pending(ledger.Bounces(t.from.Dir), a.ID)
		}
		if pending || err != nil {
			return pending, err
		}
	}
	return false, nil
}

// reminders takes over what agendas have, the names of messages that came through a
// milter, whose senders may try again here, and what the other host was itself taking over.
func (t *taking) reminders() error {
	var paths []string
	for _, a := range ledger.Agendas(t.from.Dir) {
		all, err := a.Due(time.Unix(1<<40, 0), ledger.AsManyAsThereAre)
		if err != nil {
			return err
		}
		for _, reminder := range all {
			path, err := filepath.Rel(t.from.Dir, reminder.Path())
			if err != nil {
				return err
			}
			paths = append(paths, path)
		}
	}
	taken, err := os.ReadDir(filepath.Join(t.from.Dir, "taken"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, e := range taken {
		if _, err := hex.DecodeString(e.Name()); err == nil {
			paths = append(paths, filepath.Join("taken", e.Name()))
		}
	}
	adopting, err := filepath.Glob(filepath.Join(t.from.Dir, queue.Adopting, "*", "*"))
	if err != nil {
		return err
	}
	for _, file := range adopting {
		path, err := filepath.Rel(t.from.Dir, file)
		if err != nil {
			return err
		}
		paths = append(paths, path)
	}
	// What is here already needs nothing more.
	paths = slices.DeleteFunc(paths, func(path string) bool {
		_, err := os.Lstat(filepath.Join(t.r.Spool.Dir, path))
		return err == nil
	})
	_, err = t.move(paths, "")
	return err
}

// look finds what has come in for lists that are here. Other messages would be refused
// here, so they stay.
func (t *taking) look() error {
	t.stays = make(map[string]bool)
	return t.each(queue.Inbound, func(e queue.Entry, m *queue.Message) error {
		for rcpt, err := range m.Recipients() {
			if err != nil {
				return err
			}
			if rcpt.State != queue.ToDo {
				continue
			}
			if _, err := lists.Of(t.r.Site).Resolve(rcpt.Path); errors.Is(err, lists.ReplyNoList) {
				t.stays[e.ID] = true
				return errors.New(rcpt.Path.Address() + ": this host has no such list")
			}
		}
		t.known = append(t.known, e.Path())
		return nil
	})
}

// inbound takes over what has come in.
func (t *taking) inbound() (err error) {
	t.Inbound, err = t.move(t.known, queue.Inbound)
	return err
}

// failed takes over what was given up, as it is: an operator may want it.
func (t *taking) failed() error {
	entries, err := t.from.List(queue.Failed)
	if err != nil {
		return err
	}
	var paths []string
	for _, e := range entries {
		paths = append(paths, e.Path())
	}
	t.Failed, err = t.move(paths, queue.Failed)
	return err
}

// each calls do for each message of a box. Files that cannot be read, or of which do
// cannot tell what becomes of them, stay.
func (t *taking) each(b queue.Box, do func(queue.Entry, *queue.Message) error) error {
	entries, err := t.from.List(b)
	if err != nil {
		return err
	}
	for _, e := range entries {
		m, err := t.from.Peek(b, e)
		if err == nil {
			err = do(e, m)
			m.Close()
		}
		if err != nil {
			t.leave(e.Path(), err)
		}
	}
	return nil
}
