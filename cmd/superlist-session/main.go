// Superlist-session serves an SMTP session that needs what superlist-spawn does not
// link, above all TLS. Superlist-spawn becomes this program in the middle of a session.
// A launcher may also start it directly, with TLS from the first byte.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"superlist/lists/account"
	"superlist/lists/entry"
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

// options are the command line's options.
type options struct {
	config  string
	state   int // descriptor; -1: none
	wrapper bool
}

func main() {
	if err := entry.HideStderr(); err != nil {
		entry.Refuse(entry.SessionProgram, err)
		return
	}
	var o options
	flags := flag.NewFlagSet(entry.SessionProgram, flag.ContinueOnError)
	flags.Usage = func() {}
	flags.StringVar(&o.config, "c", "", "")
	flags.IntVar(&o.state, "state", -1, "")
	flags.BoolVar(&o.wrapper, "tls-wrapper", false, "")
	err := flags.Parse(os.Args[1:])
	switch {
	case err == flag.ErrHelp:
		fmt.Print(manual)
		return
	case err == nil && flags.NArg() > 0:
		err = fmt.Errorf("unknown argument %q", flags.Arg(0))
	case err == nil && o.wrapper && o.state >= 0:
		err = fmt.Errorf("-tls-wrapper and -state exclude each other")
	}
	if err == nil {
		err = serve(o)
	}
	if err != nil {
		entry.Refuse(entry.SessionProgram, err)
	}
}

// serve serves the client. It returns an error if we fail before the session begins.
func serve(o options) (err error) {
	defer entry.Panicked(&err)
	var state *smtp.State
	if o.state >= 0 {
		if state, err = entry.Resume(o.state); err != nil {
			return err
		}
	}
	site, log, err := entry.Open(o.config, entry.SessionProgram)
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
	if o.wrapper {
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
