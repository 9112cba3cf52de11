// Package web makes the pages of a list's archive: static files that any web server
// serves as they are, without a script and without a program of ours.
//
//	ROOT/DOMAIN/NAME/index.html       about the list, its newest threads, its months
//	ROOT/DOMAIN/NAME/4/4711.html      a post; this address never changes
//	ROOT/DOMAIN/NAME/t/4/4700.html    a thread, by the number of its first post; -2 behind 100 posts
//	ROOT/DOMAIN/NAME/2026-11.html     a month, by when posts were sent; -2 behind 500
//	ROOT/DOMAIN/NAME/2026-11.mbox.gz  the same as mboxrd, a member of gzip for each post
//	ROOT/DOMAIN/NAME/new.atom         the newest posts
//
// Everything in them comes from the archive and can be made again. Pages are functions
// from what the archive has to bytes; Update writes those that a new post, a removed
// one, another setting or another template changes.
//
// # What a crash leaves
//
// A page is written beside its place and renamed, so it is the old one or the new one.
// The file web/state in the list's directory says up to which post there are pages; it
// is written last, and synced. Whoever comes next writes again what it does not know
// of, and cuts what an mbox has too much. Pages are synced together, now and then; if
// the host itself has crashed, those since the last time are written again.
//
// Beside the state lie the books: for each thread and each month what the index says
// of its posts, so that a new post reads none of a million other lines. A book that is
// missing or damaged is made from the index.
//
// The package refuses to put anything on a page that its author could have run, loaded
// or followed to another place than it shows: a mail's HTML is shown as text, text is
// escaped by one function, and its links are http and https. No name in the file
// system comes from a mail. Addresses of people are veiled by one function, in pages,
// feed and mbox alike.
package web
