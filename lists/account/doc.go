// Package account knows who may log in: from a passwd-file of our own, or by
// asking Dovecot. It is the smtp.Authenticator of superlist-session, and what
// "superlist passwd" writes with.
//
// A passwd-file has one account a line, in plain text:
//
//	# name : verifier : addresses
//	alice@example.com:$argon2id$v=19$m=19456,t=2,p=1$…$…
//	bob:{SCRAM-SHA-256}65536,…,…,…:bob@example.net,bob@example.org
//	bob:{CRAM-MD5}7f47ace0…
//
// A verifier is argon2id ($argon2id$), bcrypt ($2b$), {SCRAM-SHA-256} or
// {CRAM-MD5}, all as Dovecot writes them; no password is in the file, though with
// what is behind {CRAM-MD5} one can log in by that mechanism. Who has several
// lines has one password in several schemes. A name counts in either case. Who
// logs in may post as the addresses of his lines, and as his name if that is one.
//
// The package refuses a file that others may read, one with a line that it does
// not understand, work without a bound, and to tell by its answer or its pace
// whether an account is there. Failures are counted for each network in a file
// of a fixed size, since no process lives long enough to remember them.
package account
