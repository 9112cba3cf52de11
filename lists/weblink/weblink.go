// Package weblink makes and reads the web addresses in letters and in members' own
// copies. Whoever has one has got the mail, and may do what the link is for. Nothing is
// stored when a link is made; that one has let somebody in is, once it has (Visit).
//
// The content of a link is encrypted with the list's key, so that a web server's log
// shows nobody's address. It is bound to the list and to its purpose, and the same
// words always give the same link. The package does not say what is wrong with a forged
// link.
package weblink

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"hash"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
	"time"

	"superlist/lists"
	"superlist/lists/confirmation"
	"superlist/lists/site"
	"superlist/smtp"
)

// A Kind says what a link or a cookie is for. It is also its path below the list's
// pages.
type Kind string

const (
	Leave    Kind = "u"       // a member leaves (RFC 8058)
	Confirm  Kind = "c"       // a letter's question is answered
	LogIn    Kind = "options" // somebody shows who they are, and goes on to their options
	Moderate Kind = "mod"     // or to what waits for them
	Session  Kind = "cookie"  // somebody has shown it
	Form     Kind = "form"    // when a form was given out
)

// lives are how long links are good, from the moment in them. People look for a link to
// leave in old mail; the proof in a confirmation has a lifetime of its own.
var lives = map[Kind]time.Duration{
	Leave:    400 * 24 * time.Hour,
	Confirm:  confirmation.Life + 24*time.Hour,
	LogIn:    24 * time.Hour,
	Moderate: 8 * 24 * time.Hour, // a day longer than a post is held
	Session:  12 * time.Hour,
	Form:     24 * time.Hour,
}

// A Link is the content of a link.
type Link struct {
	Kind Kind
	Text string    // an address; of Confirm see Confirmed
	Made time.Time // to the second; of Leave to the day
}

// ErrForged and ErrOld are the two errors about a link.
var (
	ErrForged = errors.New("the list has not made it")
	ErrOld    = errors.New("it was made too long ago")
)

// unit is the precision of the moment in a link: all links to leave of one day have the
// same.
func (k Kind) unit() time.Duration {
	if k == Leave {
		return 24 * time.Hour
	}
	return time.Second
}

// letters are the characters of tokens. They survive being written in capitals or read
// aloud.
var letters = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// mark returns the beginning of a token. Other packages recognize quoted links by it:
// package edit a link to leave, from a member's own copy; package letter a link from a
// letter that nobody else may get, which it treats like an address with a proof.
func (k Kind) mark(made time.Time) string {
	switch k {
	case Leave:
		return strconv.FormatInt(made.Unix()/86400, 36) + "-"
	case Confirm, LogIn, Moderate:
		return "confirm-a" + strconv.FormatInt(made.Unix()/3600, 36) + "-link"
	}
	return ""
}

// keys derives the keys of a kind from the list's key.
func (k Kind) keys(key []byte) (nonce []byte, box cipher.AEAD, err error) {
	derive := func(what string) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte("superlist web " + what + " " + string(k)))
		return mac.Sum(nil)
	}
	block, err := aes.NewCipher(derive("seal"))
	if err != nil {
		return nil, nil, err
	}
	box, err = cipher.NewGCM(block)
	return derive("nonce"), box, err
}

// Make makes a token.
func Make(l *lists.List, k Kind, text string, now time.Time) (string, error) {
	m, err := makerOf(l, k)
	if err != nil {
		return "", err
	}
	return m.token(text, now), nil
}

// A maker makes tokens of one kind, for one list.
type maker struct {
	kind  Kind
	list  []byte
	nonce hash.Hash
	box   cipher.AEAD
}

func makerOf(l *lists.List, k Kind) (*maker, error) {
	key, err := l.Key()
	if err != nil {
		return nil, err
	}
	nonce, box, err := k.keys(key)
	if err != nil {
		return nil, err
	}
	return &maker{k, []byte(l.Addr.Key()), hmac.New(sha256.New, nonce), box}, nil
}

func (m *maker) token(text string, now time.Time) string {
	words := []byte(strconv.FormatInt(now.UnixNano()/int64(m.kind.unit()), 36) + " " + text)
	// Equal words get equal nonces, different words different ones: RFC 8452 says why.
	m.nonce.Reset()
	m.nonce.Write(m.list)
	m.nonce.Write([]byte(" "))
	m.nonce.Write(words)
	nonce := m.nonce.Sum(nil)[:m.box.NonceSize()]
	return m.kind.mark(now) + letters.EncodeToString(m.box.Seal(nonce, nonce, words, m.list))
}

