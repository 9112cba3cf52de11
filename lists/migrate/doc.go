// Package migrate imports lists from other list managers, and exports our own.
//
// A reader (Mlmmj, Mailman3, Ezmlm) makes a Parcel of what it finds: the list in our
// terms, and a Report that names every file, key and line, with what it has become or
// what can be done instead. A Parcel travels as a tar (Send, Receive), so that reading
// the other manager's files and writing the lists can be done by two processes with
// different rights. Export makes the same tar from one of our lists. Receive makes the
// list under another name first, and then it exists with everything it has, or not at
// all.
//
// The package refuses to follow a symbolic link out of the directory it was given, to
// open anything but a regular file, and to read more of a file than it can have. It
// changes nothing in that directory.
package migrate
