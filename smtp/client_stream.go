package smtp

import "iter"

// Send carries out a transaction and returns one reply per recipient, in order. A
// refused recipient does not affect the others. If the connection breaks, unknown
// outcomes are 4xx. The caller then tries again; if the message had been sent and only
// the reply was lost, it arrives twice.
func (c *Client) Send(t *Transaction) []Reply {
	for _, out := range c.Stream(once(t)) {
		return out
	}
	return c.begin(t).outcome // the connection is lost
}

// once returns a function that returns t the first time, and then nil.
func once(t *Transaction) func() *Transaction {
	return func() *Transaction {
		next := t
		t = nil
		return next
	}
}

// Stream carries out transactions one after the other and yields the outcome of each,
// in order: one reply per recipient. It calls next for each transaction until next
// returns nil, or the connection can carry no more.
//
// If the server offers PIPELINING and CHUNKING, many small messages are in flight at
// once, without a round trip between them. With PIPELINING alone, a message's final dot
// and the next envelope share a write. Otherwise each command waits for its reply.
//
// A caller that leaves the loop while messages are in flight must close the connection.
func (c *Client) Stream(next func() *Transaction) iter.Seq2[*Transaction, []Reply] {
	return func(yield func(*Transaction, []Reply) bool) {
		if c.Err() != nil {
			return
		}
		s := stream{c: c, next: next}
		_, s.pipelined = c.Extension("PIPELINING")
		defer func() {
			if len(s.flying) > 0 {
				c.fail(errStopped)
			}
			if c.err != nil {
				c.side.stop()
			} else if c.spent() {
				c.err = ErrSpent
			}
		}()
		for s.fill(false); len(s.flying) > 0; s.fill(false) {
			x := s.flying[0]
			s.flying = s.flying[1:]
			s.bytes -= len(x.chunk)
			s.land(x)
			if !yield(x.t, x.outcome) {
				return
			}
		}
	}
}

// A stream is a series of transactions in flight.
type stream struct {
	c         *Client
	next      func() *Transaction
	pipelined bool
	over      bool        // next has returned nil
	flying    []*exchange // the oldest first
	bytes     int         // of their chunks
}

// fill sends ahead as much as the window holds. behind is true while the reply to a
// message's final dot is due.
func (s *stream) fill(behind bool) {
	c := s.c
	for !s.over && c.err == nil && s.room(behind) {
		if len(s.flying) == 0 && !behind {
			c.unheard = 0
			if c.heardAll() != nil {
				return
			}
		}
		t := s.next()
		if t == nil {
			s.over = true
			return
		}
		x := c.begin(t)
		if x.open() > 0 {
			if err := x.compose(s.pipelined, s.dirty()); err != nil {
				x.unreadable(err)
			} else if s.pipelined {
				x.post()
			}
		}
		s.flying = append(s.flying, x)
		s.bytes += len(x.chunk)
	}
}

// room reports whether another transaction may be sent ahead of its turn. Nothing may
// follow a DATA before its message.
func (s *stream) room(behind bool) bool {
	n := len(s.flying)
	switch {
	case s.c.spent():
		return false
	case !s.pipelined:
		return n == 0 && !behind
	case n > 0 && s.flying[n-1].awaitsWord():
		return false
	}
	return n == 0 || n < streamWindow && s.bytes < streamBytes
}

// dirty reports whether RSET must come before the next MAIL. While the outcome of a
// chunk is unknown, a server that refused it might keep the transaction open (RFC 3030,
// 2), and its recipients would then get the next message too.
func (s *stream) dirty() bool {
	if s.c.unclear {
		return true
	}
	for _, x := range s.flying {
		if x.chunk != nil {
			return true
		}
	}
	return false
}

// land reads all replies that are due to a transaction, and sends its message if the
// server waits for it.
func (s *stream) land(x *exchange) {
	err := s.c.err
	if err == nil && len(x.lines) > 0 {
		x.hurry()
		err = s.hear(x)
		s.c.endAt(0)
	}
	if err != nil {
		x.settle(lost(err))
	}
	if (x.began || x.taken > 0) && !x.ended {
		s.c.unclear = true
	}
}

func (s *stream) hear(x *exchange) error {
	talk := x.hearAll
	if !s.pipelined {
		talk = x.talk
	}
	go354, err := talk()
	if err == nil && len(s.flying) == 0 {
		// The next command must not be written while the side still has data.
		if err = s.c.side.wait(); err != nil {
			s.c.fail(err)
		}
	}
	if err == nil && x.awaitsWord() {
		err = s.c.heardAll() // nothing else is due
	}
	switch {
	case err != nil:
		return err
	case x.binary() && x.open() > 0:
		s.c.unheard = 0
		return x.sendChunks()
	case !go354:
		return nil
	case x.open() == 0:
		x.noMessage()
		return nil
	}
	s.c.unheard = 0
	if err := x.send(); err != nil {
		return err
	}
	s.fill(true)
	return x.hearFinal()
}
