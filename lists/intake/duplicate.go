package intake

import (
	"crypto/sha256"
	digest "hash"
	"slices"
	"time"

	"superlist/lists/rewrite"
)

// A duplicate recognises a message that was taken before. In SMTP our reply is the
// client's proof; a milter's verdict is none: a filter behind it may fail, the
// client is told to come again, and the message is here already.
type duplicate struct {
	body digest.Hash
	sure []bool   // by recipient: it is accepted, and neither held, nor asked about, nor dropped
	keys [][]byte // of the recipients that get it now
}

func newDuplicate() *duplicate { return &duplicate{body: sha256.New()} }

// name gives the message a name for each recipient. The same message has the same
// sender, login, author, Message-ID and body: the rest of the header may have been
// changed by the filters before us. Who has seen somebody's message can send it
// first, but in a name of their own it is another one.
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

// without adds to the recipients that are left out those that have the message
// already. Where all have it the id to give is that of the first time.
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

// remember makes the message known for the recipients that got it now. What is
// held, or dropped, is not: who sends it again, from the right address or logged
// in, must be heard.
func (m *Incoming) remember() {
	if m.duplicate == nil {
		return
	}
	for _, key := range m.duplicate.keys {
		m.in.Spool.Take(key, m.w.ID(), time.Now()) // at worst it is taken twice
	}
}
