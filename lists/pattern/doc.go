// Package pattern has the patterns with which owners say whom or what they mean:
// addresses, domains, types, file names and fields, with * ? [a-z] and \.
//
// There are two ways to compare, Strict and Loose: strictly for people who gain
// something by a match, and loosely for those who are kept out. A match takes time
// proportional to the lengths of pattern and text, whatever they are, since the text
// comes from strangers.
package pattern
