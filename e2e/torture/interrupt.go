package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"superlist/lists/ledger"
)

// A scene is an act with its place, to be copied, and what there must be at the end.
type scene struct {
	act     *act
	base    *place
	want    sight
	changes []change // of a run that nothing interrupts
	traced  string   // where that was
}

// scenes prepares all acts, once. What they leave when nothing goes wrong is what is wanted.
func (t *torture) scenes() (all []*scene, err error) {
	if t.prepared != nil {
		return t.prepared, nil
	}
	all = make([]*scene, len(t.acts))
	errs := make([]error, len(t.acts))
	each(len(t.acts), func(i int) {
		t.progress("what each act comes to, undisturbed: " + t.acts[i].name)
		all[i], errs[i] = t.scene(&t.acts[i])
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	t.prepared = all
	return all, nil
}

func (t *torture) scene(a *act) (*scene, error) {
	base, err := newPlace(t.bin, t.dir(), a)
	if err != nil {
		return nil, err
	}
	s := &scene{act: a, base: base}
	p, err := base.copyTo(t.dir())
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(p.dir)
	s.traced = p.dir
	tr := p.trace()
	var mu sync.Mutex
	tr.enter = func(c *call) verdict {
		mu.Lock()
		defer mu.Unlock()
		if ch, ok := changeOf(c, p.dir); ok {
			s.changes = append(s.changes, ch)
		}
		return verdict{}
	}
	d, err := tr.run()
	if err == nil && d.code != 0 {
		err = fmt.Errorf("exit code %d: %s%s", d.code, d.out, d.errs)
	}
	if err == nil && a.taken(d.out) == 0 {
		err = fmt.Errorf("it has not said %q: %q", a.said, d.out)
	}
	if err == nil {
		err = p.repair()
	}
	if err == nil {
		s.want, err = p.see()
	}
	if err != nil {
		return nil, fmt.Errorf("%s, undisturbed: %w", a.name, err)
	}
	return s, nil
}

// repair is what the next day brings: deliver, until nothing is left to do, and what it does
// once a day.
func (p *place) repair() error {
	for i := range 3 {
		if i == 1 {
			os.Remove(p.dir + "/spool/maintained")
		}
		p.retryNow()
		if err := p.bringForward(); err != nil {
			return err
		}
		if out, err := p.superlist("deliver"); err != nil {
			return fmt.Errorf("deliver: %w: %s", err, out)
		}
	}
	return nil
}

// retryNow has what waits in the spool be tried again at once, whatever retry_min says.
func (p *place) retryNow() {
	past := time.Now().Add(-time.Minute)
	for _, box := range []string{"inbound", "outbound"} {
		waiting, _ := filepath.Glob(p.dir + "/spool/" + box + "/*/*")
		for _, file := range waiting {
			os.Chtimes(file, past, past)
		}
	}
}

// bringForward has what is to be tried again soon be due: after a failure an agenda names
// a time within the hour.
func (p *place) bringForward() error {
	now := time.Now()
	for _, agenda := range ledger.Agendas(p.dir + "/spool") {
		soon, err := agenda.Due(now.Add(time.Hour), ledger.AsManyAsThereAre)
		if err != nil {
			return err
		}
		for _, r := range soon {
			due := agenda.Reminder(r.Subject, now.Add(-time.Minute)).Path()
			if err := os.MkdirAll(filepath.Dir(due), 0o700); err != nil {
				return err
			}
			if err := os.Rename(r.Path(), due); err != nil {
				return err
			}
		}
	}
	return nil
}

// An outcome is what has been found at one interruption.
type outcome struct {
	faults []string
	twice  int    // mail that somebody has twice
	again  string // how the act ended that was done again
}

// judge has the next run repair what an interruption has left, and holds it against what
// is wanted.
func (s *scene) judge(p *place, d death) (o outcome) {
	taken := s.act.taken(d.out)
	if !s.act.session && (d.code != 0 || taken == 0) {
		o.again, o.faults = s.again(p)
	}
	if err := p.repair(); err != nil {
		o.faults = append(o.faults, err.Error())
		return o
	}
	got, err := p.see()
	if err != nil {
		o.faults = append(o.faults, err.Error())
		return o
	}
	if !s.act.session {
		o.faults, o.twice = got.differs(s.want)
		return o
	}
	// Posts that got 250 have come, and at most the one that was on its way.
	for box, wanted := range s.want {
		if !strings.HasPrefix(box, "/out/") {
			continue
		}
		n := 0
		whole := map[string]bool{}
		for text := range wanted {
			whole[fromSubject(text)] = true
		}
		for text, times := range got[box] {
			if !whole[fromSubject(text)] {
				o.faults = append(o.faults, fmt.Sprintf("%s has half a post: %.200q", box, text))
			}
			n += min(times, 1)
			o.twice += times - 1
			if times > 2 {
				o.faults = append(o.faults, fmt.Sprintf("%s has a post %d times", box, times))
			}
		}
		if n < taken || n > taken+1 {
			o.faults = append(o.faults, fmt.Sprintf("%s has %d posts; %d got 250", box, n, taken))
		}
	}
	for box := range got {
		if strings.Contains(box, "/spool/") {
			o.faults = append(o.faults, box+" is left")
		}
	}
	return o
}

// again does an act again that has not been done. It may say that all is done already.
func (s *scene) again(p *place) (how string, faults []string) {
	var out string
	var err error
	for range 2 {
		if out, err = p.again(); errors.Is(err, errStuck) {
			return "", []string{fmt.Sprintf("once more: %v: %s", err, out)}
		}
		if s.act.taken([]byte(out)) > 0 {
			return fmt.Sprintf("once more: %v, %s", err, out), nil
		}
		// The queue was full: sessions are told so until deliver has seen that it is not.
		if err := p.repair(); err != nil {
			return "", []string{err.Error()}
		}
	}
	return out, []string{fmt.Sprintf("it never says %q", s.act.said)}
}

// fromSubject is what a client has sent; before it stands what hosts have added, which may
// know less of a client after a fault.
func fromSubject(text string) string {
	_, after, _ := strings.Cut(text, "\nSubject: ")
	return after
}

// A way is how an act is interrupted at its nth change.
type way struct {
	name  string
	set   func(tr *trace, p *place, n int)
	tries int                  // if it is not by changes: how many n there are
	disk  string               // options of a tmpfs that the act is on; "": it has none of its own
	over  func(p *place) error // puts the disk right afterwards; nil: nothing is wrong with it
}

// where is the nth try, for a report.
func (w way) where(s *scene, n int) string {
	if w.tries > 0 {
		return fmt.Sprintf(w.name, n)
	}
	return fmt.Sprintf("%s at %d, %s", w.name, n, strings.ReplaceAll(s.changes[n].String(), s.traced, ""))
}

// at is a way that gives a verdict on each change.
func at(name string, decide func(n, now int) verdict) way {
	return way{name: name, set: func(tr *trace, p *place, n int) {
		var now atomic.Int64
		tr.enter = func(c *call) verdict {
			if _, ok := changeOf(c, p.dir); !ok {
				return verdict{}
			}
			return decide(n, int(now.Add(1))-1)
		}
	}}
}

// kill is SIGKILL at the change.
var kill = at("SIGKILL", func(n, now int) verdict { return verdict{kill: now == n} })

// once has one change fail, and dies the disk from one change on.
func once(e syscall.Errno, name string) way {
	return at(name, func(n, now int) verdict {
		if now == n {
			return verdict{fail: e}
		}
		return verdict{}
	})
}

func dies(e syscall.Errno, name string) way {
	return at(name+" from then on", func(n, now int) verdict {
		if now >= n {
			return verdict{fail: e}
		}
		return verdict{}
	})
}

// interrupt runs all scenes with an interruption at each of their changes, in any order,
// until the time is over.
func (t *torture) interrupt(r *result, scenes []*scene, ways []way, until time.Time) {
	type point struct {
		s *scene
		w way
		n int
	}
	var points []point
	for _, s := range scenes {
		for _, w := range ways {
			tries := len(s.changes)
			if w.tries > 0 {
				tries = w.tries
			}
			for n := range tries {
				points = append(points, point{s, w, n})
			}
		}
	}
	tryAll(t, r, points, until, func(pt point) {
		name, where := pt.s.act.name, pt.w.where(pt.s, pt.n)
		t.progress(r.Part + ": " + name + ", " + where)
		p, o, d, err := t.try(pt.s, pt.w, pt.n)
		if err != nil {
			r.fault(name, where, err.Error())
			return
		}
		if t.keep && len(o.faults) > 0 {
			where += fmt.Sprintf("; exit code %d, %s%s; %s; kept in %s", d.code, d.out, d.errs, o.again, p.dir)
		} else {
			p.remove()
		}
		r.add(name, where, o)
	})
}

// try does an act, interrupted once.
func (t *torture) try(s *scene, w way, n int) (p *place, o outcome, d death, err error) {
	dir := t.dir()
	if w.disk != "" {
		if err := mount(dir, w.disk); err != nil {
			return nil, o, d, err
		}
	}
	if p, err = s.base.copyTo(dir); err != nil {
		return nil, o, d, err
	}
	tr := p.trace()
	w.set(tr, p, n)
	if d, err = tr.run(); err == nil && w.over != nil {
		err = w.over(p)
	}
	if err != nil {
		return nil, o, d, err
	}
	return p, s.judge(p, d), d, nil
}

// tryAll tries points in any order, until the time is over.
func tryAll[P any](t *torture, r *result, points []P, until time.Time, try func(P)) {
	rand.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	r.Of += len(points)
	if t.most > 0 {
		points = points[:min(len(points), t.most)]
	}
	each(len(points), func(i int) {
		if time.Now().Before(until) {
			try(points[i])
		}
	})
}

// each calls do for 0 to n-1, two at a time for each processor, since some acts wait.
func each(n int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, 2*runtime.NumCPU()) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
}

// killed is kill -9 at every change of every act.
func killed(t *torture, r *result, until time.Time) error {
	s, err := t.scenes()
	if err != nil {
		return err
	}
	t.interrupt(r, s, []way{kill}, until)
	return nil
}

// failing has every change fail, with each error once, and from then on.
func failing(t *torture, r *result, until time.Time) error {
	s, err := t.scenes()
	if err != nil {
		return err
	}
	var ways []way
	for _, e := range []struct {
		no   syscall.Errno
		name string
	}{{syscall.EIO, "EIO"}, {syscall.ENOSPC, "ENOSPC"}, {syscall.EDQUOT, "EDQUOT"}, {syscall.EROFS, "EROFS"}} {
		ways = append(ways, once(e.no, e.name), dies(e.no, e.name))
	}
	t.interrupt(r, s, ways, until)
	return nil
}

// fewFiles is EMFILE as it comes: a program may have so many files open, and no more.
func fewFiles(t *torture, r *result, until time.Time) error {
	s, err := t.scenes()
	if err != nil {
		return err
	}
	t.interrupt(r, s, []way{{name: "at most %d files open", tries: 40, set: func(tr *trace, _ *place, n int) { tr.files = new(uint64(n)) }}}, until)
	return nil
}
