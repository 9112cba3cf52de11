// Package intake takes mail for lists out of a session and puts it into the spool: an
// Intake is the smtp.Backend that a session asks. It reads what lists keep and changes
// none of it.
//
// # Several lists in one message
//
// In LMTP each list answers for itself. SMTP has one reply at the end of a
// message, and most of what a list refuses, it refuses then: From, the rules, the
// size. Refusing for all would lose the post for lists that want it. Accepting for
// some and writing to the author about the rest would be mail to an address that
// anybody may have forged. So by SMTP a transaction is for one list: each further
// one is answered with 452 4.5.3 at RCPT, and RFC 5321, 4.5.3.1.10 has the client
// send the message again to those. Exim does so at once, on the same connection;
// Postfix with its next attempt, after minimal_backoff_time and queue_run_delay,
// five minutes each. That a server must take a hundred recipients (4.5.3.1.8) is
// about room for them, which there is. Others answer the same where one verdict
// cannot be had: Exchange Online for tenants in several regions, mox for senders
// that are not verified.
//
// Who has logged in may name several. He is a person at a mail program, which
// would give up at the first recipient that is not taken; it still has the message
// when one list refuses it for all, and the reply says by which.
//
// It refuses to answer anything by mail, and to take a message for a list when the
// refusal can be said while the sender is on the line.
package intake
