package lists

import (
	"strconv"
	"strings"

	"superlist/smtp"
)

// Verbs for getting what a list keeps: old posts and, for its owners, its members.
const (
	VerbGet    = "get"    // dev+get-12, dev+get-12-20
	VerbIndex  = "index"  // dev+index, dev+index-12
	VerbThread = "thread" // dev+thread-12, and to start at a later post dev+thread-12-20
	VerbList   = "list"   // the members
)

// Fetches reports whether a verb asks for something that the list keeps.
func Fetches(verb string) bool {
	switch verb {
	case VerbGet, VerbIndex, VerbThread, VerbList:
		return true
	}
	return false
}

// fromArchive reports whether a verb is about old posts.
func fromArchive(verb string) bool { return verb != VerbList && Fetches(verb) }

// maxNumber is the longest number of a post, in digits: no archive has a billion posts,
// and the number must fit into an int.
const maxNumber = 9

// parseNumbers parses what follows get, index or thread: N, N-M, or N_M as in ezmlm.
// Both are 0 if nothing follows.
func parseNumbers(s string) (from, to int, ok bool) {
	if s == "" {
		return 0, 0, true
	}
	first, second, two := strings.Cut(strings.Replace(s, "_", "-", 1), "-")
	if from, ok = parseNumber(first); !ok || !two {
		return from, from, ok
	}
	to, ok = parseNumber(second)
	return from, to, ok && from <= to
}

func parseNumber(s string) (n int, ok bool) {
	if s == "" || len(s) > maxNumber || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, _ = strconv.Atoi(s)
	return n, n > 0
}

var replyWhichPost = smtp.Reply{Code: 550, Enhanced: "5.1.1",
	Text: "say which post you want by its number, like get-12, get-12-20, index-12 or thread-12"}

// FetchCommand parses a verb that Fetches and what follows it; ok is false if that is
// not the number of a post.
func FetchCommand(verb, numbers string) (c Command, ok bool) {
	c.Verb = verb
	if verb == VerbList {
		return c, numbers == ""
	}
	c.From, c.To, ok = parseNumbers(numbers)
	if verb == VerbIndex && c.From != c.To || verb != VerbIndex && c.From == 0 {
		ok = false
	}
	return c, ok
}
