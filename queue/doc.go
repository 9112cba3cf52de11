// Package queue is the spool: messages on disk, each one file, between the
// session that accepts them and the server that takes them off us.
//
//	tmp/                     being written
//	inbound/new, inbound/cur     accepted by a session; somebody has begun with it
//	outbound/new, outbound/cur   to be sent; somebody has begun with it
//	failed/                  given up; kept for the operator, for a time
//	taken/                   what may come a second time through a milter, by name
//	reminders/, summaries/   agendas: see lists/ledger
//
// # What a crash leaves
//
// A message is written in tmp, synced, renamed, and the directory synced. Only
// then is it acknowledged. At any moment a message is therefore in one of these
// states, and each of them is safe:
//
//  1. A file in tmp: not acknowledged. Nobody reads it; Sweep removes it after
//     SweepAge.
//  2. A file in new: complete and acknowledged, or about to be. Work for anyone.
//  3. A file in cur with a lock: somebody works on it. The lock is flock(2) and
//     dies with its process.
//  4. A file in cur without a lock: it waits for another attempt, or its
//     process died. Work for anyone, from the time on that its mtime says; the
//     recipients marked done are not done again.
//
// A file's head names its recipients, one a line, whose first byte is their
// state and is flipped in place: T to do, D done, F failed. Behind the head
// stands the message exactly as it came, and behind that notes for the
// operator: why a recipient failed, why a message waits.
//
// The package refuses to read a file that is not complete, to follow a symbolic
// link, and to take a message that would overflow the disk or the queue.
package queue