// maxToken is longer than any token: an address has at most 254 octets, plus what is
// said about it.
const maxToken = 1024

// Read reads a token. The error is ErrForged, ErrOld, or a fault with the list's files.
// With ErrOld the Link is valid nevertheless.
func Read(l *lists.List, k Kind, token string, now time.Time) (Link, error) {
	front := min(len(k.mark(now)), len(token))
	mark, token := token[:front], token[front:]
	sealed, bad := letters.DecodeString(token)
	if bad != nil || len(token) > maxToken || letters.EncodeToString(sealed) != token {
		return Link{}, ErrForged
	}
	key, err := l.ReadKey()
	if errors.Is(err, fs.ErrNotExist) { // none was ever made
		return Link{}, ErrForged
	}
	if err != nil {
		return Link{}, err
	}
	_, box, err := k.keys(key)
	if err != nil {
		return Link{}, err
	}
	if len(sealed) < box.NonceSize() {
		return Link{}, ErrForged
	}
	words, bad := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], []byte(l.Called()))
	if bad != nil {
		return Link{}, ErrForged
	}
	moment, text, _ := strings.Cut(string(words), " ")
	n, bad := strconv.ParseInt(moment, 36, 64)
	if bad != nil {
		return Link{}, ErrForged
	}
	link := Link{Kind: k, Text: text, Made: time.Unix(0, n*int64(k.unit())).UTC()}
	if mark != k.mark(link.Made) {
		return Link{}, ErrForged
	}
	if now.Sub(link.Made) > lives[k] {
		return link, ErrOld
	}
	return link, nil
}

// URL returns the web address for a token of this kind; "" if no page answers.
func URL(s *site.Site, l *lists.List, k Kind, token string) string {
	switch {
	case k == Leave && s.UnsubscribeURL != "":
		return strings.TrimSuffix(s.UnsubscribeURL, "/") + "/" + url.PathEscape(l.Addr.Address()) + "/" + token
	case k == Leave && !strings.HasPrefix(s.Web.URL, "https://"): // RFC 8058, 3.1
	case s.Web.Requests:
		return s.Web.Of(l.Addr) + string(k) + "/" + token
	}
	return ""
}

// Confirming returns the page for answering a question of the list, whose letter has
// the address confirm; "" if no page answers. The link also contains the name that the
// person gave.
func Confirming(s *site.Site, l *lists.List, confirm, who smtp.Path, name string, now time.Time) (string, error) {
	proof, _ := lists.CutFold(l.VerbOf(confirm), lists.VerbConfirm+"-")
	return To(s, l, Confirm, strings.Join([]string{proof, who.Address(), clip(name)}, "\n"), now)
}

// Confirmed splits the content of such a link.
func (l Link) Confirmed() (proof, who, name string) {
	proof, rest, _ := strings.Cut(l.Text, "\n")
	who, name, _ = strings.Cut(rest, "\n")
	return proof, who, name
}

// maxName is how much of a name goes into a link.
const maxName = 100

func clip(name string) string { return strings.ToValidUTF8(name[:min(len(name), maxName)], "") }

// To returns a link of this kind; "" if no page answers.
func To(s *site.Site, l *lists.List, k Kind, text string, now time.Time) (string, error) {
	if URL(s, l, k, "") == "" {
		return "", nil
	}
	token, err := Make(l, k, text, now)
	return URL(s, l, k, token), err
}

// UnsubscribePath splits a request below unsubscribe_url into the list and the token.
// ok is false for any other request.
func UnsubscribePath(s *site.Site, host, path string) (list, token string, ok bool) {
	base := strings.TrimSuffix(s.UnsubscribeURL, "/")
	_, base, _ = strings.Cut(base, "://")
	if want, _, _ := strings.Cut(base, "/"); !strings.Contains(want, ":") {
		host, _, _ = strings.Cut(host, ":")
	}
	rest, ok := strings.CutPrefix(strings.ToLower(host)+path, base+"/")
	if !ok || base == "" {
		return "", "", false
	}
	list, token, ok = strings.Cut(rest, "/")
	list, err := url.PathUnescape(list)
	return list, token, ok && err == nil
}

// Life returns how long links of this kind are good.
func Life(k Kind) time.Duration { return lives[k] }
