// Package lists is what a mailing list is: the site's and the list's
// configuration, the members, the addresses of a list, and who may post.
//
// A list is a directory, lists_dir/<domain>/<name>/, with list.toml and
// members in it; nothing else has to be told about it. An Intake joins lists
// and spool to the smtp.Backend that a session asks.
//
// The package refuses to open a path made from an address that could not be a
// list's name, to answer anything by mail, and to take a message for a list
// when the refusal can be said while the sender is on the line.
package lists
