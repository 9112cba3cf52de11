package queue

import (
	"bufio"
	"fmt"
	"io"
	"iter"
)

// Recipients yields the recipients in the order of the file. It stops after the first
// error, which it yields with a zero Recipient.
func (m *Message) Recipients() iter.Seq2[Recipient, error] {
	return func(yield func(Recipient, error) bool) {
		at := m.recipientsAt
		br := bufio.NewReaderSize(io.NewSectionReader(m.f, at, m.contentAt-at), int(min(64<<10, m.contentAt-at)))
		for {
			line, err := headLine(br)
			if err == nil && line == "" {
				return
			}
			r, ok := parseRecipient(line)
			if err == nil && !ok {
				err = fmt.Errorf("%s: %w: recipient %q", m.path, ErrDamaged, line)
			}
			r.at = at
			if !yield(r, err) || err != nil {
				return
			}
			at += int64(len(line)) + 1
		}
	}
}

// Count counts the recipients by state.
func (m *Message) Count() (todo, done, failed int, err error) {
	for r, err := range m.Recipients() {
		if err != nil {
			return 0, 0, 0, err
		}
		switch r.State {
		case ToDo:
			todo++
		case Done:
			done++
		case Fail:
			failed++
		}
	}
	return todo, done, failed, nil
}

// Mark sets the state of a recipient in the file. Sync makes it durable.
func (m *Message) Mark(r Recipient, state byte) error {
	_, err := m.f.WriteAt([]byte{state}, r.at)
	return err
}

// Sync makes all marks and notes durable.
func (m *Message) Sync() error {
	return m.f.Datasync()
}
