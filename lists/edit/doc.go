// Package edit changes lists: it creates, moves and removes them, and changes their
// list.toml and their members. Code that only remembers something belongs in package
// ledger, and code that keeps posts in package archive.
//
// A list is changed under its lock, flock(2) of its directory. Each file is written
// beside the old one, synced, and renamed into its place. So a reader sees either the
// old file or the new one, and needs no lock. A new list is a directory with a
// temporary name until one rename publishes it.
//
// Programs that serve clients do not link this package.
package edit
