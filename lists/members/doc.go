// Package members reads a list's members file: a line for each member, with an address
// and words about it. It finds a member among a million with a dozen reads, and knows
// what the lines mean. Package edit writes the file.
package members
