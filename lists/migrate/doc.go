// Package migrate brings lists in from other list managers, and takes them out
// again.
//
// A reader (Mlmmj, Mailman3, Ezmlm) makes a Parcel of what it finds: the list in
// our words, and a Report that has every file, key and line that it met, either
// as what it is here or with what can be done instead. A Parcel travels as a tar
// (Send, Receive), so that who may read the other manager's files and who may
// write the lists can be two processes; the same tar is what Export makes of a
// list. Receive makes the list under another name, and it is there with all it
// has or not at all.
//
// The package refuses to follow a symbolic link out of the directory it was
// given, to open what is not a regular file, and to read more of a file than it
// could have. It changes nothing in that directory.
package migrate
