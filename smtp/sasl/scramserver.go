package sasl

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"

	gosasl "github.com/emersion/go-sasl"
)

// The steps of an exchange, of either side.
const (
	scramFirst = iota // client-first-message
	scramFinal        // client-final-message
	scramEnd          // the server's proof
	scramDone
	scramOver
)

type scramServer struct {
	lookup   func(user string) (ScramVerifier, error)
	nonce    string // ours
	step     int
	gs2      string
	bare     string // client-first-message-bare
	first    string // server-first-message
	verifier ScramVerifier
}

// NewScramServer returns a server of SCRAM-SHA-256. lookup gets a prepared user name.
// For an unknown user it must return a Decoy, so that a client cannot tell.
func NewScramServer(lookup func(user string) (ScramVerifier, error)) gosasl.Server {
	return &scramServer{lookup: lookup, nonce: rand.Text()}
}

func (s *scramServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil && s.step == scramFirst {
		return []byte{}, false, nil // RFC 4422, 5.1: the client speaks first
	}
	step := s.step
	s.step = scramOver // unless it succeeds
	switch step {
	case scramFirst:
		challenge, err = s.clientFirst(string(response))
	case scramFinal:
		challenge, err = s.clientFinal(string(response))
	case scramEnd:
		// SMTP cannot carry our proof in its 235, so it was sent as a challenge, which
		// the client answers with nothing: RFC 4954, 4.
		if len(response) != 0 {
			return nil, false, malformed("words after the end")
		}
		s.step = scramDone
		return nil, true, nil
	default:
		return nil, false, gosasl.ErrUnexpectedClientResponse
	}
	if err != nil {
		return nil, false, err
	}
	s.step = step + 1
	return challenge, false, nil
}

// clientFirst takes the user name, and returns salt and iterations.
func (s *scramServer) clientFirst(msg string) ([]byte, error) {
	flag, rest, ok := strings.Cut(msg, ",")
	authzid, bare, ok2 := strings.Cut(rest, ",")
	switch {
	case !ok || !ok2:
		return nil, malformed("no GS2 header")
	case strings.HasPrefix(flag, "p="):
		return nil, malformed("channel binding is not offered here")
	case flag != "n" && flag != "y": // y: the client could bind and believes, rightly, that we cannot
		return nil, malformed("a GS2 header begins with n or y")
	}
	s.gs2 = msg[:len(msg)-len(bare)]
	s.bare = bare
	values, err := attributes(bare, "nr")
	if err != nil {
		return nil, err
	}
	user, err := decodeName(values[0])
	if err != nil {
		return nil, err
	}
	if authzid != "" {
		other, ok := strings.CutPrefix(authzid, "a=")
		if !ok {
			return nil, malformed("the second part of a GS2 header is empty or a=")
		}
		if other != values[0] {
			return nil, ErrFailed // nobody acts for another here
		}
	}
	if !validNonce(values[1]) {
		return nil, malformed("a nonce has 1 to %d printable letters", maxNonce)
	}
	if user, err = Prepare(user); err != nil {
		return nil, malformed("%v", err)
	}
	if s.verifier, err = s.lookup(user); err != nil {
		return nil, err
	}
	s.nonce = values[1] + s.nonce
	s.first = fmt.Sprintf("r=%s,s=%s,i=%d", s.nonce, encode64(s.verifier.Salt), s.verifier.Iterations)
	return []byte(s.first), nil
}

// clientFinal checks the client's proof and returns ours: RFC 5802, 3.
func (s *scramServer) clientFinal(msg string) ([]byte, error) {
	i := strings.LastIndex(msg, ",p=")
	if i < 0 {
		return nil, malformed("no proof")
	}
	without := msg[:i]
	values, err := attributes(without, "cr")
	if err != nil {
		return nil, err
	}
	proof, err := decode64(msg[i+len(",p="):])
	switch {
	case err != nil || len(proof) != sha256.Size:
		return nil, malformed("a proof is %d bytes in base64", sha256.Size)
	case values[0] != encode64([]byte(s.gs2)):
		return nil, malformed("the channel binding is not that of the first message")
	case values[1] != s.nonce:
		return nil, malformed("the nonce is not that of this exchange")
	}
	auth := s.bare + "," + s.first + "," + without
	key := mac(s.verifier.StoredKey[:], auth)
	subtle.XORBytes(key, key, proof)
	stored := sha256.Sum256(key)
	if !hmac.Equal(stored[:], s.verifier.StoredKey[:]) {
		return nil, ErrFailed
	}
	return []byte("v=" + encode64(mac(s.verifier.ServerKey[:], auth))), nil
}
