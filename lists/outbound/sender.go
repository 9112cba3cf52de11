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
	// MaxAtOnce is how many messages are sent at a time: one whose relay or members'
	// servers take their time must not keep the others. Each costs an open file and
	// some recipients in memory.
	MaxAtOnce = 20
	// lookAgain is how long a run that still sends leaves the spool alone: a post
	// that comes meanwhile waits no longer, though no second run is started for it.
	lookAgain = time.Second
	// lookShare is which part of its time a run looks at the spool at most. To look
	// at a hundred thousand messages that wait takes a while.
	lookShare = 50
)

// A Sender sends what a spool's outbound box has: several messages at a time, the posts
// of each list one after the other, in the order in which they came.
type Sender struct {
	*attempt.Attempts
	Relay Relay

	// Ready reports whether a message may be sent, or something that has to come before
	// has not happened yet. nil: all may.
	Ready func(m *queue.Message) bool

	// Compose, where set, gives a message as it is sent to a recipient, or to many (null)
	// where it has no holes. nil: as it is in the spool.
	Compose func(m *queue.Message, to smtp.Path) (*io.SectionReader, error)

	// Refused, where set, hears what came of a transaction in which somebody was
	// refused, for good or for now, before that is marked. It may hear it again after a
	// crash, and is called by several at a time.
	Refused func(m *queue.Message, batch []queue.Recipient, replies []smtp.Reply) error

	// Progress, where set, hears how far a message has come. It is called for one at
	// a time.
	Progress func(id string, done, total int)

	// AtOnce is how many messages are sent at a time; 0: as many as there may be.
	AtOnce int

	// patience is with a connection; nil: the standard. Tests have none.
	patience func(dest string, standard time.Duration) time.Duration

	hears   sync.Mutex // Progress
	pool    *pool
	windows windows

	ctx      context.Context
	row      []entry          // to be begun
	known    map[string]bool  // ids in the row, in a lane, or under way
	stuck    map[string]bool  // messages that could not be worked on in this run
	lanes    map[string]*lane // those that are taken
	sending  int              // messages that have a place among MaxAtOnce
	underWay int              // these, and those that only wait for slow servers
	events   chan event
	next     time.Time // to look at the spool
}

// A Source is where outbound messages come from while others are sent.
type Source interface {
	// Look makes the messages whose time has come. found is how many there were to work
	// on, and more that it should be asked again soon.
	Look(ctx context.Context) (found int, more bool, err error)
	// Woken hears that there is something to look at.
	Woken() <-chan struct{}
	// Busy reports whether it will, or may.
	Busy() bool
}

// Run sends everything that is due, once, and what comes from the source meanwhile. It
// stops early, between two batches, when ctx ends: then over is false. stuck are the
// messages that could not be worked on.
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
		case looks: // what came meanwhile too, so that no wake-up is lost
			over = true
		}
	}
	for s.underWay > 0 { // soon, where the context has ended
		s.hear(<-s.events)
	}
	return over, len(s.stuck), err
}

// look has the source make what it has, and then looks at the spool.
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

// An event is what a message under way has come to: it is done with, or it only
// waits for slow servers and others may take its place.
type event struct {
	id, lane string
	frees    bool // its place and its lane
	over     bool
	err      error
}

// stale says that it is time to look at the spool again.
func (s *Sender) stale() bool { return !time.Now().Before(s.next) }

// list puts the outbound messages that are due, and not known yet, into the row.
// began is when the spool was begun to be looked at.
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

// isReady asks whether a message may be sent. What cannot be read may: then it is set
// aside.
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

// begin begins to send what has a place, and says of how many messages that is.
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

// start begins to send a message, unless another of its lane is under way.
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

// free lets the next message of a lane begin.
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

// laneOf names the messages that leave one after the other: the posts of a list, and
// the letters to one person.
func laneOf(m *queue.Message) string {
	if m.VERP {
		return m.List.Key()
	}
	for rcpt, err := range m.Recipients() {
		if err == nil { // else send finds it damaged
			return m.List.Key() + " " + rcpt.Path.Key()
		}
	}
	return m.ID
}

// wait waits until a message has come to something, or it is time to look at the
// spool.
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
