// Package account knows who may log in: from a passwd file of our own, or by asking
// Dovecot. It is the smtp.Authenticator of superlist-session, and "superlist passwd"
// writes with it.
//
// A passwd file has one account a line, in plain text:
//
//	# name : verifier : addresses
//	alice@example.com:$argon2id$v=19$m=19456,t=2,p=1$…$…
//	bob:{SCRAM-SHA-256}65536,…,…,…:bob@example.net,bob@example.org
//	bob:{CRAM-MD5}7f47ace0…
//
// A verifier is argon2id ($argon2id$), bcrypt ($2b$), {SCRAM-SHA-256} or {CRAM-MD5},
// all as Dovecot writes them. The file contains no password, though the part after
// {CRAM-MD5} suffices to log in with that mechanism. An account with several lines has
// one password in several schemes. Case does not matter in names. A logged-in user may
// post as the addresses of their lines, and as their name if that is an address.
//
// The package refuses a file that others may read, a file with a line that it does not
// understand, unbounded work, and to reveal by its answer or its timing whether an
// account exists. Failures are counted for each network in a file of a fixed size,
// since no process lives long enough to remember them.
package account
