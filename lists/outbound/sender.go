package outbound

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync"
	"time"

	"superlist/lists/attempt"
	"superlist/queue"
	"superlist/smtp"
)

const (
	// MaxAtOnce is how many messages are sent at a time, so that one with a slow relay
	// or slow members' servers does not hold up the others. Each costs an open file and
	// some recipients in memory.
	MaxAtOnce = 20
	// lookAgain is how long a run that is still sending leaves the spool alone: a post
	// that arrives meanwhile waits no longer than that, though no second run is started
	// for it.
	lookAgain = time.Second
	// lookShare limits the time a run spends looking at the spool to one part in this
	// many. Looking at a hundred thousand waiting messages takes a while.
	lookShare = 50
)

// A Sender sends what is in a spool's outbound box: several messages at a time, but the
// posts of each list one after the other, in the order of their arrival.
type Sender struct {
	*attempt.Attempts
	Relay Relay

	// Ready reports whether a message may be sent; if not, something that must come
	// first has not happened yet. If nil, all may be sent.
	Ready func(m *queue.Message) bool

	// Compose, if set, returns a message as it is sent to a recipient, or to many
	// (null) if it has no holes. If nil, it is sent as it is in the spool.
	Compose func(m *queue.Message, to smtp.Path) (*io.SectionReader, error)

	// Refused, if set, gets the outcome of a transaction in which somebody was refused,
	// permanently or temporarily, before that is marked. It may get it again after a
	// crash, and is called concurrently.
	Refused func(m *queue.Message, batch []queue.Recipient, replies []smtp.Reply) error

	// Progress, if set, is told how far a message has got. Calls do not overlap.
	Progress func(id string, done, total int)

	// AtOnce is how many messages are sent at a time; 0: MaxAtOnce.
	AtOnce int

	// patience overrides the patience with a connection; nil: the standard. Tests use
	// none.
	patience func(dest string, standard time.Duration) time.Duration

	hears   sync.Mutex // for Progress
	pool    *pool
	windows windows

	ctx      context.Context
	row      []entry          // to be started
	known    map[string]bool  // ids in the row, in a lane, or under way
	stuck    map[string]bool  // messages that could not be handled in this run
	lanes    map[string]*lane // lanes in use
	sending  int              // messages that count towards AtOnce
	underWay int              // those, plus the ones that only wait for slow servers
	events   chan event
	next     time.Time // when to look at the spool
}

// A Source makes outbound messages while others are sent.
type Source interface {
	// Look makes the messages whose time has come. found is how many it worked on, and
	// more says that it should be called again soon.
	Look(ctx context.Context) (found int, more bool, err error)
	// Woken signals that there is something to look at.
	Woken() <-chan struct{}
	// Busy reports whether there will, or may, be something to look at.
	Busy() bool
}

// Run sends everything that is due, once, and what the source adds meanwhile. It stops
// early, between two batches, when ctx ends: then over is false. stuck are the messages
// that could not be handled.
func (s *Sender) Run(ctx context.Context, from Source) (over bool, stuck int, err error) {
	if s.pool, err = newPool(s.Relay, s.Log); err != nil {
		return false, 0, err
	}
	defer s.pool.close()
	if s.patience != nil {
		s.pool.patience = s.patience
	}
	s.ctx, s.known, s.stuck, s.lanes = ctx, make(map[string]bool), make(map[string]bool), make(map[string]*lane)
	s.events = make(chan event, 2*MaxAtOnce)
	idle := func() bool { return s.underWay+len(s.row) == 0 && !from.Busy() }
	for ctx.Err() == nil && !over {
		found, looks := 0, idle() || s.stale()
		if looks {
			if found, err = s.look(ctx, from); err != nil {
				break
			}
		}
		n := s.begin()
		switch {
		case found+n > 0:
		case !idle():
			s.wait(from.Woken())
		case looks: // also what arrived meanwhile, so that no wake-up is lost
			over = true
		}
	}
	for s.underWay > 0 { // soon, if the context has ended
		s.hear(<-s.events)
	}
	return over, len(s.stuck), err
}

// look makes the source do its work, and then looks at the spool.
func (s *Sender) look(ctx context.Context, from Source) (found int, err error) {
	began := time.Now()
	found, more, err := from.Look(ctx)
	if err != nil {
		return 0, err
	}
	if err := s.list(began); err != nil {
		return 0, err
	}
	if more {
		s.next = time.Time{}
	}
	return found, nil
}

