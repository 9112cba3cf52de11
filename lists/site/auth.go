package site

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"superlist/lists/config"
	"superlist/smtp"
)

// An Auth is the table [auth]: how clients log in. With neither a PasswdFile nor
// Dovecot nobody can.
type Auth struct {
	Mechanisms []string // SASL mechanisms, the best first
	PasswdFile string   // our own accounts
	Dovecot    string   // the socket of Dovecot's auth service
	Insecure   bool     // outside TLS too
	Required   bool     // no mail from a client that has not logged in
}

// Keys returns the keys that the table may have.
func (a *Auth) Keys() []config.Key {
	return []config.Key{
		{Name: "mechanisms", To: &a.Mechanisms},
		{Name: "passwd_file", To: &a.PasswdFile},
		{Name: "dovecot", To: &a.Dovecot},
		{Name: "insecure", To: &a.Insecure},
		{Name: "required", To: &a.Required},
	}
}

// authMechanisms are the mechanisms of a passwd file, the best for a client first,
// since some clients take the first one they know.
var authMechanisms = []string{"SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5"}

// maxMechanism is the longest name of a mechanism: RFC 4422, 3.1.
const maxMechanism = 20

// Offered returns the mechanisms to offer: none if there is nobody to ask.
func (a Auth) Offered() []string {
	if a.PasswdFile == "" && a.Dovecot == "" {
		return nil
	}
	return a.Mechanisms
}

// Proves reports whether clients of this site can prove their identity at all: to us,
// to a proxy that reports it with XCLIENT, or to the server of superlist-milter. If
// not, no message in the spool has a proved author.
func (s *Site) Proves() bool {
	return s.Auth.Offered() != nil || s.XClient || s.Spool().HasLogins()
}

// FailuresFile returns the path where failed log-ins are counted.
func (s *Site) FailuresFile() string { return filepath.Join(s.QueueDir, "failures") }

// checkAuth checks [auth].
func (s *Site) checkAuth() error {
	a := s.Auth
	on := "auth.passwd_file"
	if a.Dovecot != "" {
		on = "auth.dovecot"
	}
	switch {
	case a.PasswdFile != "" && a.Dovecot != "":
		return s.wrong("auth.dovecot", "is one way, passwd_file is another; leave one of them out")
	case a.PasswdFile != "" && !filepath.IsAbs(a.PasswdFile):
		return s.wrong("auth.passwd_file", "must be a file name that begins with /")
	case a.Dovecot != "" && !filepath.IsAbs(a.Dovecot):
		return s.wrong("auth.dovecot", "must be the name of a socket, and begin with /")
	case len(a.Mechanisms) == 0:
		return s.wrong("auth.mechanisms", "must name at least one; known are "+strings.Join(authMechanisms, ", "))
	case a.Required && a.Offered() == nil:
		return s.wrong("auth.required", "needs passwd_file or dovecot: nobody could log in")
	case a.Offered() != nil && !s.TLS && !a.Insecure:
		return s.wrong(on, "nobody could log in without TLS; set tls = true, or insecure = true where no stranger can listen")
	}
	for i, m := range a.Mechanisms {
		if slices.Contains(a.Mechanisms[:i], m) {
			return s.wrong("auth.mechanisms", m+" stands there twice")
		}
		if slices.Contains(authMechanisms, m) || a.Dovecot != "" && mechanismName(m) {
			continue
		}
		text := fmt.Sprintf("%q is not a mechanism; known are %s", m, strings.Join(authMechanisms, ", "))
		if near := config.Nearest(strings.ToUpper(m), authMechanisms); near != "" {
			text = fmt.Sprintf("%q is not a mechanism; did you mean %s?", m, near)
		}
		return s.wrong("auth.mechanisms", text)
	}
	return nil
}

// mechanismName reports whether a name could be that of a mechanism: RFC 4422, 3.1.
// Dovecot may have more than we know.
func mechanismName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return s != "" && len(s) <= maxMechanism
}

// LoginAuthors returns the addresses that a login may post as if nothing else is known:
// the login itself, if it is an address.
func LoginAuthors(login string) []smtp.Path {
	if p, ok := smtp.ParseAddress(login); ok {
		return []smtp.Path{p}
	}
	return nil
}
