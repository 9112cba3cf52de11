// Package queue is the spool: messages on disk, one file each, between the session that
// accepts them and the server that takes them over.
//
//	tmp/                     being written
//	inbound/new, inbound/cur     accepted by a session; being worked on
//	outbound/new, outbound/cur   to be sent; being worked on
//	failed/                  given up; kept for the operator, for a time
//	taken/                   what may come a second time through a milter, by name
//	reminders/, summaries/   agendas: see lists/ledger
//	adopted/     another host has taken the spool over, or does: see Adoption
//	adopting/    what is on its way here from the spool of another host
//
// # What a crash leaves
//
// A message is written in tmp, synced and renamed, and the directory is synced. Only
// then is it acknowledged. So at any moment a message is in one of these states, and
// each of them is safe:
//
//  1. A file in tmp: not acknowledged. Nobody reads it; Sweep removes it after
//     SweepAge.
//  2. A file in new: complete, and acknowledged or about to be. Any process may
//     take it.
//  3. A file in cur with a lock: a process works on it. The lock is flock(2) and
//     dies with the process.
//  4. A file in cur without a lock: it waits for another attempt, or its process
//     died. Any process may take it once its mtime is reached; recipients marked
//     done are not served again.
//
// A file's head names its recipients, one a line. The first byte of such a line is the
// recipient's state and is changed in place: T to do, D done, F failed. After the head
// comes the message exactly as it arrived, and then notes for the operator: why a
// recipient failed, why a message waits.
//
// The package refuses to read an incomplete file, to follow a symbolic link, and to
// accept a message that would overfill the disk or the queue.
package queue