func (s *Sender) progress(id string, done, total int) {
	if s.Progress != nil {
		s.hears.Lock()
		s.Progress(id, done, total)
		s.hears.Unlock()
	}
}

// An entry is a message in the row. Its lane is known once it has been opened.
type entry struct {
	queue.Entry
	lane string
}

// A lane has one message under way at a time. The others wait in it.
type lane struct{ waiting []entry }

// An event says that a message is finished, or that it only waits for slow servers and
// others may take its place.
type event struct {
	id, lane string
	frees    bool // its place and its lane
	over     bool
	err      error
}

// stale reports whether it is time to look at the spool again.
func (s *Sender) stale() bool { return !time.Now().Before(s.next) }

// list adds the outbound messages that are due and not yet known to the row. began is
// when looking at the spool began.
func (s *Sender) list(began time.Time) error {
	entries, err := s.Spool.List(queue.Outbound)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Due.After(s.Time()) {
			break
		}
		if !s.known[e.ID] && !s.stuck[e.ID] && s.isReady(e.ID) {
			s.known[e.ID] = true
			s.row = append(s.row, entry{Entry: e})
		}
	}
	now := time.Now()
	s.next = now.Add(max(lookAgain, lookShare*now.Sub(began)))
	return nil
}

// isReady reports whether a message may be sent. One that cannot be read may, and is
// then set aside.
func (s *Sender) isReady(id string) bool {
	if s.Ready == nil {
		return true
	}
	m, err := s.Spool.Open(queue.Outbound, id)
	if err != nil {
		return errors.Is(err, queue.ErrDamaged) || errors.Is(err, fs.ErrPermission)
	}
	defer m.Close()
	return s.Ready(m)
}

// begin starts the messages that have a place, and returns how many.
func (s *Sender) begin() (n int) {
	most := cmp.Or(s.AtOnce, MaxAtOnce)
	for len(s.events) > 0 {
		s.hear(<-s.events)
	}
	for s.sending < most && len(s.row) > 0 && s.ctx.Err() == nil {
		e := s.row[0]
		s.row = s.row[1:]
		if s.start(e) {
			n++
		}
	}
	return n
}

// start starts a message, unless another of its lane is under way.
func (s *Sender) start(e entry) bool {
	m, err := s.Claim(queue.Outbound, e.Entry)
	if m == nil || err != nil {
		delete(s.known, e.ID)
		if err != nil {
			s.stuck[e.ID] = true
		}
		s.free(e.lane)
		return false
	}
	if e.lane == "" {
		e.lane = laneOf(m)
		if l := s.lanes[e.lane]; l != nil {
			e.Entry = m.Entry()
			l.waiting = append(l.waiting, e)
			m.Close()
			return false
		}
		s.lanes[e.lane] = new(lane)
	}
	s.sending++
	s.underWay++
	go func() {
		frees := true
		slow := func() {
			frees = false
			s.events <- event{id: m.ID, lane: e.lane, frees: true}
		}
		err := s.Work(s.ctx, m, func(ctx context.Context, m *queue.Message) error { return s.send(ctx, m, slow) })
		s.events <- event{id: m.ID, lane: e.lane, frees: frees, over: true, err: err}
	}()
	return true
}

// free lets the next message of a lane start.
func (s *Sender) free(name string) {
	l := s.lanes[name]
	if l == nil {
		return
	}
	if len(l.waiting) == 0 {
		delete(s.lanes, name)
		return
	}
	s.row = slices.Insert(s.row, 0, l.waiting[0])
	l.waiting = l.waiting[1:]
}

// laneOf returns the lane of a message. The posts of a list share a lane, as do the
// letters to one person.
func laneOf(m *queue.Message) string {
	if m.VERP {
		return m.List.Key()
	}
	for rcpt, err := range m.Recipients() {
		if err == nil { // otherwise send will find it damaged
			return m.List.Key() + " " + rcpt.Path.Key()
		}
	}
	return m.ID
}

// wait waits for an event, or until it is time to look at the spool.
func (s *Sender) wait(woken <-chan struct{}) {
	again := time.NewTimer(time.Until(s.next))
	defer again.Stop()
	select {
	case e := <-s.events:
		s.hear(e)
	case <-woken:
		s.next = time.Time{}
	case <-again.C:
	}
}

func (s *Sender) hear(e event) {
	if e.frees {
		s.sending--
		s.free(e.lane)
	}
	if !e.over {
		return
	}
	s.underWay--
	delete(s.known, e.id)
	if e.err != nil {
		s.stuck[e.id] = true
	}
}
