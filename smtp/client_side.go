package smtp

import (
	"errors"
	"sync"
	"time"
)

// A side writes data that the server may not accept before its replies are read. If
// both sides only wrote, each would wait for the other (RFC 2920, 3.1). Its goroutine
// lives as long as there is something to write.
type side struct {
	w       *wire
	mu      sync.Mutex
	idle    *sync.Cond // signals that something was written, or never will be
	queue   []byte
	taken   int64 // bytes, since the beginning
	handed  int64 // of these, given to a write
	written int64 // of these
	busy    bool
	stopped bool
	err     error
}

// errStopped is the error of writes to a connection that was given up.
var errStopped = errors.New("smtp: the connection was given up")

func newSide(w *wire) *side {
	s := &side{w: w}
	s.idle = sync.NewCond(&s.mu)
	return s
}

// write takes bytes and returns at once. Pass the mark to reached.
func (s *side) write(p []byte) (mark int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken += int64(len(p))
	if s.stopped || s.err != nil {
		return s.taken
	}
	s.queue = append(s.queue, p...)
	if !s.busy {
		s.busy = true
		go s.run()
	}
	return s.taken
}

func (s *side) run() {
	for {
		piece, ok := s.next()
		if !ok {
			return
		}
		n, err := s.w.raw.Write(piece)
		s.mu.Lock()
		s.written += int64(n)
		if err != nil {
			s.err = err
		}
		s.idle.Broadcast()
		s.mu.Unlock()
	}
}

// next returns what to write now. It sets the deadline under the lock; otherwise a stop
// in between would be undone.
func (s *side) next() ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || s.err != nil || len(s.queue) == 0 {
		s.busy, s.queue = false, nil
		s.idle.Broadcast()
		return nil, false
	}
	if d, ok := s.w.raw.(deadliner); ok {
		d.SetWriteDeadline(s.w.deadline(s.w.writeTimeout))
	}
	piece := s.queue[:min(len(s.queue), wireBuffer)]
	s.queue = s.queue[len(piece):]
	s.handed += int64(len(piece))
	return piece, true
}

// working reports whether something is still to be written.
func (s *side) working() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy
}

// wait waits until all is written, or cannot be.
func (s *side) wait() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.busy {
		s.idle.Wait()
	}
	return s.failure()
}

// reached makes sure that everything up to a mark has been written. If nothing follows
// the mark, it waits. Otherwise the write may go on, since the server need not read
// what follows before we read its answer.
func (s *side) reached(mark int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken > mark {
		if s.handed < mark {
			return errUnasked()
		}
		return nil
	}
	for s.busy && s.written < mark {
		s.idle.Wait()
	}
	if s.written >= mark {
		return nil
	}
	return s.failure()
}

func (s *side) failure() error {
	if s.err == nil && s.stopped {
		return errStopped
	}
	return s.err
}

// stop discards what is not written yet.
func (s *side) stop() {
	s.mu.Lock()
	s.stopped = true
	if d, ok := s.w.raw.(deadliner); ok && s.busy {
		d.SetWriteDeadline(time.Unix(1, 0))
	}
	s.mu.Unlock()
	s.wait()
}

// post writes without waiting for the server. Small writes stay in the buffer until the
// first reply is read, as does everything the server has not yet answered. The mark is
// the side's.
func (c *Client) post(p []byte) (mark int64) {
	held := c.unheard <= c.wire.bw.Buffered()
	c.unheard += len(p)
	if held && c.unheard < inlineWrite && !c.side.working() {
		c.wire.bw.Write(p)
		return 0
	}
	// The reader flushes the wire's own buffer. Its content goes first: it is small, or
	// the server has nothing to say about it.
	if err := c.wire.bw.Flush(); err != nil {
		c.fail(err)
		return 0
	}
	return c.side.write(p)
}
