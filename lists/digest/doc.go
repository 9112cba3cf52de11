// Package digest keeps posts for members who want many in one mail, and sends them.
//
// A post to a list with such members waits for its digest in the list's archive or, if
// the list keeps none, in digest/posts. digest/state says what waits, and a reminder
// says when to look at it. Changing the state requires the lock, the flock(2) of
// digest.
//
// A digest is made in three steps. The state records which posts it has and when it was
// begun (Upto, At). The digest is written as an outbound message whose name follows
// from that. The state records that it is made. Until then nobody sends it, because its
// head says so. After a crash, a process that finds a digest being made either writes
// the same digest again, or finds it waiting in the spool; and once the state says that
// it is made, nobody writes it again.
package digest
