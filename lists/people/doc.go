// Package people carries out what people ask of a list: to join, to change how the posts
// come, to leave; to decide on those who wait and on posts that are held; to have old
// posts sent.
//
// They ask by mail to one of the list's addresses, or with the operator's command. Either
// way it becomes a Request, Desk.Do carries it out, and the Outcome says what has come of
// it and what is to be written to whom. Who may only write to the spool, as a web program
// does, leaves a request there as a message (Request.Leave), and deliver carries it out.
//
// # Once, and not twice
//
// A request has a cause, which names what follows from it. The list is changed first.
// Then Outcome.Commit puts the letters into the spool, the one named like the cause
// last, and takes away what the request was about: a held post, somebody who waits.
// Doing it again for the same cause, after a crash anywhere in between, changes nothing
// and writes the letters that are missing.
//
// The package refuses to write to anybody again who has not answered the first letter
// about the same, and tells a stranger nothing about who is on a list.
package people
