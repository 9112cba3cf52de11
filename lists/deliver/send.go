package deliver

import (
	"context"
	"fmt"
	"sync"

	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/queue"
	"superlist/smtp"
)

// How a message is divided among connections.
const (
	// maxWindow is how many recipients are looked at together: what they cost in
	// memory, and for how many the recipients of one domain are gathered.
	maxWindow = 10 * lists.MaxBatch
	// minShare is for how many recipients another connection to the same place
	// is worth its while.
	minShare = 64
	// syncEvery is after how many messages of one recipient their outcomes are
	// made durable.
	syncEvery = 100
)

// send hands an outbound message over, for every recipient that is to do, and
// marks what came of it.
func (r *Runner) send(ctx context.Context, m *queue.Message) error {
	s := &sending{r: r, m: m}
	s.changed = sync.NewCond(&s.mu)
	if r.Progress != nil {
		todo, done, failed, err := m.Count()
		if err != nil {
			return err
		}
		s.done, s.total = done+failed, todo+done+failed
	}
	var window []queue.Recipient
	for rcpt, err := range m.Recipients() {
		if err != nil {
			return err
		}
		if rcpt.State != queue.ToDo {
			continue
		}
		if window = append(window, rcpt); len(window) < maxWindow {
			continue
		}
		if err := s.share(ctx, window); err != nil {
			return err
		}
		window = window[:0]
	}
	if err := s.share(ctx, window); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil // the rest stays in cur, for the next run
	}
	return r.finish(m, s.reason)
}

// A sending is one outbound message on its way.
type sending struct {
	r *Runner
	m *queue.Message

	mu          sync.Mutex
	changed     *sync.Cond
	jobs        []*job
	reason      string // why a recipient was not accepted now
	done, total int
	unsynced    int   // outcomes that are marked and not durable
	err         error // this host cannot go on with the message
}

// A job is some recipients of one destination.
type job struct {
	dest  string
	rcpts []queue.Recipient // those that nobody has taken
	mode  mode
	apart bool // XVERP was refused for it
}

type mode byte

const (
	untaken  mode = iota
	taken         // by one worker, which finds out how they are sent
	personal      // one by one: any number of workers may take some
	over
)

// share deals recipients out to connections, and waits until all are done.
func (s *sending) share(ctx context.Context, window []queue.Recipient) error {
	if len(window) == 0 || ctx.Err() != nil {
		return nil
	}
	s.jobs = s.jobs[:0]
	// An address beyond ASCII does not share a transaction with the others: it
	// needs SMTPUTF8, which the whole way may not have.
	type kind struct {
		dest  string
		ascii bool
	}
	open := make(map[kind]*job)
	for _, rcpt := range window {
		k := kind{s.r.pool.route.dest(rcpt.Path), rcpt.IsASCII()}
		j := open[k]
		if j == nil || len(j.rcpts) == s.r.Site.Relay.Batch {
			j = &job{dest: k.dest}
			open[k] = j
			s.jobs = append(s.jobs, j)
		}
		j.rcpts = append(j.rcpts, rcpt)
	}
	workers := len(open)
	if workers == 1 {
		workers = 1 + len(window)/minShare
	}
	if target, _ := s.r.Site.Relay.Target(); target.Network == "maildir" {
		workers = 1
	}
	var wg sync.WaitGroup
	for range min(workers, s.r.Site.Relay.Connections) - 1 {
		wg.Go(func() { s.work(ctx) })
	}
	s.work(ctx)
	wg.Wait()
	s.sync()
	return s.err
}

// work takes job after job.
func (s *sending) work(ctx context.Context) {
	for {
		j := s.take(ctx)
		if j == nil {
			return
		}
		s.do(ctx, j)
	}
}

// take gives a job that nobody has, or one that has recipients to spare. It
// waits while it is not clear whether a job will have some.
func (s *sending) take(ctx context.Context) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		wait := false
		for _, j := range s.jobs {
			switch {
			case s.err != nil || ctx.Err() != nil:
				return nil
			case j.mode == untaken:
				j.mode = taken
				return j
			case j.mode == personal && len(j.rcpts) > 0:
				return j
			case j.mode == taken && len(j.rcpts) > minShare:
				wait = true
			}
		}
		if !wait {
			return nil
		}
		s.changed.Wait()
	}
}

// become says how a job is sent.
func (s *sending) become(j *job, m mode) {
	s.mu.Lock()
	j.mode = m
	s.mu.Unlock()
	s.changed.Broadcast()
}

// do sends a job as the server there wants it. Where every recipient is to have
// a return path of its own, and the server does not write them, each gets a
// transaction of its own.
func (s *sending) do(ctx context.Context, j *job) {
	for {
		l, err := s.r.pool.get(ctx, j.dest)
		if err != nil {
			s.unreachable(j, err)
			return
		}
		onward := s.with(ctx, l, j)
		s.r.pool.put(l)
		if !onward {
			return
		}
	}
}

