// Package site is superlist.toml: everything that is not a list's own. It reads the
// file, and says who is trusted, where mail goes on to, how clients log in and what
// filters there are. It knows no lists; lists.Of says where they stand.
package site
