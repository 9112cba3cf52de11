package deliver

import (
	"fmt"
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/heldpost"
)

// maintainEvery is how often all lists are searched for things that are too old.
const maintainEvery = 24 * time.Hour

// maintain does the periodic work for every list: it drops what was held for too long,
// and what was given up long ago. The first run of a day does it.
func (r *Runner) maintain() error {
	last := r.Spool.Stamp("maintained")
	if r.now().Sub(last) < maintainEvery && !last.After(r.now()) {
		return nil
	}
	r.gaveUp.Store(true) // looked at once a day in any case
	r.sweepFailed()
	edit.Sweep(lists.Of(r.Site))
	first := edit.Forget(lists.Of(r.Site), r.now())
	if err := r.allPages(); err != nil && first == nil {
		first = err
	}
	if err := r.forgetAway(); err != nil && first == nil {
		first = err
	}
	err := heldpost.Each(r.Site, func(l *lists.List) {
		if err := r.Moderation().Expire(l); err != nil && first == nil {
			first = fmt.Errorf("%s: %w", l.Addr, err)
		}
	})
	if err != nil {
		return err
	}
	if first != nil {
		return first
	}
	return r.Spool.SetStamp("maintained", r.now())
}
