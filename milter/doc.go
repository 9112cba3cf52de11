// Package milter speaks the mail filter protocol, versions 2 to 6, on both sides: a
// Filter answers a mail server (MTA), and a Client asks a filter. The protocol has no
// specification; what libmilter, Postfix and sendmail do is the rule. libmilter's names
// are given next to ours, so that its documentation is useful.
//
// Both work on an io.ReadWriter: standard input and output, as spawn(8) and inetd give
// them to a program, or a socket. One connection is one SMTP session and carries any
// number of messages.
//
// It refuses to open a socket or to start a goroutine for a connection, to believe a
// length, to send what it promised not to send, and to send a line break or a NUL where
// the other side would take it for structure.
package milter
