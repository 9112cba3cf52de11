package smtp

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
)

// memory is a Backend that keeps messages in memory. The local parts of
// addresses say what is to happen to them: see the constants.
type memory struct {
	got []stored
}

type stored struct {
	env         Envelope
	text        string
	acknowledge int // how often the client is to hear of it
}

const (
	nobody  = "nobody"  // refused at MAIL or RCPT
	full    = "full"    // ENOSPC at MAIL or RCPT
	noData  = "nodata"  // a sender whose DATA is refused
	noSpace = "nospace" // a sender whose message meets a full disk
	tooLate = "late"    // refused when the message has been read
	bug     = "bug"     // a sender for whom the backend panics
)

var (
	replyNobody = Reply{550, "5.1.1", "there is nobody of that name"}
	replyLate   = Reply{554, "5.7.1", "the message is not wanted"}
)

func decide(local string) error {
	switch local {
	case nobody:
		return fmt.Errorf("decide: %w", replyNobody)
	case full:
		return fmt.Errorf("decide: %w", syscall.ENOSPC)
	case bug:
		panic("a bug of the backend's")
	}
	return nil
}

func (m *memory) Mail(env *Envelope) error { return decide(env.From.Local) }

func (m *memory) Reset() {}

func (m *memory) Rcpt(_ *Envelope, to Rcpt) error { return decide(to.Local) }

func (m *memory) Data(env *Envelope) (Message, error) {
	if env.From.Local == noData {
		return nil, fmt.Errorf("data: %w", ReplyNoSpace)
	}
	return &memoryMessage{backend: m, env: env}, nil
}

type memoryMessage struct {
	backend *memory
	env     *Envelope
	text    bytes.Buffer
	over    bool
}

func (m *memoryMessage) Write(p []byte) (int, error) {
	if m.over {
		panic("written to after the end")
	}
	if m.env.From.Local == noSpace {
		m.over = true
		return 0, syscall.ENOSPC
	}
	return m.text.Write(p)
}

func (m *memoryMessage) end() {
	if m.over && m.env.From.Local != noSpace {
		panic("ended twice")
	}
	m.over = true
}

func (m *memoryMessage) Commit() (string, []error) {
	m.end()
	outcomes := make([]error, len(m.env.To))
	n := 0
	for i, to := range m.env.To {
		late := to.Local == tooLate || m.env.Proto != LMTP && slices.ContainsFunc(m.env.To, func(p Rcpt) bool { return p.Local == tooLate })
		if late {
			outcomes[i] = replyLate
		} else {
			n++
		}
	}
	if n == 0 {
		return "", outcomes
	}
	if m.env.Proto != LMTP {
		n = 1
	}
	m.backend.got = append(m.backend.got, stored{*m.env, m.text.String(), n})
	return fmt.Sprintf("M%d", len(m.backend.got)), outcomes
}

func (m *memoryMessage) Abort() { m.end() }

// talk lets a session hear in and gives all it said, what its backend got, and
// the log.
func talk(in string) (out string, got []stored, log []string) {
	return talkTo(strings.NewReader(in))
}

func talkTo(in io.Reader) (out string, got []stored, log []string) {
	var b strings.Builder
	backend := new(memory)
	s := &Session{
		Hostname: "lists.example.org", Backend: backend, Peer: Peer{Name: "stdin"}, MaxMessageSize: 10000,
		Log: func(e Event) { log = append(log, e.String()) },
	}
	s.Serve(rw{in, &b})
	return b.String(), backend.got, log
}
