// Package tlsservertest makes keys and certificates for tests.
package tlsservertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An Authority signs certificates.
type Authority struct {
	Cert *x509.Certificate
	PEM  []byte // its own certificate
	key  *ecdsa.PrivateKey
}

// New makes an Authority.
func New(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{key: newKey(t)}
	a.Cert, a.PEM = a.sign(t, &x509.Certificate{
		Subject:               pkix.Name{CommonName: "An authority for tests"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	}, a.key)
	return a
}

// Pair makes a key, and a certificate for a name, both as PEM. It is good from
// yesterday, for so long.
func (a *Authority) Pair(t testing.TB, name string, good time.Duration) (crt, key []byte) {
	t.Helper()
	k := newKey(t)
	_, crt = a.sign(t, &x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		DNSNames:    []string{name},
		NotBefore:   time.Now().Add(-24 * time.Hour),
		NotAfter:    time.Now().Add(good),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, k)
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return crt, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// Files writes tls.crt, tls.key and ca.crt into a folder, for a host of this
// name.
func (a *Authority) Files(t testing.TB, dir, name string) {
	t.Helper()
	crt, key := a.Pair(t, name, 30*24*time.Hour)
	for file, text := range map[string][]byte{"tls.crt": crt, "tls.key": key, "ca.crt": a.PEM} {
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign completes a certificate and signs it; the Authority's own with itself.
func (a *Authority) sign(t testing.TB, cert *x509.Certificate, key *ecdsa.PrivateKey) (*x509.Certificate, []byte) {
	t.Helper()
	cert.SerialNumber, _ = rand.Int(rand.Reader, big.NewInt(1<<62))
	if cert.NotAfter.IsZero() {
		cert.NotBefore, cert.NotAfter = time.Now().Add(-24*time.Hour), time.Now().Add(24*time.Hour)
	}
	parent := a.Cert
	if parent == nil {
		parent = cert
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return made, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
