// Package backup copies the data of a site while mail flows, and restores it.
//
// A backup is a directory:
//
//	superlist-backup     its version, when and where it was made; written last
//	superlist.toml       the configuration
//	lists/               lists_dir: lists, their aliases, and what all share
//
// Each file is copied as it was at one moment, since superlist replaces files by
// renames. Files that change together are copied together: each directory is copied
// under the lock that its writers take, an archive with everything in it. So the copy of
// a list shows the list as it was during the time that the copy took. Posts that arrive
// meanwhile may or may not be in it, and no writer waits for longer than one directory
// takes. Unfinished files (names with a dot in front) and tmp are left out. Times are
// kept, so records keep their age.
//
// The spool is left out, since mail on its way would go out twice. So are files made
// from lists: pages and their books.
//
// # Crash states
//
// A backup is written under a temporary name, and renamed when all of it is on disk. The
// next backup beside it deletes what a crash left. A list is restored as a new list is
// created: under a temporary name, renamed when it is complete. After a restore that was
// cut short, some lists are complete and the others do not exist. Unfinished says so
// until Restore has been called again for the same backup. Until then mail for missing
// lists is put off.
package backup
