// Package ledger is what lists remember between two processes, and reads it.
//
// There are five words for it:
//
//	count within a window   how often something happened in this hour, or on this day
//	remember until          a record under a name, for as long as its shelf keeps one
//	first wins              of several who want to put a record under a name, one does
//	due at                  something that is to be looked at from a time on
//	kept                    a journal that nothing is taken from
//
// Sessions read, with the methods of Book, Counter and Agenda. They open one file
// whose name they know, list no directory and take no lock. Only deliver and the
// operator's command write, by way of a Writer. The one there is writes files (package
// files), and no program that serves a client links it. What several hosts will share
// stands behind the same interface: there each change is one transaction, and each
// host has a copy as the same files, which sessions read as they do now.
//
// # Which files
//
// A Book is a directory: the list's own, of the site lists_dir, of the spool queue_dir.
// In it each Shelf is a directory. Shelves are in shelves.go. A list has
//
//	asked/NAME-WINDOW-HASH   counts: a byte for each time
//	asked/who-HASH           who was written to about what, and has not answered
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
// lists_dir has .asked, for all lists together, .tally, how much they have done, and
// .acts, which lists came, moved and went; queue_dir has
//
//	reminders/TIME/HASH      of which list a digest may be due
//	summaries/TIME/HASH      which list's moderators are to be told what is held
//	pages/TIME/HASH          whose pages on the web have something to show
//	bouncing/TIME/HASH       at which list's bounces is to be looked
//
// A record is a file whose first line is its cause, an id of a message or of a command
// line, where it has one; its time is the file's. A count is a file whose length is the
// number, and in whose name stands the hour or the day, since 1970. A reminder is a file
// with the subject in it, in a directory for its time. A journal has a line for each
// entry, the day and a word or the time and a text.
//
// # Crash states
//
// Whoever changes a shelf has the lock, flock(2), of its directory; of several
// directories it is taken in the order of their names. A journal's is the file's own.
// A lock ends with its process. A record is written beside its place, synced, renamed and
// its directory synced: after a crash it is there whole or not at all, and it is there
// once its writer has said so. Whoever finds what a process that died has put there syncs
// it before going by it. Counts are not synced: a crash takes some, and the file system's
// idea of their length may be too short. Of a record with counts the record comes first:
// a process that dies in between has not counted, and whoever does it again for the same
// cause does not count it either. A line of a journal that was broken off counts for
// nothing, and the next begins a line of its own. A reminder is on disk before Remind
// returns, and may come again after a crash until Pending has said that it is gone.
//
// Names that begin with a dot are files being written. They, and what is older than its
// shelf remembers, are taken away by Sweep, once a day by the run of deliver that does
// everything of that kind; until then nobody sees it any more.
//
// # What it refuses
//
// A name that is no file's of its shelf is not found, and not written. A record longer
// than MaxRecord is not written, and read up to there. What cannot be read is an error,
// but for a count, which is then zero: quotas keep people from being flooded, and must
// not keep mail from being taken where a disk is in trouble. It keeps no address in a
// name: names are hashes, or seals of the list's key. It knows no lists, no members and
// no mail.
package ledger
