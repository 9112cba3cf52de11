// Package deliver is what happens between two sessions: it turns the messages
// of the spool into mail for members and owners, and hands that to the relay.
//
// # Once, and not twice
//
// A message from inbound is expanded: for its recipient number k an outbound
// message <id>.k is written and synced, then the recipient is marked done in
// the inbound file, and when all are, the inbound file is removed. An outbound
// message is sent only when its recipient is marked done, on disk. So a crash
// at any point leads to one of two things: the mark is not there, then the
// outbound message has not been touched and is taken as it is; or it is, then
// the outbound message is never written again.
//
// The same goes for what else follows from a recipient, under a name with a word
// behind it: <id>.k-delivered is the report that a sender asked for, and
// <id>.k-failed the one that is sent when the recipient is marked failed.
//
// A post goes into the list's archive under the id of its outbound message, before
// that is committed; adding it again finds it, and so it has one number.
//
// A digest is not a message from inbound: its state in the list's directory takes the
// place of the recipient's mark (see package digest).
//
// What comes in is expanded by one goroutine, message after message; what goes out is
// sent beside that, and package outbound says what a crash can hide there.
//
// Any number of processes may do this at once. The package refuses to mail
// anyone who has not asked for it: failures stay in the spool, for the operator.
package deliver