// with sends a job on a connection, and says whether another would help.
func (s *sending) with(ctx context.Context, l *link, j *job) (onward bool) {
	relay := &s.r.Site.Relay
	if s.modeOf(j) == personal {
		return s.oneByOne(ctx, l, j)
	}
	xverp := relay.Verp != "self" && j.dest == "" && !j.apart && offers(l, "XVERP")
	switch {
	case !s.m.VERP || xverp:
		switch s.together(l, j, xverp && s.m.VERP) {
		case anew:
			return true
		case finished:
			s.become(j, over)
			return false
		}
		j.apart = true
		return l.Err() != nil || s.with(ctx, l, j)
	case relay.Verp == "xverp":
		s.because("the relay " + relay.Address + " does not offer XVERP to this host; see smtpd_authorized_verp_clients in postconf(5)")
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

// because is why the message has to wait.
func (s *sending) because(reason string) {
	s.mu.Lock()
	s.reason = reason
	s.mu.Unlock()
}

// unreachable settles a job whose destination has no server for us.
func (s *sending) unreachable(j *job, err error) {
	reply, forGood := permanent(err)
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

// transaction is the message for some recipients.
func (s *sending) transaction(from smtp.Path, batch []queue.Recipient) *smtp.Transaction {
	to := make([]smtp.Rcpt, len(batch))
	utf8 := s.m.UTF8 || !from.IsASCII()
	for i, rcpt := range batch {
		to[i] = rcpt.Rcpt
		utf8 = utf8 || !rcpt.IsASCII()
	}
	return &smtp.Transaction{
		From: from, To: to, Body: s.m.Body, Size: s.m.Size, Message: s.m.Content(), UTF8: utf8, RequireTLS: s.m.RequireTLS,
		// Who gets the reports has the message in the archive, and needs no more
		// of it than the headers.
		Ret: "HDRS",
	}
}

// What came of sending to all at once.
type verdict byte

const (
	finished verdict = iota
	anew             // the server had had enough of this connection before
	apart            // XVERP was announced, and refused when it came to it
)

// together sends to all recipients of a job at once.
func (s *sending) together(l *link, j *job, xverp bool) verdict {
	t := s.transaction(s.m.From, j.rcpts)
	t.VERP = xverp
	reused := l.used
	l.used = true
	var replies []smtp.Reply
	for _, out := range l.Stream(func() *smtp.Transaction {
		next := t
		t = nil
		return next
	}) {
		replies = out
	}
	switch {
	case reused && all421(replies): // none at all, too
		return anew
	case replies == nil:
		s.because(l.Err().Error())
		return finished
	case xverp && !offers(l, "XVERP"):
		return apart
	}
	s.mark(s.m.From, j.rcpts, replies)
	s.sync()
	return finished
}

func all421(replies []smtp.Reply) bool {
	for _, r := range replies {
		if r.Code != 421 {
			return false
		}
	}
	return true
}

// oneByOne sends to each recipient by itself. Servers take only so many messages
// on one connection: what one left with 421 goes to the next, as long as that
// leads on.
func (s *sending) oneByOne(ctx context.Context, l *link, j *job) (onward bool) {
	reused := l.used
	l.used = true
	var flying, again []queue.Recipient
	progress := false
	next := func() *smtp.Transaction {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(j.rcpts) == 0 || s.err != nil || ctx.Err() != nil {
			return nil
		}
		rcpt := j.rcpts[0]
		j.rcpts = j.rcpts[1:]
		flying = append(flying, rcpt)
		return s.transaction(lists.MemberBounceAddress(s.m.From, rcpt.Path), []queue.Recipient{rcpt})
	}
	for t, replies := range l.Stream(next) {
		rcpt := flying[0]
		flying = flying[1:]
		if replies[0].Code == 421 {
			again = append(again, rcpt)
			continue
		}
		progress = progress || replies[0].Code/100 == 2 || replies[0].Permanent()
		s.mark(t.From, []queue.Recipient{rcpt}, replies)
	}
	s.sync()
	if l.Err() == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	j.rcpts = append(again, j.rcpts...)
	if !progress && !reused { // else the server had had enough of this one before
		s.reason, j.mode = l.Err().Error(), over
		return false
	}
	return len(j.rcpts) > 0
}

// mark writes outcomes into the file.
func (s *sending) mark(from smtp.Path, batch []queue.Recipient, replies []smtp.Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	accepted, deferred := 0, 0
	var last, why smtp.Reply
	for i, reply := range replies {
		state := byte(queue.Done)
		switch {
		case reply.Permanent():
			state = queue.Fail
			s.r.Log.Printf(maillog.Warning, "refused id=%s list=%s to=%s reply=%q", s.m.ID, s.m.List, batch[i].Path, reply)
			s.r.note(s.m, batch[i].Path.String()+" "+reply.String())
		case reply.Temporary():
			deferred++
			why = reply
			s.r.Log.Printf(maillog.Debug, "not now id=%s list=%s to=%s reply=%q", s.m.ID, s.m.List, batch[i].Path, reply)
			continue
		default:
			accepted++
			last = reply
		}
		if s.err = s.m.Mark(batch[i], state); s.err != nil {
			return
		}
		s.unsynced++
		s.done++
	}
	if accepted > 0 {
		s.r.Log.Printf(maillog.Info, "sent id=%s list=%s from=%s recipients=%d reply=%q", s.m.ID, s.m.List, from, accepted, last)
	}
	if deferred > 0 {
		s.reason = why.String()
		if deferred > 1 {
			s.reason += fmt.Sprintf(" (and %d more)", deferred-1)
		}
	}
	if s.unsynced >= syncEvery {
		s.syncLocked()
	}
}

// sync makes the outcomes durable.
func (s *sending) sync() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.syncLocked()
}

func (s *sending) syncLocked() {
	if s.unsynced == 0 || s.err != nil {
		return
	}
	s.unsynced = 0
	if s.r.Progress != nil {
		s.r.Progress(s.m.ID, s.done, s.total)
	}
	s.err = s.m.Sync()
}
