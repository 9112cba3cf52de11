// Superlist-spawn serves one SMTP or LMTP session on standard input and output,
// as spawn(8), inetd, xinetd and systemd start it, and exits.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"superlist/lists"
	"superlist/lists/maillog"
	"superlist/smtp"
)

const manual = `superlist-spawn - one SMTP session for mailing lists

Usage: superlist-spawn [-c FILE]

It speaks SMTP, or LMTP once the client says LHLO, on standard input and output,
decides on each recipient and each post, puts what it accepts into the spool,
and ends with the session. Postfix spawn(8), inetd, xinetd and systemd with
Accept=yes start it; a pipe does too:

    printf 'EHLO me\r\nQUIT\r\n' | superlist-spawn -c superlist.toml

  -c FILE   the configuration; else $SUPERLIST_CONFIG, else
            ` + lists.DefaultConfig + `

It writes nothing to standard error: under spawn and inetd that is the client.
What it has to say is in the log that the configuration names.
`

func main() {
	growStack(-1)
	if err := hideStderr(); err != nil {
		refuse(err)
	}
	flags := flag.NewFlagSet("superlist-spawn", flag.ContinueOnError)
	flags.Usage = func() {}
	config := flags.String("c", "", "")
	switch err := flags.Parse(os.Args[1:]); {
	case err == flag.ErrHelp:
		fmt.Print(manual)
		return
	case err != nil:
		refuse(err)
	case flags.NArg() > 0:
		refuse(fmt.Errorf("unknown argument %q", flags.Arg(0)))
	}
	site, err := lists.Load(lists.ConfigFile(*config))
	if err == nil {
		err = site.BecomeUser()
	}
	if err != nil {
		refuse(err)
	}
	log, err := maillog.Open(site.Log, site.LogLevel, "superlist-spawn")
	if err != nil {
		// Mail goes on without a log; syslog may know at least that.
		fallback().Printf(maillog.Err, "%v", err)
	}
	if f := log.File(); f != nil {
		unix.Dup3(int(f.Fd()), 2, 0) // where the runtime's last words go
	}
	serve(site, log)
}

func serve(site *lists.Site, log *maillog.Log) {
	conn := &conn{in: 0, out: 1}
	session := smtp.Session{
		Hostname:       site.Hostname,
		Backend:        &lists.Intake{Site: site, Spool: site.Spool()},
		Peer:           peer(0, os.Getenv),
		MaxMessageSize: int64(site.MaxMessageSize),
		ReadTimeout:    time.Duration(site.ReadTimeout),
		WriteTimeout:   time.Duration(site.WriteTimeout),
		SessionTimeout: time.Duration(site.SessionTimeout),
		Log: func(e smtp.Event) {
			if at := level(e); log.Takes(at) {
				log.Line(at, e.String())
			}
		},
	}
	session.Serve(conn)
	conn.linger()
}

// level is how grave an event is for the log.
func level(e smtp.Event) maillog.Level {
	switch {
	case e.Fault():
		return maillog.Err
	case e.What == "connect", e.What == "disconnect" && e.Err == nil:
		return maillog.Debug // its decisions have lines of their own
	}
	return maillog.Info
}

// growStack makes the stack as large as a session needs at once, while there is
// nothing on it; it would grow to that in steps, each of which copies it. It
// does so by being called: the room is never used, and never touched.
//
//go:noinline
func growStack(i int) byte {
	if i < 0 {
		return 0
	}
	var room [40 << 10]byte
	return room[i]
}

// hideStderr moves standard error out of the client's socket, before anything
// can be said there.
func hideStderr() error {
	null, err := unix.Open("/dev/null", unix.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("/dev/null: %w", err)
	}
	defer unix.Close(null)
	return unix.Dup3(null, 2, 0)
}

// fallback is the log where the configuration gives none.
func fallback() *maillog.Log {
	log, _ := maillog.Open("syslog", "info", "superlist-spawn")
	return log
}

// refuse ends a session that cannot begin: RFC 5321, 3.8. What is wrong is for
// the log alone.
func refuse(err error) {
	fallback().Printf(maillog.Err, "no session: %v", err)
	c := &conn{in: 0, out: 1}
	c.SetWriteDeadline(time.Now().Add(time.Second))
	c.Write([]byte("421 4.3.0 the mailing lists are not available now; please try again later\r\n"))
	c.linger()
	os.Exit(0) // a launcher would make an alarm of anything else, and the log has it
}
