// Package lists defines a mailing list: a directory, its list.toml, its addresses, and
// the proofs that it gives out. It only reads. Package edit changes a list, package
// ledger has what it remembers, package members has its members, package policy decides
// about posts, and package intake takes mail in.
//
// A list is a directory, lists_dir/<domain>/<name>/, with list.toml and members in it.
// It need not be registered anywhere else.
//
// The package refuses to open a path made from an address that cannot be a list's name.
package lists
