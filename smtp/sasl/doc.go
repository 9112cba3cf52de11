// Package sasl has the SASL mechanisms that github.com/emersion/go-sasl lacks,
// in its shapes: servers of LOGIN, CRAM-MD5 (RFC 2195) and SCRAM-SHA-256 (RFC
// 5802, RFC 7677), and clients of the last two. PLAIN and LOGIN's client are
// go-sasl's.
//
// It knows no accounts: a server is given a function that looks a secret up. It
// refuses channel binding, authorization as somebody else than the one who
// authenticates, a server that asks for so much work that it would hold us up
// or for so little that the password is cheap to guess, and it never takes a
// message that is not written exactly as the RFC has it.
package sasl

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	gosasl "github.com/emersion/go-sasl"
	"github.com/xdg-go/stringprep"
)

// The mechanisms that there are.
const (
	ScramSHA256 = "SCRAM-SHA-256"
	Plain       = gosasl.Plain
	Login       = gosasl.Login
	CramMD5     = "CRAM-MD5"
)

// Private are the mechanisms for a connection that nobody else can read, the
// best first. CRAM-MD5 is the last: it needs a server that stores something as
// good as the password.
var Private = []string{ScramSHA256, Plain, Login, CramMD5}

// Open are those for a connection that others may read: no one learns the
// password from it at once.
var Open = []string{ScramSHA256, CramMD5}

// ErrFailed is the error of a server whose client has not proved who it is.
var ErrFailed = errors.New("sasl: no such user, or the wrong password")

// ErrMalformed is wrapped in every error about a message that is not written as
// its mechanism has it.
var ErrMalformed = errors.New("sasl: malformed message")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// Choose gives the first mechanism of wanted that the server offers, or "".
func Choose(offered, wanted []string) string {
	for _, w := range wanted {
		if slices.ContainsFunc(offered, func(o string) bool { return strings.EqualFold(o, w) }) {
			return w
		}
	}
	return ""
}

// NewClient is the client of a mechanism. When the server says that it is
// satisfied, ask Finished whether we are.
func NewClient(mechanism, user, password string) (gosasl.Client, error) {
	switch mechanism {
	case ScramSHA256:
		return newScramClient(user, password)
	case Plain:
		if strings.Contains(user+password, "\x00") { // RFC 4616, 2
			return nil, errors.New("sasl: a NUL in the user name or the password")
		}
		return gosasl.NewPlainClient("", user, password), nil
	case Login:
		return gosasl.NewLoginClient(user, password), nil
	case CramMD5:
		return &cramClient{user: user, password: password}, nil
	}
	return nil, fmt.Errorf("sasl: no mechanism %q", mechanism)
}

// Finished reports whether a client has seen everything that it must see before
// the exchange is a success: with SCRAM the server proves that it knows the
// password too (RFC 5802, 5).
func Finished(c gosasl.Client) error {
	if s, ok := c.(*scramClient); ok && s.step != scramDone {
		return errors.New("sasl: the server has not proved that it knows the password")
	}
	return nil
}

// Prepare makes one form of all that a person may have typed for the same user
// name or password: SASLprep, RFC 4013. What it forbids, control characters
// among them, is an error.
func Prepare(s string) (string, error) {
	ascii := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return "", errors.New("sasl: a control character in the user name or the password")
		}
		ascii = ascii && s[i] < 0x80
	}
	if ascii {
		return s, nil // and the tables need not be looked at
	}
	return stringprep.SASLprep.Prepare(s)
}
