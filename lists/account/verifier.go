package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"superlist/smtp/sasl"
)

// The schemes of verifiers, the best first.
const (
	Argon2id    = "argon2id"
	Bcrypt      = "bcrypt"
	ScramSHA256 = "scram-sha-256"
	CramMD5     = "cram-md5"
)

// Schemes are all schemes, the best first.
var Schemes = []string{Argon2id, Bcrypt, ScramSHA256, CramMD5}

// The cost of a new verifier. Each session is a process of its own, so memory counts
// for each session at the same time.
const (
	argonMemory  = 19 << 10 // KiB; with argonTime what OWASP's cheat sheet asks for
	argonTime    = 2
	argonThreads = 1
	argonSalt    = 16
	argonKey     = 32

	bcryptCost = 12 // a quarter of a second

	// scramIterations exceeds the 4096 of RFC 7677, 4, which slows down guessing from a
	// stolen file. The client, perhaps a telephone, does the work.
	scramIterations = 65536
)

// The highest cost of a verifier: a line of a file must not stop a session.
const (
	maxArgonMemory  = 256 << 10 // KiB
	maxArgonTime    = 16
	maxArgonThreads = 16
	maxBcryptCost   = 16
)

// maxPassword is the longest password in bytes: bcrypt ignores the rest.
const maxPassword = 72

// A verifier is what is stored for a password.
type verifier interface {
	scheme() string
	// matches reports whether the verifier belongs to the password. It takes as long
	// for a wrong one.
	matches(password string) bool
	// decoy returns a verifier of the same cost, for an unknown user. No password
	// matches it.
	decoy(key []byte, user string) verifier
	// String returns the verifier as it is in the file.
	String() string
}

// newVerifier makes the verifier of a prepared password.
func newVerifier(scheme, password string) (verifier, error) {
	switch {
	case len(password) > maxPassword:
		return nil, fmt.Errorf("a password has at most %d bytes", maxPassword)
	case password == "":
		return nil, errors.New("the password is empty")
	}
	switch scheme {
	case Argon2id:
		a := argonHash{memory: argonMemory, time: argonTime, threads: argonThreads, salt: make([]byte, argonSalt)}
		rand.Read(a.salt)
		a.key = a.derive(password, argonKey)
		return a, nil
	case Bcrypt:
		h, err := bcrypt.GenerateFromPassword([]byte(password), bcryptCost)
		return bcryptHash("$2b$" + strings.TrimPrefix(string(h), "$2a$")), err // they are the same since 2014
	case ScramSHA256:
		v, err := sasl.NewScramVerifier(password, scramIterations)
		return scramVerifier{v}, err
	case CramMD5:
		return cramSecret{sasl.NewCramSecret(password)}, nil
	}
	return nil, fmt.Errorf("no scheme %q; there are %s", scheme, strings.Join(Schemes, ", "))
}

// parseVerifier parses a verifier from a file. Dovecot's prefix is accepted.
func parseVerifier(text string) (verifier, error) {
	scheme, rest := "", text
	if strings.HasPrefix(text, "{") {
		var ok bool
		if scheme, rest, ok = strings.Cut(text[1:], "}"); !ok {
			return nil, errors.New("a { without }")
		}
	}
	switch {
	case scheme == "SCRAM-SHA-256":
		v, err := sasl.ParseScramVerifier(rest)
		return scramVerifier{v}, err
	case scheme == "CRAM-MD5":
		s, err := sasl.ParseCramSecret(rest)
		return cramSecret{s}, err
	case (scheme == "" || scheme == "ARGON2ID") && strings.HasPrefix(rest, "$argon2id$"):
		return parseArgon(rest)
	case (scheme == "" || scheme == "BLF-CRYPT") && strings.HasPrefix(rest, "$2"):
		return parseBcrypt(rest)
	}
	return nil, errors.New("no verifier that is known here: $argon2id$, $2b$, {SCRAM-SHA-256} or {CRAM-MD5}; superlist passwd writes them")
}

type argonHash struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

func (a argonHash) scheme() string { return Argon2id }

func (a argonHash) derive(password string, size int) []byte {
	return argon2.IDKey([]byte(password), a.salt, a.time, a.memory, a.threads, uint32(size))
}

