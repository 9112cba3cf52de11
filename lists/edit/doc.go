// Package edit changes lists: it makes, moves and removes them, and changes their
// list.toml and their members. Whoever does more to a list than remember something
// (package ledger) or keep a post (package archive) does it here.
//
// A list is changed under its lock, flock(2) of its directory. Each file is written
// beside the old one, synced, and put in its place by a rename, so a reader sees one or
// the other, and needs no lock. A new list is a directory without a name until one
// rename publishes it.
//
// No program that serves a client links it.
package edit
