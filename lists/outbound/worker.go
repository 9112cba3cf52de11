package outbound

import (
	"context"
	"slices"
)

// waits reports whether only members' servers that make us wait are left.
func (s *sending) waits() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.late > 0
}

// hire starts another worker.
func (s *sending) hire(ctx context.Context) {
	s.brisk++
	s.workers.Go(func() {
		w := &worker{s: s}
		for j := s.take(ctx, w); j != nil; j = s.take(ctx, w) {
			s.do(ctx, j, func() { w.isLate(ctx, j) })
		}
	})
}

// A worker takes job after job, until a member's server makes it wait.
type worker struct {
	s          *sending
	late, left bool
}

// isLate makes another worker continue with what is left, if a member's server makes
// this one wait. A relay that does so keeps its number of connections: there is no
// other path.
func (w *worker) isLate(ctx context.Context, j *job) {
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.left || w.late || !s.s.pool.many() {
		return
	}
	w.late, j.late = true, true
	s.late++
	s.brisk--
	if slices.ContainsFunc(s.jobs, func(j *job) bool { return j.mode == untaken }) {
		s.hire(ctx)
	}
	s.changed.Broadcast()
}

// leave ends a worker.
func (w *worker) leave() {
	w.left = true
	if w.late {
		w.s.late--
	} else {
		w.s.brisk--
	}
	w.s.changed.Broadcast()
}

// take returns a job that nobody has, or one that has recipients to spare. It waits
// while it is unclear whether a job will have some. Without a job the worker is done.
func (s *sending) take(ctx context.Context, w *worker) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !w.late && s.err == nil && ctx.Err() == nil {
		wait := false
		for _, j := range s.jobs {
			switch {
			case j.mode == untaken:
				j.mode = taken
				return j
			case j.late || len(j.rcpts) <= minShare:
			case j.mode == personal:
				return j
			case j.mode == taken:
				wait = true
			}
		}
		if !wait {
			break
		}
		s.changed.Wait()
	}
	w.leave()
	return nil
}

// become sets how a job is sent.
func (s *sending) become(j *job, m mode) {
	s.mu.Lock()
	j.mode = m
	s.mu.Unlock()
	s.changed.Broadcast()
}

// do sends a job in the way its server supports. If each recipient gets a return path
// of its own and the server does not write them, each gets a transaction of its own.
func (s *sending) do(ctx context.Context, j *job, late func()) {
	for {
		l, err := s.s.pool.get(ctx, j.dest, late)
		if err != nil {
			s.unreachable(j, err)
			return
		}
		onward := s.with(ctx, l, j)
		s.s.pool.put(l)
		if !onward {
			return
		}
	}
}
