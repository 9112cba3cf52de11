// Package bounces judges what comes back to the return paths of a list: whom it speaks
// against, and who is probed, suspended, removed and reinstated.
//
// The return path says who it is about, and package lists/mail/bounce what it says.
// Find combines the two. A Record is what is known about one address, and its methods
// decide (judge.go): they are pure functions of the record, the rules and the clock. A
// Judge carries the decisions out. It is the only part that changes anything.
//
// # How
//
// Apply judges some reports of one list. It changes records, but no members, except
// those who complain. If something is to be done, now or later, it puts a reminder of
// the list into the agenda. Due handles the lists whose reminders are due: it suspends,
// reinstates and removes members, writes probes and letters, and schedules the next
// look.
//
// # Crash states
//
// Repeating Apply for the same reports changes nothing: a day counts once for an
// address, a post once for each member who refuses it, and a probe comes back once. A
// look changes the members first, then puts the letters into the spool, then updates
// the records, and then removes its reminder. Letters are named after the reminder and
// are sent once it is gone (queue.AfterBounces). So an interrupted look is repeated
// from the beginning: it decides the same and finds the letters that exist, and nobody
// gets two probes. The return path of a probe found in the spool says when it was
// written.
//
// # What it refuses
//
// Only an address that is gone and a mailbox that is full count. Nobody is suspended
// before a probe has come back, whose return path only its recipient's mail system
// knows. Nobody who writes to a return path gets an answer.
package bounces
