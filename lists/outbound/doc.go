// Package outbound brings what is in a spool's outbound box to the relay, or to the
// servers of the recipients' domains. It knows no lists: a message says what it is and
// for whom, a Relay how it leaves.
//
// # Marks
//
// The outcome of each recipient is marked in the message's file and synced after each
// batch. What a crash can hide is the outcome of one batch on each connection, or of a
// hundred messages of one recipient and those under way: these recipients get the
// message again.
//
// # One does not wait for the other
//
// Several messages are sent at a time, each by a goroutine of its own (Sender), and a
// message for many by several workers. They take turns on the connections (pool), and
// one that keeps its message waiting does not count (place). The posts of a list leave
// one after the other.
//
// Any number of processes may do this at once. The package refuses to say anything to
// anybody about what it could not send: that is marked, noted in the file, and logged.
package outbound
