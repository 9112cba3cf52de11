// Package disk changes files so that a crash leaves the old or the new content, and
// lets tests make each change fail.
//
// A small file is replaced: written beside the old one, synced, renamed over it, and
// the directory synced (Disk.Replace, and Disk.Beside if the content is streamed). A
// file that only the first of several may create is placed: written beside and linked,
// which fails if the name is taken (Disk.Place). Once MakeDir has returned, its
// directory survives a crash. Locks are flock(2): they end with the process.
//
// Every system call that changes the disk asks Disk.Fault first. It is the project's
// only seam: no other package renames, writes, syncs or removes a file, and
// e2e/disk_test.go enforces that. Tests use it to make each call fail in turn, with any
// error, or to kill the process there.
//
// Names that begin with a dot are files being written. One left by a crash is
// overwritten by the next process that writes the same file, or removed by the sweeper
// of its directory.
//
// The package does not write through links: what it creates is new, with mode 0600 in
// directories of mode 0700. It walks no directory tree and reads no configuration, and
// it knows neither queues nor lists.
package disk
