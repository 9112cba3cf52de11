// Package archive keeps the posts of a list as they went to its members, byte by byte,
// numbered from 1 on.
//
//	index              a line for each post, in the order of their numbers
//	000/000001         the posts: a thousand to a directory, one a file, with
//	001/001234         CRLF lines, as they were sent
//	000/.000002        one that is being written
//	mids               finds posts by Message-ID; made from the index
//	joined             threads that were found to belong to an earlier one
//	removed            posts that were removed, and how to recognize them if they come back
//
// The first line of the index says up to which number posts have been dropped, so that
// numbering continues even if the archive is empty. Its other lines have fields
// separated by tabs: number, time, id, size, flags, the number of the first post of its
// thread, Message-ID, that of the post it answers, From, Subject. All but the ids can
// be made again from the posts.
//
// # Once, and without a hole
//
// Changing an archive requires its lock, the flock(2) of its directory. A post is
// written beside its place and synced, then its line is added to the index and synced,
// then the post is renamed into its place, and the directory is synced. A crash leaves
// one of these states:
//
//  1. A post beside its place, and no line: nothing has happened. The next one
//     is written over it.
//  2. Half a line at the end of the index: the same; the next one cuts it off.
//  3. A line, and its post beside its place: the post is complete, and the next
//     process renames it first.
//  4. Both in place: done.
//
// A line has the id of the message that the post was sent as. So adding a post again
// after a crash finds its line, and returns the same number.
//
// The package refuses to number a post that it cannot keep, and to put anything into a
// line of the index that could begin another line.
package archive
