//go:debug updatemaxprocs=0
//go:debug decoratemappings=0

// Superlist-policy answers requests of Postfix's smtpd(8) about recipients, on standard
// input and output, as started by spawn(8).
package main

import (
	"superlist/lists/entry"
	"superlist/lists/entry/flags"
	"superlist/lists/maillog"
	"superlist/lists/site"
)

const manual = `superlist-policy - says at RCPT what mailing lists refuse

Usage: superlist-policy [-c FILE] [-list ACTION]

It speaks Postfix's policy delegation protocol (SMTPD_POLICY_README) on standard
input and output, as many requests as Postfix has, and ends with the connection.
Postfix spawn(8) starts it; so that Postfix asks it, main.cf says
check_policy_service. docs/postfix.md has the lines.

A recipient that is no list, of a domain with lists, is refused with the list's
own words, and so is what a list refuses whatever the message says: a banned
sender, a list that is closed, a size that is too large, a full queue. From decides
who may post, and is not known yet. Recipients of other domains, and all that
nothing is said against, get DUNNO, and Postfix goes on with its restrictions.

The answer about an address of a list has a second line, list=ADDRESS, which
Postfix ignores. Greylisting and other services can ask it what is a list:

    printf 'request=smtpd_access_policy\nrecipient=dev@lists.example.org\n\n' |
        superlist-policy

  -c FILE       the configuration; else $SUPERLIST_CONFIG, else
                ` + site.DefaultConfig + `
  -list ACTION  what to answer about an address of a list instead of DUNNO:
                an action of access(5), or the name of a restriction class

It is shut in like a mail session, and writes nothing to standard error: under
spawn that is Postfix. Its messages go to the log that the configuration names.
`

const program = entry.PolicyProgram

func main() {
	options := flags.New(program)
	list := options.String("list", dunno, "")
	entry.Program{
		Manual: manual, Arguments: options.Read,
		Serve: func() error { return serve(options.Config, *list) },
		// Any answer would count as a decision. If the connection ends instead, Postfix
		// does what smtpd_policy_service_default_action says.
		Refuse: func(err error) { entry.Fallback(program).Printf(maillog.Err, "no session: %v", err) },
	}.Run()
}

// serve answers Postfix. An error is a local fault before the first request.
func serve(config, list string) error {
	if err := checkAction(list); err != nil {
		return err
	}
	site, log, err := entry.Open(config, program)
	if err != nil {
		return err
	}
	d := newDesk(site, entry.Events(site, log))
	d.list = list
	if err := d.serve(&entry.Conn{In: 0, Out: 1}); err != nil {
		log.Printf(maillog.Err, "what came is not a request of Postfix: %v", err)
	}
	return nil
}
