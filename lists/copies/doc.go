// Package copies makes from a post what members get, and what goes into the archive and
// digests.
//
// What the list removes (attachments, HTML, header fields, the author on an anonymous
// list) is removed from both. What it adds for its members is only in their copies:
// prefix, footer, Reply-To, another From. So the archive shows who wrote a post.
//
// The order is: remove; add prefix and texts; Reply-To; then, given the result, decide
// whether members would get the post under its author's name (DMARC), and what to do if
// not; add the list's fields. Our signature is made last, when the post is sent.
// Nothing is done that the list does not ask for, and then every byte is the author's.
package copies
