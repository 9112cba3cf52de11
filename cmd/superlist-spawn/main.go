//go:debug updatemaxprocs=0
//go:debug decoratemappings=0

// Superlist-spawn serves one SMTP or LMTP session on standard input and output,
// as spawn(8), inetd, xinetd and systemd start it, and exits.
package main

import (
	"superlist/lists/entry"
	"superlist/lists/site"
)

const manual = `superlist-spawn - one SMTP session for mailing lists

Usage: superlist-spawn [-c FILE]

It speaks SMTP, or LMTP once the client says LHLO, on standard input and output,
decides on each recipient and each post, puts what it accepts into the spool,
and ends with the session. Postfix spawn(8), inetd, xinetd and systemd with
Accept=yes start it; a pipe does too:

    printf 'EHLO me\r\nQUIT\r\n' | superlist-spawn -c superlist.toml

When a session needs more, such as TLS, it becomes superlist-session, which must
be in the same directory.

  -c FILE   the configuration; else $SUPERLIST_CONFIG, else
            ` + site.DefaultConfig + `

It writes nothing to standard error: under spawn and inetd that is the client.
Its messages go to the log that the configuration names.
`

const program = "superlist-spawn"

func main() {
	growStack(-1)
	var config string
	entry.Program{
		Manual: manual,
		Arguments: func(args []string) (help bool, err error) {
			config, help, err = arguments(args)
			return help, err
		},
		Serve:  func() error { return serve(config) },
		Refuse: func(err error) { entry.Refuse(program, err) },
	}.Run()
}

// serve serves the client. It returns an error if we fail before the session begins.
func serve(config string) error {
	site, log, err := entry.Open(config, program)
	if err != nil {
		return err
	}
	conn := &entry.Conn{In: 0, Out: 1}
	session := entry.Session(site, log)
	session.HandOver = entry.HandOver(site)
	session.Serve(conn)
	conn.Linger()
	return nil
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
