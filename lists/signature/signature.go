// Package signature signs mail as it leaves (DKIM, RFC 6376), with RSA (RFC 8301) or
// Ed25519 (RFC 8463), and makes keys for that.
//
// It signs the fields of a list beside those of the author, both List-Unsubscribe fields
// among them (RFC 8058, 4), and none that is not there: who comes behind us may have to
// add one. What has no lines (BINARYMIME) it cannot sign.
package signature

import (
	"bufio"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"superlist/lists/rewrite"
)

// fields are what is signed, where it is there: RFC 6376, 5.4.1, and RFC 8058, 4.
var fields = [...]string{
	"From", "Sender", "Reply-To", "Subject", "Date", "Message-ID", "To", "Cc", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "In-Reply-To", "References",
	"List-Id", "List-Post", "List-Help", "List-Subscribe", "List-Unsubscribe", "List-Unsubscribe-Post", "List-Owner", "List-Archive", "Archived-At",
	"X-Original-From", "Auto-Submitted",
}

// A Signer signs in the name of a domain.
type Signer struct {
	Domain, Selector string
	key              crypto.Signer
}

// minBits is the shortest RSA key: RFC 8301, 3.2. Many receivers take none below 1024.
const minBits = 1024

// maxKey is more than a file with a key has.
const maxKey = 64 << 10

// Open reads the key of a signer, in PEM: PKCS #8, or PKCS #1 as opendkim-genkey makes
// it.
func Open(domain, selector, file string) (*Signer, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKey))
	if err != nil {
		return nil, err
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &Signer{domain, selector, key}, nil
}

func parseKey(text []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("has no key in PEM; superlist dkim genkey makes one")
	}
	var key any
	var err error
	if block.Type == "RSA PRIVATE KEY" {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	} else {
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, err
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() < minBits {
			return nil, fmt.Errorf("has an RSA key of %d bits; it needs at least %d", key.N.BitLen(), minBits)
		}
		return key, nil
	case ed25519.PrivateKey:
		return key, nil
	}
	return nil, fmt.Errorf("has a key of a kind that DKIM does not know: %T", key)
}

// Sign returns the field to put in front of a message.
func (s *Signer) Sign(message io.Reader) (string, error) {
	br := bufio.NewReaderSize(message, 32<<10)
	raw, front, err := peekHeader(br)
	if err != nil {
		return "", err
	}
	h := rewrite.Parse(raw)
	var there []string
	for _, name := range fields {
		for range h.All(name) {
			there = append(there, name)
		}
	}
	signer, err := dkim.NewSigner(&dkim.SignOptions{
		Domain: s.Domain, Selector: s.Selector, Signer: s.key, HeaderKeys: there,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	if err != nil {
		return "", err
	}
	_, err = signer.Write(front)
	if err == nil {
		_, err = io.Copy(signer, br)
	}
	if e := signer.Close(); err == nil {
		err = e
	}
	if err != nil {
		return "", err
	}
	return signer.Signature(), nil
}

// peekHeader reads the header and gives what was read.
func peekHeader(r io.Reader) (raw, front []byte, err error) {
	var seen strings.Builder
	raw, _, err = rewrite.ReadHeader(io.TeeReader(r, &seen))
	return raw, []byte(seen.String()), err
}

// Kinds of keys.
const (
	RSA     = "rsa"
	Ed25519 = "ed25519"
)

// rsaBits is what RFC 8301 recommends, and what fits into one record of the DNS with
// most providers.
const rsaBits = 2048

// Generate makes a key of a kind, in PEM.
func Generate(kind string) ([]byte, error) {
	var key any
	var err error
	switch kind {
	case RSA:
		key, err = rsa.GenerateKey(rand.Reader, rsaBits)
	case Ed25519:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = fmt.Errorf("a key is of kind %s or %s", RSA, Ed25519)
	}
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Name is where the record stands.
func (s *Signer) Name() string { return s.Selector + "._domainkey." + s.Domain }

// Record is what has to stand there: RFC 6376, 3.6.1.
func (s *Signer) Record() (string, error) {
	kind, public, err := s.public()
	return "v=DKIM1; k=" + kind + "; p=" + public, err
}

func (s *Signer) public() (kind, public string, err error) {
	switch key := s.key.Public().(type) {
	case ed25519.PublicKey: // RFC 8463, 4: the bytes alone
		return Ed25519, base64.StdEncoding.EncodeToString(key), nil
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(key)
		return RSA, base64.StdEncoding.EncodeToString(der), err
	}
	return "", "", errors.New("a key of an unknown kind")
}

// maxString is the longest string of a TXT record: RFC 1035, 3.3.
const maxString = 255

// ZoneLine is the record as a zone file has it.
func (s *Signer) ZoneLine() (string, error) {
	record, err := s.Record()
	var strs []string
	for len(record) > maxString {
		strs, record = append(strs, `"`+record[:maxString]+`"`), record[maxString:]
	}
	strs = append(strs, `"`+record+`"`)
	return fmt.Sprintf("%s. IN TXT ( %s )", s.Name(), strings.Join(strs, "\n    ")), err
}

// Fits says what is wrong with the records that stand at Name; nil: nothing is.
func (s *Signer) Fits(records []string) error {
	kind, public, err := s.public()
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return fmt.Errorf("there is no record at %s", s.Name())
	}
	if len(records) > 1 {
		return fmt.Errorf("there are %d records at %s, and only one may be there", len(records), s.Name())
	}
	tags := Tags(records[0])
	switch {
	case tags["p"] == "":
		return fmt.Errorf("the record at %s has no key, which means that it is withdrawn", s.Name())
	case tags["p"] != public || tags["k"] != "" && tags["k"] != kind || tags["k"] == "" && kind != RSA:
		return fmt.Errorf("the key in the record at %s is not that of key_file", s.Name())
	case tags.OnTrial():
		return fmt.Errorf("the record at %s says t=y, so that the signature counts for nothing", s.Name())
	}
	return nil
}
