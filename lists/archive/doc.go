// Package archive keeps the posts of a list as they went to its members, byte by
// byte, numbered from 1 on.
//
//	index              a line for each post, in the order of their numbers
//	000/000001         the posts: a thousand to a directory, one a file, with
//	001/001234         CRLF lines, as they were sent
//	000/.000002        one that is being written
//	mids               where posts stand by Message-ID; made anew from the index
//	joined             threads that were found to belong to an earlier one
//	removed            posts that were taken out, and what they are known by if they come back
//
// The index begins with a line that says up to which number posts have been let
// go of; so numbers go on where an archive is empty. Its other lines have fields
// parted by tabs: number, time, id, size, flags, the number of the first post of
// its thread, Message-ID, that of the post it answers, From, Subject. It can be
// made anew from the posts, but for the ids.
//
// # Once, and without a hole
//
// Whoever changes an archive holds its lock, the flock(2) of its directory. A
// post is written beside its place and synced, then its line is put into the
// index and synced, then it is renamed into its place, and the directory synced.
// A crash leaves one of these:
//
//  1. A post beside its place, and no line: nothing has happened. The next one
//     is written over it.
//  2. Half a line at the end of the index: the same; the next one cuts it off.
//  3. A line, and its post beside its place: it is complete, and whoever comes
//     next renames it first.
//  4. Both in place: done.
//
// A line has the id of the message that the post was sent as. So adding a post
// again after a crash finds its line, and gives the same number.
//
// The package refuses to number a post that it cannot keep, and to put anything
// into a line of the index that could begin another.
package archive
