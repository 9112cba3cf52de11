// Package access has the tokens of programs that work for an operator, such as a hosting
// panel: which lists each may use over HTTP, and for what, until when.
//
// A token is an Ed25519 key. Whoever made it has the private key, as a word that was shown
// once, and lists_dir/tokens.json has the public key with what it permits. So whoever reads the
// file, superlist-web above all, can check a token and cannot make a request in its name:
// superlist-web signs each request with the word it has just been given, and deliver
// verifies the signature and the permission again. Only the operator's command changes the
// file.
//
// The package never says what is wrong with a token: a forged one, one that has expired and
// one that was removed are all ErrUnknown.
package access

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/pattern"
	"superlist/queue/disk"
	"superlist/smtp"
)

// A Scope is something that a token may permit.
type Scope string

const (
	Read     Scope = "read"     // lists, their settings and numbers; nobody's address but owners' and moderators'
	Members  Scope = "members"  // members, applicants and whose mail came back: see and change
	Moderate Scope = "moderate" // held posts: see and decide
	Posts    Scope = "posts"    // posts of the archive: remove them; the digest: send it
	Settings Scope = "settings" // change settings
	Log      Scope = "log"      // who has changed what
	Lists    Scope = "lists"    // create, rename and remove lists
)

// Scopes returns all scopes.
func Scopes() []Scope { return []Scope{Read, Members, Moderate, Posts, Settings, Log, Lists} }

// A Token is what the file says of a token.
type Token struct {
	Name    string    `json:"name"`
	Scopes  []Scope   `json:"scopes"`
	Lists   []string  `json:"lists"` // patterns as in allow; AllLists: every list
	Made    time.Time `json:"made"`
	Expires time.Time `json:"expires"`
	By      string    `json:"by"`  // who made it
	Key     []byte    `json:"key"` // the public key
}

// AllLists is the pattern for every list of the site.
const AllLists = "*"

// Limits of tokens.
const (
	MaxLife   = 400 * 24 * time.Hour // a year, and time to make the next one
	MaxTokens = 1000                 // each request looks at all of them
	maxName   = 40
	maxFile   = 1 << 20
)

// ErrUnknown means that a token does not exist, or no longer.
var ErrUnknown = errors.New("unknown token")

// File returns where a site's tokens are.
func File(listsDir string) string { return filepath.Join(listsDir, "tokens.json") }

