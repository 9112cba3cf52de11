// Package outbound brings the messages in a spool's outbound box to the relay, or to
// the servers of the recipients' domains. It knows no lists: a message says what it is
// and for whom, and a Relay how it is sent.
//
// # Marks
//
// The outcome of each recipient is marked in the message's file and synced after each
// batch. A crash can lose the outcomes of one batch on each connection, or those of a
// hundred messages to single recipients plus the ones in flight: these recipients get
// the message again.
//
// # No message holds up another
//
// Several messages are sent at a time, each by a goroutine of its own (Sender), and a
// message to many by several workers. They take turns on the connections (pool), and a
// connection that makes its message wait does not count (place). The posts of a list
// are sent one after the other.
//
// Any number of processes may do this at once. The package tells nobody what it could
// not send: that is marked, noted in the file, and logged.
package outbound
