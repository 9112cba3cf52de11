// Package digest keeps posts for members who want many at once, and sends them.
//
// A post to a list that has such members waits in the list's archive, or where it keeps
// none in digest/posts, until its digest goes out. What waits is in digest/state, and a
// reminder says when to look at it. Whoever changes the state holds the lock, the flock(2)
// of digest.
//
// A digest is made like this: the state says which posts it has and when it was begun
// (Upto, At), then it is written as an outbound message whose name follows from that, then
// the state says that it is made. Until then nobody sends it: its head says so. So whoever
// finds after a crash that a digest is being made either writes the same again, or finds it
// in the spool, where it has waited; and once the state says that it is made nobody writes
// it again.
package digest
