// Package bounces judges what comes back to the return paths of a list: whom it speaks
// against, who is asked by a probe, suspended, removed, and taken back.
//
// The return path says who, package lists/mail/bounce says what. Find puts both together,
// a Record is what is known of one address, and its methods decide (judge.go): they are
// pure, and look at nothing but the record, the rules and the clock. A Judge does what
// they decide. It is the only part that changes anything.
//
// # How
//
// Apply judges some reports of one list: records change, the members do not, but for those
// who complain. Where something is to be done, or has its time, a reminder of the list is
// put into the agenda. Due looks at lists whose reminders have come: it suspends, takes
// back and removes, writes probes and letters, and says when to look again.
//
// # Crash states
//
// Apply for the same reports once more changes nothing, since a day counts once for an
// address, a post once for one who refuses it, and a probe comes back once. A look first
// changes the members, then puts the letters into the spool, then the records say so,
// and then its reminder goes. Letters are named for the reminder and are sent once it is
// gone (queue.AfterBounces). So a look that was broken off is done again from the beginning: it
// decides the same, finds the letters that are there, and nobody gets two probes. A probe
// that is found in the spool says by its return path when it was written.
//
// # What it refuses
//
// Nothing counts but an address that is gone and a mailbox that is full. Nobody is
// suspended before a probe has come back, whose return path only its reader's mail system
// knows. It answers nobody who writes to a return path.
package bounces
