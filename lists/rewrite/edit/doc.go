// Package edit changes a message as bytes: what has not to be changed stays as it is,
// its order, folding, white space and encoding. Nothing is decoded and written again as
// a whole, but for a part that is to have another form. What was put in can be taken
// out again, and gives what was there.
//
// A Message is a header in memory and a body in a file. A change of the body is a list
// of Edits, and what comes of them is a body again, which is put together while it is
// read: no more of it is in memory than what was put in.
//
// The package puts nothing into what is signed or encrypted, and changes nothing inside
// of a message of which people may see other parts than it does (parts.Tree.Doubt).
// What it cannot put into a text it gives a part of its own, and where that cannot be it
// leaves the message alone and says so.
package edit
