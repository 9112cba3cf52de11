package tlsclient

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
)

// A TLSA is one TLSA record: RFC 6698, 2.1.
type TLSA struct {
	Usage, Selector, Matching uint8
	Data                      []byte
}

// Supported values of a TLSA, by their acronyms: RFC 7218.
const (
	daneTA = 2 // the server's own certificate authority
	daneEE = 3 // the server's certificate itself

	selectCert = 0
	selectSPKI = 1

	matchFull   = 0
	matchSHA256 = 1
	matchSHA512 = 2
)

// usableRecords returns the records that mean something to SMTP: RFC 7672, 3.1.3
// excludes the usages that need public authorities, since there is no agreed set of
// them.
func usableRecords(records []TLSA) (usable []TLSA) {
	for _, r := range records {
		long := len(r.Data) > 0
		switch r.Matching {
		case matchSHA256:
			long = len(r.Data) == sha256.Size
		case matchSHA512:
			long = len(r.Data) == sha512.Size
		}
		if (r.Usage == daneTA || r.Usage == daneEE) && r.Selector <= selectSPKI && r.Matching <= matchSHA512 && long {
			usable = append(usable, r)
		}
	}
	return usable
}

// matches reports whether the record matches this certificate.
func (r TLSA) matches(cert *x509.Certificate) bool {
	data := cert.Raw
	if r.Selector == selectSPKI {
		data = cert.RawSubjectPublicKeyInfo
	}
	switch r.Matching {
	case matchSHA256:
		sum := sha256.Sum256(data)
		data = sum[:]
	case matchSHA512:
		sum := sha512.Sum512(data)
		data = sum[:]
	}
	return bytes.Equal(data, r.Data)
}

// dane checks the certificates against the records. Usage 3 requires only a match, not
// a name or a date (RFC 7672, 3.1.1). Usage 2 requires a chain from the certificate,
// which must have one of the names, to the authority in the record (RFC 7672, 3.1.2).
func (p Policy) dane(certs []*x509.Certificate, usable []TLSA) (by string, err error) {
	if len(certs) == 0 {
		return "", errors.New("no certificate")
	}
	err = errors.New("no TLSA record is about its certificate")
	for _, r := range usable {
		if r.Usage == daneEE {
			if r.matches(certs[0]) {
				return "verified by DANE-EE", nil
			}
			continue
		}
		roots := x509.NewCertPool()
		found := false
		for _, cert := range certs {
			if r.matches(cert) {
				roots.AddCert(cert)
				found = true
			}
		}
		// If the record contains the whole authority, the server need not send it.
		if r.Selector == selectCert && r.Matching == matchFull {
			if cert, err := x509.ParseCertificate(r.Data); err == nil {
				roots.AddCert(cert)
				found = true
			}
		}
		if r.Selector == selectSPKI && r.Matching == matchFull && !found {
			if last := signedBy(certs, r.Data); last != nil {
				roots.AddCert(last)
				found = true
			}
		}
		if !found {
			continue
		}
		if err = verifyNames(certs, roots, p.Hosts); err == nil {
			return "verified by DANE-TA", nil
		}
	}
	return "", err
}

// signedBy returns the certificate that a bare key has signed: RFC 7671, 5.2.2.
func signedBy(certs []*x509.Certificate, spki []byte) *x509.Certificate {
	key, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return nil
	}
	authority := &x509.Certificate{PublicKey: key}
	for _, cert := range certs {
		if authority.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil {
			return cert
		}
	}
	return nil
}
