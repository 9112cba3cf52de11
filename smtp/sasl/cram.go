package sasl

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/subtle"
	"encoding"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	gosasl "github.com/emersion/go-sasl"
)

// A CramSecret is what a CRAM-MD5 server stores for a password: the states of
// HMAC-MD5's outer and inner hash after the key, as RFC 2195 suggests. It suffices to
// log in with CRAM-MD5, but it is not the password.
type CramSecret [2 * md5.Size]byte

// NewCramSecret derives the secret from a password.
func NewCramSecret(password string) CramSecret {
	key := []byte(password)
	if len(key) > md5.BlockSize {
		sum := md5.Sum(key)
		key = sum[:]
	}
	var s CramSecret
	for i, pad := range []byte{0x5c, 0x36} { // RFC 2104, 2
		block := bytes.Repeat([]byte{pad}, md5.BlockSize)
		subtle.XORBytes(block, block, key)
		h := md5.New()
		h.Write(block)
		state, _ := h.(encoding.BinaryMarshaler).MarshalBinary()
		words := state[len(md5Magic):]
		for w := range 4 { // the file has them as Dovecot does, little end first
			binary.LittleEndian.PutUint32(s[16*i+4*w:], binary.BigEndian.Uint32(words[4*w:]))
		}
	}
	return s
}

// ParseCramSecret parses what String returns.
func ParseCramSecret(text string) (CramSecret, error) {
	var s CramSecret
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(s) {
		return s, fmt.Errorf("sasl: a CRAM-MD5 secret has %d hex digits", 2*len(s))
	}
	return CramSecret(raw), nil
}

// String returns the secret in hex, as Dovecot writes it after {CRAM-MD5}.
func (s CramSecret) String() string { return hex.EncodeToString(s[:]) }

// Matches reports whether the secret belongs to the password.
func (s CramSecret) Matches(password string) bool {
	other := NewCramSecret(password)
	return subtle.ConstantTimeCompare(s[:], other[:]) == 1
}

// md5Magic begins the state of a hash as crypto/md5 marshals it.
const md5Magic = "md5\x01"

// resume returns the MD5 that continues from a state after one block.
func resume(state []byte, msg []byte) []byte {
	b := append(make([]byte, 0, 128), md5Magic...)
	for w := range 4 {
		b = binary.BigEndian.AppendUint32(b, binary.LittleEndian.Uint32(state[4*w:]))
	}
	b = append(b, make([]byte, md5.BlockSize)...)
	b = binary.BigEndian.AppendUint64(b, md5.BlockSize)
	h := md5.New()
	if err := h.(encoding.BinaryUnmarshaler).UnmarshalBinary(b); err != nil {
		panic(err) // crypto/md5 has changed its format; the tests would say so first
	}
	h.Write(msg)
	return h.Sum(nil)
}

// sum returns the HMAC-MD5 of msg with the secret as its key.
func (s CramSecret) sum(msg []byte) []byte {
	return resume(s[:16], resume(s[16:], msg))
}

type cramServer struct {
	host      string
	lookup    func(user string) (CramSecret, error)
	challenge []byte
	done      bool
}

// NewCramServer returns a server of CRAM-MD5 on a host. For an unknown user lookup must
// return a secret that nobody has, so that both cases take equally long.
func NewCramServer(host string, lookup func(user string) (CramSecret, error)) gosasl.Server {
	return &cramServer{host: host, lookup: lookup}
}

func (s *cramServer) Next(response []byte) (challenge []byte, done bool, err error) {
	switch {
	case s.done:
		return nil, false, gosasl.ErrUnexpectedClientResponse
	case s.challenge == nil && response != nil: // RFC 4954, 4: the server speaks first
		s.done = true
		return nil, false, malformed("CRAM-MD5 has no initial response")
	case s.challenge == nil:
		s.challenge = fmt.Appendf(nil, "<%s.%d@%s>", rand.Text(), time.Now().Unix(), s.host)
		return s.challenge, false, nil
	}
	s.done = true
	i := bytes.LastIndexByte(response, ' ') // a user name may have spaces
	var digest [md5.Size]byte
	if i < 0 || len(response)-i-1 != hex.EncodedLen(len(digest)) {
		return nil, false, malformed("CRAM-MD5 wants a user name, a space and 32 hex digits")
	}
	if _, err := hex.Decode(digest[:], response[i+1:]); err != nil {
		return nil, false, malformed("CRAM-MD5 wants a user name, a space and 32 hex digits")
	}
	secret, err := s.lookup(string(response[:i]))
	if err != nil {
		return nil, false, err
	}
	if !hmac.Equal(digest[:], secret.sum(s.challenge)) {
		return nil, false, ErrFailed
	}
	return nil, true, nil
}

type cramClient struct {
	user, password string
	done           bool
}

func (c *cramClient) Start() (string, []byte, error) { return CramMD5, nil, nil }

func (c *cramClient) Next(challenge []byte) ([]byte, error) {
	if c.done {
		return nil, gosasl.ErrUnexpectedServerChallenge
	}
	if len(challenge) == 0 {
		return nil, errors.New("sasl: an empty challenge proves nothing")
	}
	c.done = true
	mac := hmac.New(md5.New, []byte(c.password))
	mac.Write(challenge)
	return fmt.Appendf(nil, "%s %x", c.user, mac.Sum(nil)), nil
}
