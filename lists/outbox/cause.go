package outbox

import "superlist/queue"

// A Cause is what letters follow from: it names them, and says what must be on disk
// before they are sent.
type Cause struct {
	ID    string // other results have the same id plus "-" and a word
	After []queue.After
}

// For returns the outbox for what follows from a cause.
func (o *Outbox) For(c Cause) *Outbox {
	other := *o
	other.After = c.After
	return &other
}
