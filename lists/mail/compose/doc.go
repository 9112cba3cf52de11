// Package compose writes the mail that is ours: its header, its text, and other messages
// that it brings. It knows how a message can stand within another (Form), which is one
// answer for letters, digests and whatever else has somebody's post in it.
//
// It refuses to change what it brings: a message stands in the mail byte for byte, or in
// base64 where that cannot be.
package compose
