package intake

import (
	"crypto/sha256"
	digest "hash"
	"slices"
	"time"

	"superlist/lists/rewrite"
)

// A duplicate recognizes a message that was accepted before. In SMTP our reply tells
// the client so. A milter's verdict does not: if a filter behind it fails, the client
// is told to try again, although the message is already here.
type duplicate struct {
	body digest.Hash
	sure []bool   // by recipient: accepted, and not held, asked about or dropped
	keys [][]byte // of the recipients that get it now
}

func newDuplicate() *duplicate { return &duplicate{body: sha256.New()} }

// name names the message for each recipient. The same message has the same sender,
// login, author, Message-ID and body; the filters before us may have changed the rest
// of the header. Somebody who has seen another's message may send it first, but under
// their own name it is a different one.
func (m *Incoming) name(i int, id string, h rewrite.Header) []byte {
	key := sha256.New()
	add := func(part string) { key.Write(append([]byte(part), 0)) }
	add(m.env.To[i].Key())
	add(m.env.From.Key())
	add(m.env.Login)
	add(id)
	for _, f := range h.All("From") {
		add(f.Value())
	}
	add("")
	key.Write(m.duplicate.body.Sum(nil))
	return key.Sum(nil)
}

// without adds the recipients that already have the message to those that are left out.
// If all have it, the message gets the id of the first time.
func (m *Incoming) without(refused []int) []int {
	h, _ := m.header.Header()
	id := h.Get("Message-ID")
	if m.duplicate == nil || id == "" {
		return refused
	}
	now, before := time.Now(), ""
	for i := range m.in.dests {
		if slices.Contains(refused, i) {
			continue
		}
		key := m.name(i, id, h)
		if earlier, ok := m.in.Spool.Taken(key, now); ok {
			before = earlier
			refused = append(refused, i)
		} else if m.duplicate.sure[i] {
			m.duplicate.keys = append(m.duplicate.keys, key)
		}
	}
	if len(refused) == len(m.in.dests) {
		m.instead = before
	}
	return refused
}

// remember makes the message known for the recipients that got it now. Held and dropped
// ones are not remembered: whoever sends the message again, from the right address or
// logged in, must be heard.
func (m *Incoming) remember() {
	if m.duplicate == nil {
		return
	}
	for _, key := range m.duplicate.keys {
		m.in.Spool.Take(key, m.w.ID(), time.Now()) // at worst it is accepted twice
	}
}
