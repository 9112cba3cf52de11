// Package ledger has what lists remember between two processes, and reads it.
//
// It has five words:
//
//	count within a window   how often something happened in this hour, or on this day
//	remember until          a record under a name, for as long as its shelf keeps one
//	first wins              if several put a record under one name, one succeeds
//	due at                  something to be looked at from some time on
//	kept                    a journal from which nothing is removed
//
// Sessions read, with the methods of Book, Counter and Agenda. They open one file whose
// name they know, list no directory and take no lock. Only deliver and the operator's
// command write, through a Writer. The present one writes files (package files), and no
// program that serves a client links it. Storage for several hosts will implement the
// same interface: each change will be one transaction, and each host will have a copy
// in these files, which sessions read as they do now.
//
// # Which files
//
// A Book is a directory: a list's own, lists_dir for the site, or queue_dir for the
// spool. Each Shelf is a directory in it; shelves.go has all of them. A list has
//
//	asked/NAME-WINDOW-HASH   counts: a byte for each event
//	asked/who-HASH           who was asked about what, and has not answered
//	asked/known-HASH         how often somebody of a domain has answered
//	asked/heldfull           there was no room for another held post
//	decided/NAME             what was decided, and which confirmations are used up
//	proved/HASH              which proof has let which message through
//	requests/SEAL            who waits for the owners
//	bounces/ID               delivery reports
//	bouncing/HASH            what speaks against an address
//	refused/TIME             who refused a post for what it is
//	checks/TIME              mail that superlist check follows, which has arrived
//	sent/HASH-N              to whom a post for several lists was sent
//	left                     the journal of who is no member any more
//	key                      the secret that its proofs are made with; it is never swept
//	acts                     the journal of what owners, moderators and operators have done
//
// lists_dir has .asked, for all lists together, .tally, how much they have done,
// .outcomes/ID, what has become of a program's request, and .acts, which lists came,
// moved and went; queue_dir has
//
//	reminders/TIME/HASH      which list may have a digest due
//	summaries/TIME/HASH      which list's moderators are to be told what is held
//	pages/TIME/HASH          which list's web pages have something to show
//	bouncing/TIME/HASH       which list's bounces are to be looked at
//
// A record is a file whose first line is its cause, an id of a message or of a command
// line, where it has one; its time is the file's. A count is a file whose length is the
// number, and in whose name stands the hour or the day, since 1970. A reminder is a file
// with the subject in it, in a directory for its time. A journal has a line for each
// entry, the day and a word or the time and a text.
//
// # Crash states
//
// Changing a shelf requires the lock, flock(2), of its directory; several directories
// are locked in the order of their names. The lock of a journal is that of its file.
// Locks end with their process. A record is written beside its place, synced and
// renamed, and its directory is synced. After a crash it is there whole or not at all,
// and it is there once its writer has returned. Whoever finds a record of a process
// that died syncs it before relying on it. Counts are not synced: a crash loses some,
// and the file system may report too short a length. If a record is also counted, the
// record comes first: a process that dies in between has not counted, and repeating it
// for the same cause does not count either. An incomplete line of a journal does not
// count, and the next entry begins a new line. A reminder is on disk before Remind
// returns, and may come again after a crash until Pending has reported that it is gone.
//
// Names that begin with a dot are files being written. Sweep removes them, and
// everything older than its shelf remembers, once a day, in the run of deliver that
// does all such work. Until then nobody sees what is too old.
//
// # What it refuses
//
// A name that cannot be a file of its shelf is neither found nor written. A record
// longer than MaxRecord is not written, and read only up to there. What cannot be read
// is an error, except that a count is then zero: quotas protect people from floods, but
// must not stop mail when a disk is in trouble. No name contains an address: names are
// hashes, or seals made with the list's key. The package knows no lists, no members and
// no mail.
package ledger
