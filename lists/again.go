package lists

import (
	"crypto/sha256"
	digest "hash"
	"slices"
	"time"
)

// An again recognises a message that was taken before. In SMTP our reply is the
// client's proof; a milter's verdict is none: a filter behind it may fail, the
// client is told to come again, and the message is here already.
type again struct {
	body digest.Hash
	keys [][]byte // of the recipients that get it now
}

func newAgain() *again { return &again{body: sha256.New()} }

// name gives the message a name for each recipient. The same message has the same
// Message-ID and the same body: the rest of the header may have been changed by
// the filters before us. Without a Message-ID there is no name.
func (m *Incoming) name(i int, id string) []byte {
	key := sha256.New()
	for _, part := range []string{m.env.To[i].Key(), id, string(m.again.body.Sum(nil))} {
		key.Write(append([]byte(part), 0))
	}
	return key.Sum(nil)
}

// without adds to the recipients that are left out those that have the message
// already. Where all have it the id to give is that of the first time.
func (m *Incoming) without(refused []int) []int {
	h, _ := m.header.Header()
	id := h.Get("Message-ID")
	if m.again == nil || id == "" {
		return refused
	}
	now, before := time.Now(), ""
	for i := range m.in.dests {
		if slices.Contains(refused, i) {
			continue
		}
		key := m.name(i, id)
		if earlier, ok := m.in.Spool.Taken(key, now); ok {
			before = earlier
			refused = append(refused, i)
		} else {
			m.again.keys = append(m.again.keys, key)
		}
	}
	if len(refused) == len(m.in.dests) {
		m.instead = before
	}
	return refused
}

// remember makes the message known for the recipients that got it now.
func (m *Incoming) remember() {
	if m.again == nil {
		return
	}
	for _, key := range m.again.keys {
		m.in.Spool.Take(key, m.w.ID(), time.Now()) // at worst it is taken twice
	}
}
