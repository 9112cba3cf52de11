//go:debug updatemaxprocs=0
//go:debug decoratemappings=0

// Superlist-milter serves one milter session on standard input and output, as
// spawn(8), inetd, xinetd and systemd start it, and exits.
package main

import (
	"superlist/lists/entry"
	"superlist/lists/entry/flags"
	"superlist/lists/maillog"
	"superlist/lists/site"
)

const manual = `superlist-milter - mailing lists as a mail filter

Usage: superlist-milter [-c FILE] [-non-smtpd]

It speaks the milter protocol on standard input and output, one process for each
SMTP session of Postfix or sendmail. Recipients that are lists are refused or
accepted while the sender is on the line; the message is put into the spool and
taken off the server's hands for them. All other recipients, and all other mail,
are left untouched. Postfix spawn(8), inetd, xinetd and systemd with Accept=yes start
it.

  -c FILE     the configuration; else $SUPERLIST_CONFIG, else
              ` + site.DefaultConfig + `
  -non-smtpd  for mail from programs on this machine (non_smtpd_milters): what is
              refused is refused at the end of the message, so that it goes back
              to its sender and does not wait in the queue

It writes nothing to standard error: under spawn and inetd that is the server.
Its messages go to the log that the configuration names.
`

const program = entry.MilterProgram

func main() {
	options := flags.New(program)
	local := options.Bool("non-smtpd", false, "")
	entry.Program{
		Manual: manual, Arguments: options.Read,
		Serve: func() error { return serve(options.Config, *local) },
		// There is nothing to say on the connection: when it ends, the server does what
		// milter_default_action says.
		Refuse: func(err error) { entry.Fallback(program).Printf(maillog.Err, "no session: %v", err) },
	}.Run()
}

// serve serves the server. It returns an error if we fail before the session begins.
func serve(config string, local bool) error {
	site, log, err := entry.Open(config, program)
	if err != nil {
		return err
	}
	g := newGate(site, entry.Events(site, log))
	g.local = local
	g.in.Asleep = entry.Asleep(site, log)
	f := g.filter()
	f.Log = func(text string) { log.Line(maillog.Err, text) }
	f.Serve(&entry.Conn{In: 0, Out: 1})
	return nil
}
