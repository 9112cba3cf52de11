// Package deliver does what happens between two sessions: it turns the messages of the
// spool into mail for members and owners, and passes that to the relay.
//
// # Once, and not twice
//
// A message from inbound is expanded: for its recipient number k an outbound message
// <id>.k is written and synced, then the recipient is marked done in the inbound file,
// and when all are done, the inbound file is removed. An outbound message is sent only
// when its recipient is marked done, on disk. So a crash at any point leaves one of two
// states. Either the mark is missing: then the outbound message has not been touched,
// and is used as it is. Or the mark is there: then the outbound message is never
// written again.
//
// The same is true for everything else that follows from a recipient, under a name with
// a suffix: <id>.k-delivered is the report that a sender asked for, and <id>.k-failed
// the one that is sent when the recipient is marked failed.
//
// A post goes into the list's archive under the id of its outbound message, before that
// is committed. Adding it again finds it there, so it has one number.
//
// A digest does not come from inbound: its state in the list's directory has the role
// of the recipient's mark (see package digest).
//
// One goroutine expands incoming messages, one after the other. Outgoing messages are
// sent at the same time, and package outbound says what a crash can hide there.
//
// Any number of processes may do this at once. The package refuses to mail anyone who
// has not asked for it: failures stay in the spool, for the operator.
package deliver
