package door

import (
	"os"
	"time"

	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/smtp"
)

// Session is the SMTP session of a site with the peer on standard input, as
// every program that serves one begins it.
func Session(site *lists.Site, log *maillog.Log) *smtp.Session {
	return &smtp.Session{
		Hostname:       site.Hostname,
		Backend:        &lists.Intake{Site: site, Spool: site.Spool()},
		Peer:           Peer(0, os.Getenv),
		MaxMessageSize: int64(site.MaxMessageSize),
		ReadTimeout:    time.Duration(site.ReadTimeout),
		WriteTimeout:   time.Duration(site.WriteTimeout),
		SessionTimeout: time.Duration(site.SessionTimeout),
		StartTLS:       site.TLS,
		RequireTLS:     site.TLSRequired,
		Log: func(e smtp.Event) {
			if at := level(e); log.Takes(at) {
				log.Line(at, e.String())
			}
		},
	}
}

// level is how grave an event is for the log.
func level(e smtp.Event) maillog.Level {
	switch {
	case e.Fault():
		return maillog.Err
	case e.What == "connect", e.What == "starttls" && e.Err == nil, e.What == "disconnect" && e.Err == nil:
		return maillog.Debug // its decisions have lines of their own
	}
	return maillog.Info
}

// Refuse ends a session that cannot begin: RFC 5321, 3.8. What is wrong is for
// the log alone. The program then exits with 0: a launcher would make an alarm
// of anything else.
func Refuse(program string, err error) {
	Fallback(program).Printf(maillog.Err, "no session: %v", err)
	c := &Conn{In: 0, Out: 1}
	c.SetWriteDeadline(time.Now().Add(time.Second))
	c.Write([]byte("421 4.3.0 the mailing lists are not available now; please try again later\r\n"))
	c.Linger()
}
