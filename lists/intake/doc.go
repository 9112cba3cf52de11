// Package intake takes mail for lists from a session and puts it into the spool: an
// Intake is the smtp.Backend of a session. It reads what lists keep, and changes none
// of it.
//
// # Several lists in one message
//
// In LMTP each list answers for itself. SMTP has one reply at the end of a message, and
// that is where a list refuses most of what it refuses: because of From, the rules or
// the size. Refusing the message for all would lose it for the lists that want it.
// Accepting it for some and writing to the author about the rest would send mail to an
// address that anybody may have forged. So an SMTP transaction is for one list: each
// further one is answered with 452 4.5.3 at RCPT, and RFC 5321, 4.5.3.1.10 makes the
// client send the message again to those. Exim does so at once, on the same connection;
// Postfix at its next attempt, after minimal_backoff_time and queue_run_delay, five
// minutes each. The requirement to accept a hundred recipients (4.5.3.1.8) is about
// room for them, which there is. Others answer the same way if they cannot give one
// verdict: Exchange Online for tenants in several regions, mox for senders that are not
// verified.
//
// A logged-in user may name several lists. That is a person at a mail program, which
// would give up at the first refused recipient. If one list refuses the message for
// all, the person still has it, and the reply names the list.
//
// The package refuses to answer anything by mail, and to accept a message for a list if
// a refusal is possible while the sender is on the line.
package intake
