// Package pattern is what owners write to say whom or what they mean: addresses,
// domains, types, file names and fields, with * ? [a-z] and \.
//
// There are two ways to compare, Strict and Loose: who gains something by it is
// compared strictly, and whoever is kept away loosely. A match takes time in
// proportion to the lengths of both, whatever they are, since what it is held
// against comes from strangers.
package pattern
