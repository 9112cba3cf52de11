// Package members is a list's members file: a line for each, an address and words about
// it. It reads the file, in which a member among a million is found by a dozen reads,
// and says what the lines mean. Whoever writes it is package edit.
package members
