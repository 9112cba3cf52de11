package sasl

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

const (
	// MinIterations is the fewest iterations a client accepts from a server: RFC 7677,
	// 4. With fewer, a fake server could guess passwords cheaply.
	MinIterations = 4096
	// MaxIterations is the most a client accepts: about half a second.
	MaxIterations = 2_000_000

	// minSalt and maxSalt bound a salt, in bytes. RFC 5802 sets no limits; one byte is
	// too little, and PostgreSQL, Dovecot and superlist use 16.
	minSalt = 4
	maxSalt = 1024

	// maxNonce is the longest nonce accepted from the other side.
	maxNonce = 1024
)

// A ScramVerifier is what a SCRAM-SHA-256 server stores for a password: RFC 5802, 3. It
// reveals neither the password nor a way to log in.
type ScramVerifier struct {
	Iterations           int
	Salt                 []byte
	StoredKey, ServerKey [sha256.Size]byte
}

// NewScramVerifier makes the verifier of a password, with a new salt.
func NewScramVerifier(password string, iterations int) (ScramVerifier, error) {
	salt := make([]byte, 16)
	rand.Read(salt)
	keys, err := deriveKeys(password, salt, iterations)
	if err != nil {
		return ScramVerifier{}, err
	}
	return keys.verifier(salt, iterations), nil
}

// Decoy returns a verifier for an unknown user. It is always the same, as a real one
// would be, and no password matches it.
func Decoy(key []byte, user string, iterations int) ScramVerifier {
	return ScramVerifier{
		Iterations: iterations,
		Salt:       mac(key, "salt "+user)[:16],
		StoredKey:  [sha256.Size]byte(mac(key, "stored "+user)),
		ServerKey:  [sha256.Size]byte(mac(key, "server "+user)),
	}
}

// ParseScramVerifier parses what String returns.
func ParseScramVerifier(text string) (ScramVerifier, error) {
	var v ScramVerifier
	f := strings.Split(text, ",")
	if len(f) != 4 {
		return v, fmt.Errorf("sasl: a SCRAM-SHA-256 verifier is ITERATIONS,SALT,STOREDKEY,SERVERKEY")
	}
	var err error
	if v.Iterations, err = strconv.Atoi(f[0]); err != nil || v.Iterations < 1 || v.Iterations > MaxIterations {
		return v, fmt.Errorf("sasl: a SCRAM-SHA-256 verifier has from 1 to %d iterations", MaxIterations)
	}
	if v.Salt, err = decode64(f[1]); err != nil || len(v.Salt) < minSalt || len(v.Salt) > maxSalt {
		return v, fmt.Errorf("sasl: the salt of a SCRAM-SHA-256 verifier is %d to %d bytes in base64", minSalt, maxSalt)
	}
	for i, key := range []*[sha256.Size]byte{&v.StoredKey, &v.ServerKey} {
		raw, err := decode64(f[2+i])
		if err != nil || len(raw) != len(key) {
			return v, fmt.Errorf("sasl: a key of a SCRAM-SHA-256 verifier is %d bytes in base64", len(key))
		}
		copy(key[:], raw)
	}
	return v, nil
}

// String returns the verifier as Dovecot writes it after {SCRAM-SHA-256}.
func (v ScramVerifier) String() string {
	return fmt.Sprintf("%d,%s,%s,%s", v.Iterations, encode64(v.Salt), encode64(v.StoredKey[:]), encode64(v.ServerKey[:]))
}

// Matches reports whether the verifier belongs to the password, which must be prepared.
// It takes as long for a wrong one.
func (v ScramVerifier) Matches(password string) bool {
	keys, err := deriveKeys(password, v.Salt, v.Iterations)
	if err != nil {
		return false
	}
	got := keys.verifier(v.Salt, v.Iterations)
	return subtle.ConstantTimeCompare(got.StoredKey[:], v.StoredKey[:]) == 1
}

// scramKeys are the keys of one password: RFC 5802, 3.
type scramKeys struct{ client, server [sha256.Size]byte }

func deriveKeys(password string, salt []byte, iterations int) (scramKeys, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return scramKeys{}, err
	}
	return scramKeys{
		client: [sha256.Size]byte(mac(salted, "Client Key")),
		server: [sha256.Size]byte(mac(salted, "Server Key")),
	}, nil
}

func (k scramKeys) verifier(salt []byte, iterations int) ScramVerifier {
	return ScramVerifier{Iterations: iterations, Salt: salt, StoredKey: sha256.Sum256(k.client[:]), ServerKey: k.server}
}

func mac(key []byte, msg string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(msg))
	return h.Sum(nil)
}

// attributes splits a message: RFC 5802, 7. It must begin with the attributes in names,
// in that order. Extensions may follow and are ignored, except m=, which marks
// mandatory ones.
func attributes(msg, names string) ([]string, error) {
	if strings.HasPrefix(msg, "m=") {
		return nil, malformed("a mandatory extension, and none is known here")
	}
	parts := strings.Split(msg, ",")
	if len(parts) < len(names) {
		return nil, malformed("%d attributes, and %d are needed", len(parts), len(names))
	}
	values := make([]string, len(names))
	for i, part := range parts {
		if len(part) < 2 || part[1] != '=' || !letter(part[0]) {
			return nil, malformed("attribute %d is not a letter and =", i+1)
		}
		if i < len(names) {
			if part[0] != names[i] {
				return nil, malformed("attribute %c= where %c= must stand", part[0], names[i])
			}
			values[i] = part[2:]
		} else if len(part) == 2 {
			return nil, malformed("an attribute without a value")
		}
	}
	return values, nil
}

func letter(c byte) bool { return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' }

// validNonce checks a nonce: RFC 5802, 7 allows printable characters without the comma,
// where attributes has already split.
func validNonce(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= maxNonce
}

// encodeName and decodeName convert a saslname: RFC 5802, 5.1.
func encodeName(s string) string {
	return strings.NewReplacer("=", "=3D", ",", "=2C").Replace(s)
}

func decodeName(s string) (string, error) {
	out := strings.NewReplacer("=3D", "=", "=2C", ",").Replace(s)
	if s == "" || encodeName(out) != s { // a stray =
		return "", malformed("a user name must not be empty, nor have = but as =3D and =2C")
	}
	return out, nil
}

func encode64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// decode64 accepts canonical base64 only.
func decode64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // which encoding/base64 ignores
		return nil, malformed("a line break in base64")
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}
