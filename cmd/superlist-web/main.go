//go:debug updatemaxprocs=0
//go:debug decoratemappings=0

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

It answers what the pages of an archive cannot, since they are files: it searches
posts, finds a post by its Message-ID, and sends posts and threads as they were
sent, and attachments. It has the pages on which people join, answer a letter,
choose what they get, and leave, also with the button of their mail program
(RFC 8058), and those for moderators and owners. For a list with
web = "members" it serves the archive to members, too.

A web server starts it by CGI, or passes requests on to a socket. For each
connection to it systemd (Accept=yes) or xinetd starts this program.
superlist setup web prints the configuration, and docs/web.md explains it.

  -c FILE   the configuration; else $SUPERLIST_CONFIG, else
            ` + site.DefaultConfig + `

It reads lists, and writes only requests into the queue, from which superlist
deliver takes them. It runs in a sandbox like a mail session. It answers the
client, and otherwise writes only to the log that the configuration names.
`

const program = entry.WebProgram

func main() {
	options := flags.New(program)
	entry.Program{
		Manual: manual, Arguments: options.Read,
		Serve: func() error { return answer(options.Config) },
		Refuse: func(err error) {
			entry.Fallback(program).Printf(maillog.Err, "%v", err)
			serve.Once(serve.Unavailable, client())
		},
	}.Run()
}

// answer answers the request.
func answer(config string) error {
	site, log, err := entry.Open(config, program)
	if err != nil {
		return err
	}
	return serve.Once(&serve.Handler{Site: site, Log: log}, client())
}

// client is whoever asks, unless that is by CGI.
func client() *entry.Conn { return &entry.Conn{In: 0, Out: 1} }
