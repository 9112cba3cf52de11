//go:debug updatemaxprocs=0
//go:debug decoratemappings=0

// Superlist-session serves an SMTP session that needs what superlist-spawn does not
// link, above all TLS. Superlist-spawn becomes this program in the middle of a session.
// A launcher may also start it directly, with TLS from the first byte.
package main

import (
	"errors"
	"io"
	"time"

	"superlist/lists/account"
	"superlist/lists/entry"
	"superlist/lists/entry/flags"
	"superlist/lists/helo"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/lists/tlsserver"
	"superlist/smtp"
)

const manual = `superlist-session - one SMTP session for mailing lists, with TLS

Usage: superlist-session [-c FILE] [-tls-wrapper]

superlist-spawn becomes this program when a client says STARTTLS or AUTH, and in
a few other cases. It can also serve a whole session, started by the same
launchers as superlist-spawn, but it is twice as large. That is of use where TLS
comes first (-tls-wrapper).

  -tls-wrapper  TLS from the first byte: RFC 8314, port 465
  -c FILE       the configuration; else $SUPERLIST_CONFIG, else
                ` + site.DefaultConfig + `
  -state N      the descriptor of a session to continue; for superlist-spawn only

It writes nothing to standard error: under spawn and inetd that is the client.
Its messages go to the log that the configuration names.
`

func main() {
	options := flags.New(entry.SessionProgram)
	state := options.Int("state", -1, "") // descriptor; -1: none
	wrapper := options.Bool("tls-wrapper", false, "")
	entry.Program{
		Manual: manual, Arguments: options.Read,
		Serve:  func() error { return serve(options.Config, *state, *wrapper) },
		Refuse: func(err error) { entry.Refuse(entry.SessionProgram, err) },
	}.Run()
}

// serve serves the client. It returns an error if we fail before the session begins.
func serve(config string, fd int, wrapper bool) error {
	var state *smtp.State
	if fd >= 0 {
		if wrapper {
			return errors.New("-tls-wrapper and -state exclude each other")
		}
		var err error
		if state, err = entry.Resume(fd); err != nil {
			return err
		}
	}
	site, log, err := entry.Open(config, entry.SessionProgram)
	if err != nil {
		return err
	}
	conn := &entry.Conn{In: 0, Out: 1}
	server := &tlsserver.Server{Site: site}
	session := entry.Session(site, log)
	session.TLSServer = server
	session.CheckHelo = new(helo.Checker).Check
	session.Resume = state
	if site.Auth.Offered() != nil {
		defer account.Join(site, session).Close()
	}
	var rw io.ReadWriter = conn
	if wrapper {
		rw, session.TLS, err = wrap(server, conn)
	}
	if err != nil { // before TLS nothing can be said
		log.Printf(maillog.Err, "no session: client=%s: %v", session.Peer, err)
		return nil
	}
	session.Serve(rw)
	server.Close()
	conn.Linger()
	return nil
}

// wrap begins TLS at once: RFC 8314, 3.3.
func wrap(server *tlsserver.Server, conn *entry.Conn) (io.ReadWriter, smtp.TLS, error) {
	if err := server.Site.CheckWrapper(); err != nil {
		return nil, smtp.TLS{}, err
	}
	if err := server.Load(); err != nil {
		return nil, smtp.TLS{}, err
	}
	return server.Handshake(conn, time.Now().Add(smtp.HandshakeTimeout))
}
