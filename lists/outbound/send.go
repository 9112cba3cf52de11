package outbound

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"superlist/lists/maillog"
	"superlist/queue"
	"superlist/smtp"
)

// How a message is divided among connections.
const (
	// maxWindow is how many recipients are handled together. It bounds the memory, and
	// the number among which the recipients of one domain are gathered.
	maxWindow = 10_000
	// minWindow is how many a message may have when many are under way: two of the
	// largest batches.
	minWindow = 2_000
	// minShare is for how many recipients another connection to the same destination is
	// worthwhile.
	minShare = 64
	// syncEvery is after how many messages to one recipient the outcomes are made
	// durable.
	syncEvery = 100
	// itsTurn is how long a message keeps a connection that others wait for.
	itsTurn = 10 * time.Second
)

// send sends an outbound message to every recipient still to do, and marks the
// outcomes. It calls slow, at most once, when only servers that make us wait are left.
func (s *Sender) send(ctx context.Context, m *queue.Message, slow func()) error {
	one := &sending{s: s, relay: &s.pool.relay, m: m}
	one.changed = sync.NewCond(&one.mu)
	if s.Progress != nil {
		todo, done, failed, err := m.Count()
		if err != nil {
			return err
		}
		one.done, one.total = done+failed, todo+done+failed
	}
	err := one.all(ctx)
	if one.waits() && err == nil {
		slow()
	}
	one.workers.Wait()
	one.sync()
	switch {
	case err != nil:
		return err
	case one.err != nil:
		return one.err
	case ctx.Err() != nil:
		return nil // the rest stays in cur, for the next run
	}
	return s.Finish(m, one.reason)
}

// all handles the recipients, a window at a time.
func (s *sending) all(ctx context.Context) error {
	size := s.s.windows.take()
	defer func() { s.s.windows.give(size) }()
	var window []queue.Recipient
	for rcpt, err := range s.m.Recipients() {
		if err != nil {
			return err
		}
		if rcpt.State != queue.ToDo {
			continue
		}
		if window = append(window, rcpt); len(window) < size {
			continue
		}
		if err := s.share(ctx, window); err != nil {
			return err
		}
		window = window[:0]
		s.s.windows.give(size)
		size = s.s.windows.take()
	}
	return s.share(ctx, window)
}

// windows count the recipients in memory, of all messages under way. The first message
// may have half of the total, the next half of the rest, and each some.
type windows struct {
	mu    sync.Mutex
	taken int
}

func (w *windows) take() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := max(minWindow, (2*maxWindow-w.taken)/2)
	w.taken += n
	return n
}

func (w *windows) give(n int) {
	w.mu.Lock()
	w.taken -= n
	w.mu.Unlock()
}

// A sending is one outbound message on its way.
type sending struct {
	s     *Sender
	relay *Relay
	m     *queue.Message

	workers     sync.WaitGroup
	mu          sync.Mutex
	changed     *sync.Cond
	jobs        []*job
	brisk       int    // workers not held up by a slow server
	late        int    // those held up
	reason      string // why a recipient was not accepted for now
	done, total int
	unsynced    int   // outcomes marked but not yet durable
	err         error // why this host cannot go on with the message

	composed sync.Once // whole
	whole    *io.SectionReader
	unfit    error // of composing it
}

// content returns the message as it is sent to a recipient.
func (s *sending) content(to smtp.Path) (*io.SectionReader, error) {
	if s.s.Compose == nil {
		return s.m.Content(), nil
	}
	if len(s.m.Holes) > 0 {
		return s.s.Compose(s.m, to)
	}
	s.composed.Do(func() { s.whole, s.unfit = s.s.Compose(s.m, smtp.Path{}) })
	if s.unfit != nil {
		return nil, s.unfit
	}
	return io.NewSectionReader(s.whole, 0, s.whole.Size()), nil
}

// A job is some recipients of one destination.
type job struct {
	dest  string
	rcpts []queue.Recipient // those that nobody has taken
	mode  mode
	apart bool // XVERP was refused for it
	late  bool // a member's server makes its worker wait
}

type mode byte

const (
	untaken  mode = iota
	taken         // by one worker, which finds out how they are sent
	personal      // one by one: any number of workers may take some
	over
)

// share distributes recipients to connections. It waits until all are done, or only
// members' servers that make us wait are left.
func (s *sending) share(ctx context.Context, window []queue.Recipient) error {
	if len(window) == 0 || ctx.Err() != nil {
		return nil
	}
	var jobs []*job
	// An address beyond ASCII does not share a transaction with the others: it needs
	// SMTPUTF8, which the whole path may not support.
	type kind struct {
		dest  string
		ascii bool
	}
	open := make(map[kind]*job)
	for _, rcpt := range window {
		k := kind{s.s.pool.route.dest(rcpt.Path), rcpt.IsASCII()}
		j := open[k]
		if j == nil || len(j.rcpts) == s.relay.Batch {
			j = &job{dest: k.dest}
			open[k] = j
			jobs = append(jobs, j)
		}
		j.rcpts = append(j.rcpts, rcpt)
	}
	workers := len(open)
	if workers == 1 {
		workers = 1 + len(window)/minShare
	}
	if s.relay.Network == "maildir" {
		workers = 1
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = jobs
	for range min(workers, s.relay.Connections) {
		s.hire(ctx)
	}
	for s.brisk > 0 {
		s.changed.Wait()
	}
	s.syncLocked()
	return s.err
}

// mark writes outcomes into the file.
func (s *sending) mark(from smtp.Path, batch []queue.Recipient, replies []smtp.Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	// Before the marks: a marked recipient is not tried again, and so does not refuse
	// again.
	if s.s.Refused != nil && slices.ContainsFunc(replies, func(r smtp.Reply) bool { return r.Code/100 != 2 }) {
		if err := s.s.Refused(s.m, batch, replies); err != nil {
			s.s.Log.Printf(maillog.Err, "trouble refused id=%s list=%s error=%q", s.m.ID, s.m.List, err)
		}
	}
	accepted, deferred := 0, 0
	var last, why smtp.Reply
	for i, reply := range replies {
		state := byte(queue.Done)
		switch {
		case reply.Permanent():
			state = queue.Fail
			s.s.Log.Printf(maillog.Warning, "refused id=%s list=%s to=%s reply=%q", s.m.ID, s.m.List, batch[i].Path, reply)
			s.s.Note(s.m, batch[i].Path.String()+" "+reply.String())
		case reply.Temporary():
			deferred++
			why = reply
			s.s.Log.Printf(maillog.Debug, "not now id=%s list=%s to=%s reply=%q", s.m.ID, s.m.List, batch[i].Path, reply)
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
		s.s.Log.Printf(maillog.Info, "sent id=%s list=%s from=%s%s recipients=%d reply=%q", s.m.ID, s.m.List, from, postFields(s.m), accepted, last)
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

// postFields identifies a message's post in a log line.
func postFields(m *queue.Message) (fields string) {
	if m.Post != "" {
		fields = " post=" + maillog.Value(m.Post)
	}
	if m.MessageID != "" {
		fields += " message-id=" + maillog.Value(m.MessageID)
	}
	return fields
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
	s.s.progress(s.m.ID, s.done, s.total)
	s.err = s.m.Sync()
}