func (a argonHash) matches(password string) bool {
	return subtle.ConstantTimeCompare(a.derive(password, len(a.key)), a.key) == 1
}

func (a argonHash) decoy(key []byte, user string) verifier {
	a.key = mac(key, "argon2id "+user)
	return a
}

// String returns the PHC string format.
func (a argonHash) String() string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memory, a.time, a.threads,
		enc.EncodeToString(a.salt), enc.EncodeToString(a.key))
}

func parseArgon(text string) (verifier, error) {
	bad := errors.New("an argon2id verifier is $argon2id$v=19$m=KIB,t=PASSES,p=THREADS$SALT$HASH")
	f := strings.Split(text, "$")
	if len(f) != 6 || f[2] != "v="+strconv.Itoa(argon2.Version) {
		return nil, bad
	}
	var a argonHash
	costs := strings.Split(f[3], ",")
	if len(costs) != 3 {
		return nil, bad
	}
	n := [3]int{}
	for i, limit := range []struct {
		name string
		most int
	}{{"m=", maxArgonMemory}, {"t=", maxArgonTime}, {"p=", maxArgonThreads}} {
		digits, ok := strings.CutPrefix(costs[i], limit.name)
		var err error
		if n[i], err = strconv.Atoi(digits); !ok || err != nil {
			return nil, bad
		}
		if n[i] < 1 || n[i] > limit.most {
			return nil, fmt.Errorf("an argon2id verifier with %s; taken is 1 to %d", costs[i], limit.most)
		}
	}
	a.memory, a.time, a.threads = uint32(n[0]), uint32(n[1]), uint8(n[2])
	var err error
	if a.salt, err = base64.RawStdEncoding.Strict().DecodeString(f[4]); err != nil || len(a.salt) < 8 || len(a.salt) > 64 {
		return nil, bad
	}
	if a.key, err = base64.RawStdEncoding.Strict().DecodeString(f[5]); err != nil || len(a.key) < 16 || len(a.key) > 64 {
		return nil, bad
	}
	return a, nil
}

type bcryptHash string

func (h bcryptHash) scheme() string { return Bcrypt }

func (h bcryptHash) matches(password string) bool {
	return bcrypt.CompareHashAndPassword([]byte(h), []byte(password)) == nil
}

// bcryptHashed is the length of salt and hash in a bcrypt verifier.
const bcryptHashed = 53

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// decoy has a hash of zeros.
func (h bcryptHash) decoy([]byte, string) verifier {
	return h[:len(h)-bcryptHashed] + bcryptHash(strings.Repeat(".", bcryptHashed))
}

func (h bcryptHash) String() string { return string(h) }

func parseBcrypt(text string) (verifier, error) {
	cost, err := bcrypt.Cost([]byte(text))
	if err != nil || len(text) != len("$2b$12$")+bcryptHashed || strings.Trim(text[len("$2b$12$"):], bcryptAlphabet) != "" {
		return nil, errors.New("a bcrypt verifier is $2b$COST$ and 53 letters and digits")
	}
	if cost > maxBcryptCost {
		return nil, fmt.Errorf("a bcrypt verifier of cost %d; taken is up to %d", cost, maxBcryptCost)
	}
	return bcryptHash(text), nil
}

type scramVerifier struct{ sasl.ScramVerifier }

func (v scramVerifier) scheme() string               { return ScramSHA256 }
func (v scramVerifier) matches(password string) bool { return v.Matches(password) }
func (v scramVerifier) String() string               { return "{SCRAM-SHA-256}" + v.ScramVerifier.String() }
func (v scramVerifier) decoy(key []byte, user string) verifier {
	return scramVerifier{sasl.Decoy(key, user, v.Iterations)}
}

type cramSecret struct{ sasl.CramSecret }

func (s cramSecret) scheme() string               { return CramMD5 }
func (s cramSecret) matches(password string) bool { return s.Matches(password) }
func (s cramSecret) String() string               { return "{CRAM-MD5}" + s.CramSecret.String() }
func (s cramSecret) decoy(key []byte, user string) verifier {
	return cramSecret{sasl.CramSecret(mac(key, "cram-md5 "+user))}
}

func mac(key []byte, msg string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(msg))
	return h.Sum(nil)
}
