// Package lists is what a mailing list is: a directory, its list.toml, its addresses,
// and the proofs that it gives out. It reads. What changes a list is package edit, what
// it remembers package ledger, who is on it package members, what becomes of a post
// package policy, and how mail comes in package intake.
//
// A list is a directory, lists_dir/<domain>/<name>/, with list.toml and
// members in it; nothing else has to be told about it.
//
// The package refuses to open a path made from an address that could not be a
// list's name.
package lists
