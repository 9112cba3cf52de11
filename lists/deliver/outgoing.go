package deliver

import (
	"context"
	"slices"
	"time"

	"superlist/queue"
)

const (
	// maxAtOnce is how many messages are sent at a time: one whose relay or members'
	// servers take their time must not keep the others. Each costs an open file and
	// some recipients in memory.
	maxAtOnce = 20
	// lookAgain is how long a run that still sends leaves the spool alone: a post
	// that comes meanwhile waits no longer, though no second run is started for it.
	lookAgain = time.Second
	// lookShare is which part of its time a run looks at the spool at most. To look
	// at a hundred thousand messages that wait takes a while.
	lookShare = 50
)

// outgoing is what a run sends: several messages at a time, of each list its posts
// one after the other, in the order in which they came.
type outgoing struct {
	r        *Runner
	ctx      context.Context
	row      []entry          // to be begun
	known    map[string]bool  // ids in the row, in a lane, or under way
	lanes    map[string]*lane // those that are taken
	sending  int              // messages that have a place among maxAtOnce
	underWay int              // these, and those that only wait for slow servers
	events   chan event
	next     time.Time // to look at the spool
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

func newOutgoing(ctx context.Context, r *Runner) *outgoing {
	return &outgoing{r: r, ctx: ctx, known: make(map[string]bool), lanes: make(map[string]*lane), events: make(chan event, 2*maxAtOnce)}
}

// idle says that nothing is under way, and nothing is known that could be.
func (o *outgoing) idle() bool { return o.underWay+len(o.row) == 0 && !o.r.keys.Busy() }

// stale says that it is time to look at the spool again.
func (o *outgoing) stale() bool { return !time.Now().Before(o.next) }

// list puts the outbound messages that are due, and not known yet, into the row.
// began is when the spool was begun to be looked at.
func (o *outgoing) list(began time.Time) error {
	entries, err := o.r.Spool.List(queue.Outbound)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Due.After(o.r.now()) {
			break
		}
		if !o.known[e.ID] && !o.r.stuck[e.ID] && o.r.ready(e.ID) {
			o.known[e.ID] = true
			o.row = append(o.row, entry{Entry: e})
		}
	}
	now := time.Now()
	o.next = now.Add(max(lookAgain, lookShare*now.Sub(began)))
	return nil
}

// begin begins to send what has a place, and says of how many messages that is.
func (o *outgoing) begin() (n int) {
	most := maxAtOnce
	if o.r.atOnce > 0 {
		most = o.r.atOnce
	}
	for len(o.events) > 0 {
		o.hear(<-o.events)
	}
	for o.sending < most && len(o.row) > 0 && o.ctx.Err() == nil {
		e := o.row[0]
		o.row = o.row[1:]
		if o.start(e) {
			n++
		}
	}
	return n
}

// start begins to send a message, unless another of its lane is under way.
func (o *outgoing) start(e entry) bool {
	m, err := o.r.claim(queue.Outbound, e.Entry)
	if m == nil || err != nil {
		delete(o.known, e.ID)
		if err != nil {
			o.r.stuck[e.ID] = true
		}
		o.free(e.lane)
		return false
	}
	if e.lane == "" {
		e.lane = laneOf(m)
		if l := o.lanes[e.lane]; l != nil {
			e.Entry = m.Entry()
			l.waiting = append(l.waiting, e)
			m.Close()
			return false
		}
		o.lanes[e.lane] = new(lane)
	}
	o.sending++
	o.underWay++
	go func() {
		frees := true
		slow := func() {
			frees = false
			o.events <- event{id: m.ID, lane: e.lane, frees: true}
		}
		err := o.r.handle(o.ctx, m, func(ctx context.Context, m *queue.Message) error { return o.r.send(ctx, m, slow) })
		o.events <- event{id: m.ID, lane: e.lane, frees: frees, over: true, err: err}
	}()
	return true
}

// free lets the next message of a lane begin.
func (o *outgoing) free(name string) {
	l := o.lanes[name]
	if l == nil {
		return
	}
	if len(l.waiting) == 0 {
		delete(o.lanes, name)
		return
	}
	o.row = slices.Insert(o.row, 0, l.waiting[0])
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
func (o *outgoing) wait() {
	again := time.NewTimer(time.Until(o.next))
	defer again.Stop()
	select {
	case e := <-o.events:
		o.hear(e)
	case <-o.r.keys.Woken():
		o.next = time.Time{}
	case <-again.C:
	}
}

// end waits for all that is under way. It ends by itself, soon when the run's
// context has ended.
func (o *outgoing) end() {
	for o.underWay > 0 {
		o.hear(<-o.events)
	}
}

func (o *outgoing) hear(e event) {
	if e.frees {
		o.sending--
		o.free(e.lane)
	}
	if !e.over {
		return
	}
	o.underWay--
	delete(o.known, e.id)
	if e.err != nil {
		o.r.stuck[e.id] = true
	}
}
