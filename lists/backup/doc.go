// Package backup copies what a site has, while mail flows, and puts it back.
//
// A backup is a directory:
//
//	superlist-backup     its version, when and where it was made; written last
//	superlist.toml       the configuration
//	lists/               lists_dir: lists, their other addresses, what all share
//
// Each file is copied as it was at one moment, since superlist replaces files by renames.
// What changes together is copied together: each directory is copied under its lock, as
// whoever changes it takes it, an archive with all that is in it. So a backup has a list as
// it was within the time that its copy took, posts that come meanwhile are in it or not,
// and no writer waits for longer than one directory takes. What is half-written (names with
// a dot in front) and tmp are left out. Times come along: records are as old as they were.
//
// The spool is left out: mail on its way would go out twice. So is what is made of lists:
// pages and their books.
//
// # Crash states
//
// A backup is written under another name and renamed when all of it is on disk. What a
// crash leaves of one the next backup beside it takes away. A list is restored as a new one
// is made: under a name that is no list's, renamed when it is whole. A restore that is cut
// short has left some lists whole and the others not at all, and Unfinished says so until
// it has been called again, for the same backup. Until then mail for what is missing is put
// off.
package backup
