package tlsclient

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"superlist/smtp"
)

// A signer is a certificate with its key.
type signer struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var serial int64

// issue makes a certificate for a name; without parent it signs itself.
func issue(t *testing.T, name string, ca bool, parent *signer, until time.Time) *signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until, BasicConstraintsValid: true,
	}
	if ca {
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
	} else {
		template.DNSNames, template.ExtKeyUsage = []string{name}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
	up := parent
	if up == nil {
		up = &signer{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, up.cert, &key.PublicKey, up.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &signer{cert, key}
}

func tlsa(usage, selector, matching uint8, cert *x509.Certificate) TLSA {
	data := cert.Raw
	if selector == selectSPKI {
		data = cert.RawSubjectPublicKeyInfo
	}
	switch matching {
	case matchSHA256:
		sum := sha256.Sum256(data)
		data = sum[:]
	case matchSHA512:
		sum := sha512.Sum512(data)
		data = sum[:]
	}
	return TLSA{usage, selector, matching, data}
}

// shake lets a client with a policy meet a server with these certificates, over
// a real STARTTLS.
func shake(t *testing.T, p Policy, min, max uint16, chain ...*signer) (*smtp.Client, error) {
	t.Helper()
	config := &tls.Config{MinVersion: min, MaxVersion: max}
	pair := tls.Certificate{PrivateKey: chain[0].key}
	for _, s := range chain {
		pair.Certificate = append(pair.Certificate, s.cert.Raw)
	}
	config.Certificates = []tls.Certificate{pair}
	l, err := net.Listen("tcp", "127.0.0.1:0") // a net.Pipe has no room for a session ticket
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		server, err := l.Accept()
		if err != nil {
			return
		}
		defer server.Close()
		io.WriteString(server, "220 x\r\n")
		buf := make([]byte, 512)
		for _, reply := range []string{"250-x\r\n250 STARTTLS\r\n", "220 go\r\n"} {
			if n, err := server.Read(buf); err != nil || !bytes.HasSuffix(buf[:n], []byte("\r\n")) {
				return
			}
			io.WriteString(server, reply)
		}
		secret := tls.Server(server, config)
		if _, err := secret.Read(buf); err == nil {
			io.WriteString(secret, "250-x\r\n250 REQUIRETLS\r\n")
			secret.Read(buf)
		}
	}()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := &smtp.Client{Hostname: "h"}
	p.Apply(c)
	err = c.Start(client)
	client.Close()
	<-done
	return c, err
}

// TestPolicies meets servers of every kind with every policy.
func TestPolicies(t *testing.T) {
	later, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	root := issue(t, "a root", true, nil, later)
	between := issue(t, "between", true, root, later)
	leaf := issue(t, "mx.example.org", false, between, later)
	other := issue(t, "other.example.org", false, between, later)
	expired := issue(t, "mx.example.org", false, between, past)
	foreign := issue(t, "mx.example.org", false, issue(t, "another root", true, nil, later), later)
	roots := x509.NewCertPool()
	roots.AddCert(root.cert)
	hosts := []string{"mx.example.org", "example.org"}
	bad := tlsa(daneEE, selectCert, matchSHA256, other.cert)

	for _, test := range []struct {
		name     string
		level    Level
		records  []TLSA
		chain    []*signer
		ok       bool
		verified string // in what is said of the channel
	}{
		{"may, good", May, nil, []*signer{leaf, between}, true, "verified"},
		{"may, unknown authority", May, nil, []*signer{foreign}, true, "unverified"},
		{"encrypt, wrong name", Encrypt, nil, []*signer{other, between}, true, "unverified"},
		{"encrypt, expired", Encrypt, nil, []*signer{expired, between}, true, "unverified"},
		{"verify, good", Verify, nil, []*signer{leaf, between}, true, "verified"},
		{"verify, wrong name", Verify, nil, []*signer{other, between}, false, ""},
		{"verify, expired", Verify, nil, []*signer{expired, between}, false, ""},
		{"verify, unknown authority", Verify, nil, []*signer{foreign}, false, ""},
		{"verify, gap in the chain", Verify, nil, []*signer{leaf}, false, ""},

		{"dane, no records", Dane, nil, []*signer{foreign}, true, "unverified"},
		{"dane, unusable: PKIX-EE", Dane, []TLSA{tlsa(1, 0, 1, leaf.cert)}, []*signer{foreign}, true, "unverified"},
		{"dane, unusable: short", Dane, []TLSA{{daneEE, 0, 1, []byte("short")}}, []*signer{foreign}, true, "unverified"},
		{"dane, unusable: selector 2", Dane, []TLSA{{daneEE, 2, 0, leaf.cert.Raw}}, []*signer{foreign}, true, "unverified"},
		{"dane, unusable: matching 3", Dane, []TLSA{{daneEE, 0, 3, leaf.cert.Raw}}, []*signer{foreign}, true, "unverified"},
		{"dane, unusable one and one that does not match", Dane, []TLSA{tlsa(1, 0, 1, leaf.cert), bad}, []*signer{leaf, between}, false, ""},
		{"dane 3 0 0", Dane, []TLSA{bad, tlsa(3, 0, 0, leaf.cert)}, []*signer{leaf}, true, "DANE-EE"},
		{"dane 3 0 1", Dane, []TLSA{tlsa(3, 0, 1, leaf.cert)}, []*signer{leaf}, true, "DANE-EE"},
		{"dane 3 0 2", Dane, []TLSA{tlsa(3, 0, 2, leaf.cert)}, []*signer{leaf}, true, "DANE-EE"},
		{"dane 3 1 0", Dane, []TLSA{tlsa(3, 1, 0, leaf.cert)}, []*signer{leaf}, true, "DANE-EE"},
		{"dane 3 1 1", Dane, []TLSA{tlsa(3, 1, 1, leaf.cert)}, []*signer{leaf}, true, "DANE-EE"},
		{"dane 3 1 2", Dane, []TLSA{tlsa(3, 1, 2, leaf.cert)}, []*signer{leaf}, true, "DANE-EE"},
		{"dane 3, neither name nor date matter", Dane, []TLSA{tlsa(3, 1, 1, expired.cert)}, []*signer{expired}, true, "DANE-EE"},
		{"dane 3, another certificate", Dane, []TLSA{bad}, []*signer{leaf, between}, false, ""},
		{"dane 3 does not look up the chain", Dane, []TLSA{tlsa(3, 0, 1, between.cert)}, []*signer{leaf, between}, false, ""},
		{"dane 2 0 1, the root is sent", Dane, []TLSA{tlsa(2, 0, 1, root.cert)}, []*signer{leaf, between, root}, true, "DANE-TA"},
		{"dane 2 1 2, one between", Dane, []TLSA{tlsa(2, 1, 2, between.cert)}, []*signer{leaf, between}, true, "DANE-TA"},
		{"dane 2 0 1, the root is not sent", Dane, []TLSA{tlsa(2, 0, 1, root.cert)}, []*signer{leaf, between}, false, ""},
		{"dane 2 0 0, the record has the root", Dane, []TLSA{tlsa(2, 0, 0, root.cert)}, []*signer{leaf, between}, true, "DANE-TA"},
		{"dane 2 1 0, the record has the root's key", Dane, []TLSA{tlsa(2, 1, 0, root.cert)}, []*signer{leaf, between}, true, "DANE-TA"},
		{"dane 2, wrong name", Dane, []TLSA{tlsa(2, 0, 1, root.cert)}, []*signer{other, between, root}, false, ""},
		{"dane 2, expired", Dane, []TLSA{tlsa(2, 0, 1, root.cert)}, []*signer{expired, between, root}, false, ""},
		{"dane 2, an authority that did not sign", Dane, []TLSA{tlsa(2, 0, 1, root.cert)}, []*signer{foreign, root}, false, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := shake(t, Policy{Level: test.level, Hosts: hosts, Roots: roots, TLSA: test.records}, 0, 0, test.chain...)
			if !test.ok {
				if !errors.Is(err, smtp.ErrTLS) || !errors.Is(err, errUnproved) || c.Secret() != nil {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			s := c.Secret()
			if s.Verified != (test.verified != "unverified") || !strings.Contains(" "+s.Text, " "+test.verified) && !strings.HasSuffix(s.Text, test.verified) {
				t.Errorf("%v %q, want %q", s.Verified, s.Text, test.verified)
			}
			if _, ok := c.Extension("REQUIRETLS"); !ok {
				t.Error("it does not know what is offered inside TLS")
			}
		})
	}
}

// TestVersions: TLS before 1.2 is better than none, and no more than that.
func TestVersions(t *testing.T) {
	leaf := issue(t, "mx.example.org", false, nil, time.Now().Add(time.Hour))
	for level, want := range map[Level]bool{May: true, Encrypt: false} {
		if _, err := shake(t, Policy{Level: level}, tls.VersionTLS10, tls.VersionTLS11, leaf); (err == nil) != want {
			t.Errorf("level %d: %v", level, err)
		}
		if _, err := shake(t, Policy{Level: level}, tls.VersionTLS12, tls.VersionTLS12, leaf); err != nil {
			t.Errorf("level %d, TLS 1.2: %v", level, err)
		}
	}
}

// TestNone says nothing of TLS, whatever is offered.
func TestNone(t *testing.T) {
	c := &smtp.Client{NeedTLS: true}
	Policy{Level: None}.Apply(c)
	if c.StartTLS != nil || c.NeedTLS {
		t.Error("TLS is wanted")
	}
	for i, name := range Names {
		if level, ok := ParseLevel(name); !ok || int(level) != i {
			t.Errorf("%s: %v %v", name, level, ok)
		}
	}
	if _, ok := ParseLevel("yes"); ok {
		t.Error("yes is taken")
	}
}
