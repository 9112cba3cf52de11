// Package proxy stands between a host and its mail: it gives recipients that are lists
// to intake.Intake, and passes all others on to the next hop, in the same transaction
// and while the sender is on the line. Postfix calls this a before-queue filter
// (smtpd_proxy_filter).
//
// The next hop gets MAIL, without its AUTH, and RCPT as the client said them, XFORWARD
// with the client's identity, and the unchanged message. If it refuses, the client gets
// its reply word for word. It is connected to with the first recipient that is not a
// list, once for each message. A session for lists only does not use it, and a session
// without a list does not use the spool. A message is written to both as it arrives.
// Nothing of it is kept except in the spool.
//
// A trace line of ours (RFC 5321, 4.4) is put before a message for the next hop, unless
// the client has sent XFORWARD. A client that does so, like Postfix, adds its own trace
// and only has its mail checked by us; otherwise nobody else could tell the next hop
// where the message came from.
//
// # What a crash leaves
//
// Both sides accept a message, or the client is told that none did. Nobody can make two
// hosts do that at one moment. At the end of the data the order is this, and each step
// requires the success of the one before:
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
// A client without a reply sends the message again. So after steps 3 and 4 the next hop
// may have it twice, and the list has it once; after 5 and 6 both may have it twice, as
// with every server between its commit and its 250 (RFC 1047). Nothing that was
// acknowledged is lost, and nothing that was refused is delivered: until the dot the
// next hop has no message, and a connection that ends without one has never been a
// message (RFC 5321, 4.1.1.4).
//
// In the other order, with the rename first, the list would have messages that the next
// hop may still refuse, and hardly anything else refuses so late. Everything slow or
// likely to fail comes before the dot. Between the next hop's 250 and ours there is a
// rename and the sync of a directory. If one of these fails, the client gets a refusal,
// and the next hop may have the message twice, as after 4.
//
// In LMTP each recipient has a reply of its own (RFC 2033, 4.2), so neither side
// depends on the other. The order is the same.
//
// The package refuses to hold a message back until it is complete, to give the next hop
// a message that a list has refused, and to rephrase a refusal.
package proxy
