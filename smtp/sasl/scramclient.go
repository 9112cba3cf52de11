package sasl

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"strconv"
	"strings"

	gosasl "github.com/emersion/go-sasl"
)

// gs2Header says: no channel binding, and no other identity.
const gs2Header = "n,,"

type scramClient struct {
	password  string // prepared
	name      string // saslname
	nonce     string // ours
	step      int
	bare      string // client-first-message-bare
	signature []byte // that the server must show
}

func newScramClient(user, password string) (gosasl.Client, error) {
	user, err := Prepare(user)
	if err == nil {
		password, err = Prepare(password)
	}
	if err != nil {
		return nil, err
	}
	if user == "" {
		return nil, errors.New("sasl: SCRAM needs a user name")
	}
	return &scramClient{name: encodeName(user), password: password, nonce: rand.Text()}, nil
}

func (c *scramClient) Start() (string, []byte, error) {
	c.bare = "n=" + c.name + ",r=" + c.nonce
	c.step = scramFinal
	return ScramSHA256, []byte(gs2Header + c.bare), nil
}

func (c *scramClient) Next(challenge []byte) (response []byte, err error) {
	step := c.step
	c.step = scramOver // unless it succeeds
	switch step {
	case scramFinal:
		response, err = c.serverFirst(string(challenge))
	case scramEnd:
		response, err = []byte{}, c.serverFinal(string(challenge))
	default:
		return nil, gosasl.ErrUnexpectedServerChallenge
	}
	if err != nil {
		return nil, err
	}
	c.step = step + 1
	return response, nil
}

// serverFirst takes salt and iterations, and returns the proof.
func (c *scramClient) serverFirst(msg string) ([]byte, error) {
	values, err := attributes(msg, "rsi")
	if err != nil {
		return nil, err
	}
	nonce := values[0]
	if !strings.HasPrefix(nonce, c.nonce) || len(nonce) == len(c.nonce) || !validNonce(nonce) {
		return nil, malformed("the server's nonce does not go on from ours")
	}
	salt, err := decode64(values[1])
	if err != nil || len(salt) < minSalt || len(salt) > maxSalt {
		return nil, malformed("a salt is %d to %d bytes in base64", minSalt, maxSalt)
	}
	iterations, err := strconv.Atoi(values[2])
	if err != nil || iterations < MinIterations || iterations > MaxIterations {
		return nil, fmt.Errorf("sasl: the server asks for %.12q iterations; taken are %d to %d", values[2], MinIterations, MaxIterations)
	}
	keys, err := deriveKeys(c.password, salt, iterations)
	if err != nil {
		return nil, err
	}
	v := keys.verifier(salt, iterations)
	without := "c=" + encode64([]byte(gs2Header)) + ",r=" + nonce
	auth := c.bare + "," + msg + "," + without
	proof := mac(v.StoredKey[:], auth)
	subtle.XORBytes(proof, proof, keys.client[:])
	c.signature = mac(v.ServerKey[:], auth)
	return []byte(without + ",p=" + encode64(proof)), nil
}

// serverFinal checks that the server knows the password too.
func (c *scramClient) serverFinal(msg string) error {
	if word, ok := strings.CutPrefix(msg, "e="); ok {
		return fmt.Errorf("sasl: the server says %.40q", word)
	}
	values, err := attributes(msg, "v")
	if err != nil {
		return err
	}
	got, err := decode64(values[0])
	if err != nil || !hmac.Equal(got, c.signature) {
		return errors.New("sasl: the server does not know the password; it is not the one it claims to be")
	}
	return nil
}
