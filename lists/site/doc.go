// Package site is superlist.toml: everything that is not a list's own. It reads the
// file, and knows who is trusted, where mail goes on to, how clients log in, and the
// mail filters. It knows no lists; lists.Of returns where they are.
package site
