// Package tlsclient is the TLS of a smtp.Client: how far it is wanted, and what
// a server has to prove. It is a package of its own so that who speaks SMTP
// without TLS does not link it.
//
// It implements RFC 3207 with the policies that Postfix has, and the matching of
// certificates of RFC 7672 and RFC 7671 (DANE). It looks nothing up: TLSA records
// come from the caller, who knows whether DNSSEC vouches for them. It refuses TLS
// before 1.2 where TLS is more than a courtesy.
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

// A Level is how far TLS is wanted.
type Level int

const (
	None    Level = iota // in clear, whatever the server offers
	May                  // where it is offered, with whoever offers it
	Encrypt              // or nothing is sent; with whoever offers it
	Verify               // with a server that proves its name by a certificate
	Dane                 // with a server that proves its name by a TLSA record; see Policy.TLSA
)

// Names are the words of the configuration.
var Names = []string{"none", "may", "encrypt", "verify", "dane"}

// ParseLevel reads one of Names.
func ParseLevel(s string) (Level, bool) {
	for i, name := range Names {
		if s == name {
			return Level(i), true
		}
	}
	return 0, false
}

// A Policy is what is wanted of one server.
type Policy struct {
	Level Level
	// Hosts are the names of the server, the first of which it is asked for.
	// A certificate has to have one of them.
	Hosts []string
	// Roots are the authorities; nil: those of the system.
	Roots *x509.CertPool
	// TLSA are the records of the server's port, which DNSSEC vouches for. With
	// Dane and no records at all TLS is as for May; with none that can be used
	// it is as for Encrypt (RFC 7672, 2.2).
	TLSA []TLSA
}

// errUnproved is a server that is not the one that was meant, as far as anybody
// can tell.
var errUnproved = errors.New("the server did not prove who it is")

// Apply gives a client its StartTLS.
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

// effective is the level that holds, and the records that can be used.
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
		config.MinVersion = tls.VersionTLS10 // better than in clear
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

// pkix holds the certificates against the authorities and the names.
func (p Policy) pkix(certs []*x509.Certificate) (by string, err error) {
	if err := verifyNames(certs, p.Roots, p.Hosts); err != nil {
		return "", err
	}
	return "verified", nil
}

// verifyNames says that there is a chain from the first certificate to a root,
// and that it has one of the names.
func verifyNames(certs []*x509.Certificate, roots *x509.CertPool, hosts []string) error {
	if len(certs) == 0 {
		return errors.New("no certificate")
	}
	between := x509.NewCertPool()
	for _, cert := range certs[1:] {
		between.AddCert(cert)
	}
	err := errors.New("nobody knows its name")
	for _, host := range hosts {
		if _, err = certs[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: host}); err == nil {
			return nil
		}
	}
	return err
}
