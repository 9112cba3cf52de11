// Package sasl has the SASL mechanisms that github.com/emersion/go-sasl lacks, with the
// same interfaces: servers of LOGIN, CRAM-MD5 (RFC 2195) and SCRAM-SHA-256 (RFC 5802,
// RFC 7677), and clients of the last two. PLAIN, and the client of LOGIN, are
// go-sasl's.
//
// It knows no accounts: a server is given a function that looks up a secret. It refuses
// channel binding and authorization as somebody else. A client refuses a server that
// asks for so many iterations that they would hold it up, or for so few that the
// password would be cheap to guess. A message that is not written exactly as in the RFC
// is refused.
package sasl

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	gosasl "github.com/emersion/go-sasl"
	"github.com/xdg-go/stringprep"
)

// The mechanisms.
const (
	ScramSHA256 = "SCRAM-SHA-256"
	Plain       = gosasl.Plain
	Login       = gosasl.Login
	CramMD5     = "CRAM-MD5"
)

// Private lists the mechanisms for an encrypted connection, the best first. CRAM-MD5 is
// last: its server has to store something as good as the password.
var Private = []string{ScramSHA256, Plain, Login, CramMD5}

// Open lists the mechanisms for a connection that others can read: it does not directly
// reveal the password.
var Open = []string{ScramSHA256, CramMD5}

// ErrFailed means that the client has not proved who it is.
var ErrFailed = errors.New("sasl: no such user, or the wrong password")

// ErrMalformed is wrapped in each error about a message with bad syntax.
var ErrMalformed = errors.New("sasl: malformed message")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// Choose returns the first mechanism of wanted that the server offers, or "".
func Choose(offered, wanted []string) string {
	for _, w := range wanted {
		if slices.ContainsFunc(offered, func(o string) bool { return strings.EqualFold(o, w) }) {
			return w
		}
	}
	return ""
}

// NewClient returns the client of a mechanism. When the server reports success,
// Finished tells whether the client agrees.
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

// Finished returns an error unless the client has seen all that makes the exchange a
// success: in SCRAM the server must prove that it knows the password too (RFC 5802, 5).
func Finished(c gosasl.Client) error {
	if s, ok := c.(*scramClient); ok && s.step != scramDone {
		return errors.New("sasl: the server has not proved that it knows the password")
	}
	return nil
}

// Prepare normalizes a user name or password, which can be typed in several ways:
// SASLprep, RFC 4013. It returns an error for forbidden characters, such as control
// characters.
func Prepare(s string) (string, error) {
	ascii := true
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return "", errors.New("sasl: a control character in the user name or the password")
		}
		ascii = ascii && s[i] < 0x80
	}
	if ascii {
		return s, nil // no need to consult the tables
	}
	return stringprep.SASLprep.Prepare(s)
}
