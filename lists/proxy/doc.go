// Package proxy stands between a host and its mail: recipients that are lists
// are taken by lists.Intake, all others go on to the next hop, in one and the
// same transaction and while the sender is on the line. It is what Postfix calls
// a before-queue filter (smtpd_proxy_filter).
//
// The next hop hears MAIL, but for its AUTH, and RCPT as the client said them,
// XFORWARD with who the client is, and the message as it came; where it says no, the client hears that
// word for word. It is connected to with the first recipient that is not a list, and
// once for each message: a session for lists alone does not know of it, and one
// without a list does not know of the spool. A message is written to both as it
// comes in. Nothing is kept of it but what the spool has.
//
// A trace line of ours (RFC 5321, 4.4) is put before a message for the next hop,
// unless the client has said XFORWARD. It is then a host that keeps the trace
// itself and has us look at its mail, as Postfix does; without it nobody else
// could tell the next hop where the message came from.
//
// # What a crash leaves
//
// Both sides take a message, or the client is told that none did. Nobody can make
// two hosts do that at one moment. At the end of the data the order is this, and
// each step is only taken when the one before it has said yes:
//
//	 step                                     killed here: list  next hop  client
//	1 the list's rules, for the whole message            -       -        no reply
//	2 the file in tmp is written and synced              -       -        no reply
//	3 the final dot goes to the next hop                 -       perhaps  no reply
//	4 its reply comes: 250                               -       has it   no reply
//	5 rename                                             perhaps has it   no reply
//	6 the directory is synced                            has it  has it   no reply
//	7 the client hears 250                               has it  has it   250
//
// A client without a reply sends the message again. So after steps 3 and 4 the next
// hop may have it twice, and the list has it once; after 5 and 6 both may have it
// twice, which is so with every server between its commit and its 250 (RFC 1047).
// Nothing that was acknowledged is lost, and nothing that was refused is
// delivered: until the dot the next hop has no message, and a connection that
// ends without one has never been a message (RFC 5321, 4.1.1.4).
//
// The other order, the rename first, would let the list have what the next hop
// may yet refuse, and hardly anything but that refuses so late. All that is slow
// or likely to fail stands before the dot, and between the next hop's 250 and ours
// there is a rename and the sync of a directory. Where one of these two fails, the
// client is told no, and the next hop may have the message twice, as after 4.
//
// In LMTP each recipient has a reply of its own (RFC 2033, 4.2), so neither side
// waits for the other's consent. The order is the same.
//
// The package refuses to hold a message back until it is complete, to give one to
// the next hop that a list has refused, and to turn a refusal into other words.
package proxy
