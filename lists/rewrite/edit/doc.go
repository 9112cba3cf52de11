// Package edit changes a message as bytes. What need not change stays as it is: order,
// folding, white space and encoding. Nothing is decoded and encoded again as a whole,
// except a part that gets another form. An insertion can be removed again, which
// restores the original.
//
// A Message is a header in memory and a body in a file. A change of the body is a list
// of Edits. The result is a body again, which is put together while it is read: only
// the insertions are in memory.
//
// The package inserts nothing into what is signed or encrypted, and changes nothing
// inside a message that people may see split into other parts (parts.Tree.Doubt). If it
// cannot insert a text into a part it adds a part of its own, and if that is impossible
// it leaves the message alone and says so.
package edit
