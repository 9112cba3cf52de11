package deliver

import (
	"fmt"
	"time"

	"superlist/lists"
	"superlist/lists/edit"
	"superlist/lists/heldpost"
)

// maintainEvery is how often what gets old is looked for, on all lists.
const maintainEvery = 24 * time.Hour

// maintain does for every list what time asks for: it lets go of what was held
// too long, and of what was given up long ago. It is done once a day by whichever run
// comes first.
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
