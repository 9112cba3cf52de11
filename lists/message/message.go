// Package message is a message of the spool together with its header, which is read and
// parsed once, however many ask for it.
package message

import (
	"io"

	"superlist/lists/rewrite"
	"superlist/queue"
)

// A Message is a message of the spool.
type Message struct {
	*queue.Message
	read   bool
	raw    []byte
	header rewrite.Header
	bodyAt int64
	err    error
}

// Of returns a message whose header has not been read yet.
func Of(m *queue.Message) *Message { return &Message{Message: m} }

// look reads the header, unless that has been done.
func (m *Message) look() error {
	if !m.read {
		m.read = true
		if m.raw, m.bodyAt, m.err = rewrite.ReadHeader(m.Content()); m.err == nil {
			m.header = rewrite.Parse(m.raw)
		}
	}
	return m.err
}

// Header returns the header. It is shared and must not be changed.
func (m *Message) Header() (rewrite.Header, error) {
	err := m.look()
	return m.header, err
}

// Raw returns the header as received, without the empty line.
func (m *Message) Raw() ([]byte, error) {
	err := m.look()
	return m.raw, err
}

// BodyReader returns what follows the header.
func (m *Message) BodyReader() (*io.SectionReader, error) {
	if err := m.look(); err != nil {
		return nil, err
	}
	return io.NewSectionReader(m.Content(), m.bodyAt, m.Size-m.bodyAt), nil
}
