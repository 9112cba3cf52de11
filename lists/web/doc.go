// Package web makes the pages of a list's archive: static files that any web server
// serves as they are, without a script and without a program of ours.
//
//	ROOT/DOMAIN/NAME/index.html       about the list, its newest threads, its months
//	ROOT/DOMAIN/NAME/4/4711.html      a post; this address never changes
//	ROOT/DOMAIN/NAME/t/4/4700.html    a thread, by the number of its first post; -2 after 100 posts
//	ROOT/DOMAIN/NAME/2026-11.html     a month, by the time posts were sent; -2 after 500
//	ROOT/DOMAIN/NAME/2026-11.mbox.gz  the same as mboxrd, a gzip member for each post
//	ROOT/DOMAIN/NAME/new.atom         the newest posts
//
// Everything in them comes from the archive and can be made again. A page is a function
// of the archive's content. Update writes the pages that a new post, a removed one,
// another setting or another template changes.
//
// # What a crash leaves
//
// A page is written beside its place and renamed, so it is the old one or the new one.
// The file web/state in the list's directory says up to which post there are pages; it
// is written last, and synced. After a crash, the next run writes again what the state
// does not cover, and cuts an mbox that is too long. Pages are synced together, from
// time to time; after a crash of the host those written since the last sync are written
// again.
//
// The books are beside the state: for each thread and each month they have the index
// lines of its posts, so that a new post need not read a million other lines. A missing
// or damaged book is made from the index.
//
// The package refuses to put anything on a page that its author could use to run or
// load something, or to lead a reader to another place than the one shown: a mail's
// HTML is shown as text, one function escapes all text, and links are http and https
// only. No file name comes from a mail. One function veils people's addresses, in
// pages, feed and mbox alike.
package web
