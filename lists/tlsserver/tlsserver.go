// Package tlsserver provides TLS for the server's side of a session: key, certificate,
// handshake (RFC 3207, RFC 8314).
//
// It refuses anything older than TLS 1.2. The choice of ciphers is left to crypto/tls,
// which knows better than a configuration from years ago. There are no session tickets:
// their key would have to outlive the process.
package tlsserver

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists/site"
	"superlist/queue/disk"
	"superlist/smtp"
)

// A Server is the smtp.TLSServer of a site, for one connection.
type Server struct {
	Site *site.Site

	config *tls.Config
	conn   *tls.Conn
}

// Load reads the key, the certificate, and the authorities for client certificates. An
// error names the file.
func (s *Server) Load() error {
	pair, err := Pair(s.Site)
	if err != nil {
		return err
	}
	config := &tls.Config{
		Certificates:           []tls.Certificate{pair},
		MinVersion:             tls.VersionTLS12,
		SessionTicketsDisabled: true,
	}
	if s.Site.SSLVerifyClient != "none" {
		if config.ClientCAs, err = Pool(s.Site.SSLCAFile); err != nil {
			return err
		}
	}
	switch s.Site.SSLVerifyClient {
	case "request": // and check it ourselves: most mail hosts show a self-signed one
		config.ClientAuth = tls.RequestClientCert
	case "require":
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	s.config = config
	return nil
}

// Handshake does the server's TLS handshake on rw, after Load.
func (s *Server) Handshake(rw io.ReadWriter, by time.Time) (io.ReadWriter, smtp.TLS, error) {
	conn := stream{rw}
	conn.SetDeadline(by)
	s.conn = tls.Server(conn, s.config)
	if err := s.conn.Handshake(); err != nil {
		return nil, smtp.TLS{}, inWords(err)
	}
	state := s.conn.ConnectionState()
	agreed := smtp.TLS{
		Version: strings.Replace(tls.VersionName(state.Version), " ", "v", 1),
		Cipher:  tls.CipherSuiteName(state.CipherSuite),
	}
	if len(state.PeerCertificates) > 0 {
		if err := s.verify(state.PeerCertificates); err != nil {
			agreed.Doubt = err.Error()
		} else {
			agreed.Client = state.PeerCertificates[0].Subject.String()
		}
	}
	return s.conn, agreed, nil
}

// verify checks a client's certificate against those of ssl_ca_file.
func (s *Server) verify(chain []*x509.Certificate) error {
	between := x509.NewCertPool()
	for _, cert := range chain[1:] {
		between.AddCert(cert)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots:         s.config.ClientCAs,
		Intermediates: between,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}

// Close ends TLS, if it was started: RFC 8446, 6.1. Otherwise the client could not know
// whether it has received everything.
func (s *Server) Close() {
	if s.conn != nil && s.conn.ConnectionState().HandshakeComplete {
		s.conn.CloseWrite()
	}
}

// inWords explains a failed handshake so that somebody who does not know TLS well has a
// chance.
func inWords(err error) error {
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &record):
		return errors.New("the client does not speak TLS here")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the client took too long: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the client hung up; it may not like the certificate")
	case strings.HasSuffix(err.Error(), "local error: tls: bad record MAC"):
		// OpenSSL tells us in the clear, where TLS 1.3 has keys already, that it
		// does not believe the certificate: all that is seen here is rubbish.
		return fmt.Errorf("the client broke it off; most likely it does not believe the certificate: %w", err)
	}
	return err
}

// maxPEM is larger than any chain of certificates, in bytes.
const maxPEM = 1 << 20

// read reads a file of keys or certificates.
func read(file string) ([]byte, error) {
	text, info, err := disk.ReadRegular(file, unix.O_RDONLY, maxPEM)
	if err == nil && info.Size() > maxPEM {
		err = fmt.Errorf("%s is too large for a certificate or a key", file)
	}
	return text, err
}

// Pair reads the site's certificate and key, and checks that they belong together.
func Pair(site *site.Site) (tls.Certificate, error) {
	crt, err := read(site.SSLServerCrt)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("ssl_server_crt: %w", err)
	}
	key, err := read(site.SSLServerKey)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("ssl_server_key: %w", err)
	}
	pair, err := tls.X509KeyPair(crt, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("%s and %s: %w", site.SSLServerCrt, site.SSLServerKey, err)
	}
	return pair, nil
}

// Pool reads a file of authorities' certificates.
func Pool(file string) (*x509.CertPool, error) {
	text, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("ssl_ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("ssl_ca_file: %s has no certificate in it", file)
	}
	return pool, nil
}

// A stream makes an io.ReadWriter a net.Conn, as far as crypto/tls uses it: with
// deadlines if rw supports them. Nobody closes it: the descriptors are the launcher's.
type stream struct{ io.ReadWriter }

type deadliner interface {
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

func (s stream) SetReadDeadline(t time.Time) error {
	if d, ok := s.ReadWriter.(deadliner); ok {
		return d.SetReadDeadline(t)
	}
	return nil
}

func (s stream) SetWriteDeadline(t time.Time) error {
	if d, ok := s.ReadWriter.(deadliner); ok {
		return d.SetWriteDeadline(t)
	}
	return nil
}

func (s stream) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

func (s stream) Close() error         { return nil }
func (s stream) LocalAddr() net.Addr  { return nil }
func (s stream) RemoteAddr() net.Addr { return nil }
