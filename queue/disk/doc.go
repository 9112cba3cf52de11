// Package disk changes files so that a crash leaves the old or the new, and lets
// tests fail each change.
//
// A small file is replaced: written beside the old one, synced, renamed over it,
// and the directory synced (Disk.Replace, and Disk.Beside where the content is
// streamed). A file that only the first may make is placed: written beside and
// linked, which fails where the name is taken (Disk.Place). A directory is there
// after a crash once MakeDir has returned. Locks are flock(2): they end with the
// process.
//
// Every system call that changes the disk asks Disk.Fault first. It is the one
// seam of the project: no other package renames, writes, syncs or removes a file,
// and e2e/disk_test.go holds that. With it tests fail each call in turn, with any
// error, or have the process die there.
//
// Names that begin with a dot are files being written. What a crash leaves of
// them is overwritten by the next one to write the same file, or removed by the
// sweeper of its directory.
//
// The package writes through no link: what it makes is new, of mode 0600 in
// directories of mode 0700. It reads no directory tree and follows no configuration,
// it knows neither queues nor lists.
package disk
