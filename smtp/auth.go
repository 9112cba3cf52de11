package smtp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Auth configures whether and how a session offers AUTH (RFC 4954). The zero value
// offers nothing.
type Auth struct {
	// Mechanisms lists the SASL mechanisms to offer, in upper case, the best first. If
	// empty, AUTH is not offered.
	Mechanisms []string
	// Insecure offers them outside TLS too, where others can read passwords.
	Insecure bool
	// Required refuses mail from a client that has not logged in.
	Required bool
	// Server runs the exchanges. If nil, this program has no Authenticator and hands
	// the session over.
	Server Authenticator
	// Wait delays the reply to a failed log-in; nil means time.Sleep.
	Wait func(time.Duration)
}

// An Authenticator checks how clients prove who they are. It is implemented elsewhere:
// this package knows neither accounts nor cryptography.
type Authenticator interface {
	// Mechanisms returns the mechanisms that it can serve now, in upper case.
	Mechanisms() ([]string, error)
	// Begin starts an exchange. An error, here or in Next, becomes a reply: by ReplyTo
	// if it is a refusal, otherwise 454 4.7.0.
	Begin(AuthRequest) (Exchange, error)
}

// An AuthRequest says which mechanism a client has chosen, and on what connection.
type AuthRequest struct {
	Mechanism string // one of those offered
	Peer      Peer
	Helo      string
	TLS       TLS
}

// An Exchange is one attempt to log in.
type Exchange interface {
	// Next takes the client's response: nil if it sent none with the command, otherwise
	// possibly empty. It returns the next challenge, or done if the client is who it
	// claims to be. It is not called again after an error or done.
	Next(response []byte) (challenge []byte, done bool, err error)
	// Login returns the name the client has claimed so far. It is proved only once Next
	// has returned done.
	Login() string
	// Close ends the exchange, whatever its outcome.
	Close() error
}

// Replies to AUTH: RFC 4954, 4 and 6.
var (
	// ReplyAuthFailed is the same for an unknown user and for a wrong password.
	ReplyAuthFailed = Reply{535, "5.7.8", "no such user, or the wrong password"}
	// ReplyAuthLater is for failures that may pass with time.
	ReplyAuthLater = Reply{454, "4.7.0", "logging in is not possible now; please try again later"}

	replyAuthSecret    = Reply{538, "5.7.11", "say STARTTLS first: nobody should read your password"}
	replyAuthRequired  = Reply{530, "5.7.0", "log in first, with AUTH"}
	replyAuthBase64    = Reply{501, "5.5.2", "that is not base64"}
	replyAuthCancelled = Reply{501, "5.7.0", "authentication cancelled"}
	replyAuthFailures  = Reply{421, "4.7.0", "too many failed attempts to log in; closing"}
)

// authOpen reports whether TLS, or its absence, allows AUTH here.
func (s *Session) authOpen() bool {
	return len(s.Auth.Mechanisms) > 0 && (s.TLS.On() || s.Auth.Insecure)
}

// mechanisms returns what can be offered now: what the configuration wants and the
// Authenticator can serve.
func (s *Session) mechanisms() ([]string, error) {
	switch {
	case !s.authOpen():
		return nil, nil
	case s.Auth.Server == nil:
		return s.Auth.Mechanisms, nil
	}
	served, err := s.Auth.Server.Mechanisms()
	if err != nil {
		return nil, orLater(err)
	}
	both := make([]string, 0, len(served))
	for _, m := range s.Auth.Mechanisms {
		if slices.Contains(served, m) {
			both = append(both, m)
		}
	}
	return both, nil
}

// orLater returns a refusal as it is, and wraps every other error so that the client
// hears ReplyAuthLater.
func orLater(err error) error {
	var r Reply
	if errors.As(err, &r) {
		return err
	}
	return fmt.Errorf("%w: %w", ReplyAuthLater, err)
}

