// Superlist-web answers one HTTP request about the archives and the members of lists, as
// a CGI program or on standard input and output, and exits.
package main

import (
	"superlist/lists/entry"
	"superlist/lists/entry/flags"
	"superlist/lists/maillog"
	"superlist/lists/site"
	"superlist/lists/web/serve"
)

const manual = `superlist-web - one HTTP request to lists

Usage: superlist-web [-c FILE]

It answers what the pages of an archive cannot, since they are files: where the
post with a Message-ID is, a post or a thread as it was sent, and what is
attached to a post. It has the pages by which people join, answer a letter,
choose what they get and leave, also with the button of their mail program
(RFC 8058), and those of moderators. A web server starts it by CGI, or passes requests on to a
socket for each of whose connections systemd (Accept=yes) or xinetd starts it.
docs/web.md has the configuration.

  -c FILE   the configuration; else $SUPERLIST_CONFIG, else
            ` + site.DefaultConfig + `

It reads lists, puts what somebody asks for into the queue, from which superlist
deliver takes it, and is shut in like a mail session. It says nothing to anybody
but the client and the log that the configuration names.
`

const program = entry.WebProgram

func main() {
	options := flags.New(program)
	entry.Program{
		Manual: manual, Arguments: options.Read,
		Serve: func() error { return answer(options.Config) },
		Refuse: func(err error) {
			entry.Fallback(program).Printf(maillog.Err, "%v", err)
			serve.Once(serve.Unavailable)
		},
	}.Run()
}

// answer answers the request.
func answer(config string) error {
	site, log, err := entry.Open(config, program)
	if err != nil {
		return err
	}
	return serve.Once(&serve.Handler{Site: site, Log: log})
}
