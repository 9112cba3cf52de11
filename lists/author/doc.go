// Package author says who wrote a message, and what proves it: what the mail system
// in front of us has found out (RFC 8601), and DKIM signatures (RFC 6376), which it
// verifies itself. It knows no lists and no spool.
//
// A session asks no name server, so only deliver and the operator's command use it.
// What nobody can say in time proves nothing.
package author