// auth handles AUTH: RFC 4954, 4.
func (s *Session) auth(arg string) {
	words := strings.Fields(arg)
	switch {
	case len(s.Auth.Mechanisms) == 0:
		s.notHere()
		return
	case s.proto == "" || s.proto == SMTP:
		s.refuse(Reply{503, "5.5.1", "say EHLO first"})
		return
	case s.env != nil:
		s.refuse(Reply{503, "5.5.1", "a mail transaction is open; say AUTH before MAIL"})
		return
	case s.login != "":
		s.refuse(Reply{503, "5.5.1", "you have logged in already"})
		return
	case len(words) < 1 || len(words) > 2:
		s.refuse(Reply{501, "5.5.4", "AUTH needs a mechanism, and may have an initial response"})
		return
	case !s.authOpen():
		s.refuse(replyAuthSecret)
		return
	}
	mechanism := upper(words[0])
	offered, err := s.mechanisms()
	if err != nil {
		s.refuseErr(err, Event{What: "refused", Text: "AUTH"})
		return
	}
	if !slices.Contains(offered, mechanism) {
		s.refuse(Reply{504, "5.5.4", "this mechanism is not offered; EHLO lists those that are"})
		return
	}
	if s.Auth.Server == nil {
		if err := s.handOver(); err != nil {
			s.refuseErr(orLater(err), Event{What: "refused", Text: "AUTH"})
		}
		return
	}
	var first []byte // nil: no initial response
	if len(words) == 2 && words[1] == "=" {
		first = []byte{} // an empty one
	} else if len(words) == 2 {
		if first, err = decodeBase64(words[1]); err != nil {
			s.refuse(replyAuthBase64)
			return
		}
	}
	s.exchange(mechanism, first)
}

// exchange handles everything that follows the AUTH command.
func (s *Session) exchange(mechanism string, response []byte) {
	x, err := s.Auth.Server.Begin(AuthRequest{Mechanism: mechanism, Peer: s.Peer, Helo: s.helo, TLS: s.TLS})
	if err != nil {
		s.refuseErr(orLater(err), Event{What: "refused", Text: "AUTH"})
		return
	}
	defer x.Close()
	for range MaxAuthSteps {
		challenge, done, err := x.Next(response)
		if err != nil {
			s.authFailure(x.Login(), err)
			return
		}
		if done {
			s.login = x.Login()
			s.reply(Reply{235, "2.7.0", "logged in"})
			s.log(Event{What: "auth", Text: "mechanism=" + mechanism})
			return
		}
		// A challenge is one line, however long: RFC 4954, 4.
		s.wire.bw.WriteString("334 " + base64.StdEncoding.EncodeToString(challenge) + "\r\n")
		var ok bool
		if response, ok = s.authResponse(); !ok {
			return
		}
	}
	s.authFailure(x.Login(), Reply{535, "5.7.8", "this exchange does not end; use another mechanism"})
}

// authResponse reads the answer to a challenge. It returns false if there is no usable
// answer; the client has then been told why.
func (s *Session) authResponse() (response []byte, ok bool) {
	line, err := s.wire.readAuthLine()
	switch {
	case err == errBareCR:
		s.refuse(replyAuthBase64)
		return nil, false
	case err != nil && s.badLine(err):
		return nil, false
	case err != nil:
		s.wire.br.Reset(failed{err}) // the next read of a line returns this error
		return nil, false
	case line == "*":
		s.refuse(replyAuthCancelled)
		return nil, false
	}
	if response, err = decodeBase64(line); err != nil {
		s.refuse(replyAuthBase64)
		return nil, false
	}
	return response, true
}

// decodeBase64 accepts canonical base64 only. It never returns nil without an error.
func decodeBase64(s string) ([]byte, error) {
	out := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
	n, err := base64.StdEncoding.Strict().Decode(out, []byte(s))
	return out[:n], err
}

func authTooLong() Reply {
	return Reply{500, "5.5.6", fmt.Sprintf("authentication line longer than %d bytes", MaxAuthLine)}
}

// authFailure reports a failed attempt after a delay, which slows down guessing. A
// fault on our side is reported at once and does not count.
func (s *Session) authFailure(login string, err error) {
	err = orLater(err)
	e := Event{What: "refused", Text: "AUTH", Login: login}
	if ReplyTo(err).Temporary() {
		s.refuseErr(err, e)
		return
	}
	wait := s.Auth.Wait
	if wait == nil {
		wait = time.Sleep
	}
	wait(AuthDelay << s.authFailures)
	s.authFailures++
	s.refuseErr(err, e)
	if s.authFailures >= MaxAuthFailures && !s.done {
		s.done = true
		s.reply(replyAuthFailures)
	}
}

// checkAuthParam checks the AUTH parameter of MAIL: RFC 4954, 5. A server uses it to
// say who first submitted the message. A list looks at the login instead, so the value
// is checked and then ignored, as if it were <>. The RFC asks for that if the client is
// not trusted.
func checkAuthParam(value string) bool {
	text, ok := decodeXtext(value)
	if !ok || len(value) > MaxAuthParam {
		return false
	}
	if text == "<>" {
		return true
	}
	path, rest, ok := ParsePath("<" + text + ">")
	return ok && rest == "" && !path.IsNull()
}
