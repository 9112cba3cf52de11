package smtp

import (
	"fmt"
	"io"
	"time"
)

// A TLSServer starts TLS on a connection. It is implemented elsewhere, so that a
// program without TLS need not link crypto/tls.
type TLSServer interface {
	// Load reads key and certificate. It is called before the client is told to begin,
	// so that the client can still be told about a failure.
	Load() error
	// Handshake does the TLS handshake, and must finish by the given time. It returns
	// the encrypted connection and its properties.
	Handshake(rw io.ReadWriter, by time.Time) (io.ReadWriter, TLS, error)
}

// Replies to STARTTLS: RFC 3207, 4.
var (
	replyNoTLS   = Reply{454, "4.7.0", "TLS is not available now; please try again later"}
	replyNeedTLS = Reply{530, "5.7.0", "say STARTTLS first"}
)

// offersTLS reports whether STARTTLS is possible now.
func (s *Session) offersTLS() bool { return s.StartTLS && !s.TLS.On() }

// starttls handles STARTTLS: RFC 3207, 4.
//
// Anything that the client, or somebody in between, sent after the command is discarded
// first, in each of the two programs. It must never be taken for something said inside
// TLS (RFC 3207, 6; CVE-2011-0411).
func (s *Session) starttls(string) {
	switch {
	case s.TLS.On():
		s.refuse(Reply{554, "5.5.1", "TLS is active already"})
		return
	case !s.StartTLS:
		s.notHere()
		return
	case s.env != nil:
		s.refuse(Reply{503, "5.5.1", "a mail transaction is open; say STARTTLS before MAIL"})
		return
	}
	s.wire.discard()
	if s.TLSServer == nil {
		if err := s.handOver(); err != nil {
			s.refuseErr(fmt.Errorf("%w: %w", replyNoTLS, err), Event{What: "refused", Text: "STARTTLS"})
		}
		return
	}
	if err := s.TLSServer.Load(); err != nil {
		s.refuseErr(fmt.Errorf("%w: %w", replyNoTLS, err), Event{What: "refused", Text: "STARTTLS"})
		return
	}
	s.reply(Reply{220, "2.0.0", "ready to start TLS"})
	err := s.wire.bw.Flush()
	var rw io.ReadWriter
	if err == nil {
		rw, s.TLS, err = s.TLSServer.Handshake(s.wire.raw, s.wire.deadline(HandshakeTimeout))
	}
	if err != nil {
		// The two sides are out of step, so no reply is possible.
		s.done, s.lost = true, fmt.Errorf("TLS handshake: %w", err)
		return
	}
	s.wire.raw = rw
	s.reset() // RFC 3207, 4.2: nothing said before counts
	s.helo, s.proto, s.login, s.claimed = "", "", "", Claimed{}
	e := Event{What: "starttls"}
	if s.TLS.Doubt != "" {
		e.Err = fmt.Errorf("the client's certificate is not believed: %s", s.TLS.Doubt)
	}
	s.log(e)
}
