// Package tlsclient provides TLS for a smtp.Client: whether it is required, and what a
// server has to prove. It is a package of its own so that programs that speak SMTP
// without TLS do not link it.
//
// It implements RFC 3207 with Postfix's policies, and certificate matching by RFC 7672
// and RFC 7671 (DANE). It looks nothing up: the caller provides the TLSA records, and
// knows whether DNSSEC vouches for them. It refuses TLS before 1.2 unless TLS is
// optional.
package tlsclient

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"

	"superlist/smtp"
)

// A Level says how much TLS is required.
type Level int

const (
	None    Level = iota // unencrypted, whatever the server offers
	May                  // if offered; any server
	Encrypt              // required; any server
	Verify               // required; the server proves its name by a certificate
	Dane                 // required; the server proves its name by a TLSA record, see Policy.TLSA
)

// Names are the levels as the configuration names them.
var Names = []string{"none", "may", "encrypt", "verify", "dane"}

// ParseLevel parses one of Names.
func ParseLevel(s string) (Level, bool) {
	for i, name := range Names {
		if s == name {
			return Level(i), true
		}
	}
	return 0, false
}

// A Policy is what is required of one server.
type Policy struct {
	Level Level
	// Hosts are the names of the server. The first is sent in the handshake. The
	// certificate must have one of them.
	Hosts []string
	// Roots are the trusted authorities; nil: those of the system.
	Roots *x509.CertPool
	// TLSA are the records of the server's port that DNSSEC vouches for. With Dane and
	// no records TLS is as for May; if none of the records is usable, it is as for
	// Encrypt (RFC 7672, 2.2).
	TLSA []TLSA
}

// errUnproved means that the server could not prove its identity.
var errUnproved = errors.New("the server did not prove who it is")

// Apply sets the StartTLS of a client.
func (p Policy) Apply(c *smtp.Client) {
	level, usable := p.effective()
	c.StartTLS, c.NeedTLS = nil, level > May
	if level == None {
		return
	}
	c.StartTLS = func(rw io.ReadWriter) (smtp.Channel, error) {
		conn, ok := rw.(net.Conn)
		if !ok {
			return smtp.Channel{}, errors.New("not a network connection")
		}
		return p.handshake(conn, level, usable)
	}
}

// effective returns the level that applies, and the usable records.
func (p Policy) effective() (Level, []TLSA) {
	if p.Level != Dane {
		return p.Level, nil
	}
	usable := usableRecords(p.TLSA)
	switch {
	case len(p.TLSA) == 0:
		return May, nil
	case len(usable) == 0:
		return Encrypt, nil
	}
	return Dane, usable
}

func (p Policy) handshake(conn net.Conn, level Level, usable []TLSA) (smtp.Channel, error) {
	by := ""
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		// What is checked, and whether it matters, depends on the level.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			var err error
			switch level {
			case Dane:
				by, err = p.dane(s.PeerCertificates, usable)
			default:
				by, err = p.pkix(s.PeerCertificates)
			}
			if err != nil && level >= Verify {
				return fmt.Errorf("%w: %w", errUnproved, err)
			}
			return nil
		},
	}
	if level == May {
		config.MinVersion = tls.VersionTLS10 // better than unencrypted
	}
	if len(p.Hosts) > 0 && net.ParseIP(p.Hosts[0]) == nil {
		config.ServerName = p.Hosts[0]
	}
	secret := tls.Client(conn, config)
	if err := secret.Handshake(); err != nil {
		return smtp.Channel{}, err
	}
	s := secret.ConnectionState()
	return smtp.Channel{
		ReadWriter: secret,
		Verified:   by != "",
		Text:       tls.VersionName(s.Version) + " " + tls.CipherSuiteName(s.CipherSuite) + " " + cmp.Or(by, "unverified"),
	}, nil
}

// pkix checks the certificates against the authorities and the names.
func (p Policy) pkix(certs []*x509.Certificate) (by string, err error) {
	if err := verifyNames(certs, p.Roots, p.Hosts); err != nil {
		return "", err
	}
	return "verified", nil
}

// verifyNames checks that a chain leads from the first certificate to a root, and that
// it has one of the names.
func verifyNames(certs []*x509.Certificate, roots *x509.CertPool, hosts []string) error {
	if len(certs) == 0 {
		return errors.New("no certificate")
	}
	between := x509.NewCertPool()
	for _, cert := range certs[1:] {
		between.AddCert(cert)
	}
	err := errors.New("it has no known name")
	for _, host := range hosts {
		if _, err = certs[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: host}); err == nil {
			return nil
		}
	}
	return err
}
