package account

import (
	"errors"
	"fmt"
	"io/fs"

	gosasl "github.com/emersion/go-sasl"

	"superlist/lists/site"
	"superlist/smtp"
	"superlist/smtp/sasl"
)

// replyMalformed is for malformed input to a mechanism. It counts as a failure, since
// somebody who guesses may well send such input.
var replyMalformed = smtp.Reply{Code: 501, Enhanced: "5.5.2", Text: "that is not how this mechanism goes on"}

// An Authenticator is the smtp.Authenticator of a site. It opens everything at the
// beginning, so that a session may then give up the right to open files, and it sees
// the accounts as they were at that time.
type Authenticator struct {
	site     *site.Site
	file     *File
	failures *Failures
	err      error // why nobody can log in
}

// Open makes the Authenticator of a site that has a passwd file or a Dovecot. An error
// is reported to those who want to log in, and does not stop the session.
func Open(site *site.Site) *Authenticator {
	a := &Authenticator{site: site}
	if site.Auth.PasswdFile != "" {
		a.file, a.err = Read(site.Auth.PasswdFile)
	}
	if a.err == nil {
		a.failures, a.err = openFailures(site.FailuresFile())
	}
	if errors.Is(a.err, fs.ErrNotExist) { // no mail has ever arrived
		if a.err = site.Spool().Init(); a.err == nil {
			a.failures, a.err = openFailures(site.FailuresFile())
		}
	}
	return a
}

// A truster is a Backend that needs to know the addresses of a login: an intake.Intake,
// or something that has one.
type truster interface {
	TrustLogins(authors func(login string) []smtp.Path)
}

// Join lets users of the site log in to a session. Close the result after the session.
func Join(site *site.Site, session *smtp.Session) *Authenticator {
	a := Open(site)
	session.Auth.Server = a
	if backend, ok := session.Backend.(truster); ok {
		backend.TrustLogins(a.Authors)
	}
	return a
}

// Close closes what is open.
func (a *Authenticator) Close() error {
	if a.failures == nil {
		return nil
	}
	return a.failures.close()
}

// Authors returns the addresses that a logged-in user may post as.
func (a *Authenticator) Authors(login string) []smtp.Path {
	if a.file != nil {
		if account, ok := a.file.find(login); ok {
			return account.Authors()
		}
	}
	return site.LoginAuthors(login)
}

// Mechanisms returns the mechanisms that can be offered now.
func (a *Authenticator) Mechanisms() ([]string, error) {
	switch {
	case a.err != nil:
		return nil, a.err
	case a.file != nil:
		return a.file.mechanisms(), nil
	}
	d, err := dialDovecot(a.site.Auth.Dovecot)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.mechanisms, nil
}

// Begin starts an attempt to log in, unless there were too many failures.
func (a *Authenticator) Begin(r smtp.AuthRequest) (smtp.Exchange, error) {
	if a.err != nil {
		return nil, a.err
	}
	give, err := a.failures.take(r.Peer)
	if err != nil {
		return nil, err
	}
	x := &exchange{give: give}
	if a.file != nil {
		x.in = beginLocal(a.file, a.failures.secret, r.Mechanism, a.site.Hostname)
	} else if x.in, err = beginDovecot(a.site.Auth.Dovecot, r); err != nil {
		give()
		return nil, err
	}
	return x, nil
}

// An exchange counts the outcome of another one.
type exchange struct {
	in     smtp.Exchange
	give   func()
	failed bool
}

func (x *exchange) Next(response []byte) (challenge []byte, done bool, err error) {
	challenge, done, err = x.in.Next(response)
	x.failed = x.failed || err != nil && smtp.ReplyTo(err).Permanent()
	return challenge, done, err
}

func (x *exchange) Login() string { return x.in.Login() }

// Close takes back what Begin counted, if nobody was refused: a cancelled exchange has
// revealed nothing about a password.
func (x *exchange) Close() error {
	if !x.failed {
		x.give()
	}
	return x.in.Close()
}

// local is an exchange about an account of a passwd file.
type local struct {
	file   *File
	secret []byte
	server gosasl.Server
	login  string
}

func beginLocal(file *File, secret []byte, mechanism, host string) *local {
	l := &local{file: file, secret: secret}
	l.server = l.mechanism(mechanism, host)
	return l
}

func (l *local) Login() string { return l.login }

func (l *local) Close() error { return nil }

func (l *local) Next(response []byte) (challenge []byte, done bool, err error) {
	challenge, done, err = l.server.Next(response)
	switch {
	case err == nil:
		return challenge, done, nil
	case errors.Is(err, sasl.ErrFailed):
		return nil, false, fmt.Errorf("%w: %w", smtp.ReplyAuthFailed, err)
	}
	return nil, false, fmt.Errorf("%w: %w", replyMalformed, err)
}

// mechanism returns the server of a mechanism that the file supports.
func (l *local) mechanism(name, host string) gosasl.Server {
	switch name {
	case sasl.Login:
		return sasl.NewLoginServer(l.check)
	case sasl.CramMD5:
		return sasl.NewCramServer(host, func(user string) (sasl.CramSecret, error) {
			s, ok := l.account(user).verifier(CramMD5).(cramSecret)
			if !ok {
				return s.CramSecret, sasl.ErrFailed
			}
			return s.CramSecret, nil
		})
	case sasl.ScramSHA256:
		return sasl.NewScramServer(func(user string) (sasl.ScramVerifier, error) {
			v, ok := l.account(user).verifier(ScramSHA256).(scramVerifier)
			if !ok {
				return v.ScramVerifier, sasl.ErrFailed
			}
			return v.ScramVerifier, nil
		})
	}
	return gosasl.NewPlainServer(func(identity, user, password string) error {
		if identity != "" && identity != user { // nobody acts for another user here
			password = ""
		}
		return l.check(user, password)
	})
}

// account returns the user's account, or a stranger's.
func (l *local) account(user string) Account {
	l.login = user
	if name, err := sasl.Prepare(user); err == nil {
		user = name
	}
	stranger := l.file.stranger(l.secret, user)
	if a, ok := l.file.find(user); ok {
		l.login = a.Name
		return a
	}
	return stranger
}

// check checks a plaintext password, against the best verifier there is.
func (l *local) check(user, password string) error {
	a := l.account(user)
	prepared, err := sasl.Prepare(password)
	if err != nil || len(prepared) > maxPassword {
		prepared = "" // no account has it, and checking takes the same time
	}
	if !a.verifiers[0].matches(prepared) || prepared == "" {
		return sasl.ErrFailed
	}
	return nil
}
