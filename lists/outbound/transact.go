package outbound

import (
	"context"
	"slices"
	"time"

	"superlist/queue"
	"superlist/smtp"
)

// with sends a job on a connection, and reports whether another connection would help.
func (s *sending) with(ctx context.Context, l *link, j *job) (onward bool) {
	relay := s.relay
	if s.modeOf(j) == personal {
		return s.oneByOne(ctx, l, j)
	}
	xverp := relay.VERP != "self" && j.dest == "" && !j.apart && offers(l, "XVERP")
	switch {
	case len(s.m.Holes) > 0:
	case !s.m.VERP || xverp:
		switch s.together(ctx, l, j, xverp && s.m.VERP) {
		case anew:
			return true
		case finished:
			s.become(j, over)
			return false
		}
		j.apart = true
		return l.Err() != nil || s.with(ctx, l, j)
	case relay.VERP == "xverp":
		s.because("the relay " + relay.Name + " does not offer XVERP to this host; see smtpd_authorized_verp_clients in postconf(5)")
		s.become(j, over)
		return false
	}
	s.become(j, personal)
	return s.oneByOne(ctx, l, j)
}

func offers(l *link, keyword string) bool {
	_, ok := l.Extension(keyword)
	return ok
}

func (s *sending) modeOf(j *job) mode {
	s.mu.Lock()
	defer s.mu.Unlock()
	return j.mode
}

// because records why the message has to wait.
func (s *sending) because(reason string) {
	s.mu.Lock()
	s.reason = reason
	s.mu.Unlock()
}

// unreachable settles a job whose destination has no server for us.
func (s *sending) unreachable(j *job, err error) {
	reply, forGood := smtp.Refusal(err)
	s.mu.Lock()
	rcpts := j.rcpts
	j.rcpts, j.mode = nil, over
	if !forGood {
		s.reason = err.Error()
	}
	s.mu.Unlock()
	s.changed.Broadcast()
	if forGood {
		replies := make([]smtp.Reply, len(rcpts))
		for i := range replies {
			replies[i] = reply
		}
		s.mark(smtp.Path{}, rcpts, replies)
	}
}

// transaction returns the transaction for some recipients.
func (s *sending) transaction(from smtp.Path, batch []queue.Recipient) (*smtp.Transaction, error) {
	content, err := s.content(batch[0].Path)
	if err != nil {
		return nil, err
	}
	to := make([]smtp.Rcpt, len(batch))
	utf8 := s.m.UTF8 || !from.IsASCII()
	for i, rcpt := range batch {
		to[i] = rcpt.Rcpt
		utf8 = utf8 || !rcpt.IsASCII()
	}
	return &smtp.Transaction{
		From: from, To: to, Body: s.m.Body, Size: content.Size(), Message: content, UTF8: utf8, RequireTLS: s.m.RequireTLS,
		// Those who get the reports have the message in the archive, and need only its
		// headers.
		Ret: "HDRS",
	}, nil
}

// Outcomes of sending to all at once.
type verdict byte

const (
	finished verdict = iota
	anew             // the server had had enough of this connection before
	apart            // XVERP was announced, but refused when used
)

// together sends to all recipients of a job at once, or to as many as the server
// accepts in one transaction, and then to the others.
func (s *sending) together(ctx context.Context, l *link, j *job, xverp bool) verdict {
	for {
		t, err := s.transaction(s.m.From, j.rcpts)
		if err != nil {
			s.mu.Lock()
			s.err = err
			s.mu.Unlock()
			return finished
		}
		t.VERP = xverp
		reused := l.used
		l.used = true
		var replies []smtp.Reply
		for _, replies = range l.Stream(once(t)) {
			l.place.progress()
		}
		switch {
		case reused && all421(replies): // also if there are none
			return anew
		case replies == nil:
			s.because(l.Err().Error())
			return finished
		case xverp && !offers(l, "XVERP"):
			return apart
		}
		rest := s.settle(j.rcpts, replies)
		s.sync()
		if len(rest) == 0 || s.failed() || ctx.Err() != nil {
			return finished
		}
		s.mu.Lock()
		j.rcpts = rest
		s.mu.Unlock()
		if l.Err() != nil {
			return anew
		}
	}
}

// once gives a transaction, and then no more.
func once(t *smtp.Transaction) func() *smtp.Transaction {
	return func() *smtp.Transaction {
		next := t
		t = nil
		return next
	}
}

// settle marks the outcomes of a transaction. It returns the recipients that had no
// room in it, if others were accepted, since sending to them can continue now.
func (s *sending) settle(batch []queue.Recipient, replies []smtp.Reply) (rest []queue.Recipient) {
	taken := func(r smtp.Reply) bool { return r.Code/100 == 2 }
	if !slices.ContainsFunc(replies, smtp.IsTooMany) || !slices.ContainsFunc(replies, taken) {
		s.mark(s.m.From, batch, replies)
		return nil
	}
	var now []queue.Recipient
	var said []smtp.Reply
	for i, r := range replies {
		if smtp.IsTooMany(r) {
			rest = append(rest, batch[i])
		} else {
			now, said = append(now, batch[i]), append(said, r)
		}
	}
	s.mark(s.m.From, now, said)
	return rest
}

// failed reports whether this host cannot go on with the message.
func (s *sending) failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err != nil
}

func all421(replies []smtp.Reply) bool {
	for _, r := range replies {
		if r.Code != 421 {
			return false
		}
	}
	return true
}

// oneByOne sends to each recipient separately. A server accepts only so many messages
// on one connection: those refused with 421 go to the next connection, as long as that
// makes progress.
func (s *sending) oneByOne(ctx context.Context, l *link, j *job) (onward bool) {
	reused := l.used
	l.used = true
	var flying, again []queue.Recipient
	progress := false
	began, carried := time.Now(), 0
	next := func() *smtp.Transaction {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(j.rcpts) == 0 || s.err != nil || ctx.Err() != nil {
			return nil
		}
		if (carried >= syncEvery || time.Since(began) > itsTurn) && s.s.pool.wanted() {
			return nil // others have their turn
		}
		carried++
		rcpt := j.rcpts[0]
		t, err := s.transaction(smtp.VERPAddress(s.m.From, rcpt.Path), []queue.Recipient{rcpt})
		if err != nil {
			s.err = err
			return nil
		}
		j.rcpts = j.rcpts[1:]
		flying = append(flying, rcpt)
		return t
	}
	for t, replies := range l.Stream(next) {
		rcpt := flying[0]
		flying = flying[1:]
		l.place.progress()
		if replies[0].Code == 421 {
			again = append(again, rcpt)
			continue
		}
		progress = progress || replies[0].Code/100 == 2 || replies[0].Permanent()
		s.mark(t.From, []queue.Recipient{rcpt}, replies)
	}
	s.sync()
	s.mu.Lock()
	defer s.mu.Unlock()
	j.rcpts = append(again, j.rcpts...)
	// A server that makes no progress on a reused connection has only had enough of
	// that connection.
	if err := l.Err(); err != nil && err != smtp.ErrSpent && (!progress && !reused || timedOut(err)) {
		s.reason, j.mode = err.Error(), over
		return false
	}
	return len(j.rcpts) > 0 && s.err == nil // which another connection of this host cannot change
}
