// Package copies makes of a post what members get, and what the archive and digests
// have.
//
// What the list takes away (attachments, HTML, header fields, the author of an anonymous
// list) is taken from both. What it puts around a post for its members is on theirs
// alone: prefix, footer, Reply-To, another From. So the archive shows who wrote a post.
//
// The order is: take away; prefix and texts; Reply-To; then, knowing all that, whether
// members would get the post under its author's name (DMARC), and what is done if not;
// the fields of the list; a signature of ours comes last, as it is sent. What a list does
// not ask for is not done, and then each byte is the author's.
package copies
