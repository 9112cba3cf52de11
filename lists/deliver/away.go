package deliver

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"superlist/lists"
	"superlist/lists/cluster"
	"superlist/lists/confirmation"
	"superlist/lists/ledger"
	"superlist/lists/maillog"
	"superlist/lists/members"
	"superlist/lists/message"
	"superlist/lists/outbox"
	"superlist/lists/rewrite/edit"
	"superlist/queue"
	"superlist/smtp"
)

// On a host of a cluster (package cluster) lists are read when this host's copy is up to
// date. While the database is away posts go on from the copy; what has to be written
// down is written down later, by a message of its own.

// members opens the members of a list at a moment at which nobody changes them. What is
// open stays as it is.
func (r *Runner) members(l *lists.List) (all *members.File, err error) {
	open := func() error {
		all, err = l.Members()
		return err
	}
	err = r.Site.Disk.Fresh(l.Dir, open)
	if errors.Is(err, cluster.ErrAway) {
		r.isAway(err)
		err = r.Site.Disk.Stale(l.Dir, open)
	}
	return all, err
}

// isAway says once in a run that the database is away.
func (r *Runner) isAway(err error) {
	if !r.away {
		r.away = true
		r.Log.Printf(maillog.Err, "trouble cluster error=%q: posts go on from this host's copy of the lists, the rest waits", err)
	}
}

// resolve returns what an address means, by what the other hosts know too.
func (r *Runner) resolve(to smtp.Path) (lists.Destination, error) {
	resolve := func() (lists.Destination, error) { return lists.Of(r.Site).ResolveAt(to, r.now()) }
	if !r.Site.InCluster() {
		return resolve()
	}
	dir := r.Site.ListsDir
	if d, err := resolve(); err == nil {
		dir = d.List.Dir
	}
	err := r.Site.Disk.Fresh(dir, func() error { return nil })
	switch {
	case errors.Is(err, cluster.ErrAway):
		r.isAway(err)
	case err != nil:
		return lists.Destination{}, err
	}
	return resolve()
}

// lateID names the message by which a post is kept later.
func lateID(id string) string { return id + "-late" }

// keepLater puts a post into the spool once more, for late. Its members do not wait.
func (r *Runner) keepLater(m *message.Message, l *lists.List, c outbox.Cause) error {
	id := lateID(c.ID)
	if there, err := r.Spool.Exists(queue.Inbound, id); there || err != nil {
		return err
	}
	head := queue.Head{
		ID: id, Late: true, Post: m.PostID(), Arrived: m.Arrived, Client: m.Client, From: m.From, Body: m.Body,
		UTF8: m.UTF8, RequireTLS: m.RequireTLS, Proved: m.Proved,
	}
	w, err := r.Spool.Create(head)
	if err != nil {
		return err
	}
	if err = w.Rcpt(smtp.Rcpt{Path: l.Addr}); err == nil {
		_, err = io.Copy(w, m.Content())
	}
	if err != nil {
		w.Abort()
		return err
	}
	if err := w.Commit(queue.Inbound); err != nil {
		return err
	}
	r.Log.Printf(maillog.Warning, "late id=%s list=%s: the archive and digests get the post once the database is back", m.PostID(), l.Addr)
	return nil
}

// late keeps a post that members have had already.
func (r *Runner) late(m *message.Message, l *lists.List) error {
	made, err := r.copies(m, l)
	if err != nil {
		return err
	}
	all, err := r.members(l)
	if err != nil {
		return err
	}
	defer all.Close()
	wants := wanting{l: l, optsOut: l.OptsOut(made.Came), day: r.today()}
	for member, err := range all.Unique() {
		if err != nil {
			return err
		}
		if !wants.inDigest(member) {
			wants.gets(member)
		}
	}
	number, err := r.keep(m, l, strings.TrimSuffix(m.ID, lateID("")), made, wants)
	if err == nil {
		r.Log.Printf(maillog.Info, "kept id=%s list=%s number=%d", m.PostID(), l.Addr, number)
	}
	return err
}

// mayKeepLater reports whether members can get a post before it has a number.
func mayKeepLater(l *lists.List, err error) bool {
	return errors.Is(err, cluster.ErrAway) && !strings.Contains(l.SubjectPrefix, edit.Number)
}

// firstProved is confirmation.FirstProved. While the database is away this host remembers
// by itself which proofs have let messages through.
func (r *Runner) firstProved(l *lists.List, author smtp.Path, names []string, cause string) (first bool, err error) {
	own := ledger.OfList(filepath.Join(r.Spool.Dir, "away", l.Addr.Domain, l.Addr.Local))
	first, err = confirmation.FirstProved(r.Site.Writer(), l.Book(), author, names, cause, r.now())
	switch {
	case errors.Is(err, cluster.ErrAway):
		r.isAway(err)
		if err := r.Spool.Disk.MakePath(own.Dir); err != nil {
			return false, err
		}
		return confirmation.FirstProved(r.Site.Writer(), own, author, names, cause, r.now())
	case err != nil || !r.Site.InCluster():
		return first, err
	}
	before, err := confirmation.IsProved(own, author, names, cause, r.now())
	return first && !before, err
}

// forgetAway forgets what this host alone has remembered for long enough.
func (r *Runner) forgetAway() error {
	dirs, err := filepath.Glob(filepath.Join(r.Spool.Dir, "away", "*", "*"))
	for _, dir := range dirs {
		if swept := r.Site.Writer().Sweep(ledger.OfList(dir), r.now()); err == nil && swept != nil {
			err = fmt.Errorf("%s: %w", dir, swept)
		}
	}
	return err
}

// dropOf drops an outbound message that is not to be sent.
func (r *Runner) dropOf(m *queue.Message, why string) {
	err := r.Spool.Drop(queue.Outbound, m.ID)
	if err != nil {
		r.Log.Printf(maillog.Err, "trouble id=%s error=%q", m.ID, err)
		return
	}
	r.Log.Printf(maillog.Info, "dropped id=%s list=%s reason=%q", m.ID, m.List, why)
}
