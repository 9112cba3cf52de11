// Package compose writes our own mail: its header, its text, and the messages that it
// includes. It knows how a message can be included in another (Form), for letters,
// digests and everything else that contains somebody's post.
//
// It refuses to change what it includes: a message is included byte for byte, or in
// base64 if that is impossible.
package compose
