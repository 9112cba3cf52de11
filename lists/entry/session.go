package entry

import (
	"cmp"
	"io"
	"os"
	"time"

	"superlist/lists/intake"
	"superlist/lists/maillog"
	"superlist/lists/milters"
	"superlist/lists/proxy"
	"superlist/lists/sandbox"
	"superlist/lists/site"
	"superlist/smtp"
)

// Session is the SMTP session of a site with the peer on standard input, as
// every program that serves one begins it.
func Session(site *site.Site, log *maillog.Log) *smtp.Session {
	intake := &intake.Intake{Site: site, Spool: site.Spool(), Filter: filter(site, log), Asleep: Asleep(site, log)}
	s := &smtp.Session{
		Hostname:       site.Hostname,
		Backend:        intake,
		Peer:           Peer(0, os.Getenv),
		MaxMessageSize: int64(site.MaxMessageSize),
		HeloCheck:      site.HeloCheck,
		DSN:            site.DSN,
		BinaryMIME:     site.BinaryMIME,
		TLSOnward:      site.Relay.Verifies() && site.Proxy.NextHop == "",
		ProxyProtocol:  site.ProxyProtocol,
		XClient:        site.XClient,
		XForward:       site.XForward,
		Trusted:        site.Trusts,
		ReadTimeout:    time.Duration(site.ReadTimeout),
		WriteTimeout:   time.Duration(site.WriteTimeout),
		SessionTimeout: time.Duration(site.SessionTimeout),
		StartTLS:       site.TLS,
		RequireTLS:     site.TLSRequired,
		Auth: smtp.Auth{
			Mechanisms: site.Auth.Offered(),
			Insecure:   site.Auth.Insecure,
			Required:   site.Auth.Required,
		},
		Log: Events(site, log),
	}
	if site.Proxy.NextHop != "" {
		Before(s, site, func(by time.Time) (io.ReadWriteCloser, error) {
			to, err := site.Proxy.Target()
			if err != nil {
				return nil, err
			}
			return Dial(to, by)
		})
	}
	if site.Vrfy == "lists" && site.Proxy.NextHop == "" { // what is behind a next hop only that one knows
		s.Verify = intake.Verify
	}
	return s
}

// filter asks the site's mail filters; nil where there are none.
func filter(of *site.Site, log *maillog.Log) intake.Filter {
	if len(of.Milters) == 0 {
		return nil
	}
	return &milters.Filters{
		Site: of, Spool: of.Spool(), Log: log.Line,
		Dial: func(to site.Target, by time.Time) (io.ReadWriteCloser, error) { return Dial(to, by) },
	}
}

// Events writes the decisions of a session to the log.
func Events(site *site.Site, log *maillog.Log) func(smtp.Event) {
	return func(e smtp.Event) {
		if at := level(e); log.Takes(at) {
			log.Line(at, e.String())
		}
		if sandbox.Refused(e.Err) {
			log.Printf(maillog.Err, "the kernel refused that: %v: %s; superlist check looks at owners and modes",
				e.Err, cmp.Or(sandbox.Whose(e.Err), "a session may only "+box(site).String()))
		}
	}
}

// Asleep writes to the log that posts wait for a timer.
func Asleep(site *site.Site, log *maillog.Log) func(error) {
	return func(err error) {
		log.Printf(maillog.Warning, "trouble kick=%s error=%q: mail waits until a timer starts superlist deliver; see superlist check", site.Kick, err)
	}
}

// Before puts the session before a next hop, to which dial connects.
func Before(s *smtp.Session, of *site.Site, dial func(by time.Time) (io.ReadWriteCloser, error)) {
	own := &intake.Intake{Site: of, Spool: of.Spool(), Late: true}
	if in, ok := s.Backend.(*intake.Intake); ok {
		own.Filter, own.Asleep = in.Filter, in.Asleep
	}
	p := &proxy.Proxy{
		Lists:    own,
		Hostname: of.Hostname,
		Dial:     dial,
		Timeout:  time.Duration(of.Proxy.Timeout),
	}
	s.Backend, s.MaxRecipients = p, proxy.MaxRecipients
	s.BinaryMIME = false // the next hop gets each message by DATA
	if of.Proxy.Announce == site.AnnounceBoth {
		s.Announce = p.Announce
	}
}

// level is how grave an event is for the log.
func level(e smtp.Event) maillog.Level {
	switch {
	case e.Fault():
		return maillog.Err
	case e.What == "connect", e.What == "xclient", e.What == "proxied", e.What == "starttls" && e.Err == nil, e.What == "disconnect" && e.Err == nil:
		return maillog.Debug // its decisions have lines of their own
	}
	return maillog.Info
}

// Refuse ends a session that cannot begin: RFC 5321, 3.8. What is wrong is for
// the log alone.
func Refuse(program string, err error) {
	Fallback(program).Printf(maillog.Err, "no session: %v", err)
	c := &Conn{In: 0, Out: 1}
	c.SetWriteDeadline(time.Now().Add(time.Second))
	c.Write([]byte("421 4.3.0 the mailing lists are not available now; please try again later\r\n"))
	c.Linger()
}