// Load reads the tokens of a site, also those that have expired.
func Load(listsDir string) ([]Token, error) {
	file := File(listsDir)
	text, info, err := disk.ReadRegular(file, unix.O_RDONLY|unix.O_NOFOLLOW, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if mode := info.Perm(); mode&0o022 != 0 {
		return nil, fmt.Errorf("%s: others may change it (mode %04o); nothing in it counts", file, mode)
	}
	var tokens []Token
	if err := json.Unmarshal(text, &tokens); err != nil {
		return nil, fmt.Errorf("%s: %w; superlist token new makes a new one once it is gone", file, err)
	}
	return tokens, nil
}

// Text returns tokens as the file has them.
func Text(tokens []Token) ([]byte, error) {
	text, err := json.MarshalIndent(tokens, "", "  ")
	return append(text, '\n'), err
}

// Check says what is wrong with a new token; empty if nothing is.
func (t Token) Check() string {
	switch {
	case t.Name == "" || len(t.Name) > maxName || strings.Trim(t.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return fmt.Sprintf("%q cannot be the name of a token: it has at most %d of a-z, 0-9 and -", t.Name, maxName)
	case len(t.Scopes) == 0:
		return "say what it may do"
	case len(t.Lists) == 0:
		return "say for which lists it is"
	case !t.Expires.After(t.Made) || t.Expires.Sub(t.Made) > MaxLife:
		return fmt.Sprintf("it must end within %d days", MaxLife/(24*time.Hour))
	}
	for _, s := range t.Scopes {
		if !slices.Contains(Scopes(), s) {
			return fmt.Sprintf("%q is not a scope; there are %s", s, scopeNames())
		}
	}
	if slices.Contains(t.Lists, AllLists) {
		return ""
	}
	return pattern.Bad(t.Lists)
}

func scopeNames() string {
	var names []string
	for _, s := range Scopes() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// Has reports whether the token permits something.
func (t Token) Has(s Scope) bool { return slices.Contains(t.Scopes, s) }

// Covers reports whether the token is for a list, by the list's own address.
func (t Token) Covers(list smtp.Path) bool {
	return slices.Contains(t.Lists, AllLists) || pattern.Allows(t.Lists, list)
}

// IsGood reports whether the token is good at a time.
func (t Token) IsGood(now time.Time) bool { return now.Before(t.Expires) }

// A Secret is what whoever uses a token has.
type Secret struct{ key ed25519.PrivateKey }

// mark begins the word of a token, so that people and scanners of leaked secrets know it.
const mark = "superlist_"

// letters are the characters of the word.
func letters() *base32.Encoding {
	return base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
}

// NewSecret makes a secret, with random bytes of its caller.
func NewSecret(random [ed25519.SeedSize]byte) Secret {
	return Secret{ed25519.NewKeyFromSeed(random[:])}
}

// ReadSecret parses the word of a token; ok is false if it cannot be one.
func ReadSecret(word string) (s Secret, ok bool) {
	rest, ok := strings.CutPrefix(word, mark)
	if !ok || len(rest) != letters().EncodedLen(ed25519.SeedSize) {
		return Secret{}, false
	}
	seed, err := letters().DecodeString(rest)
	if err != nil || letters().EncodeToString(seed) != rest { // the last letter has bits to spare
		return Secret{}, false
	}
	return Secret{ed25519.NewKeyFromSeed(seed)}, true
}

// Word returns the secret as it is shown once.
func (s Secret) Word() string { return mark + letters().EncodeToString(s.key.Seed()) }

// Public returns what the file keeps of it.
func (s Secret) Public() []byte { return s.key.Public().(ed25519.PublicKey) }

// context separates these signatures from any others.
const context = "superlist request 1\n"

// Sign signs a text.
func (s Secret) Sign(text string) []byte { return ed25519.Sign(s.key, []byte(context+text)) }

// Signed reports whether the token has signed a text.
func (t Token) Signed(text string, signature []byte) bool {
	return len(t.Key) == ed25519.PublicKeySize && ed25519.Verify(t.Key, []byte(context+text), signature)
}

// Handle returns a name for something that is in the spool, under which this token's programs
// ask for it: nobody can make up another token's.
func (t Token) Handle(id string) string {
	mac := hmac.New(sha256.New, t.Key)
	mac.Write([]byte("superlist request id " + id))
	return id + handleMark + hex.EncodeToString(mac.Sum(nil)[:12])
}

// Handled returns what such a name is for.
func (t Token) Handled(name string) (id string, ok bool) {
	id, _, _ = strings.Cut(name, handleMark)
	return id, hmac.Equal([]byte(name), []byte(t.Handle(id)))
}

// handleMark stands between an id of the spool and its seal. No id has one.
const handleMark = "~"

// Of returns the token of a word. It takes the same time whichever token it is, and
// whether or not there is one.
func Of(tokens []Token, word string, now time.Time) (t Token, s Secret, err error) {
	s, ok := ReadSecret(word)
	if !ok {
		return t, s, ErrUnknown
	}
	public, found := s.Public(), -1
	for i := range tokens {
		if subtle.ConstantTimeCompare(tokens[i].Key, public) == 1 {
			found = i
		}
	}
	if found < 0 || !tokens[found].IsGood(now) {
		return t, Secret{}, ErrUnknown
	}
	return tokens[found], s, nil
}

// Named returns the token with a name, if it is good at a time.
func Named(tokens []Token, name string, now time.Time) (Token, error) {
	i := slices.IndexFunc(tokens, func(t Token) bool { return t.Name == name })
	if i < 0 || !tokens[i].IsGood(now) {
		return Token{}, ErrUnknown
	}
	return tokens[i], nil
}
