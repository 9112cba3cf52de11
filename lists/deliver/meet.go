package deliver

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"superlist/lists"
	"superlist/lists/cluster"
	"superlist/lists/maillog"
	"superlist/lists/web"
	"superlist/smtp"
)

// A Cluster is the hosts with which this one shares its lists: package cluster.
type Cluster interface {
	// See says that this host is at work. adopted names the host that has taken over its
	// spool, if one has.
	See() (adopted string, err error)

	// Follow brings this host's copy of all lists up to date.
	Follow() error
}

// ErrAdopted means that another host sends what is in this one's spool.
var ErrAdopted = errors.New("another host of the cluster has taken over this host's queue; superlist queue reclaim says what to do")

// meet brings the copy of all lists up to date. What other hosts have changed may make
// something due: see Applied. An error of one list, or of the database, stops no mail.
func (r *Runner) meet() error {
	if r.Cluster == nil {
		return nil
	}
	adopted, err := r.Cluster.See()
	if err == nil && adopted != "" {
		return fmt.Errorf("%w: %s", ErrAdopted, adopted)
	}
	if err == nil {
		err = r.Cluster.Follow()
	}
	switch {
	case errors.Is(err, cluster.ErrAway):
		r.isAway(err)
	case err != nil:
		r.Log.Printf(maillog.Err, "trouble cluster error=%q", err)
	}
	return nil
}

// Applied notes what may be due since other hosts have changed these files of a unit, the
// directory of a list or "": each host has its own agendas. It is called while the unit is
// locked, and takes no lock of it.
func (r *Runner) Applied(unit string, files []string) {
	domain, name, ok := strings.Cut(unit, "/")
	if !ok {
		return
	}
	addr := smtp.Path{Local: name, Domain: domain}
	l, err := lists.Of(r.Site).Open(addr)
	switch {
	case errors.Is(err, lists.ReplyNoList), err == nil && l.Addr != addr: // it is gone, or has moved
		gone := lists.Of(r.Site).At(filepath.Join(r.Site.ListsDir, domain, name))
		gone.Addr = addr
		err = web.WithdrawGone(web.Of(r.Site, gone))
	case err == nil:
		err = r.awaits(l, files)
	default:
		return // not readable: whoever works on it says so
	}
	if err != nil {
		r.Log.Printf(maillog.Err, "trouble list=%s error=%q", addr, err)
	}
}

// awaits reminds this host of what may be due on a list.
func (r *Runner) awaits(l *lists.List, files []string) (err error) {
	begins := func(dir string) bool {
		for _, file := range files {
			if strings.HasPrefix(file, dir) {
				return true
			}
		}
		return false
	}
	if begins("digest/") {
		err = r.Digests().Await(l)
	}
	if begins("held/") && l.HeldNotice == lists.HeldNoticeDaily {
		err = errors.Join(err, r.Moderation().AwaitSummary(l))
	}
	if begins("bouncing/") {
		err = errors.Join(err, r.Judge().Await(l))
	}
	if web.Has(l) && (begins("archive/") || begins("list.toml")) {
		err = errors.Join(err, web.Remind(r.Site, r.Site.Ledger(r.Spool.Disk), l, 0, r.now()))
	}
	return err
}
