// Package people carries out what people ask of a list: to join, to change how the posts
// come, to leave; to decide on those who wait and on posts that are held; to have old
// posts sent.
//
// They ask by mail to one of the list's addresses, or with the operator's command. Either
// way it becomes a Request. Desk.Do carries it out, and the Outcome says what happened and
// which letters are to be written. A program that may only write to the spool, such as
// one for the web, leaves the request there as a message (package request), and deliver
// carries it out.
//
// # Once, and not twice
//
// A request has a cause, and what follows from it is named after the cause. The list is
// changed first. Then Outcome.Commit puts the letters into the spool, the one named like
// the cause last, and removes what the request was about: a held post, or the record of
// somebody who waits. If a crash comes in between, doing it again for the same cause
// changes nothing and writes the letters that are missing.
//
// The package refuses to write to somebody twice about the same thing before they have
// answered, and to tell a stranger who is on a list.
package people
