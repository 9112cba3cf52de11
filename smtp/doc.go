// Package smtp implements the protocol: lines, paths and replies, the server's side of
// a session, and the client.
//
// It implements RFC 5321 with SIZE (RFC 1870), 8BITMIME (RFC 6152), PIPELINING (RFC
// 2920), CHUNKING and BINARYMIME (RFC 3030), ENHANCEDSTATUSCODES (RFC 2034), SMTPUTF8
// (RFC 6531), DSN (RFC 3461), LIMITS (RFC 9422), AUTH (RFC 4954), REQUIRETLS (RFC
// 8689), LMTP (RFC 2033) and, in the client, Postfix's XVERP, XCLIENT and XFORWARD.
//
// It knows neither disk nor mailing lists: a Session asks its Backend, and a Client
// sends what it is given. It refuses to accept anything but CRLF as the end of a line,
// to put a control character into a command or a reply, to shorten or convert a message
// (but it completes a last line without an end, which only BDAT can bring), and to show
// an internal error to the other side.
package smtp
